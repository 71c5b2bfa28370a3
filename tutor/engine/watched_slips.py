"""Mistakes of a loop of the learner's own, recognised while `tutor.watch` looks on.

The graph of the first loss is read once. During the first few backward passes hooks on
the nodes where gradients are accumulated see what arrives there; they change nothing and
are gone then. Nobody says which learning rate there is: it is measured from the updates.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from tutor.engine import loss_graph, slips
from tutor.training.findings import Finding, FindingKind
from tutor.training.stability import overshoot

_LOOKED = 5
"""Backward passes in which gradients are looked at."""
_LARGE = 4096
"""Elements of a parameter that are compared; more would cost too much."""
_AGREE = 0.002
"""Measurements of a learning rate that differ less, relatively, are one."""
_UNLIKE = 0.02
"""The gradients they are taken from must differ by more: steps of one size (Adam's, or
those along a signum) would look like multiples of a constant gradient."""
_MEASURED = 2
"""Parameters whose updates are looked at: one may already be where it should be."""
_MATRICES = 8
"""At most so many layers with units alike are followed."""
_RISEN = 10.0
"""Times the first loss: a sum that harms, not one with a fitting learning rate."""


class Slips:
    """What was recognised in one curve's loop."""

    def __init__(self, curve: str, loss: Any, parameters: Mapping[str, Any]) -> None:
        self._curve = curve
        self._found: list[Finding] = []
        self._told: set[str] = set()
        self._summed: int | None = None
        self._followed: list[_Followed] = []
        if isinstance(loss, Tensor):
            self._read(loss)
        leaves = {
            name: each
            for name, each in parameters.items()
            if isinstance(each, Tensor) and each.is_leaf and each.requires_grad
        }
        self._follow(leaves)

    def new(self) -> list[Finding]:
        """What was found since this was asked."""
        for followed in self._followed:
            self._found += followed.new(self._curve)
        found: list[Finding] = []
        for each in self._found:
            if each.kind not in self._told:
                self._told.add(each.kind)
                found.append(each)
        self._found.clear()
        return found

    def ended(
        self,
        iteration: int,
        value: float,
        parameters: Mapping[str, Any],
        recent: Mapping[str, Sequence[float]],
    ) -> list[Finding]:
        """Why the loss is beyond all bounds, or not finite. `recent`: the last values
        of the numbers that have curves."""
        tensors = {
            name: each for name, each in parameters.items() if isinstance(each, Tensor)
        }
        for each in self._followed:
            tensors.setdefault(each.name, each.parameter)
        name = slips.first_not_finite(tensors)
        facts = {"loss": value}
        if not name and math.isfinite(value) and tensors:
            name, facts["size"] = slips.largest(tensors)
        lr = next((each.lr for each in self._followed if each.lr is not None), None)
        times = overshoot(list(recent.values()))
        limit = None
        if times is not None and lr is not None and lr > 0:
            limit = lr / times
        elif times is not None:
            facts["times"] = times
        finite = math.isfinite(value) and not name.endswith(".grad")
        kind: FindingKind = "diverged" if finite else "not-finite"
        told = Finding(
            self._curve, kind, iteration, name or "loss", lr, limit, facts=facts
        )
        if self._summed is None:
            return [told]
        facts = {**facts, "n": float(self._summed)}
        return [replace(told, kind="sum", facts=facts), told]

    def end(self) -> None:
        """Take the hooks away."""
        for each in self._followed:
            each.leave()

    def _read(self, loss: Tensor) -> None:
        seen = loss_graph.read(loss)
        self._summed = seen.summed  # told when it does harm
        if seen.broadcast is not None:
            self._found.append(slips.broadcast(self._curve, seen.broadcast))
        if seen.doubled:
            self._found.append(
                Finding(self._curve, "double-sigmoid", text=seen.doubled)
            )

    def _follow(self, leaves: Mapping[str, Tensor]) -> None:
        first = list(leaves)[:_MEASURED]
        alike = [name for name, each in leaves.items() if _alike(each, each)]
        for name in dict.fromkeys([*first, *alike[:_MATRICES]]):
            measured, same = name in first, name in alike
            self._followed.append(
                _Followed(name, leaves[name], measured=measured, alike=same)
            )


class _Followed:
    """One parameter, during the first backward passes."""

    def __init__(
        self, name: str, parameter: Tensor, *, measured: bool, alike: bool
    ) -> None:
        self.name = name
        self.parameter = parameter
        self.lr: float | None = None
        """Measured; None: not yet, or the updates are no multiples of the gradient."""
        self._measured = measured
        self._alike = alike
        self._passes = 0
        self._held = 0
        """Passes in a row that found the gradient of the one before, already used."""
        self._stale_at = 0
        self._value: Tensor | None = None
        self._left: Tensor | None = None
        """What the last pass left in `.grad`."""
        self._lrs: list[float] = []
        self._sizes: list[float] = []
        """Of the gradients they were measured with."""
        self._new: list[Finding] = []
        # The node itself: a hook on it is no attribute of the learner's tensor.
        # It is held here, as it lives no longer than the graphs that it is in.
        self._node: Any = torch.autograd.graph.get_gradient_edge(parameter).node
        self._handle: Any = self._node.register_prehook(self._see)

    def new(self, curve: str) -> list[Finding]:
        found, self._new = self._new, []
        return [replace(each, run=curve) for each in found]

    def leave(self) -> None:
        """See no more."""
        if self._handle is not None:
            self._handle.remove()
            self._handle = self._node = None

    def _see(self, arriving: tuple[Any, ...]) -> None:
        """A gradient is about to be added to what `.grad` holds."""
        try:
            with torch.no_grad(), torch._C.DisableTorchFunction():
                self._look(arriving[0])
        except Exception:  # noqa: BLE001 - a spectator stops nobody's loop
            self._passes = _LOOKED
        if self._passes >= _LOOKED:
            self.leave()

    def _look(self, gradient: Any) -> None:
        self._passes += 1
        if not isinstance(gradient, Tensor) or gradient.layout != torch.strided:
            return
        value, arriving = _part(self.parameter), _part(gradient)
        held = self.parameter.grad
        kept = None if held is None else _part(held)
        moved = self._value is not None and not torch.equal(value, self._value)
        if self._measured:
            if moved:
                self._measure(value)
            self._look_at_held(kept, moved=moved)
        asked = self._alike and self._passes == _LOOKED
        if asked and _alike(self.parameter, gradient):
            self._tell_alike()
        self._value = value.clone()
        self._left = arriving.clone() if kept is None else kept + arriving

    def _look_at_held(self, kept: Tensor | None, *, moved: bool) -> None:
        """Twice in a row, so that what is cleared later (as a discriminator's gradient,
        which the generator's loss reaches too) is no mistake."""
        left = self._left
        if (
            kept is None
            or left is None
            or not torch.equal(kept, left)
            or not kept.any()
        ):
            self._held = 0
            return
        if not moved:  # gradients of several batches are added up on purpose
            return
        self._held += 1
        if self._held == 1:
            self._stale_at = self._passes - 1
        if self._held == 2:
            self._new.append(Finding("", "no-zero-grad", self._stale_at, self.name))

    def _measure(self, value: Tensor) -> None:
        """The update was minus the learning rate times the gradient, if it was that."""
        assert self._value is not None
        left = self._left
        if left is None or not bool(left.any()):
            return
        step = (value - self._value).double()
        left = left.double()
        lr = -(step @ left / (left @ left)).item()
        error = (step + lr * left).norm() / step.norm()
        self._lrs.append(lr if error < _AGREE else math.nan)
        self._sizes.append(left.norm().item())
        spread = max(self._lrs) - min(self._lrs)
        agree = spread <= _AGREE * abs(lr) and not math.isnan(sum(self._lrs))
        unlike = max(self._sizes) > (1 + _UNLIKE) * min(self._sizes)
        self.lr = lr if agree and unlike else None

    def _tell_alike(self) -> None:
        of_a_module = isinstance(self.parameter, nn.Parameter)
        facts = {"units": float(len(self.parameter))} if of_a_module else {}
        name = self.name.removesuffix(".weight")
        self._new.append(Finding("", "zero-init", self._passes, name, facts=facts))


def _alike(parameter: Tensor, gradient: Tensor) -> bool:
    """Units with the same weights, and the same gradient: rows, as torch's layers have
    them; of a matrix of the learner's own also columns."""
    if parameter.dim() != 2:
        return False
    both = [each.detach() for each in (parameter, gradient)]
    pairs = [both]
    if not isinstance(parameter, nn.Parameter):
        pairs.append([each.T for each in both])
    return any(
        len(pair[0]) > 1
        and all(slips.alike(each[:2]) and slips.alike(each) for each in pair)
        for pair in pairs
    )


def _part(tensor: Tensor) -> Tensor:
    """Enough of a tensor to tell it from another."""
    return tensor.detach().reshape(-1)[:_LARGE]
