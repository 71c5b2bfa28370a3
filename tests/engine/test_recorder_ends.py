"""How a recording ends: by Ctrl-C, out of memory, closed; and what it leaves."""

import gc
import os
import signal
import sys
import threading
import weakref
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.autograd.graph import get_gradient_edge

from tutor.engine.recorder import Recorder
from tutor.engine.trace import record
from tutor.graph.requests import TraceRequest
from tutor.graph.steps import walk

# ------------------------------------------------------------------ stopped from outside


def test_a_real_interrupt_leaves_what_was_before() -> None:
    started = threading.Event()

    def press() -> None:
        started.wait()
        os.kill(os.getpid(), signal.SIGINT)

    presser = threading.Thread(target=press, daemon=True)
    presser.start()
    code = (
        "import sys\nq = x * 2\nsys.modules['tests.started'].set()\n"
        "while True:\n    q = q + 1\n"
    )
    sys.modules["tests.started"] = started  # type: ignore[assignment]
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        trace = record(TraceRequest(code, {"x": 2.0}, op_limit=50))
    finally:
        signal.signal(signal.SIGINT, before)
        del sys.modules["tests.started"]
    presser.join()
    assert trace.fault is not None
    assert trace.fault.text == "Interrupted."
    assert trace.fault.stage == "interrupt"
    assert trace.fault.line in (4, 5)
    assert trace.ops[0].label == "x * 2"
    walked = walk(trace)
    assert len(walked.steps) == len(trace.ops)
    for place in range(len(walked.steps) + 1):
        walked.view(place)
    assert torch._C._len_torch_function_stack() == 0


@pytest.mark.parametrize("line", ["z = torch.empty(2**60)", "raise MemoryError('all')"])
def test_out_of_memory_in_the_code(line: str) -> None:
    trace = record(TraceRequest(f"q = x * 2\n{line}\nf = q * z", {"x": 2.0}))
    assert trace.fault is not None
    assert trace.fault.line == 2
    assert "memory" in trace.fault.text.lower()
    assert trace.end.truncated is None
    assert [each.label for each in trace.ops][:1] == ["x * 2"]
    assert walk(trace).steps


@pytest.mark.parametrize(
    "at",
    ["tutor.engine.summary.Summaries.take", "tutor.engine.summary.Summaries.gradient",
     "tutor.engine.op_notes.OpNotes.add", "tutor.engine.ledger.Ledger.claim",
     "tutor.engine.ledger.Ledger._note_leaf", "tutor.engine.ledger.Ledger.begin",
     "tutor.engine.ledger.Ledger._taken", "tutor.engine.source.Stack.place",
     "tutor.engine.summary.Summaries.fetch"],
)  # fmt: skip
def test_out_of_memory_in_the_recorder(
    at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise MemoryError("planted")

    net = nn.Linear(1, 1)
    recorder = Recorder()
    with recorder:
        x = torch.tensor([2.0], requires_grad=True)
        q = x * 2
        monkeypatch.setattr(at, fail)
        y = net(q) + q
        y.sum().backward()
    monkeypatch.undo()
    assert "MemoryError: planted" in str(recorder.drafts.truncated)
    assert recorder.drafts.ops[0].kind.name in ("mul", "tensor")
    assert list(recorder.drafts.events())
    plain = torch.tensor([2.0], requires_grad=True)
    (net(plain * 2) + plain * 2).sum().backward()
    assert torch.equal(x.grad, plain.grad)  # type: ignore[arg-type]
    assert net.bias.grad is not None
    assert net.bias.grad.item() == 2  # once with, once without
    _leaves_nothing(recorder, net)


# ------------------------------------------------------------------------ what is left


def _leaves_nothing(recorder: Recorder, net: nn.Module) -> None:
    """No hook on modules or parameters, and no handle, is held."""
    for module in net.modules():
        assert not module._forward_hooks
        assert not module._forward_pre_hooks
        assert not module._backward_hooks
    assert not nn.modules.module._global_forward_hooks
    assert not nn.modules.module._global_forward_pre_hooks
    assert not nn.modules.module._global_backward_hooks
    for parameter in net.parameters():
        assert parameter._backward_hooks is None
    assert not recorder._ledger._handles
    assert recorder.met() == []


def _fine(net: nn.Module, x: torch.Tensor) -> torch.Tensor:
    out: torch.Tensor = net(x).tanh().sum()
    return out


def _raises(net: nn.Module, x: torch.Tensor) -> torch.Tensor:
    h = net(x)
    h.tanh().sum().backward(retain_graph=True)
    raise ValueError(str(torch.cat([h, torch.ones(3)])))


def _raises_in_backward(net: nn.Module, x: torch.Tensor) -> torch.Tensor:
    h = net(x).tanh()
    h.register_hook(lambda gradient: 1 / 0)
    out: torch.Tensor = h.sum()
    return out


@pytest.mark.parametrize("code", [_fine, _raises, _raises_in_backward])
def test_nothing_is_left_when_it_is_closed(code: Callable[..., Any]) -> None:
    depth = torch._C._len_torch_function_stack()
    x = torch.tensor([[1.0, 2.0]], requires_grad=True)
    accumulates = get_gradient_edge(x).node  # held, so that a hook would stay on it

    def once() -> tuple[Recorder, list["weakref.ref[Any]"]]:
        net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
        recorder = Recorder({"x": x}, variables={"net": net})
        y = net(x * 1).sum()
        held: list[Any] = [net, net[0], net[0].weight, net[1].bias, y]
        inside = x
        try:
            with recorder:
                inside = torch.ones(2) * x
                held += [inside, inside.sum()]
                code(net, x).backward()
        except (RuntimeError, ValueError, ZeroDivisionError):
            assert code is not _fine
        else:
            assert code is _fine
        assert recorder.drafts.truncated is None
        assert recorder.drafts.ops
        _leaves_nothing(recorder, net)
        noted = len(recorder.drafts.ran), len(recorder.drafts.leaves)
        recorder._ledger.listening = True  # a hook left behind would note or fail
        y.backward()
        inside.sum().backward()
        recorder._ledger.listening = False
        assert (len(recorder.drafts.ran), len(recorder.drafts.leaves)) == noted
        assert recorder.drafts.truncated is None
        return recorder, [weakref.ref(each) for each in held]

    recorder, held = once()
    gc.collect()
    assert [each() for each in held] == [None] * len(held)
    assert torch._C._len_torch_function_stack() == depth
    assert x._backward_hooks is None
    assert accumulates.variable is x  # type: ignore[attr-defined]
    assert list(recorder.drafts.events())


def test_closing_leaves_the_gradients_as_they_are() -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    net = nn.Linear(2, 2)
    recorder = Recorder({"x": x})
    with recorder:
        net(x).sum().backward()
        held = [each.grad for each in (x, *net.parameters())]
        marks = [
            (each.data_ptr(), each._version, each.tolist())
            for each in held
            if each is not None
        ]
    after = [each.grad for each in (x, *net.parameters())]
    assert [id(each) for each in after] == [id(each) for each in held]
    assert [
        (e.data_ptr(), e._version, e.tolist()) for e in after if e is not None
    ] == marks
    assert len(marks) == 3
