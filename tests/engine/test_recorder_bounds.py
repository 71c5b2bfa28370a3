"""What a recording brings in at its first use, and what it keeps over its limit."""

import subprocess
import sys

import torch

from tutor.engine.recorder import Recorder

_FIRST_USE = """
import sys
import torch
import tutor.engine.recorder as recorder
before = set(sys.modules)
net = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Dropout(0.5))
x = torch.ones(2, requires_grad=True)
with recorder.Recorder({"x": x}) as made:
    q = 3 * x**2
    q += 1
    (net(x).sum() + q.sum()).backward()
assert made.drafts.truncated is None and len(made.drafts.ops) == 8, made.drafts
events = list(made.drafts.events())
print(*sorted(set(sys.modules) - before))
"""
HEAVY = ("torch._dynamo", "torch._inductor", "torch.fx.experimental", "sympy", "numpy",
         "matplotlib", "IPython", "torch.export", "torch.distributed", "textual", "rich")  # fmt: skip


def test_the_first_use_imports_nothing_heavy() -> None:
    plain = subprocess.run(
        [sys.executable, "-c", "import sys, torch; print(*sys.modules)"],
        stdout=subprocess.PIPE, text=True, check=True, timeout=60,
    ).stdout.split()  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", _FIRST_USE],
        stdout=subprocess.PIPE, text=True, check=True, timeout=60,
    ).stdout.split()  # fmt: skip
    brought = [name for name in done if name not in plain]
    assert [name for name in brought if name.startswith(HEAVY)] == []
    assert [name for name in brought if name.startswith("torch")] == []
    assert len(brought) < 20, brought


def _long(turns: int, limit: int) -> tuple[Recorder, torch.Tensor]:
    x = torch.tensor([0.5, 0.25], requires_grad=True)
    recorder = Recorder({"x": x}, op_limit=limit)
    with recorder:
        h = x
        for _ in range(turns):
            h = torch.sin(h) + x
        h.sum().backward()
    assert x.grad is not None
    return recorder, x.grad


def test_what_is_over_the_limit_runs_and_is_not_noted() -> None:
    x = torch.tensor([0.5, 0.25], requires_grad=True)
    h = x
    for _ in range(400):
        h = torch.sin(h) + x
    h.sum().backward()
    short, _ = _long(100, 30)
    recorder, gradient = _long(400, 30)
    assert torch.equal(gradient, x.grad)  # type: ignore[arg-type]
    drafts = recorder.drafts
    assert "first 30 ops" in str(drafts.truncated)
    assert [each.kind.name for each in drafts.ops[:30]] == ["sin", "add"] * 15
    assert [each.flags for each in drafts.ops[30:]] == [["unseen"]]
    for one, other in (
        (drafts.ops, short.drafts.ops),
        (drafts.values, short.drafts.values),
        (drafts.nodes, short.drafts.nodes),
        (drafts.ran, short.drafts.ran),
        (drafts.leaves, short.drafts.leaves),
    ):
        assert len(one) == len(other)
    assert len(drafts.values) < 40
    assert len(drafts.nodes) <= 5 * 30 + 3
