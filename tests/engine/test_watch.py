"""`tutor.watch` in loops as learners write them: what is sent, what is recognised, and
that nothing of the loop is another for it."""

import gc
import math
import subprocess
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import tutor
from tests.engine import own_loops
from tests.engine.own_loops import CORRECT, MISTAKES
from tutor import wire
from tutor.engine import bridge, watch
from tutor.training import explain
from tutor.training.findings import Finding
from tutor.training.run import Race
from tutor.training.watched import CURVES, WatchedRace
from tutor.wire import Message


class Kernel:
    """A kernel of ours as far as `watch` knows it, and what it has sent."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.now = 0.0

    def publish(self, message: Message) -> None:
        self.sent.append(wire.loads(wire.dumps(message)))

    def race(self) -> Race:
        """The cell is over; what came of its loops."""
        watch.end_cell()
        sent, self.sent = self.sent, []
        assert [each.seq for each in sent] == list(range(len(sent)))
        assert len({each.id for each in sent}) <= 1
        so_far = WatchedRace("watched")
        for each in sent:
            so_far.take(each.body)
        return so_far.race


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Iterator[Kernel]:
    made = Kernel()
    monkeypatch.setattr(bridge, "hosted", True)
    monkeypatch.setattr(bridge, "publish", made.publish)
    monkeypatch.setattr(watch, "_hosted", True)
    monkeypatch.setattr(watch, "_torch", torch)
    monkeypatch.setattr(watch, "perf_counter", lambda: made.now)
    warnings.simplefilter("ignore")  # torch's own, of a broadcast
    yield made
    watch.end_cell()


def kinds(race: Race) -> list[str]:
    return [each.kind for each in race.findings]


# -------------------------------------------------------------------- what is sent


def test_every_call_is_one_point(kernel: Kernel) -> None:
    w, b = own_loops.leaves(1)
    for number in range(100):
        with torch.no_grad():
            w += 1
        tutor.watch(torch.tensor(number / 4), w=w, b=b, test=number / 2)
    race = kernel.race()
    run = race.runs["loss"]
    assert list(run.losses) == [number / 4 for number in range(100)]
    assert list(run.params) == ["w", "b"]
    assert list(run.params["w"]) == list(range(1, 101))
    assert not any(run.params["b"])
    assert race.spec.watched


def test_points_go_in_batches(kernel: Kernel) -> None:
    """The first at once, the others 25 times a second, the last with the cell's end."""
    for number in range(100):
        kernel.now = number / 100
        tutor.watch(1.0)
    assert 20 <= len(kernel.sent) <= 25
    kernel.race()
    for _ in range(10_000):
        tutor.watch(1.0)
    assert len(kernel.sent) == 1
    assert kernel.race().runs["loss"].last == 9999


def test_an_endless_loop_holds_only_what_was_not_sent(kernel: Kernel) -> None:
    w = torch.zeros(1)

    def calls(count: int) -> None:
        for _ in range(count):
            kernel.now += 0.001
            tutor.watch(1.0, w=w)
            kernel.sent.clear()

    calls(500)
    gc.collect()
    before = len(gc.get_objects())
    calls(5000)
    gc.collect()
    assert len(gc.get_objects()) - before < 50
    (curve,) = watch._cell.curves.values()
    assert max(len(each) for each in (curve.losses, *curve.columns.values())) <= 41


def test_several_curves(kernel: Kernel) -> None:
    for number in range(5):
        tutor.watch(number, name="gd")
        tutor.watch(10 * number, name="sgd")
    race = kernel.race()
    assert {name: list(run.losses) for name, run in race.runs.items()} == {
        "gd": [0, 1, 2, 3, 4],
        "sgd": [0, 10, 20, 30, 40],
    }


def test_another_cell_is_another_race(kernel: Kernel) -> None:
    tutor.watch(1.0)
    first = kernel.sent[0].id
    kernel.race()
    tutor.watch(2.0)
    assert kernel.sent[0].id != first
    assert list(kernel.race().runs["loss"].losses) == [2]


def test_what_has_few_numbers_is_a_curve(kernel: Kernel) -> None:
    w, bias = torch.tensor([1.0, 2.0]), torch.tensor(3.0)
    big = torch.zeros(5)
    tutor.watch(0.5, w, bias, big, nn.Linear(1, 1), lr=0.1)
    columns = kernel.race().runs["loss"].params
    assert set(columns) == {"w1", "w2", "bias", "lr", "w", "b"}


def test_a_name_that_is_another_tensor_in_each_iteration(kernel: Kernel) -> None:
    for number in range(3):
        w = torch.tensor([float(number), 0.0])
        tutor.watch(0.5, w)
    assert list(kernel.race().runs["loss"].params["w1"]) == [0, 1, 2]


def test_a_test_loss_may_come_now_and_then(kernel: Kernel) -> None:
    for number in range(4):
        tutor.watch(1.0, test=number if number % 2 else None)
    points = [each.body for each in kernel.sent]
    watch.end_cell()
    points = [each.body for each in kernel.sent]
    tests = [number for each in points for number in watch_test(each)]
    assert [each for each in tests if not math.isnan(each)] == [1, 3]


def watch_test(body: Any) -> tuple[float, ...]:
    from tutor.packing import unpacked

    return unpacked(body.test)


# ----------------------------------------------------------------------- bad calls


class Awkward:
    def __float__(self) -> float:
        raise RuntimeError("no")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (torch.zeros(3), "the loss has 3 elements (shape (3,))"),
        (torch.zeros(0), "the loss has 0 elements"),
        (torch.tensor(1j), "the loss is complex"),
        ("0.5", "the loss is a str, not a number"),
        (None, "the loss is None, not a number"),
        ([0.5], "the loss is a list"),
        (nn.Linear(1, 1), "the loss is a Linear"),
        (Awkward(), "could not be read (RuntimeError: no)"),
        (torch.zeros((), device="meta"), "could not be read"),
    ],
)
def test_a_bad_loss_is_told_once_and_stops_nothing(
    given: Any, said: str, kernel: Kernel, capfd: pytest.CaptureFixture[str]
) -> None:
    for number in range(3):
        tutor.watch(given)
        tutor.watch(float(number), w=torch.tensor(2.0))
    assert list(kernel.race().runs["loss"].losses) == [0, 1, 2]
    told = capfd.readouterr().err
    assert told.startswith("tutor.watch: ")
    assert said in told
    assert told.count("\n") == 1


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: tutor.watch(1.0, w="five"), "w is a str, so it has no curve"),
        (lambda: tutor.watch(1.0, w=None), "w is None, so it has no curve"),
        (lambda: tutor.watch(1.0, 3), "argument 2 is an int"),
        (lambda: tutor.watch(1.0, name=3), "name is an int"),
        (lambda: tutor.watch(1.0, test="x"), "the test loss is a str"),
        (
            lambda: [tutor.watch(1.0, name=f"c{at}") for at in range(CURVES + 1)],
            "'c6' would be curve 7",
        ),
    ],
)
def test_a_bad_argument_is_told_once(
    call: Any, said: str, kernel: Kernel, capfd: pytest.CaptureFixture[str]
) -> None:
    call()
    call()
    kernel.race()
    told = capfd.readouterr().err
    assert said in told
    assert told.count("\n") == 1


def test_a_parameter_that_goes_away_is_a_gap(kernel: Kernel) -> None:
    tutor.watch(1.0, w=torch.tensor(1.0), v=torch.zeros(2))
    tutor.watch(2.0)
    tutor.watch(3.0, w=2, v=torch.zeros(3))
    run = kernel.race().runs["loss"]
    assert list(run.losses) == [1, 2, 3]
    assert [run.params["w"][0], run.params["w"][2]] == [1, 2]
    assert math.isnan(run.params["w"][1])
    assert math.isnan(run.params["v1"][2])


# ------------------------------------------------------------ nothing is disturbed


def test_a_loop_computes_the_same_with_and_without(kernel: Kernel) -> None:
    def train(watching: Any) -> tuple[list[Tensor], Any]:
        torch.manual_seed(3)
        model = own_loops.mlp(2, 8, 1)
        optimiser = torch.optim.Adam(model.parameters(), 0.01)
        for _ in range(12):
            chosen = torch.randperm(len(own_loops.plane))[:8]
            loss = nn.functional.binary_cross_entropy_with_logits(
                model(own_loops.plane[chosen]), own_loops.inside[chosen]
            )
            watching(loss, model)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            watching(loss, model, name="after")
        found = [each.detach().clone() for each in model.parameters()]
        found += [each.grad for each in model.parameters() if each.grad is not None]
        hooks = [each._backward_hooks for each in model.parameters()]
        return found, (hooks, torch.random.get_rng_state().tolist())

    alone, state = train(lambda *given, **named: None)
    seen, state_seen = train(tutor.watch)
    assert all(map(torch.equal, alone, seen))
    assert state == state_seen


def test_the_hooks_are_gone_after_a_few_passes_and_with_the_cell(
    kernel: Kernel,
) -> None:
    w = torch.zeros(1, requires_grad=True)
    for _ in range(2):
        loss = (w - 1).square().sum()
        loss.backward()
        tutor.watch(loss, w=w)
    (followed,) = next(iter(watch._cell.curves.values()))._slips._followed
    assert followed._handle is not None
    watch.end_cell()
    assert followed._handle is None


def test_what_step_records_does_not_show_it(kernel: Kernel) -> None:
    from tutor.engine.recorder import Recorder

    w = torch.tensor(2.0, requires_grad=True)
    with Recorder({"w": w}) as recorder:
        loss = w * w
        tutor.watch(loss, w=w)
    assert [each.kind.name for each in recorder.drafts.ops] == ["mul"]


# -------------------------------------------------------------------------- slips


@pytest.mark.parametrize("name", CORRECT)
def test_a_correct_loop_has_no_finding(name: str, kernel: Kernel) -> None:
    assert len(CORRECT) >= 30
    CORRECT[name](tutor.watch)
    race = kernel.race()
    assert race.findings == []
    assert race.iteration >= own_loops.STEPS - 1


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_found_and_no_other(name: str, kernel: Kernel) -> None:
    loop, expected, raised = MISTAKES[name]
    if raised is None:
        loop(tutor.watch)
    else:
        with pytest.raises(raised):
            loop(tutor.watch)
    assert kinds(kernel.race()) == expected


def finding(kernel: Kernel, kind: str) -> Finding:
    return next(each for each in kernel.race().findings if each.kind == kind)


def test_what_is_known_of_a_divergence(kernel: Kernel) -> None:
    """The learning rate and its limit, measured from the updates alone."""
    own_loops.by_hand(own_loops.mean, lr=1.5, steps=60)(tutor.watch)
    found = finding(kernel, "diverged")
    rows = torch.cat([own_loops.x, torch.ones_like(own_loops.x)], 1)
    steepest = torch.linalg.eigvalsh(2 / len(rows) * rows.T @ rows)[-1].item()
    assert found.lr == pytest.approx(1.5, rel=1e-3)
    assert found.limit == pytest.approx(2 / steepest, rel=0.02)
    assert found.tensor in ("w", "b")
    assert found.facts["loss"] > 1e6


def test_uphill_is_measured_as_a_negative_rate(kernel: Kernel) -> None:
    MISTAKES["plus"][0](tutor.watch)
    found = finding(kernel, "diverged")
    assert found.lr == pytest.approx(-0.05, rel=1e-3)
    assert found.limit is None


def spoil(w: Tensor, damage: str) -> None:
    """As an update that overflows does, or an op in the loss."""
    if damage == "w.grad":
        assert w.grad is not None
        w.grad[0, 0] = math.inf
    if damage != "loss":
        with torch.no_grad():
            w[1, 1] = math.nan


@pytest.mark.parametrize("damage", ["w", "w.grad", "loss"])
def test_the_first_that_is_not_finite(damage: str, kernel: Kernel) -> None:
    w = torch.ones(3, 3, requires_grad=True)
    for step in range(4):
        w.grad = None
        loss = w.square().mean()
        loss.backward()
        if step == 3:
            spoil(w, damage)
            loss = loss * math.nan
        tutor.watch(loss, w=w)
    found = finding(kernel, "not-finite")
    assert (found.iteration, found.tensor) == (3, damage)


def test_a_loop_far_beyond_costs_no_more(kernel: Kernel) -> None:
    for value in (1.0, 1e9, math.inf, math.nan, math.nan, 1e12):
        tutor.watch(value)
    race = kernel.race()
    assert [(each.kind, each.iteration) for each in race.findings] == [("diverged", 1)]
    assert len(race.runs["loss"].losses) == 6


def test_a_sum_says_over_how_many(kernel: Kernel) -> None:
    MISTAKES["sum"][0](tutor.watch)
    assert finding(kernel, "sum").facts["n"] == own_loops.N


def test_each_is_told_once(kernel: Kernel) -> None:
    loop = own_loops.by_hand(own_loops.mean, clear=own_loops.keep, steps=300, lr=0.3)
    loop(tutor.watch)
    assert sorted(set(found := kinds(kernel.race()))) == sorted(found)


# ------------------------------------------------------------------ outside the tutor


def test_a_plain_script_notices_nothing() -> None:
    code = (
        "import sys, tutor\n"
        "for given in (1.0, 'x', None): tutor.watch(given, 3, name=3, w='x')\n"
        "print(sorted({'torch', 'IPython', 'numpy', 'textual'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_a_fork_of_the_kernel_sends_nothing(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bridge, "kernel", -1)
    tutor.watch(1.0)
    tutor.watch("x")
    assert kernel.race().runs == {}


def test_what_was_left_out_is_said_once(
    kernel: Kernel, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(3):
        tutor.watch()
        tutor.watch(1.0, w=torch.randn(10))
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2
    assert "there is no loss" in said[0]
    assert "w (10 numbers) has no curve" in said[1]
    assert len(kernel.race().runs["loss"].losses) == 3


@pytest.mark.parametrize("first", [math.inf, -math.inf, math.nan])
def test_a_loss_that_is_never_finite_is_said_from_its_first_iteration(
    kernel: Kernel, first: float
) -> None:
    for _ in range(3):
        tutor.watch(first)
    (found,) = kernel.race().findings
    assert (found.kind, found.iteration) == ("not-finite", 0)
    said = "The loss of your loop is not finite from iteration 0 on."
    assert explain.sentence(found) == said
    (only,) = explain.proposals(found)
    assert only.words.startswith("look for nan and inf in the data"), (
        "nothing was learnt"
    )


def test_how_far_a_parameter_came_has_its_sign(kernel: Kernel) -> None:
    for value in (1.0, 1e9):
        tutor.watch(value, w=torch.tensor([2.0, -value]))
    (found,) = kernel.race().findings
    assert found.facts["size"] == -1e9
    assert "w had grown to -1e+09" in explain.sentence(found)
