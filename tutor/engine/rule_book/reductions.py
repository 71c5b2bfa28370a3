"""Many numbers to few: sums, means, extremes, norms; and softmax, which looks at all."""

import math
from typing import Any

import torch
from torch import Tensor

from tutor.engine.rule_book.row import Entry, Row, Values, entry, spread, whole


def _sum(g: Tensor, o: Tensor, a: Tensor, dim: Any, keepdim: bool, *_: Any) -> Tensor:
    return spread(g, a, dim, keepdim)


def _mean(g: Tensor, o: Tensor, a: Tensor, dim: Any, keepdim: bool, *_: Any) -> Tensor:
    return spread(g, a, dim, keepdim) * (o.numel() / a.numel())


def _prod(g: Tensor, o: Tensor, a: Tensor, dim: Any, keepdim: bool, *_: Any) -> Tensor:
    along = 0 if dim is None else dim
    flat = a.reshape(-1) if dim is None else a
    if not flat.dim():
        return g
    length = flat.shape[along]
    ones = torch.ones_like(flat.narrow(along, 0, 1))
    before = torch.cat([ones, flat.narrow(along, 0, length - 1)], along).cumprod(along)
    after = torch.cat([flat.narrow(along, 1, length - 1), ones], along).flip(along)
    others = before * after.cumprod(along).flip(along)
    return spread(g, a, dim, keepdim) * others.reshape(a.shape)


# -- extremes


def _shared(g: Tensor, a: Tensor, o: Tensor, dim: Any, keepdim: bool) -> Tensor:
    """To all elements that equal the value found, in equal parts."""
    taken = a == spread(o, a, dim, keepdim)
    dims = list(range(a.dim())) if dim in (None, ()) else dim
    return spread(g, a, dim, keepdim) * taken / taken.sum(dims, keepdim=True)


def _extreme(g: Any, o: Any, a: Tensor, dim: Any, keepdim: bool) -> Any:
    if isinstance(o, tuple):
        return _scattered(g, o, a, dim, keepdim)
    return _shared(g, a, o, dim, keepdim)


def _of_two(sign: int, swapped: bool) -> Any:
    def back(g: Tensor, o: Tensor, a: Tensor, b: Any, *_: Any) -> Tensor:
        left, right = (b, a) if swapped else (a, b)
        larger = (sign * left > sign * right).to(g)
        return g * (larger + (left == right).to(g) / 2)

    return back


def _largest(word: str, sign: int) -> Entry:
    """max(x) of all, max(x, dim) with its indices, and max(x, y)."""
    of_two = _of_two(sign, swapped=False)

    def text(values: Values) -> str:
        if isinstance(values[1], Tensor):
            return f"1 where {{a}} is {word}, half at a tie"
        shared = "shared at a tie" if values[1] is None else "the first at a tie"
        return f"1 at the {word.removesuffix('r')}st, {shared}"

    def back(g: Any, o: Any, a: Tensor, dim: Any, keepdim: bool) -> Any:
        if isinstance(dim, Tensor):
            found: Tensor = of_two(g, o, a, dim)
            return found
        return _extreme(g, o, a, dim, keepdim)

    other = Row(f"1 where {{b}} is {word}, half at a tie", _of_two(sign, swapped=True))
    return entry("input dim keepdim=False", Row(text, back), other)


def _extremes(word: str) -> Entry:
    return entry(
        "input dim keepdim=False",
        whole(
            f"1 at the {word}, shared at a tie",
            lambda g, o, a, dim, keepdim: _shared(g, a, o, dim, keepdim),
        ),
    )


def _scattered(g: Any, o: Any, a: Tensor, dim: Any, keepdim: bool = True) -> Any:
    """To the elements that the indices, the second value, name."""
    upstream, index = g[0], o[1]
    if not a.dim():
        return upstream.reshape(a.shape)
    dim = -1 if dim is None else dim
    if not keepdim:
        upstream, index = upstream.unsqueeze(dim), index.unsqueeze(dim)
    return torch.zeros_like(a).scatter_add(dim, index, upstream)


def _median(g: Any, o: Any, a: Tensor, dim: Any, keepdim: bool) -> Any:
    return _extreme(g, o, a, dim, keepdim)


# -- spread and size


def _variance(values: Values) -> tuple[Any, bool, float]:
    """Along which dimensions, kept or not, and what is taken off the count."""
    _, dim, unbiased, keepdim, correction = values
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    if correction is None:
        correction = 0 if unbiased is False else 1
    return dim, bool(keepdim), correction


def _deviation(values: Values, o: Tensor) -> tuple[Tensor, float]:
    """From the mean; and by what the sum of squares was divided."""
    a = values[0]
    dim, _, correction = _variance(values)
    count = a.numel() / max(o.numel(), 1)
    mean = a.mean() if dim in (None, ()) else a.mean(dim, keepdim=True)
    return a - mean, count - correction


def _var(g: Tensor, o: Tensor, *values: Any) -> Tensor:
    away, count = _deviation(values, o)
    dim, keepdim, _ = _variance(values)
    return spread(g, values[0], dim, keepdim) * 2 * away / count


def _std(g: Tensor, o: Tensor, *values: Any) -> Tensor:
    away, count = _deviation(values, o)
    dim, keepdim, _ = _variance(values)
    return spread(g / o, values[0], dim, keepdim) * away / count


def _count(values: Values) -> str:
    correction = _variance(values)[2]
    return "n" if correction == 0 else f"(n - {correction:g})"


def _power_of(values: Values) -> float:
    given = values[1]
    return 2.0 if given is None or given == "fro" else float(given)


def _norm(g: Tensor, o: Tensor, *values: Any) -> Any:
    a, _, dim, keepdim, *_ = values
    p = _power_of(values)
    full, up = spread(o, a, dim, keepdim), spread(g, a, dim, keepdim)
    if p in (math.inf, -math.inf):
        return _shared(g, a.abs(), o, dim, keepdim) * a.sign()
    slope = a.sign() * a.abs() ** (p - 1) / full ** (p - 1) if p != 1 else a.sign()
    return torch.where(full == 0, 0, up * slope)


def _norm_text(values: Values) -> str:
    p = _power_of(values)
    if p in (1, math.inf, -math.inf):
        return "sign of {a}" + ("" if p == 1 else ", at the one that counts")
    return "{a}/{o}" if p == 2 else f"sign of {{a}}·(abs({{a}})/{{o}})^{p - 1:g}"


_NORM = whole(_norm_text, _norm)


def _normal(
    g: Tensor, o: Tensor, a: Tensor, p: float, dim: int, eps: float, *_: Any
) -> Any:
    if p != 2:
        raise ValueError("the book has the norm of 2 alone")
    size = a.norm(2, dim, keepdim=True).clamp_min(eps)
    return (g - o * (g * o).sum(dim, keepdim=True)) / size


def _cosine(g: Tensor, a: Tensor, b: Tensor, dim: int, eps: float) -> Any:
    sizes = [each.norm(2, dim, keepdim=True).clamp_min(eps) for each in (a, b)]
    one, other = a / sizes[0], b / sizes[1]
    along = (one * other).sum(dim, keepdim=True)
    return g.unsqueeze(dim) * (other - along * one) / sizes[0]


# -- along a dimension


def _running(g: Tensor, o: Tensor, a: Tensor, dim: int, *_: Any) -> Tensor:
    return g.flip(dim).cumsum(dim).flip(dim) if g.dim() else g


def _softmax(g: Tensor, o: Tensor, a: Tensor, dim: int, *_: Any) -> Tensor:
    return o * (g - (g * o).sum(dim, keepdim=True))


def _log_softmax(g: Tensor, o: Tensor, a: Tensor, dim: int, *_: Any) -> Tensor:
    return g - o.exp() * g.sum(dim, keepdim=True)


def _logsumexp(g: Tensor, o: Tensor, a: Tensor, dim: Any, keepdim: bool) -> Tensor:
    return spread(g, a, dim, keepdim) * (a - spread(o, a, dim, keepdim)).exp()


_ONE_OF_N = "1/n for each of its n elements"
_TAKEN = "1 at the one taken, else 0"

REDUCTIONS: dict[str, Entry] = {
    "sum": entry("input dim keepdim=False dtype", whole("1 for every element", _sum)),
    "mean": entry("input dim keepdim=False dtype", whole(_ONE_OF_N, _mean)),
    "prod": entry(
        "input dim keepdim=False dtype", whole("the product of the others", _prod)
    ),
    "max": _largest("larger", 1),
    "min": _largest("smaller", -1),
    "amax": _extremes("largest"),
    "amin": _extremes("smallest"),
    "median": entry("input dim keepdim=False", whole(_TAKEN, _median)),
    "kthvalue": entry(
        "input k dim=-1 keepdim=False",
        whole(_TAKEN, lambda g, o, a, k, *rest: _scattered(g, o, a, *rest)),
    ),
    "sort": entry(
        "input dim=-1 descending=False stable=False",
        whole(
            "1, each element back at its place",
            lambda g, o, a, dim, *_: _scattered(g, o, a, dim),
        ),
    ),
    "topk": entry(
        "input k dim=-1 largest=True sorted=True",
        whole(
            "1 for those taken, else 0",
            lambda g, o, a, k, dim, *_: _scattered(g, o, a, dim),
        ),
    ),
    "var": entry(
        "input dim unbiased keepdim=False correction",
        whole(lambda values: "2·({a} - mean)/" + _count(values), _var),
    ),
    "std": entry(
        "input dim unbiased keepdim=False correction",
        whole(lambda values: f"({{a}} - mean)/({_count(values)}·{{o}})", _std),
    ),
    "norm": entry("input p dim keepdim=False dtype", _NORM),
    "linalg_norm": entry("input ord dim keepdim=False dtype", _NORM),
    "linalg_vector_norm": entry("input ord dim keepdim=False dtype", _NORM),
    "normalize": entry(
        "input p=2.0 dim=1 eps=1e-12 out",
        whole("(g - {o}·sum of g·{o})/|{a}|", _normal),
    ),
    "cosine_similarity": entry(
        "x1 x2 dim=1 eps=1e-8",
        whole(
            "({b}/|{b}| - {o}·{a}/|{a}|)/|{a}|",
            lambda g, o, a, b, dim, eps: _cosine(g, a, b, dim, eps),
        ),
        whole(
            "({a}/|{a}| - {o}·{b}/|{b}|)/|{b}|",
            lambda g, o, a, b, dim, eps: _cosine(g, b, a, dim, eps),
        ),
    ),
    "cumsum": entry(
        "input dim dtype", whole("the sum of g from here to the end", _running)
    ),
    "softmax": entry("input dim dtype", whole("{o}·(g - sum of g·{o})", _softmax)),
    "softmin": entry(
        "input dim dtype",
        whole("-{o}·(g - sum of g·{o})", lambda *all_: -_softmax(*all_)),
    ),
    "log_softmax": entry(
        "input dim dtype", whole("g - exp({o})·sum of g", _log_softmax)
    ),
    "logsumexp": entry("input dim keepdim=False", whole("softmax({a})", _logsumexp)),
}
