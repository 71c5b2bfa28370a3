"""Kinds of programs: each is recorded whole, with the gradients of an unrecorded run."""

from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from tutor.engine.recorder import Recorder
from tutor.engine.trace import record
from tutor.graph.requests import TraceRequest

AT = [1.0, 2.0, 3.0]
PROGRAMS = {
    "a device as context": "with torch.device('cpu'):\n    y = torch.ones(3) * x\nf = y.sum()",
    "a default device": (
        "torch.set_default_device('cpu')\ny = torch.ones(3) * x\nf = y.sum()\n"
        "torch.set_default_device(None)"
    ),
    "inference mode": (
        "with torch.inference_mode():\n    a = torch.ones(2) * 2\n    a.add_(1)\n"
        "    b = a * a\nf = (x * 2).sum()"
    ),
    "meta": "m = torch.ones(5, device='meta') * 2\nf = (x * 2).sum()",
    "sparse": "s = torch.eye(3).to_sparse()\nd = s @ torch.ones(3, 1)\nf = (x * 2).sum()",
    "a write through a view": "h = x * 1\nh[0] = 5\nh.view(-1)[1:].mul_(3)\nf = h.sum()",
    "retain_grad": "q = x * 2\nq.retain_grad()\nf = (q * 3).sum()\nf.backward()\ng = q.grad",
    "hooks of the learner's": (
        "q = x * 2\nq.register_hook(lambda g: g * 2)\nf = (q * 3).sum()\nf.backward()"
    ),
    "a hook after accumulation": (
        "def h(p):\n    p.grad.mul_(2)\nx.register_post_accumulate_grad_hook(h)\n"
        "f = (x * 3).sum()\nf.backward()"
    ),
    "complex": "c = torch.complex(x, x)\nf = (c * c.conj()).real.sum()",
    "integers": "n = torch.tensor([1, 2, 3])\nf = (n * x).sum()",
    "inputs=": "q = x * 2\nf = (q * 3).sum()\nf.backward(inputs=[x])",
    "gradient=": "q = x * 2\nq.backward(gradient=torch.tensor([1.0, 2.0, 3.0]))",
    "detach": "d = x.detach() * 3\nf = (x * d).sum()",
    "a second derivative": (
        "g, = torch.autograd.grad((x**3).sum(), x, create_graph=True)\n"
        "(g**2).sum().backward()"
    ),
    "vmap": "f = torch.vmap(lambda t: t.sin() * 2)(x).sum()",
    "jacrev": "f = torch.func.jacrev(lambda t: t**2)(x).sum()",
    "several backwards": "for _ in range(3):\n    f = (x**2).sum()\n    f.backward()",
    "a loop with a branch": (
        "h = x\nwhile h.sum() < 100:\n    h = h * 2\nf = h.sum() if h[0] > 0 else x.sum()"
    ),
    "numpy": "n = x.detach().numpy() * 2\nf = (x * torch.from_numpy(n)).sum()",
    "fan-out": "y = x * x\nz = y + x\nf = (y * z).sum()",
}  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program(name: str) -> None:
    code = PROGRAMS[name]
    x = torch.tensor(AT, dtype=torch.float64, requires_grad=True)
    names: dict[str, Any] = {"torch": torch, "nn": nn, "F": functional, "x": x}
    exec(code, names)
    if "backward(" not in code:
        names["f"].backward()
    trace = record(TraceRequest(code, {"x": AT}))
    assert trace.fault is None
    assert trace.end.truncated is None
    assert all(node.op is not None for node in trace.nodes)
    after = [
        leaf.after.values
        for leaf in trace.leaves
        if trace.values[leaf.value].tensor == 0
    ]
    assert x.grad is not None
    assert after[-1] == tuple(x.grad.tolist())


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("y = x * 2\nz = torch.empty(10**15)\nf = y", "RuntimeError"),
        ("q = x * 2\ndef h(g):\n    raise ValueError('no')\nq.register_hook(h)\n"
         "q.sum().backward()", "ValueError: no"),
        ("y = x * 2\nraise KeyboardInterrupt", "Interrupted."),
    ],
)  # fmt: skip
def test_what_raises_leaves_the_trace_until_there(code: str, text: str) -> None:
    trace = record(TraceRequest(code, {"x": AT}))
    assert trace.fault is not None
    assert trace.fault.text.startswith(text)
    assert trace.ops[0].label == "x * 2"
    assert trace.end.truncated is None


def test_the_limit_bounds_what_is_kept() -> None:
    code = "for _ in range(500):\n    x = x * 1.0\nx.backward()"
    trace = record(TraceRequest(code, {"x": 2.0}, op_limit=20))
    assert trace.end.truncated is not None
    assert len(trace.ops) <= 21
    assert len(trace.graph) <= 20 * 5 + 3
    assert trace.fault is None


def test_another_mode_does_not_hear_the_recorder() -> None:
    heard = []

    class Listens(torch.overrides.TorchFunctionMode):
        def __torch_function__(
            self, function: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            heard.append(function.__name__)
            return function(*args, **(kwargs or {}))

    def run() -> list[str]:
        heard.clear()
        y = x * 2
        y.add_(1)
        y.backward()
        return list(heard)

    x = torch.tensor(2.0, requires_grad=True)
    with Listens():
        wanted = run()
    with Listens(), Recorder({"x": x}) as recorder:
        found = run()
    assert recorder.drafts.truncated is None
    assert len(recorder.drafts.ops) == 2
    assert found == wanted == heard
