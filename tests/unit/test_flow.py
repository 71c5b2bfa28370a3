"""The gradient-flow strip: a layer's largest gradient, as a bar and in numbers."""

from dataclasses import replace

import pytest

from tests.stored_traces import stored
from tutor.graph.flow import Layer, flow, strip
from tutor.graph.steps import walk
from tutor.graph.trace import Summary


def test_leaves_are_layers_of_their_own() -> None:
    walked = walk(stored("neuron"))
    layers = flow(walked, 1)
    assert [layer.name for layer in layers] == ["w", "x", "b"]
    values = {each.name: each.id for each in walked.trace.values}
    for layer in layers:
        key = 1, values[layer.name]
        assert layer.place == walked.sum_place[key]
        assert layer.magnitude == max(map(abs, walked.gradients[key].values or ()))


def test_a_module_is_one_layer_with_its_largest_gradient() -> None:
    trace = stored("neuron")
    names = {"w": "net.0.weight", "b": "net.0.bias", "x": "x"}
    values = tuple(
        replace(value, name=names[value.name], role="parameter")
        if value.name in names
        else value
        for value in trace.values
    )
    layers = flow(walk(replace(trace, values=values)), 1)
    assert [layer.name for layer in layers] == ["net.0", "x"]
    apart = {layer.name: layer.magnitude for layer in flow(walk(trace), 1)}
    assert layers[0].magnitude == max(apart["w"] or 0, apart["b"] or 0)


def test_what_got_no_gradient_and_what_is_not_finite() -> None:
    trace = stored("neuron")
    first = trace.leaves[0]
    bad = replace(first, add=Summary((2,), "float64", (float("inf"), 3.0)))
    name = trace.values[first.value].name
    layers = flow(walk(replace(trace, leaves=(bad,))), 1)
    found = {layer.name: layer for layer in layers}
    assert (found[name or ""].nonfinite, found[name or ""].magnitude) == (1, 3.0)
    others = [layer for layer in layers if layer.name != name]
    assert [(each.magnitude, each.place) for each in others] == [(None, None)] * 2


LAYERS = (
    Layer("net.0", 1e-6, 0, 9),
    Layer("net.2", 1e-3, 0, 8),
    Layer("net.4", 1.0, 0, 7),
    Layer("net.6", 0.0, 0, 6),
    Layer("w", None, 0, None),
    Layer("b", 2.0, 3, 5),
)


def test_the_bars_are_logarithmic_and_every_line_says_its_number() -> None:
    lines = strip(LAYERS[:4], 40, ascii=True)
    bars = [line.count("#") for line in lines]
    assert 0 == bars[3] < bars[0] < bars[1] < bars[2]
    assert abs((bars[2] - bars[1]) - (bars[1] - bars[0])) <= 1
    assert [line.split()[-1] for line in lines] == ["1e-06", "0.001", "1", "0"]


def test_none_and_not_finite_are_words() -> None:
    lines = strip(LAYERS, 60)
    assert lines[4].split() == ["w", "none"]
    assert lines[5].endswith("3 nan/inf")


@pytest.mark.parametrize("width", [20, 21, 33, 80, 200])
@pytest.mark.parametrize("ascii", [False, True])
def test_no_line_is_wider_than_asked(width: int, ascii: bool) -> None:
    layers = (*LAYERS, Layer("transformer.h.11.attn.c_proj", 0.5, 0, 4))
    lines = strip(layers, width, ascii=ascii)
    assert len(lines) == len(layers)
    assert max(map(len, lines)) <= width
    assert all(line.split()[0] for line in lines)
    if ascii:
        assert "".join(lines).isascii()


def test_nothing_to_show() -> None:
    assert strip((), 80) == ()
    assert strip((Layer("w", None, 0, None),), 30)[0].split() == ["w", "none"]
