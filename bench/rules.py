"""Rules: what the book costs for 1000 scalar ops, beside running and going back alone.

Processor time: other work on the machine counts less in it.
"""

import time
from collections.abc import Callable

from bench.figure import Figure

OPS = 1000
ROUNDS = 7
LIMIT_MS = 300
_LINES = (
    "v = v * 1.01", "v = torch.sin(v)", "v = v + y", "v = v.tanh()", "v = v ** 2",
    "v = v.exp()", "v = torch.sqrt(v)", "v = v * y", "v = torch.relu(v)", "v = v + 1",
)  # fmt: skip


def run() -> list[Figure]:
    """One figure, alternated in this process."""
    import torch

    from tutor.engine import trace
    from tutor.graph.requests import TraceRequest

    code = "\n".join(["v = x", *(_LINES * (OPS // len(_LINES))), "v"])
    given: list[tuple[object, ...]] = []
    rules = trace.rules

    def kept(*args: object) -> object:
        given.append((args[0], list(args[1])))  # type: ignore[call-overload]
        return rules(*given[0])  # type: ignore[arg-type]

    trace.rules = kept  # type: ignore[assignment]
    try:
        trace.record(TraceRequest(code, {"x": 0.5, "y": 1.5}))
    finally:
        trace.rules = rules
    compiled = compile(code, "<bench>", "exec")

    def plain() -> None:
        names = {
            name: torch.tensor(at, dtype=torch.float64, requires_grad=True)
            for name, at in (("x", 0.5), ("y", 1.5))
        }
        exec(compiled, {"torch": torch}, names)
        names["v"].backward()  # type: ignore[no-untyped-call]

    ours, other = [], []
    for _ in range(ROUNDS):
        ours.append(_milliseconds(lambda: rules(*given[0])))  # type: ignore[arg-type]
        other.append(_milliseconds(plain))
    best = min(ours)
    what = f"rules of {OPS} scalar ops"
    limit = f"< {LIMIT_MS} ms"
    note = "other: forward and backward of the same code"
    return [Figure(what, best, min(other), "ms", limit, best < LIMIT_MS, note)]


def _milliseconds(call: Callable[[], object]) -> float:
    start = time.process_time()
    call()
    return (time.process_time() - start) * 1000
