"""Checks one op of a trace by trying: moves its arguments a little and looks.

In float64, on the arguments that the trace kept. Slopes are compared with torch's
gradient of the op alone, and that with what torch's engine sent in the trace.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from tutor.engine import alone, store
from tutor.engine.alone import Alone
from tutor.engine.drafts import Replay
from tutor.graph.requests import ArgumentCheck, Checked, TraceCheck
from tutor.graph.trace import Summary

STEP = torch.finfo(torch.float64).eps ** (1 / 3)
"""For |x| up to 1, else times |x|; see `graph.checking.METHOD`."""
ELEMENTS_AT_MOST = 256
"""Of one argument; of a larger one as many, spread evenly."""
_NEAR = 1e-6
_SHORT = (torch.float32, torch.float16, torch.bfloat16)
_ENGINE_NEAR = {"float64": 1e-9, "float32": 1e-4}
_ENGINE_NEAR_OTHER = 2e-2


def check_node(request: TraceCheck) -> Checked:
    """The answer to a request of the stepper."""
    replay = store.replay(request.trace, request.op)
    if replay is None:
        return Checked(
            problem="The arguments of this op are no longer kept: record the trace again."
        )
    return check(replay, request.upstream, request.sent)


def check(
    replay: Replay, upstream: Summary | None = None, sent: Sequence[Summary | None] = ()
) -> Checked:
    """Each argument of an op that a gradient goes to.

    `upstream` is sent back through the op, or ones; `sent` is what the engine passed on.
    Leaves torch's random state as it was.
    """
    cuda = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    with torch.random.fork_rng(cuda), torch._C.DisableTorchFunction(), torch.no_grad():
        try:
            trial = _Trial(replay, alone.run(replay, _double), upstream)
            gradients = trial.gradients()
        except Exception as error:  # noqa: BLE001 - an op that does not run in float64
            return Checked(problem=f"{replay.name} cannot be run again: {error}")
        short = next((x.dtype for x in trial.first.outputs if x.dtype in _SHORT), None)
        if short is not None:
            name = str(short).removeprefix("torch.")
            return Checked(
                problem=f"{replay.name} gives {name}: that has too few digits to see a "
                "small step in."
            )
        if not any(each is not None for each in gradients):
            return Checked(problem=f"{replay.name} sends no gradient back.")
        found = []
        for position, gradient in enumerate(gradients):
            if gradient is not None:
                engine = sent[position] if position < len(sent) else None
                if upstream is None or upstream.values is None or trial.first.several:
                    engine = None  # ones went back here, something else there
                found.append(trial.argument(position, gradient, engine))
    return Checked(tuple(found))


def _double(tensor: Tensor) -> Tensor:
    if not tensor.is_floating_point():
        return tensor
    return tensor.to(torch.float64, copy=True)


@dataclass(frozen=True, slots=True)
class _Trial:
    """An op that was run once and will be run with other arguments."""

    replay: Replay
    first: Alone
    upstream: Summary | None

    def gradients(self) -> list[Tensor | None]:
        """torch's own for each argument."""
        if not self.first.wanted:
            return [None] * len(self.first.leaves)
        with torch.enable_grad():
            total = self._weighed(self.first)
        found = iter(torch.autograd.grad(total, self.first.wanted, allow_unused=True))
        return [
            next(found) if each.requires_grad else None for each in self.first.leaves
        ]

    def argument(
        self, position: int, gradient: Tensor, engine: Summary | None
    ) -> ArgumentCheck:
        """Move its elements one by one."""
        held = self.first.leaves[position].detach()
        gradients = gradient.reshape(-1).tolist()
        here = float(self._weighed(self.first))
        worst, corners, largest, tried, agrees = 0.0, 0, 0.0, 0, True
        count = min(held.numel(), ELEMENTS_AT_MOST)
        for number in range(count):
            place = number * held.numel() // count
            value = float(held.reshape(-1)[place])
            if not math.isfinite(value):
                continue
            tried += 1
            step = STEP * max(1.0, abs(value))
            after, before = self._slopes(position, place, value, step, here)
            slope = (after + before) / 2
            largest = max(largest, step)
            wanted = gradients[place]
            lost = abs(here) * 1e-15 / step  # digits that the difference lost
            near = _NEAR * max(1.0, abs(wanted)) + 10 * lost
            between = min(after, before) - near <= wanted <= max(after, before) + near
            if between and abs(after - before) > 1e3 * near:
                closer = self._slopes(position, place, value, step / 16, here)
                if abs(closer[0] - closer[1]) > abs(after - before) / 2:
                    corners += 1  # a curve would have straightened
                    continue
            apart = abs(slope - wanted)
            if apart > near:  # a strong curve: a smaller step bends it less
                slope = sum(self._slopes(position, place, value, step / 16, here)) / 2
                if abs(slope - wanted) < apart / 100:
                    apart = abs(slope - wanted)
                    near = max(near, 160 * lost)
            agrees = agrees and (apart <= near or slope == wanted)
            worst = max(worst, apart) if apart == apart else math.nan
        passed = _compared(gradient, engine)
        return ArgumentCheck(
            position, tried, held.numel(), largest, worst, agrees, corners, *passed
        )

    def _slopes(
        self, position: int, place: int, value: float, step: float, here: float
    ) -> tuple[float, float]:
        """To above the value and to below it."""
        above, below = value + step, value - step
        up = self._moved(position, place, above) - here
        down = here - self._moved(position, place, below)
        return up / (above - value), down / (value - below)

    def _moved(self, position: int, place: int, value: float) -> float:
        """What the op gives with one element changed."""
        count = iter(range(len(self.first.leaves)))

        def changed(tensor: Tensor) -> Tensor:
            found = _double(tensor)
            if next(count) == position:
                found = found.clone(memory_format=torch.contiguous_format)
                found.view(-1)[place] = value
            return found

        again = alone.run(self.replay, changed)
        return float(self._weighed(again))

    def _weighed(self, run: Alone) -> Tensor:
        """All that the op gives as one number: times what comes back, summed."""
        total = torch.zeros((), dtype=torch.float64)
        for number, output in enumerate(run.outputs):
            if not output.is_floating_point():
                continue
            output = output.to("cpu", torch.float64)
            arrived = self.upstream if number == 0 else None
            if arrived is not None and arrived.values is not None and not run.several:
                weights = torch.tensor(arrived.values, dtype=torch.float64)
                output = output * weights.reshape(output.shape)
            total = total + output.sum()
        return total


def _compared(
    gradient: Tensor, engine: Summary | None
) -> tuple[float | None, bool | None]:
    """The gradient beside what the engine sent: the largest difference, and whether
    that is rounding alone."""
    if engine is None or engine.values is None or "complex" in engine.dtype:
        return None, None
    sent = torch.tensor(engine.values, dtype=torch.float64).reshape(engine.shape)
    own = gradient.cpu()
    if own.shape != sent.shape:
        return None, None
    if not own.numel():
        return 0.0, True
    relative = _ENGINE_NEAR.get(engine.dtype, _ENGINE_NEAR_OTHER)
    absolute = relative * 1e-2 * float(own.abs().nan_to_num(0, 0).max())
    near = torch.allclose(sent, own, relative, absolute, equal_nan=True)
    return float((own - sent).abs().max()), near
