"""`tutor.step` and `%%step`: what they record, and what they leave as it was."""

import linecache
import textwrap
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import nn

import tutor
from tutor.engine import telling
from tutor.engine.entry import Cell, record_cell
from tutor.engine.running import parse
from tutor.graph import recorded
from tutor.graph.trace import Trace

Told = list[Trace]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    """What would have gone to the screen."""
    traces: Told = []
    monkeypatch.setattr(telling, "tell", traces.append)
    return traces


@pytest.fixture
def x() -> torch.Tensor:
    return torch.tensor(2.0, requires_grad=True)


@pytest.fixture(autouse=True)
def _clean() -> Iterator[None]:
    torch.manual_seed(0)
    yield
    assert torch.is_grad_enabled()


def square(value: torch.Tensor) -> torch.Tensor:
    return value**2


def cell(code: str, names: dict[str, Any], **options: Any) -> Any:
    """Run a cell as `%%step` does."""
    text = "\n" + textwrap.dedent(code)
    file = "<cell>"
    linecache.cache[file] = len(text), None, text.splitlines(keepends=True), file
    found = Cell(text, parse(text, file), options.get("root"), options.get("grad"))
    return record_cell(found, names)


# ------------------------------------------------------------------------- tutor.step


def test_a_function_is_walked_and_its_result_handed_on(
    told: Told, x: torch.Tensor
) -> None:
    result = tutor.step(square, x)
    assert result.item() == 4
    (trace,) = told
    assert [op.function for op in trace.ops] == ["pow"]
    assert trace.end.title == "square(x)"
    (leaf,) = trace.leaves
    assert trace.values[leaf.value].name == "x"
    assert leaf.after.scalar == 4
    line = trace.ops[0].source
    assert line is not None
    assert trace.end.code.splitlines()[line.line - 1].strip() == "return value**2"


def test_the_added_pass_leaves_no_mark(told: Told, x: torch.Tensor) -> None:
    """On `.grad` as object and in content, on versions, and on the graph."""
    x.grad = kept = torch.tensor(7.0)
    loss = square(x)
    result = tutor.step(lambda: loss * square(x))
    assert told[0].leaves[0].before is not None
    assert told[0].leaves[0].before.scalar == 7
    assert told[0].leaves[0].after.scalar == 7 + 32
    assert x.grad is kept
    assert (kept.item(), kept._version, x._version) == (7, 0, 0)
    result.backward()  # nothing was freed
    assert kept.item() == 7 + 32


def test_what_the_function_went_backward_itself_stays(
    told: Told, x: torch.Tensor
) -> None:
    def train() -> torch.Tensor:
        loss = square(x)
        loss.backward()
        return loss

    tutor.step(train)
    assert len(told[0].passes) == 1
    assert x.grad is not None
    assert x.grad.item() == 4


def test_retained_gradients_of_other_tensors_are_put_back(
    told: Told, x: torch.Tensor
) -> None:
    middle = x * 3
    middle.retain_grad()
    tutor.step(square, middle)
    assert told[0].leaves[0].after.scalar == 36
    assert middle.grad is None
    assert x.grad is None


def test_parameters_have_the_names_of_the_learners_module(told: Told) -> None:
    net = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    before = torch.get_rng_state()
    result = tutor.step(net, torch.ones(4, 2), grad="ones")
    assert torch.equal(torch.get_rng_state(), before)
    assert result.shape == (4, 1)
    names = {told[0].values[leaf.value].name for leaf in told[0].leaves}
    assert names == {"net.0.weight", "net.0.bias", "net.2.weight", "net.2.bias"}
    assert all(parameter.grad is None for parameter in net.parameters())


def test_what_raises_is_raised_and_walked_as_far_as_it_came(
    told: Told, x: torch.Tensor
) -> None:
    def stops() -> None:
        square(x)
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        tutor.step(stops)
    assert len(told[0].ops) == 1
    assert told[0].fault is not None
    assert told[0].fault.stage == "run"
    assert "It stopped in line" in recorded.sentence(told[0])


def test_an_interrupt_is_raised_and_walked_as_far_as_it_came(
    told: Told, x: torch.Tensor
) -> None:
    def stops() -> None:
        square(x)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tutor.step(stops)
    assert told[0].fault is not None
    assert told[0].fault.stage == "interrupt"
    assert recorded.sentence(told[0]).endswith(f"line {told[0].fault.line}")


def test_a_lambda_is_called_what_it_computes(told: Told, x: torch.Tensor) -> None:
    tutor.step(lambda: square(x) * 2)
    assert told[0].end.title == "square(x) * 2"


def test_a_scalar_among_several_results_is_the_root(
    told: Told, x: torch.Tensor
) -> None:
    tutor.step(lambda: (square(x), torch.ones(3) * x))
    assert told[0].leaves[0].after.scalar == 4


def test_a_step_within_a_step_is_part_of_it(told: Told, x: torch.Tensor) -> None:
    tutor.step(lambda: tutor.step(square, x) * 2)
    assert len(told) == 1
    assert [op.function for op in told[0].ops] == ["pow", "mul"]


def test_a_hook_that_could_change_a_leaf_is_not_run(
    told: Told, x: torch.Tensor
) -> None:
    ran = []
    x.register_post_accumulate_grad_hook(lambda leaf: ran.append(leaf))
    tutor.step(square, x)
    assert not ran
    assert "after its gradient is accumulated" in recorded.sentence(told[0])


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda x: x.detach() ** 2, "does not require grad"),
        (lambda x: torch.ones(3) * x, 'with grad="ones"'),
        (lambda x: x.item(), "is of type float, not a tensor"),
        (lambda x: None, "is None: there is no tensor"),
        (lambda x: (each for each in [x * 2]), "its code runs only when it is used"),
        (lambda x: [torch.ones(2) * x, torch.ones(2) * x], "2 tensors that require"),
    ],
    ids=["no grad", "vector", "float", "None", "generator", "two"],
)
def test_why_there_is_no_backward_pass(
    make: Any, said: str, told: Told, x: torch.Tensor
) -> None:
    tutor.step(make, x)
    assert told[0].fault is not None
    assert told[0].fault.stage == "backward"
    assert said in recorded.sentence(told[0])


def test_what_cannot_be_walked_is_a_sentence(told: Told, x: torch.Tensor) -> None:
    step: Any = tutor.step
    for given in [(), (3,), (x * 2, 1)]:
        with pytest.raises(TypeError, match=r"like tutor.step\(f, x\)"):
            step(*given)
    assert told == []


def test_a_gradient_of_another_shape_is_torchs_own_reason(
    told: Told, x: torch.Tensor
) -> None:
    tutor.step(square, x, grad=torch.ones(3))
    assert "hape" in recorded.sentence(told[0])
    assert x.grad is None


def test_a_compiled_function_runs_as_it_was_written(
    told: Told, x: torch.Tensor
) -> None:
    compiled = torch.compile(square, backend="eager")
    assert tutor.step(compiled, x).item() == 4
    assert [op.function for op in told[0].ops] == ["pow"]
    assert "is compiled; it was run as it was written" in recorded.sentence(told[0])


def test_out_of_memory_is_told_and_what_was_before_is_walked(
    told: Told, x: torch.Tensor
) -> None:
    def greedy() -> torch.Tensor:
        middle = square(x)
        return torch.empty(2**60) * middle

    with pytest.raises(RuntimeError):
        tutor.step(greedy)
    assert told[0].ops[0].function == "pow"
    assert "memory" in str(told[0].fault)


def test_without_a_screen_the_walk_is_printed(
    x: torch.Tensor, capsys: pytest.CaptureFixture[str]
) -> None:
    tutor.step(square, x)
    shown = capsys.readouterr().out
    assert "x.grad   None + 4 → 4" in shown
    assert shown.endswith("recorded: 1 op, 1 pass, 1 leaf\n")


# ------------------------------------------------------------------------------ %%step


def test_a_cell_binds_its_names_and_gives_its_value(x: torch.Tensor) -> None:
    names: dict[str, Any] = {"x": x}
    found = cell("loss = x**2\nloss", names)
    assert found.result is names["loss"]
    assert x.grad is None
    (leaf,) = found.trace.leaves
    assert leaf.after.scalar == 4
    assert found.trace.values[leaf.value].name == "x"
    assert found.trace.ops[0].source.line == 2


def test_a_cell_that_goes_backward_itself_counts(x: torch.Tensor) -> None:
    found = cell("loss = x**2\nloss.backward()\nx.grad", {"x": x})
    assert len(found.trace.passes) == 1
    assert found.result is x.grad
    assert x.grad is not None


def test_a_cell_that_ends_in_no_tensor_goes_back_from_what_it_assigned(
    x: torch.Tensor,
) -> None:
    assert cell("loss = x**2\nloss.item()", {"x": x}).trace.leaves[0].after.scalar == 4


def test_a_cell_may_name_what_to_go_back_from(x: torch.Tensor) -> None:
    found = cell("a = x**2\nb = x * torch.ones(3)", {"x": x, "torch": torch}, root="a")
    assert found.trace.leaves[0].after.scalar == 4
    found = cell("b = x * torch.ones(3)", {"x": x, "torch": torch}, grad="ones")
    assert found.trace.leaves[0].after.scalar == 3
    found = cell("a = x**2", {"x": x}, root="nope")
    assert "binds no name 'nope'" in recorded.sentence(found.trace)
