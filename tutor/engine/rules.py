"""Local derivatives by the book: a table of texts and functions, one row an argument.

The text is what a learner reads; the function serves to check it against what torch's
engine sent. Every number of a trace is torch's own. Where the two disagree the text is
hidden.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from tutor.engine.drafts import Replay
from tutor.engine.rule_book import Row, row
from tutor.engine.summary import Summaries
from tutor.graph import backward, names
from tutor.graph.backward import OpBackward
from tutor.graph.trace import Check, Rule, Summary, Trace

_RELATIVE = {torch.float64: 1e-9, torch.float32: 1e-4}
_RELATIVE_OTHER = 2e-2  # 16 bits and less


def rules(trace: Trace, replays: Iterable[Replay]) -> tuple[Rule, ...]:
    """The rules of the ops that can be run again, in the trace's order.

    Leaves torch's random state as it was.
    """
    cuda = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    seen = {
        each.op: each
        for passed in reversed(trace.passes)
        for each in backward.merged(trace, passed.number)
    }
    found: list[Rule] = []
    with torch.random.fork_rng(cuda), torch._C.DisableTorchFunction():
        for replay in replays:
            found += _rules(trace, replay, seen.get(replay.op))
    return tuple(found)


def _rules(trace: Trace, replay: Replay, seen: OpBackward | None) -> Iterator[Rule]:
    values = names.tensors(trace.ops[replay.op])
    held = list(_tensors(replay.args)) + list(_tensors(list(replay.keywords.values())))
    if len(values) != len(held):
        return
    output, gradients = _run_again(replay, held)
    written = _written(trace, replay)
    for position, (value, tensor) in enumerate(zip(values, held, strict=True)):
        local = gradients[position]
        if output is None or local is None:
            continue
        found = row(replay.name, _argument_number(replay.args, tensor))
        check: Check = "skip"
        if found is not None:
            again = _Comparison(found, replay, output, tensor)
            check = again.check(torch.ones_like(output), local)
            engine = _engines(seen, position)
            if check == "ok" and engine is not None:
                check = again.check(*engine)
        text = found.read(replay.args, written) if found and check == "ok" else ""
        taken = None
        if _is_local(found, tensor, output):
            taken = Summaries().take(local).summary
        yield Rule(replay.op, value, position, text, taken, check)


def _run_again(
    replay: Replay, held: Sequence[torch.Tensor]
) -> tuple[torch.Tensor | None, list[torch.Tensor | None]]:
    """The op alone, its gradients for an upstream of ones; (None, ...) if it fails."""
    nothing: list[torch.Tensor | None] = [None] * len(held)
    wanted = [tensor for tensor in held if tensor.requires_grad]
    try:
        with torch.enable_grad():
            output = replay.function(*replay.args, **replay.keywords)
            # The sum starts ones; given as an argument they would import sympy.
            found = iter(torch.autograd.grad(output.sum(), wanted, allow_unused=True))
    except Exception:  # noqa: BLE001 - an op that cannot be run again has no rule
        return None, nothing
    return output.detach(), [
        next(found) if tensor.requires_grad else None for tensor in held
    ]


def _is_local(found: Row | None, tensor: torch.Tensor, output: torch.Tensor) -> bool:
    """Whether the gradient for ones is the local derivative, element by element."""
    if output.numel() == 1:
        return True
    return found is not None and found.elementwise and tensor.shape == output.shape


@dataclass(frozen=True, slots=True)
class _Comparison:
    """The book's contribution of one argument beside torch's."""

    found: Row
    replay: Replay
    output: torch.Tensor
    tensor: torch.Tensor

    def check(self, upstream: torch.Tensor, wanted: torch.Tensor) -> Check:
        """skip: the row does not know these options of the op."""
        args = [_plain(each) for each in self.replay.args]
        try:
            with torch.no_grad():
                upstream = upstream.to(self.output)
                own = self.found.back(
                    upstream, self.output, *args, **self.replay.keywords
                )
                own = own.sum_to_size(self.tensor.shape).to(self.tensor).cpu()
        except Exception:  # noqa: BLE001 - see above
            return "skip"
        relative = _RELATIVE.get(self.tensor.dtype, _RELATIVE_OTHER)
        near = own.allclose(wanted.to(own), relative, relative * 1e-4, equal_nan=True)
        return "ok" if near else "off"


def _engines(
    seen: OpBackward | None, position: int
) -> tuple[torch.Tensor, torch.Tensor] | None:
    """What arrived at the op and what the engine sent on; None: not kept."""
    if seen is None:
        return None
    sent = next((each for each in seen.sent if each.position == position), None)
    upstream = _tensor(seen.upstream)
    contribution = _tensor(sent.gradient) if sent is not None else None
    if upstream is None or contribution is None:
        return None
    return upstream, contribution


def _tensor(summary: Summary | None) -> torch.Tensor | None:
    if summary is None or summary.values is None or "complex" in summary.dtype:
        return None
    return torch.tensor(summary.values, dtype=torch.float64).reshape(summary.shape)


def _plain(held: Any) -> Any:
    return held.detach() if isinstance(held, torch.Tensor) else held


def _tensors(held: Any) -> Iterator[torch.Tensor]:
    if isinstance(held, torch.Tensor):
        yield held
    elif isinstance(held, (list, tuple)):
        for each in held:
            yield from _tensors(each)


def _argument_number(args: Sequence[Any], tensor: torch.Tensor) -> int:
    """Which argument it is by itself; -1 within a list or a keyword."""
    for number, each in enumerate(args):
        if each is tensor:
            return number
    return -1


def _written(trace: Trace, replay: Replay) -> list[str]:
    """The call's positional arguments as a formula writes them."""
    op = trace.ops[replay.op]
    values = iter(names.tensors(op))
    written = []
    for each in replay.args:
        if isinstance(each, torch.Tensor):
            written.append(names.operand(trace, next(values)))
        else:
            for _ in _tensors(each):
                next(values)
            written.append(f"{each:g}" if isinstance(each, (int, float)) else "?")
    output = op.outputs[0]
    return [*written, names.operand(trace, output)]
