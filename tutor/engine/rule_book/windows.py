"""Convolutions, pools and padding: what moves a window over an image."""

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from tutor.engine.rule_book.row import Entry, Values, entry, whole

# -- windows that move over the last one or two dimensions


def _pair(given: Any, flat: bool = False) -> tuple[int, int]:
    """For (height, width); a flat window lies in the width."""
    if isinstance(given, (list, tuple)):
        given = given if len(given) > 1 else given * 2
    else:
        given = (given, given)
    return (0, given[-1]) if flat else (given[0], given[1])


def _high(given: Any, flat: bool) -> tuple[int, int]:
    """A size: 1 high where flat."""
    height, width = _pair(given, flat)
    return (1 if flat else height), width


def _as_images(a: Tensor, flat: bool) -> Tensor:
    """(batch, channels, height, width)."""
    a = a.unsqueeze(-2) if flat else a
    return a if a.dim() == 4 else a.unsqueeze(0)


def _windows(a: Tensor, size: Any, dilation: Any, padding: Any, stride: Any) -> Tensor:
    """(batch, channels, elements of a window, windows)."""
    patches = functional.unfold(a, size, dilation, padding, stride)
    return patches.reshape(a.shape[0], a.shape[1], -1, patches.shape[-1])


def _convolution(flat: bool) -> Entry:
    def options(values: Values) -> tuple[Any, Any, Any, int]:
        _, _, _, stride, padding, dilation, groups = values
        if isinstance(padding, str):
            if padding != "valid":
                raise ValueError("the book has no padding by name")
            padding = 0
        return (
            _high(stride, flat),
            _pair(padding, flat),
            _high(dilation, flat),
            groups,
        )

    def by_input(g: Tensor, o: Tensor, *values: Any) -> Tensor:
        stride, padding, dilation, groups = options(values)
        a = _as_images(values[0], flat)
        weight = values[1].unsqueeze(-2) if flat else values[1]
        g = _as_images(g, flat)
        left = [
            size + 2 * pad - reach * (kernel - 1) - 1 - step * (out - 1)
            for size, pad, reach, kernel, step, out in zip(
                a.shape[2:], padding, dilation, weight.shape[2:], stride, g.shape[2:],
                strict=True,
            )
        ]  # fmt: skip
        found = functional.conv_transpose2d(
            g, weight, None, stride, padding, left, groups, dilation
        )
        return found.reshape(values[0].shape)

    def by_weight(g: Tensor, o: Tensor, *values: Any) -> Tensor:
        stride, padding, dilation, groups = options(values)
        a, weight = _as_images(values[0], flat), values[1]
        size = (1, weight.shape[-1]) if flat else weight.shape[2:]
        patches = _windows(a, size, dilation, padding, stride)
        g = _as_images(g, flat).flatten(2)
        patches = patches.unflatten(1, (groups, -1))
        found = torch.einsum("ngol,ngckl->gock", g.unflatten(1, (groups, -1)), patches)
        return found.reshape(weight.shape)

    def by_bias(g: Tensor, o: Tensor, a: Tensor, *_: Any) -> Tensor:
        g = _as_images(g, flat)
        return g.sum((0, 2, 3))

    return entry(
        "input weight bias stride=1 padding=0 dilation=1 groups=1",
        whole("g spread over its window, times {b}", by_input),
        whole("g times the window of {a}, summed over the places", by_weight),
        whole("1 for every place", by_bias),
    )


def _transposed(g: Tensor, o: Tensor, *values: Any) -> Tensor:
    a, weight, _, stride, padding, _, groups, dilation = values
    found = functional.conv2d(
        _as_images(g, False), weight, None, stride, padding, dilation, groups
    )
    return found.reshape(a.shape)


def _transposed_weight(g: Tensor, o: Tensor, *values: Any) -> Tensor:
    a, weight, _, stride, padding, _, groups, dilation = values
    patches = _windows(
        _as_images(g, False), weight.shape[2:], dilation, padding, stride
    )
    a = _as_images(a, False).flatten(2)
    # The last places of g may lie outside of every window.
    found = torch.einsum(
        "ngil,ngokl->giok",
        a.unflatten(1, (groups, -1)),
        patches[..., : a.shape[-1]].unflatten(1, (groups, -1)),
    )
    return found.reshape(weight.shape)


def _max_pool(flat: bool) -> Entry:
    def back(g: Any, o: Any, *values: Any) -> Tensor:
        a, size, stride, padding, dilation, ceil, _ = values
        if ceil:
            raise ValueError("the book has no ceil_mode")
        g = g[0] if isinstance(o, tuple) else g
        window = _high(size, flat)
        step = window if stride in (None, [], ()) else _high(stride, flat)
        reach, (high, wide) = _high(dilation, flat), _pair(padding, flat)
        images = functional.pad(_as_images(a, flat), (wide, wide, high, high),
                                value=-math.inf)  # fmt: skip
        patches = _windows(images, window, reach, 0, step)
        largest = patches == patches.amax(2, keepdim=True)
        first = largest & (largest.cumsum(2) == 1)
        sent = first * _as_images(g, flat).flatten(2).unsqueeze(2)
        height, width = images.shape[2:]
        found = functional.fold(
            sent.flatten(1, 2), (height, width), window, reach, 0, step
        )
        found = found[..., high : height - high, wide : width - wide]
        return found.reshape(a.shape)

    return entry(
        "input kernel_size stride padding=0 dilation=1 ceil_mode=False "
        "return_indices=False",
        whole("1 at the largest of each window, else 0", back),
    )


def _avg_pool(flat: bool) -> Entry:
    def back(g: Tensor, o: Tensor, *values: Any) -> Tensor:
        a, size, stride, padding, ceil, counted, *divisor = values
        if ceil or any(divisor):
            raise ValueError("the book has no ceil_mode and no divisor")
        window, pad = _high(size, flat), _pair(padding, flat)
        step = window if stride in (None, [], ()) else _high(stride, flat)
        images = _as_images(a, flat)
        height, width = images.shape[2:]
        counts: Any = window[0] * window[1]
        if not counted:
            ones = torch.ones_like(images[:1, :1])
            counts = functional.unfold(ones, window, 1, pad, step).sum(1)
        sent = (_as_images(g, flat).flatten(2) / counts).unsqueeze(2)
        sent = sent.expand(-1, -1, window[0] * window[1], -1)
        found = functional.fold(
            sent.flatten(1, 2), (height, width), window, 1, pad, step
        )
        return found.reshape(a.shape)

    last = "" if flat else " divisor_override"
    return entry(
        "input kernel_size stride padding=0 ceil_mode=False count_include_pad=True"
        + last,
        whole("1/n for each of the n elements of a window", back),
    )


def _averaging(size: int, parts: int) -> Tensor:
    """(parts, size): each part's average as weights."""
    found = torch.zeros(parts, size, dtype=torch.float64)
    for part in range(parts):
        start, end = part * size // parts, -(-(part + 1) * size // parts)
        found[part, start:end] = 1 / (end - start)
    return found


def _adaptive(g: Tensor, o: Tensor, a: Tensor, size: Any) -> Tensor:
    for dim in (-1, -2):
        weights = _averaging(a.shape[dim], g.shape[dim]).to(g)
        g = (g.transpose(dim, -1) @ weights).transpose(dim, -1)
    return g


def _padded(g: Tensor, o: Tensor, a: Tensor, pad: Any, mode: str, _: Any) -> Tensor:
    if mode != "constant":
        raise ValueError("the book has constant padding alone")
    return functional.pad(g, [-each for each in pad])


def _sum_over_places(g: Tensor, *_: Any) -> Tensor:
    return g.sum([0, *range(2, g.dim())])


WINDOWS: dict[str, Entry] = {
    "conv1d": _convolution(flat=True),
    "conv2d": _convolution(flat=False),
    "conv_transpose2d": entry(
        "input weight bias stride=1 padding=0 output_padding=0 groups=1 dilation=1",
        whole("g convolved with {b}", _transposed),
        whole("{a} times the window of g, summed over the places", _transposed_weight),
        whole("1 for every place", _sum_over_places),
    ),
    "max_pool1d": _max_pool(flat=True),
    "max_pool2d": _max_pool(flat=False),
    "avg_pool1d": _avg_pool(flat=True),
    "avg_pool2d": _avg_pool(flat=False),
    "adaptive_avg_pool2d": entry(
        "input output_size",
        whole("1/n for each of the n elements of a window", _adaptive),
    ),
    "pad": entry(
        'input pad mode="constant" value', whole("1 for what is not padding", _padded)
    ),
}
