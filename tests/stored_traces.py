"""Traces recorded once and kept as files, so that tests of the walk need no torch.

`tests/engine/test_recorder_stored.py` records them again and compares; to renew them:
    python -m tests.stored_traces
"""

import functools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from tutor import wire
from tutor.graph.requests import TraceRequest
from tutor.graph.trace import Trace, assemble, parts

FOLDER = Path(__file__).parent / "samples" / "traces"

REQUESTS = {
    "seed": TraceRequest(
        "q = x ** 2\nu = 3 * q\nz = 2 * y\nf = u + z", {"x": 2.0, "y": 5.0}
    ),
    "twice": TraceRequest(  # the notebook's, backward three times
        "for turn in range(3):\n    y = 3 * x**2 + 2 * x\n    y.backward()", {"x": 5.3}
    ),
    "fan-out": TraceRequest(
        "y = x * x\nz = y + x\nf = torch.sin(y * z) - x", {"x": 2.0}
    ),
    "neuron": TraceRequest(
        "a = w @ x + b\np = torch.sigmoid(a)\nloss = -torch.log(p)",
        {"w": [0.5, -1.0], "x": [2.0, 1.0], "b": 0.25},
    ),
    "outputs": TraceRequest(
        "a, b = x.chunk(2)\nc = a * b\nd = a - b\nf = (c / d).sum()",
        {"x": [2.0, 3.0, 4.0, 5.0]},
    ),
    "stopped": TraceRequest(
        "q = x ** 2\nu = 3 * q\nv = u + missing\nf = v * 2", {"x": 2.0}
    ),
}

LARGE = {
    "long": TraceRequest(
        "h = x\n"
        "for turn in range(20):\n"
        "    h = torch.sin(h) * w + x if turn % 4 == 0 else h * w + 0.5",
        {"x": 0.5, "w": 0.75},
    ),
    "blocks": TraceRequest(
        """\
from torch import nn

class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm, self.up = nn.LayerNorm(2), nn.Linear(2, 2)

    def forward(self, x):
        return x + torch.relu(self.up(self.norm(x)))

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.into = nn.Linear(2, 2)
        self.h = nn.ModuleList(Block() for _ in range(3))
        self.out = nn.Linear(2, 1)

    def forward(self, x):
        x = torch.tanh(self.into(x))
        for block in self.h:
            x = block(x)
        return self.out(x)

torch.manual_seed(0)
net = Net().double()
loss = net(x).sum()
""",
        {"x": [1.0, -2.0]},
    ),
}
"""Larger than a screen; blocks has modules that are alike."""


@functools.cache
def stored(name: str) -> Trace:
    """The trace as it came over the wire."""
    text = (FOLDER / f"{name}.jsonl").read_text(encoding="utf-8")
    return assemble(wire.loads(line).body for line in text.splitlines())


def settled(trace: Trace) -> Trace:
    """Without what differs from run to run and from torch to torch."""
    ops = tuple(
        replace(op, microseconds=0.0, source=op.source and replace(op.source, file=""))
        for op in trace.ops
    )
    passes = tuple(
        replace(each, source=each.source and replace(each.source, file=""))
        for each in trace.passes
    )
    end = replace(trace.end, torch="", id="", files={})
    return replace(trace, ops=ops, passes=passes, end=end)


def lines(trace: Trace) -> Iterator[str]:
    """The file of a trace: its messages, a line each."""
    for seq, part in enumerate(parts(trace)):
        yield wire.dumps(wire.Message("stored", seq, part))


def _renew() -> None:
    from tutor.engine.trace import record

    FOLDER.mkdir(exist_ok=True)
    for name, request in {**REQUESTS, **LARGE}.items():
        text = "\n".join(lines(settled(record(request))))
        (FOLDER / f"{name}.jsonl").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    _renew()
