"""Local derivatives by the book, compared with what torch's engine sent.

The text is what a learner reads; the row's function serves to check it. Every number of
a trace is torch's own. Where the two disagree the text is hidden.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from tutor.engine import alone
from tutor.engine.drafts import Replay
from tutor.engine.rule_book import Bound, Row, UnknownCallError, bind, entry_of
from tutor.engine.summary import Summaries
from tutor.graph import backward, names
from tutor.graph.backward import OpBackward
from tutor.graph.trace import (
    Argument,
    Check,
    Const,
    Items,
    Op,
    Ref,
    Rule,
    Summary,
    Trace,
)

_RELATIVE = {torch.float64: 1e-9, torch.float32: 1e-4}
_RELATIVE_OTHER = 2e-2  # 16 bits and less


def rules(trace: Trace, replays: Iterable[Replay]) -> tuple[Rule, ...]:
    """The rules of the ops that can be run again, in the trace's order.

    Leaves torch's random state as it was.
    """
    cuda = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    engine = _Engine(trace)
    found: list[Rule] = []
    with (
        torch.random.fork_rng(cuda),
        torch._C.DisableTorchFunction(),
        torch.no_grad(),
    ):
        for replay in replays:
            found += _rules(trace, replay, engine)
        for op in trace.ops:
            if "random" in op.flags:
                found += _dropped(trace, op, engine)
    return tuple(sorted(found, key=lambda rule: (rule.op, rule.position)))


def _rules(trace: Trace, replay: Replay, engine: "_Engine") -> Iterator[Rule]:
    values = names.tensors(trace.ops[replay.op])
    bound = _bound(replay.name, replay.args, replay.keywords)
    try:
        again = alone.run(replay)
        gradients = again.gradients() if len(again.leaves) == len(values) else []
    except Exception:  # noqa: BLE001 - an op that cannot be run again has no rule
        return
    outputs = tuple(each.detach() for each in again.outputs)
    for position, (value, local) in enumerate(zip(values, gradients, strict=False)):
        if local is None:
            continue
        row = None if bound is None else bound.row(position)
        leaf = again.leaves[position]
        check: Check = "skip"
        if bound is not None and row is not None:
            held = outputs if again.several else outputs[0]
            compared = Comparison(bound, row, position, held, leaf.detach())
            sent = engine.sent(replay.op, position)
            if sent is None:  # or nothing but zeros, which tell nothing
                sent = [torch.ones_like(each) for each in outputs], local
            check = compared.check(*sent)
            if check == "off" and values.count(value) > 1:
                check = "skip"  # torch may have sent them in another order
        text = ""
        if check == "ok" and bound is not None:
            text = _read(trace, trace.ops[replay.op], bound, position)
        number = None
        if not again.several and _is_local(row, leaf, outputs[0]):
            number = _summary(local)
        yield Rule(replay.op, value, position, text, number, check)


def _bound(name: str, args: Sequence[Any], keywords: dict[str, Any]) -> Bound | None:
    entry = entry_of(name)
    try:
        return None if entry is None else bind(entry, args, keywords)
    except UnknownCallError:
        return None


def _read(trace: Trace, op: Op, bound: Bound, position: int) -> str:
    written = [names.operand(trace, value) for value in names.tensors(op)]
    return bound.read(position, written, names.operand(trace, op.outputs[0]))


def _is_local(row: Row | None, tensor: Tensor, output: Tensor) -> bool:
    """Whether the gradient for ones is the local derivative, element by element."""
    if output.numel() == 1:
        return True
    return row is not None and row.elementwise and tensor.shape == output.shape


def _summary(gradient: Tensor) -> Summary:
    if gradient.dim() or gradient.is_complex() or gradient.device.type != "cpu":
        summaries = Summaries()
        taken = summaries.take(gradient)
        summaries.fetch()
        return taken.summary
    return Summary((), str(gradient.dtype).removeprefix("torch."), (gradient.item(),))


# --------------------------------------------------------------------------- comparing


@dataclass(frozen=True, slots=True)
class Comparison:
    """The book's contribution of one argument beside torch's."""

    bound: Bound
    row: Row
    position: int
    output: Any
    """A tensor, or a tuple of them."""
    tensor: Tensor

    def check(self, upstream: Sequence[Tensor], wanted: Tensor) -> Check:
        """skip: the row does not know these options of the op."""
        try:
            own = self._own(upstream, self.output, self.bound.values)
            summed = own.shape != self.tensor.shape or not self.row.elementwise
            own = own.sum_to_size(self.tensor.shape).to(self.tensor)
            lost = 0.0
            if summed:
                size = max(_size(each) for each in (*upstream, wanted))
                lost = _RELATIVE.get(own.dtype, _RELATIVE_OTHER) * size * 1e-2
            near = self._near(own, wanted, lost)
            if not near and summed and own.dtype != torch.float64:
                near = self._near(own, wanted, lost + self._rounding(upstream, own))
            return "ok" if near else "off"
        except Exception:  # noqa: BLE001 - see above
            return "skip"

    def _own(self, upstream: Sequence[Tensor], output: Any, values: Any) -> Tensor:
        g: Any = upstream[0].to(output) if isinstance(output, Tensor) else ()
        if isinstance(output, tuple):
            real = next(each for each in output if each.is_floating_point())
            g = tuple(each.to(real) for each in upstream)
        _, place = self.bound.places[self.position]
        listed = {} if place is None else {"at": place}
        found: Tensor = self.row.back(g, output, *values, **listed)
        return found

    def _rounding(self, upstream: Sequence[Tensor], own: Tensor) -> float:
        """What the rule's sums lose in this dtype: they may cancel, in torch's too."""
        exact = self._own(
            alone.mapped(_exact, list(upstream)),
            alone.mapped(_exact, self.output),
            alone.mapped(_exact, self.bound.values),
        )
        return 32 * _size(own.double() - exact.sum_to_size(own.shape))

    def _near(self, own: Tensor, wanted: Tensor, lost: float) -> bool:
        """`lost` are the digits of large numbers that were added up to small ones."""
        relative = _RELATIVE.get(own.dtype, _RELATIVE_OTHER)
        absolute = max(relative * 1e-4, lost)
        if not own.dim() and not own.is_complex():
            found, sought = own.item(), wanted.item()
            if math.isnan(found):
                return self.row.partial or math.isnan(sought)
            apart = relative * abs(sought) + absolute
            return found == sought or abs(found - sought) <= apart
        own, wanted = own.cpu(), wanted.to(own).cpu()
        if self.row.partial:
            wanted = torch.where(own.isnan(), own, wanted)
        return own.allclose(wanted, relative, absolute, equal_nan=True)


def _exact(tensor: Tensor) -> Tensor:
    return tensor.double() if tensor.is_floating_point() else tensor


def _size(tensor: Tensor) -> float:
    """Its largest finite element."""
    found = tensor.detach().abs()
    return found[found.isfinite()].amax().item() if found.isfinite().any() else 0.0


class _Engine:
    """What torch's engine passed through each op, in the first pass that ran it."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._seen: dict[int, OpBackward] = {}
        groups = backward.grouped(trace)  # once: a training loop has many passes
        for passed in reversed(trace.passes):
            for op, nodes in groups[passed.number].items():
                merged = backward.merge(trace, op, nodes)
                if merged is not None:
                    self._seen[op] = merged
        self._arrived = {
            (node.number, value): gradient
            for node in trace.nodes
            for value, gradient in zip(node.of, node.upstream, strict=True)
            if value is not None and gradient is not None
        }

    def sent(self, op: int, position: int) -> tuple[list[Tensor], Tensor] | None:
        """What arrived for each of the op's values, and what one argument was sent.

        None: they were not kept whole, or nothing but zeros arrived.
        """
        seen = self._seen.get(op)
        if seen is None:
            return None
        gradient = self._gradient(seen, position)
        upstream = []
        something = False
        for value in self._trace.ops[op].outputs:
            arrived = self._arrived.get((seen.number, value))
            if arrived is None:
                shape = self._trace.values[value].summary.shape
                upstream.append(torch.zeros(shape, dtype=torch.float64))
            elif (found := _tensor(arrived)) is not None:
                upstream.append(found)
                something = something or any(arrived.values or ())
            else:
                return None
        return None if gradient is None or not something else (upstream, gradient)

    def _gradient(self, seen: OpBackward, position: int) -> Tensor | None:
        """An op of several nodes may reach one argument by several edges."""
        value = names.tensors(self._trace.ops[seen.op])[position]
        total = None
        for each in seen.sent:
            more = each.position == -1 and each.to == value
            if each.gradient is None or not (more or each.position == position):
                continue
            gradient = _tensor(each.gradient)
            if gradient is None:
                return None
            total = gradient if total is None else total + gradient
        return total


def _tensor(summary: Summary | None) -> Tensor | None:
    if summary is None or summary.values is None or "complex" in summary.dtype:
        return None
    if not summary.shape:
        return torch.tensor(summary.values[0], dtype=torch.float64)
    return torch.tensor(summary.values, dtype=torch.float64).reshape(summary.shape)


# ----------------------------------------------------- ops that cannot be run again


def _dropped(trace: Trace, op: Op, engine: _Engine) -> Iterator[Rule]:
    """The rule of a dropout: what it drew is seen in its value."""
    if op.function != "dropout" or len(op.outputs) != 1:
        return
    args = [_rebuilt(trace, each) for each in op.arguments]
    keywords = {name: _rebuilt(trace, each) for name, each in op.keywords.items()}
    if len(args) < 3:  # the recorder leaves False out
        keywords.setdefault("training", False)
    output = _tensor(trace.values[op.outputs[0]].summary)
    bound = _bound(op.function, args, keywords)
    sent = engine.sent(op.id, 0)
    if bound is None or output is None or sent is None or not bound.places:
        return
    row = bound.row(0)
    assert row is not None
    check = Comparison(bound, row, 0, output, bound.values[0]).check(*sent)
    text = _read(trace, op, bound, 0) if check == "ok" else ""
    yield Rule(op.id, names.tensors(op)[0], 0, text, None, check)


def _rebuilt(trace: Trace, argument: Argument) -> Any:
    match argument:
        case Ref(value):
            summary = trace.values[value].summary
            found = _tensor(summary)
            return None if found is None else found.to(getattr(torch, summary.dtype))
        case Const(value):
            return value
        case Items(items):
            return [_rebuilt(trace, each) for each in items]
