"""Losses: how far a prediction is from what was wanted."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from tutor.engine.rule_book.row import Entry, Values, entry, whole

_OLD = "size_average reduce"
"""Options of torch's past; the book knows the calls without them."""


def _mode(values: Values, parameter: int) -> str:
    reduction = values[parameter]
    if reduction not in ("mean", "sum", "none"):
        raise ValueError("the book has mean, sum and none")
    return str(reduction)


def _elementwise(
    signature: str,
    text: str,
    local: Callable[..., Tensor],
    *,
    target: str | None = None,
) -> Entry:
    """A loss of each element, then reduced. `local(a, b, *others)` is its derivative.

    `others` are the parameters that are neither the two arguments nor the reduction.
    With `target` the loss depends on the difference alone, and that is its text.
    """
    names = [word.partition("=")[0] for word in signature.split()]
    reduction = names.index("reduction")
    skip = {reduction, *(names.index(each) for each in _OLD.split() if each in names)}

    def back(g: Tensor, o: Tensor, *values: Any) -> Tensor:
        if any(values[each] is not None for each in skip - {reduction}):
            raise ValueError("the book has no size_average and no reduce")
        others = [each for n, each in enumerate(values) if n not in skip]
        found = g * local(*others)
        size = torch.broadcast_tensors(values[0], values[1])[0].numel()
        return found / size if _mode(values, reduction) == "mean" else found

    def told(template: str) -> Callable[[Values], str]:
        over = ", over n" if "," in template or "sign" in template else "/n"
        return lambda values: (
            template + over if _mode(values, reduction) == "mean" else template
        )

    rows = [whole(told(text), back)]
    if target is not None:
        rows.append(whole(told(target), lambda *given: -back(*given)))
    return entry(signature, *rows)


def _sided(away: Tensor, limit: float) -> Tensor:
    return away.clamp(-limit, limit)


# -- classes


def _by_class(
    a: Tensor, target: Tensor, weight: Any, ignored: int
) -> tuple[Tensor, Tensor]:
    """(one-hot target, weight of each target), the classes in a's dimension for them."""
    dim = 1 if a.dim() > 1 else 0
    counted = target != ignored
    index = torch.where(counted, target, 0).unsqueeze(dim)
    hot = torch.zeros_like(a).scatter(dim, index, 1.0)
    each = counted.to(a) if weight is None else weight[index.squeeze(dim)] * counted
    return hot, each.unsqueeze(dim)


def _shared(g: Tensor, weights: Tensor, values: Values, dim: int) -> Tensor:
    """The upstream gradient for each target, its weight and the mean in it."""
    mode = _mode(values, 6)
    if mode == "none":
        return g.unsqueeze(dim) * weights
    return g * weights / (weights.sum() if mode == "mean" else 1)


def _nll(g: Tensor, o: Tensor, *values: Any) -> Tensor:
    a, target, weight, average, ignored, reduce, _ = values
    if average is not None or reduce is not None:
        raise ValueError("the book has no size_average and no reduce")
    hot, weights = _by_class(a, target, weight, ignored)
    return -_shared(g, weights, values, 1 if a.dim() > 1 else 0) * hot


def _cross_entropy(g: Tensor, o: Tensor, *values: Any) -> Any:
    a, target, weight, average, ignored, reduce, _, smoothing = values
    if average is not None or reduce is not None:
        raise ValueError("the book has no size_average and no reduce")
    dim = 1 if a.dim() > 1 else 0
    if target.is_floating_point():
        return _soft(g, a, target, values, dim)
    hot, weights = _by_class(a, target, weight, ignored)
    if smoothing and weight is not None:
        raise ValueError("the book has no smoothing with weights")
    wanted = hot * (1 - smoothing) + smoothing / a.shape[dim]
    return _shared(g, weights, values, dim) * (a.softmax(dim) - wanted)


def _soft(g: Tensor, a: Tensor, target: Tensor, values: Values, dim: int) -> Any:
    """Probabilities as the target."""
    if values[2] is not None:
        raise ValueError("the book has no weights for probabilities")
    smoothing, mode = values[7], _mode(values, 6)
    wanted = target * (1 - smoothing) + smoothing / a.shape[dim]
    up = g.unsqueeze(dim) if mode == "none" else g
    if mode == "mean":
        up = up / (a.numel() / a.shape[dim])
    return up * (a.softmax(dim) * wanted.sum(dim, keepdim=True) - wanted)


def _class_text(inside: str) -> Callable[[Values], str]:
    def text(values: Values) -> str:
        target = "{b}" if values[1].is_floating_point() else "one-hot {b}"
        weighed = ", weighed by {c}" if values[2] is not None else ""
        over = "/n" if _mode(values, 6) == "mean" else ""
        return inside.replace("target", target) + over + weighed

    return text


# -- two classes


def _binary(a: Tensor, b: Tensor, weight: Any) -> Tensor:
    found = (a - b) / (a * (1 - a)).clamp_min(1e-12)
    return found if weight is None else found * weight


def _binary_logits(a: Tensor, b: Tensor, weight: Any, positive: Any) -> Tensor:
    high = 1 if positive is None else positive
    found = a.sigmoid() * (1 - b + high * b) - high * b
    return found if weight is None else found * weight


def _divergence(values: Values) -> str:
    log = values[5]
    target = "exp({b})" if log else "{b}"
    over = {"mean": "/n", "batchmean": "/batch"}.get(values[4], "")
    return f"-{target}{over}"


def _kl_div(g: Tensor, o: Tensor, *values: Any) -> Any:
    a, b, average, reduce, reduction, log = values
    if average is not None or reduce is not None:
        raise ValueError("the book has no size_average and no reduce")
    target = b.exp() if log else b
    counts = {"mean": a.numel(), "batchmean": a.shape[0] if a.dim() else 1}
    return -g * target / counts.get(reduction, 1)


LOSSES: dict[str, Entry] = {
    "mse_loss": _elementwise(
        f"input target {_OLD} reduction='mean' weight",
        "2·({a} - {b})",
        lambda a, b, w: 2 * (a - b) * (1 if w is None else w),
        target="2·({b} - {a})",
    ),
    "l1_loss": _elementwise(
        f"input target {_OLD} reduction='mean' weight",
        "sign of ({a} - {b})",
        lambda a, b, w: (a - b).sign() * (1 if w is None else w),
        target="sign of ({b} - {a})",
    ),
    "smooth_l1_loss": _elementwise(
        f"input target {_OLD} reduction='mean' beta=1.0",
        "({a} - {b})/beta, cut off at ±1",
        lambda a, b, beta: _sided((a - b) / beta, 1) if beta else (a - b).sign(),
        target="({b} - {a})/beta, cut off at ±1",
    ),
    "huber_loss": _elementwise(
        "input target reduction='mean' delta=1.0 weight",
        "{a} - {b}, cut off at ±delta",
        lambda a, b, delta, w: _sided(a - b, delta) * (1 if w is None else w),
        target="{b} - {a}, cut off at ±delta",
    ),
    "binary_cross_entropy": _elementwise(
        f"input target weight {_OLD} reduction='mean'",
        "({a} - {b})/({a}·(1 - {a}))",
        _binary,
    ),
    "binary_cross_entropy_with_logits": _elementwise(
        f"input target weight {_OLD} reduction='mean' pos_weight",
        "(sigmoid({a}) - {b})",
        _binary_logits,
    ),
    "nll_loss": entry(
        "input target weight size_average ignore_index=-100 reduce reduction='mean'",
        whole(_class_text("-(target)"), _nll),
    ),
    "cross_entropy": entry(
        "input target weight size_average ignore_index=-100 reduce reduction='mean' "
        "label_smoothing=0.0",
        whole(_class_text("(softmax({a}) - target)"), _cross_entropy),
    ),
    "kl_div": entry(
        f"input target {_OLD} reduction='mean' log_target=False",
        whole(_divergence, _kl_div),
    ),
}
