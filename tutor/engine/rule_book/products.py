"""Products of vectors and matrices, and what is made of them: linear, attention."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from tutor.engine.rule_book.row import Entry, Row, Values, entry, whole


def _matmul_left(g: Tensor, o: Tensor, a: Tensor, b: Tensor) -> Tensor:
    if b.dim() == 1:
        return g.unsqueeze(-1) * b
    return (g.unsqueeze(-2) @ b.mT).squeeze(-2) if a.dim() == 1 else g @ b.mT


def _matmul_right(g: Tensor, o: Tensor, a: Tensor, b: Tensor) -> Tensor:
    if a.dim() == 1:
        if b.dim() == 1:
            return g * a
        return a.unsqueeze(-1) * g.unsqueeze(-2)
    return (a.mT @ g.unsqueeze(-1)).squeeze(-1) if b.dim() == 1 else a.mT @ g


def _matmul_text(left: bool) -> Callable[[Values], str]:
    def text(values: Values) -> str:
        match [each.dim() for each in values[:2]], left:
            case [1, 1], _:
                return "{b}" if left else "{a}"
            case [_, 1], True:
                return "g outer {b}"
            case [1, _], False:
                return "{a} outer g"
        return "g @ {b}ᵀ" if left else "{a}ᵀ @ g"

    return text


_MATMUL = entry(
    "input other",
    whole(_matmul_text(True), _matmul_left),
    whole(_matmul_text(False), _matmul_right),
)


def _flat(a: Tensor) -> Tensor:
    """As a batch of rows."""
    return a.reshape(-1, a.shape[-1] if a.dim() else 1)


def _linear_input(g: Tensor, o: Tensor, a: Tensor, w: Tensor, _: Any) -> Tensor:
    return g.unsqueeze(-1) * w if w.dim() == 1 else g @ w


def _linear_weight(g: Tensor, o: Tensor, a: Tensor, w: Tensor, _: Any) -> Tensor:
    if w.dim() == 1:
        return (g.unsqueeze(-1) * a).reshape(-1, *w.shape).sum(0)
    return _flat(g).mT @ _flat(a)


def _plus_product(
    outer: bool = False, batched: bool = False, vector: bool = False
) -> Entry:
    """beta·a + alpha·(b times c), for the kinds of product that have this form."""

    def left(g: Tensor, b: Tensor, c: Tensor) -> Tensor:
        if outer:
            return g @ c
        return g.unsqueeze(-1) * c if vector else g @ c.mT

    def right(g: Tensor, b: Tensor, c: Tensor) -> Tensor:
        return b.mT @ g if b.dim() > 1 else b @ g

    names = "vec1 vec2" if outer else "mat vec" if vector else "mat1 mat2"
    names = "batch1 batch2" if batched else names
    return entry(
        f"input {names} beta=1 alpha=1",
        Row(lambda values: f"{values[3]:g}", lambda g, o, a, b, c, m, n: g * m),
        whole(
            _alpha("g @ {c}" if outer else "g outer {c}" if vector else "g @ {c}ᵀ"),
            lambda g, o, a, b, c, m, n: n * left(g, b, c),
        ),
        whole(
            _alpha("{b} @ g" if outer else "{b}ᵀ @ g"),
            lambda g, o, a, b, c, m, n: n * right(g, b, c),
        ),
    )


def _alpha(text: str) -> Callable[[Values], str]:
    return lambda values: text if values[4] == 1 else f"{values[4]:g}·({text})"


# -- einsum


def _einsum(g: Tensor, o: Tensor, equation: str, operands: Sequence[Tensor],
            *, at: int) -> Tensor:  # fmt: skip
    """The same sum with g in the place of one operand."""
    inputs, _, output = equation.replace(" ", "").partition("->")
    letters = inputs.split(",")
    if "->" not in equation:
        output = "".join(sorted(x for x in set(inputs) - {","} if inputs.count(x) == 1))
    mine, rest = letters[at], [*letters[:at], *letters[at + 1 :]]
    others = [*operands[:at], *operands[at + 1 :]]
    if "." in equation or len(set(mine)) < len(mine):
        raise ValueError("the book has no ellipsis and no letter twice")
    kept = "".join(x for x in mine if x in output + "".join(rest))
    found = torch.einsum(f"{','.join([output, *rest])}->{kept}", g, *others)
    for place, letter in enumerate(mine):
        if letter not in kept:  # summed over in this operand alone
            found = found.unsqueeze(place)
    return found.expand(torch.broadcast_shapes(found.shape, operands[at].shape))


# -- attention


def _attention(
    values: Sequence[Any],
) -> tuple[Tensor, float]:
    """How much each query takes of each value, and the scale."""
    q, k, _, mask, dropout, causal, scale, grouped = values
    if dropout or grouped:
        raise ValueError("the book has no dropout and no groups here")
    scale = 1 / math.sqrt(q.shape[-1]) if scale is None else scale
    scores = q @ k.mT * scale
    if causal:
        mask = torch.ones(scores.shape[-2:], dtype=torch.bool, device=q.device).tril()
    if mask is not None and mask.dtype == torch.bool:
        scores = scores.masked_fill(~mask, -math.inf)
    elif mask is not None:
        scores = scores + mask
    return scores.softmax(-1), scale


def _scores(g: Tensor, o: Tensor, values: Sequence[Any]) -> tuple[Tensor, float]:
    """The gradient of the scores, before they were scaled; and the scale."""
    taken, scale = _attention(values)
    sent = g @ values[2].mT
    return taken * (sent - (sent * taken).sum(-1, keepdim=True)), scale


def _query(g: Tensor, o: Tensor, *values: Any) -> Tensor:
    found, scale = _scores(g, o, values)
    key: Tensor = values[1]
    return scale * (found @ key)


def _key(g: Tensor, o: Tensor, *values: Any) -> Tensor:
    found, scale = _scores(g, o, values)
    query: Tensor = values[0]
    return scale * (found.mT @ query)


def _value(g: Tensor, o: Tensor, *values: Any) -> Tensor:
    return _attention(values)[0].mT @ g


_P = "P = softmax({a} @ {b}ᵀ/√d)"

PRODUCTS: dict[str, Entry] = {
    **dict.fromkeys(["matmul", "mm", "mv", "dot", "vdot", "bmm"], _MATMUL),
    "rmatmul": entry(
        "input other",
        whole("{b}ᵀ @ g", lambda g, o, a, b: _matmul_right(g, o, b, a)),
        whole("g @ {a}ᵀ", lambda g, o, a, b: _matmul_left(g, o, b, a)),
    ),
    "inner": entry(
        "input other",
        whole("g @ {b}", lambda g, o, a, b: torch.tensordot(g, b, b.dim() - 1)),
        whole("gᵀ @ {a}", lambda g, o, a, b: _inner_other(g, a, b)),
    ),
    "outer": entry(
        "input vec2",
        whole("g @ {b}", lambda g, o, a, b: g @ b),
        whole("{a} @ g", lambda g, o, a, b: a @ g),
    ),
    "linear": entry(
        "input weight bias",
        whole("g @ {b}", _linear_input),
        whole("gᵀ @ {a}", _linear_weight),
        whole("1 for every row of the batch", lambda g, *_: g),
    ),
    "addmm": _plus_product(),
    "addmv": _plus_product(vector=True),
    "addr": _plus_product(outer=True),
    "baddbmm": _plus_product(batched=True),
    "einsum": entry(
        "equation *operands",
        operands=whole("the same sum with g in its place", _einsum),
    ),
    "scaled_dot_product_attention": entry(
        "query key value attn_mask dropout_p=0.0 is_causal=False scale enable_gqa=False",
        whole("d @ {b}/√d_k, d what reached the scores", _query),
        whole("dᵀ @ {a}/√d_k, d what reached the scores", _key),
        whole(f"Pᵀ @ g, {_P}", _value),
    ),
    "linalg_cross": entry(
        "input other dim=-1",
        whole("{b} × g", lambda g, o, a, b, dim: torch.linalg.cross(b, g, dim=dim)),
        whole("g × {a}", lambda g, o, a, b, dim: torch.linalg.cross(g, a, dim=dim)),
    ),
}


def _inner_other(g: Tensor, a: Tensor, b: Tensor) -> Tensor:
    flat = g.reshape(-1, b.numel() // max(b.shape[-1], 1)).mT @ _flat(a)
    return flat.reshape(b.shape)
