"""What a trace tells of passes, settings of attributes, saved values and final names."""

import pytest
import torch
from torch import nn

from tutor.engine.recorder import Recorder
from tutor.engine.trace import record
from tutor.graph.requests import TraceRequest
from tutor.graph.trace import Const, Op, Ref, Trace


def traced(code: str, **at: object) -> Trace:
    trace = record(TraceRequest(code, at))
    assert trace.end.truncated is None
    return trace


def functions(trace: Trace) -> list[str]:
    return [each.function for each in trace.ops]


def line(op: Op) -> int | None:
    return None if op.source is None else op.source.line


def test_a_pass_over_a_freed_graph_is_told_though_no_node_ran() -> None:
    trace = traced("f = x**2\nf.backward()\nf.backward()", x=2)
    first, second = trace.passes
    assert first.error is None
    assert second.error is not None
    assert second.error.startswith("RuntimeError: Trying to backward")
    assert second.source is not None
    assert second.source.line == 3
    assert {node.number for node in trace.nodes} == {1}


@pytest.mark.parametrize(
    ("call", "kind", "retains"),
    [
        ("f.backward()", "backward", False),
        ("f.backward(retain_graph=True)", "backward", True),
        ("torch.autograd.backward(f)", "backward", False),
        ("torch.autograd.grad(f, x)", "grad", False),
        ("torch.autograd.grad(f, x, create_graph=True)", "grad", True),
    ],
)
def test_a_pass_says_how_it_was_asked_for(call: str, kind: str, retains: bool) -> None:
    (passed,) = traced(f"f = x**2\n{call}", x=2).passes
    assert (passed.kind, passed.retains, passed.root) == (kind, retains, 1)
    assert passed.source is not None
    assert passed.source.line == 2


def test_the_tutors_own_pass_has_no_line() -> None:
    (passed,) = traced("f = x**2", x=2).passes
    assert passed.source is None


def test_nodes_tell_what_they_saved() -> None:
    trace = traced("q = x**2\ne = torch.exp(q)\nf = e * x", x=0.5)
    saved = {node.name: node.saved for node in trace.graph if node.saved}
    assert saved == {
        "PowBackward0": {"self": Ref(0), "exponent": Const(2)},
        "ExpBackward0": {"result": Ref(2)},
        "MulBackward0": {"self": Ref(2), "other": Ref(0)},
    }


def test_names_are_those_at_the_end() -> None:
    code = (
        "w = x\nfor _ in range(2):\n    loss = (w - 1)**2\n    loss.backward()\n"
        "    with torch.no_grad():\n        w = w - 0.1 * w.grad\n    w.requires_grad_()"
    )
    trace = traced(code, x=2)
    w = trace.values[trace.end.names["w"]]
    assert w.summary.scalar == pytest.approx(1.64)
    assert trace.end.names["x"] == 0
    assert [op.function for op in trace.ops].count("requires_grad_") == 2
    gradients = [each for each in trace.values if each.name == "w.grad"]
    assert [each.summary.scalar for each in gradients] == [pytest.approx(1.6)]


def test_a_leaf_that_was_not_used_has_a_name_too() -> None:
    trace = traced("w = torch.ones(2, requires_grad=True)\nf = x * 2", x=2)
    assert trace.values[trace.end.names["w"]].requires_grad


def test_clearing_and_setting_a_gradient_have_their_lines() -> None:
    code = (
        "(x * 2).backward()\nx.grad = None\n(x * 3).backward()\nx.grad.zero_()\n"
        "x.grad = torch.ones_like(x)"
    )
    trace = traced(code, x=2)
    found = [
        (op.function, line(op))
        for op in trace.ops
        if op.function in ("set_grad", "zero_")
    ]
    assert found == [("set_grad", 2), ("zero_", 4), ("set_grad", 5)]
    cleared = trace.ops[1]
    assert cleared.arguments == (Ref(0), Const(None))
    assert cleared.outputs == ()
    assert cleared.label == "x.grad = None"


def test_an_optimizer_clears_and_updates_at_the_learners_lines() -> None:
    code = (
        "opt = torch.optim.SGD([x], lr=0.1)\nfor _ in range(25):\n"
        "    loss = (x - 1)**2\n    opt.zero_grad()\n    loss.backward()\n    opt.step()"
    )
    trace = traced(code, x=2)
    assert trace.fault is None
    assert {line(op) for op in trace.ops if op.function == "set_grad"} == {4}
    assert {line(op) for op in trace.ops if "inplace" in op.flags} == {6}
    assert len(trace.passes) == len(trace.leaves) == 25
    last = trace.values[trace.end.names["x"]]
    wanted = 1 + 0.8**25
    assert last.summary.scalar == pytest.approx(wanted)
    assert [trace.values[each.value].name for each in trace.leaves] == ["x"] * 25


def test_data_that_is_set_makes_another_value() -> None:
    trace = traced("x.data = torch.tensor(5.0).double()\nf = x * 2", x=2)
    (setting,) = (op for op in trace.ops if op.function == "set_data")
    new = trace.values[setting.outputs[0]]
    assert (new.name, new.summary.scalar, new.tensor) == ("x", 5, 0)
    assert trace.ops[-1].arguments[0] == Ref(new.id)


def test_the_files_have_their_text() -> None:
    code = "f = x * 2"
    trace = traced(code, x=2)
    source = trace.ops[0].source
    assert source is not None
    assert trace.end.files == {source.file: code}


def test_a_gradient_of_torch_func_is_one_op() -> None:
    code = "g = torch.func.grad(lambda t: (t * t).sum())(x.detach())\nh = (g * x).sum()"
    trace = traced(code, x=[1.0, 2.0])
    opaque = trace.ops[1]
    assert (opaque.function, opaque.flags) == ("grad", ("opaque",))
    assert trace.values[opaque.outputs[0]].summary.values == (2, 4)
    assert functions(trace) == ["detach", "grad", "mul", "sum"]


def test_what_is_in_a_module_has_its_name_by_every_way() -> None:
    layer = nn.Linear(2, 2)
    net = nn.Sequential(layer)
    with Recorder(variables={"net": net}) as recorder:
        (layer.weight * 2).sum().backward()
    list(recorder.drafts.events())
    assert recorder.drafts.values[0].name == "net.0.weight"


def test_values_held_are_those_before_a_change() -> None:
    """Held, not copied, until something writes: `h` is 1 before, 3 after."""
    trace = traced(
        "h = x * 1\nd = h.detach()\nd += 2\ng = torch.ones(2)\ng.add_(1)", x=1
    )
    h = [each for each in trace.values if each.name == "h"]
    assert h[0].summary.scalar == 1


def test_gradients_are_kept_as_they_were_sent() -> None:
    trace = traced("g, = torch.autograd.grad(x * 3, x)\ng.mul_(10)", x=2)
    (contribution,) = (each for node in trace.nodes for each in node.contributions)
    assert contribution.gradient is not None
    assert contribution.gradient.scalar == 3


def test_a_checkpoint_is_not_computed_again_by_looking() -> None:
    calls = []

    def block(value: torch.Tensor) -> torch.Tensor:
        calls.append(1)
        return torch.sin(value) * value

    x = torch.tensor(2.0, requires_grad=True)
    from torch.utils.checkpoint import checkpoint

    with Recorder({"x": x}) as recorder:
        out = checkpoint(block, x, use_reentrant=False)
        assert len(calls) == 1
        out.backward()
    assert len(calls) == 2
    assert recorder.drafts.truncated is None
    assert x.grad is not None
    plain = torch.tensor(2.0, requires_grad=True)
    (torch.sin(plain) * plain).backward()
    assert torch.equal(x.grad, plain.grad)  # type: ignore[arg-type]
