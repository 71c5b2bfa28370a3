"""What can be seen of a run: each view against torch's own answer, and nothing changed."""

import math
from collections.abc import Iterator

import pytest
import torch
from torch import nn

from tests.engine.seen_runs import seen, spec
from tutor import wire
from tutor.engine import surfaces, views
from tutor.engine.seen import Seen
from tutor.errors import TutorError
from tutor.training.views import (
    Fit,
    Layer,
    Layers,
    Noise,
    Regions,
    Slope,
    Surface,
    View,
    ViewKind,
    ViewRequest,
)

CIRCLE = spec(model="mlp", dataset="circle", widths=[3], activation="tanh")


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    surfaces._kept.clear()
    yield
    surfaces._kept.clear()


def ask(kind: ViewKind, run: Seen, **how: object) -> View:
    request = ViewRequest(kind, run.spec.name, **how)  # type: ignore[arg-type]
    return views.answer(request, run)


def surface(run: Seen, **how: object) -> Surface:
    found = ask("surface", run, **how)
    assert isinstance(found, Surface)
    return found


# ------------------------------------------------------------------------ surfaces


def test_the_contour_of_2_14() -> None:
    found = surface(seen(spec()), columns=60, rows=40)
    assert found.names == ("w", "b")
    assert found.truth == (-5.0, 2.0)
    assert found.optimum == pytest.approx((-5.0179, 2.0298), abs=1e-4)
    assert found.least == pytest.approx(0.9421, abs=1e-4)
    assert found.curvatures == pytest.approx((1.976, 2.140), abs=1e-3)
    assert found.lr_limit == pytest.approx(0.9346, abs=1e-4)
    left, right, bottom, top = found.box
    assert left < -5.1 < 0 < right
    assert bottom < 0 < 2.1 < top


@pytest.mark.parametrize("name", ["mse", "sse", "mae"])
def test_every_cell_is_the_loss_there(name: str) -> None:
    run = seen(spec(loss=name, points=50))
    columns, rows = 7, 5
    found = surface(run, columns=columns, rows=rows)
    left, right, bottom, top = found.box
    for row, column in [(0, 0), (0, 6), (4, 0), (2, 3), (3, 1)]:
        w = left + (column + 0.5) * (right - left) / columns
        b = bottom + (row + 0.5) * (top - bottom) / rows
        there = seen(run.spec, (w, b))
        loss_there = loss(there)
        cell = found.losses[row * columns + column]
        assert cell == pytest.approx(loss_there, rel=1e-4)


def loss(run: Seen) -> float:
    return run.loss(run.model(run.data.x), run.data.y).item()


def test_the_optimum_of_absolute_errors_is_searched() -> None:
    run = seen(spec(loss="mae", points=101))
    found = surface(run)
    assert found.optimum is not None
    assert found.least is not None
    for w, b in [(0.01, 0), (-0.01, 0), (0, 0.01), (0, -0.01)]:
        near = seen(run.spec, (found.optimum[0] + w, found.optimum[1] + b))
        assert loss(near) > found.least
    assert found.curvatures == ()
    assert found.lr_limit is None


def test_a_box_that_is_asked_for() -> None:
    box = (-6.0, -4.0, 1.0, 3.0)
    found = surface(seen(spec()), box=box)
    assert found.box == box
    assert found.optimum == pytest.approx((-5.0179, 2.0298), abs=1e-4)


def test_a_start_far_off_is_in_the_box() -> None:
    left, right, bottom, top = surface(seen(spec(start=[30.0, -40.0]))).box
    assert left < -5 < 30 < right
    assert bottom < -40 < 2 < top


def test_a_surface_of_many_parameters_is_none() -> None:
    with pytest.raises(TutorError, match=r"with 13 parameters has no contour"):
        ask("surface", seen(CIRCLE))


def test_the_surface_is_kept_for_the_next_iteration() -> None:
    first = surface(seen(spec()))
    assert surface(seen(spec(), (-4.0, 1.0))) is first
    assert surface(seen(spec(seed=1))) is not first


def test_the_ravine_and_its_limit() -> None:
    found = surface(seen(spec(model="point", dataset="ravine")), columns=9, rows=9)
    assert found.names == ("a", "b")
    assert found.optimum == pytest.approx((0, 0), abs=1e-6)
    assert found.curvatures == pytest.approx((1, 25))
    assert found.lr_limit == pytest.approx(0.08)
    left, right, bottom, top = found.box
    assert (left + right, bottom + top) == pytest.approx((0, 0))
    assert left < -10 < 10 < right
    a, b = left + (right - left) / 18, bottom + (top - bottom) / 18
    assert found.losses[0] == pytest.approx((a * a + 25 * b * b) / 2, rel=1e-5)


def test_two_valleys_from_the_side() -> None:
    found = ask("surface", seen(spec(model="point", dataset="valleys")), columns=50)
    assert isinstance(found, Slope)
    assert found.name == "w"
    assert [place for place, _ in found.minima] == pytest.approx(
        [-1.3008, 1.1309], abs=1e-4
    )
    assert [deep for _, deep in found.minima] == pytest.approx(
        [-3.514, -1.070], abs=1e-3
    )
    assert found.curvature == pytest.approx(12 * 1.3008**2 - 6, abs=1e-2)
    assert found.y == pytest.approx([w**4 - 3 * w**2 + w for w in found.x], rel=1e-5)


def test_a_bowl_with_a_start_far_off() -> None:
    run = seen(spec(model="point", dataset="bowl", start=[-50.0]))
    found = ask("surface", run)
    assert isinstance(found, Slope)
    assert found.x[0] < -50
    (lowest,) = found.minima
    assert lowest == pytest.approx((3, 0), abs=1e-6)
    assert found.curvature == pytest.approx(2)


@pytest.mark.parametrize(("name", "curvature"), [("mse", 2.0), ("mae", None)])
def test_the_best_constant(name: str, curvature: float | None) -> None:
    run = seen(spec(model="constant", loss=name, points=101))
    found = ask("surface", run)
    assert isinstance(found, Slope)
    y = run.data.y
    best = float(y.mean() if name == "mse" else y.median())
    ((place, least),) = found.minima
    assert place == pytest.approx(best, abs=1e-4)
    there = run.loss(torch.full_like(y, place), y).item()
    assert least == pytest.approx(there, rel=1e-5)
    assert found.curvature == (curvature and pytest.approx(curvature))
    assert found.x[0] < 0 < found.x[-1]


def test_a_constant_far_from_its_start() -> None:
    found = ask("surface", seen(spec(model="constant", loss="mae", dataset="wide")))
    assert isinstance(found, Slope)
    ((place, _),) = found.minima
    assert -300 < place < -200
    assert found.x[0] < place < 0 < found.x[-1]


def test_what_a_function_has_not_is_said() -> None:
    run = seen(spec(model="point", dataset="bowl"))
    for kind, sentence in {
        "output": "no output to look at",
        "noise": "no batches of it",
        "layers": "no layers",
    }.items():
        with pytest.raises(TutorError, match=sentence):
            ask(kind, run)  # type: ignore[arg-type]


def test_the_surface_of_a_broadcast_mistake() -> None:
    run = seen(spec(slip="broadcast", points=30))
    found = surface(run, columns=5, rows=5)
    assert found.optimum == pytest.approx((0, run.data.y.mean().item()), abs=1e-4)
    with pytest.raises(TutorError, match="take the slip away"):
        ask("noise", run)


# ------------------------------------------------------------------------- outputs


def test_a_line_over_its_data() -> None:
    run = seen(spec(), (-5.0, 2.0))
    found = ask("output", run, columns=9)
    assert isinstance(found, Fit)
    assert len(found.x) == 9
    assert list(found.x) == sorted(found.x)
    assert found.x[0] < float(run.data.x.min()) < float(run.data.x.max()) < found.x[-1]
    assert found.y == pytest.approx([-5 * x + 2 for x in found.x], abs=1e-4)
    assert 300 < len(found.data) <= 400


def test_a_classifier_over_the_plane() -> None:
    run = seen(CIRCLE, test=50)
    found = ask("output", run, columns=8, rows=6)
    assert isinstance(found, Regions)
    left, right, bottom, top = found.box
    x1 = left + 2.5 * (right - left) / 8
    x2 = bottom + 4.5 * (top - bottom) / 6
    said = run.model(torch.tensor([[x1, x2]])).sigmoid().item()
    assert found.outputs[4 * 8 + 2] == pytest.approx(said, abs=1e-6)
    assert {kind for _, _, kind in found.data} == {0, 1}
    first = run.model[0]  # type: ignore[index]
    assert isinstance(first, nn.Linear)
    assert [[unit.w1, unit.w2] for unit in found.units] == first.weight.tolist()
    right_ones = (run.model(run.data.x) > 0) == (run.data.y > 0.5)
    assert found.accuracy == pytest.approx(float(right_ones.float().mean()))
    assert found.test_accuracy is not None


def test_a_parabola_over_the_plane_has_no_lines() -> None:
    found = ask("output", seen(spec(model="parabola", dataset="circle")))
    assert isinstance(found, Regions)
    assert found.units == ()


def test_no_more_points_than_can_be_seen_of_both_classes() -> None:
    many = spec(model="mlp", dataset="circle", points=5000)
    found = ask("output", seen(many))
    assert isinstance(found, Regions)
    assert len(found.data) <= 400
    assert sum(kind for _, _, kind in found.data) / len(found.data) == pytest.approx(
        0.5, abs=0.01
    )


def test_parameters_that_are_not_finite_are_said() -> None:
    with pytest.raises(TutorError, match="'gd' are not finite at iteration 0"):
        ask("output", seen(spec(), (math.inf, 0.0)))
    surface(seen(spec(), (math.nan, 0.0)))


# -------------------------------------------------------------------------- layers


def test_gradients_of_the_layers() -> None:
    run = seen(CIRCLE)
    found = ask("layers", run)
    assert isinstance(found, Layers)
    assert [(layer.name, layer.units) for layer in found.layers] == [("0", 3), ("2", 1)]
    assert found.activation == "tanh"
    run.loss(run.model(run.data.x), run.data.y).backward()
    for layer in found.layers:
        part = run.model.get_submodule(layer.name)
        assert isinstance(part, nn.Linear)
        assert part.weight.grad is not None
        mean = float(part.weight.grad.abs().mean())
        assert layer.gradient == pytest.approx(mean, rel=1e-5)


def test_dead_and_saturated_units() -> None:
    relu = seen(spec(model="mlp", dataset="circle", widths=[3], activation="relu"))
    with torch.no_grad():
        relu.model[0].bias[1] = -100.0  # type: ignore[index]
    first, last = layers(relu)
    assert (first.dead, first.saturated) == (1, 0)
    assert last.dead == 0
    tanh = seen(CIRCLE)
    with torch.no_grad():
        tanh.model[0].weight[2] *= 1000  # type: ignore[index]
    first, _ = layers(tanh)
    assert (first.dead, first.saturated) == (0, 1)


def layers(run: Seen) -> tuple[Layer, ...]:
    found = ask("layers", run)
    assert isinstance(found, Layers)
    return found.layers


# --------------------------------------------------------------------------- noise


def noise(run: Seen) -> Noise:
    found = ask("noise", run)
    assert isinstance(found, Noise)
    return found


def test_batches_at_the_start_scatter_as_section_2_13_says() -> None:
    """Drawn without repeats a batch of B of n scatters less, by √((n - B) / (n - 1))."""
    found = noise(seen(spec()))
    assert found.gradient == pytest.approx((10.50, -3.77), abs=0.01)
    assert [each.batch for each in found.batches] == [1, 4, 16, 64, 256]
    for each in found.batches:
        finite = math.sqrt((1000 - each.batch) / 999)
        expected = 16.45 / math.sqrt(each.batch) * finite
        assert each.spread[0] == pytest.approx(expected, rel=0.05)
        assert len(each.arrows) == 200
    angles = [each.angle for each in found.batches]
    assert angles[:3] == pytest.approx([57, 21, 10], rel=0.08)
    assert angles[3:] == pytest.approx([4.5, 2.0], rel=0.1)


def test_near_the_optimum_many_batches_point_uphill() -> None:
    found = noise(seen(spec(), (-4.9, 1.9)))
    uphill = [each.uphill for each in found.batches]
    assert uphill[:4] == pytest.approx([0.41, 0.35, 0.25, 0.09], abs=0.025)
    assert uphill[4] < 0.01


def test_the_scatter_is_that_of_real_batches() -> None:
    run = seen(spec(points=40))
    (_, four, _) = noise(run).batches
    drawn = []
    for seed in range(600):
        order = torch.randperm(40, generator=torch.Generator().manual_seed(seed))[:4]
        of_batch = run.loss(run.model(run.data.x[order]), run.data.y[order])
        gradients = torch.autograd.grad(of_batch, list(run.model.parameters()))
        drawn.append([float(each) for each in gradients])
    spread = torch.tensor(drawn).std(0).tolist()
    assert four.spread == pytest.approx(spread, rel=0.1)


def test_noise_of_many_parameters_is_none() -> None:
    with pytest.raises(TutorError, match=r"two parameters, and this model has 13"):
        ask("noise", seen(CIRCLE))


# ------------------------------------------------------------------- what stays as is


@pytest.mark.parametrize("grad", [True, False])
@pytest.mark.parametrize("kind", ["output", "surface", "layers", "noise"])
def test_looking_changes_nothing(kind: ViewKind, grad: bool) -> None:
    run = seen(CIRCLE if kind == "layers" else spec())
    for each in run.model.parameters():
        each.grad = torch.ones_like(each)
    torch.manual_seed(5)
    before = (
        torch.get_rng_state(),
        [each.clone() for each in run.model.parameters()],
        torch.get_num_threads(),
        torch.get_default_dtype(),
    )
    with torch.set_grad_enabled(grad):
        ask(kind, run)
        assert torch.is_grad_enabled() is grad
    assert torch.equal(torch.get_rng_state(), before[0])
    for each, was in zip(run.model.parameters(), before[1], strict=True):
        assert torch.equal(each, was)
        assert each.grad is not None
        assert torch.equal(each.grad, torch.ones_like(each))
    assert (torch.get_num_threads(), torch.get_default_dtype()) == before[2:]
    assert not any(each._forward_hooks for each in run.model.modules())


@pytest.mark.parametrize("kind", ["output", "surface", "layers", "noise"])
def test_a_view_travels(kind: ViewKind) -> None:
    found = ask(kind, seen(spec()))
    assert wire.loads(wire.dumps(wire.Message("a", 0, found))).body == found


@pytest.mark.parametrize(("columns", "rows"), [(0, 4), (4, 0), (4, 10_000)])
def test_a_size_that_cannot_be_drawn_is_said(columns: int, rows: int) -> None:
    with pytest.raises(TutorError, match="1 to 400 columns and rows"):
        ask("surface", seen(spec()), columns=columns, rows=rows)
