"""Summaries of tensors: all values of a small one, a few numbers of a large one.

While code runs, a tensor of up to 4096 elements is only held; `settle` copies what is
held, many in one go, before anything can be written into it and when the recording ends.
A larger one is looked at once, or only referred to weakly where it stays alive.
"""

import weakref
from collections.abc import Iterable

import torch

from tutor.engine.reading import alive, head_of, readable, version_of
from tutor.engine.taken import Flat, Numbers, Taken, copy_now, settle
from tutor.graph.trace import INLINE

HELD = 4096
"""Up to this many elements a tensor's values are kept."""
_USUAL = frozenset([torch.Tensor, torch.nn.Parameter])
BUDGET = 64 * 2**20
"""Bytes kept of tensors of over 64 elements; beyond it they count as large."""


class Summaries:
    """Takes summaries without leaving a mark on the tensors or on torch's state.

    `take` and `gradient` are called under `DisableTorchFunction` or where no other mode
    listens; grad mode does not matter to them.
    """

    def __init__(self) -> None:
        self._pending: list[Taken] = []
        self._same: dict[int, Taken] = {}
        """Of gradients that are held, or large ones of this pass, by identity."""
        self._large: dict[int, tuple[weakref.ref[torch.Tensor], int, Taken]] = {}
        self._flats: list[Flat] = []
        self._waiting: list[Numbers] = []
        self._room = BUDGET

    def take(self, tensor: torch.Tensor) -> Taken:
        """Keep what the tensor holds now."""
        count = tensor.numel()
        if count > INLINE:
            if count > HELD or self._room <= 0:
                return self.large(tensor)
            self._room -= count * tensor.itemsize
        taken = Taken(tensor)
        self._pending.append(taken)
        return taken

    def take_now(self, tensor: torch.Tensor) -> Taken:
        """The same of a tensor that others may write to unseen, as numpy can."""
        taken = self.take(tensor)
        if taken.tensor is not None:
            self._pending.pop()
            usual = type(tensor) in _USUAL and tensor.device.type == "cpu"
            if usual and readable(tensor):
                copy_now(taken, tensor)
            else:
                self._keep(settle([taken]))
        return taken

    def take_leaf(self, tensor: torch.Tensor) -> Taken:
        """The same of a leaf: a large one, like a weight, is read when it is asked for."""
        if tensor.numel() <= HELD:
            return self.take(tensor)
        taken = Taken(None)
        taken.shape, taken.dtype, taken.device = (
            tensor.shape, tensor.dtype, tensor.device,
        )  # fmt: skip
        taken.numbers = Numbers()
        taken.numbers.wait_for(tensor)
        return taken

    def gradient(self, tensor: torch.Tensor) -> Taken:
        """`take`, once for a tensor that torch's engine hands from node to node."""
        found = self._same.get(id(tensor))
        if found is None:
            found = self.take(tensor)
            if found.tensor is not None:
                self._same[id(tensor)] = found
        return found

    def large(
        self, tensor: torch.Tensor, like: Taken | None = None, later: bool = False
    ) -> Taken:
        """Look at a large tensor now.

        `like` shows the same elements and was looked at. `later`: it stays alive, and
        is looked at when it is asked for.
        """
        key = id(tensor)
        known = self._large.get(key)
        if (
            known is not None
            and known[0]() is tensor
            and known[1] == version_of(tensor)
        ):
            return known[2]
        taken = Taken(None)
        taken.shape, taken.dtype, taken.device = (
            tensor.shape, tensor.dtype, tensor.device,
        )  # fmt: skip
        enabled = torch.is_grad_enabled()
        if enabled:
            torch._C._set_grad_enabled(False)
        try:
            self._look_at(tensor, taken, like, later)
        finally:
            if enabled:
                torch._C._set_grad_enabled(True)
        self._large[key] = weakref.ref(tensor), version_of(tensor), taken
        return taken

    def _look_at(
        self, tensor: torch.Tensor, taken: Taken, like: Taken | None, later: bool
    ) -> None:
        if like is not None and like.numbers is not None:
            taken.numbers = like.numbers
        else:
            taken.numbers = Numbers()
            if later:
                self.wait_for(taken.numbers, tensor)
            else:
                taken.numbers.read(tensor)
            if taken.numbers.parts is not None:
                self._pending.append(taken.numbers.parts)
        if readable(tensor):
            taken.head = Taken(head_of(tensor))
            self._pending.append(taken.head)

    def wait_for(self, numbers: Numbers, tensor: torch.Tensor) -> None:
        """Let a large tensor's numbers be read when they are asked for."""
        if numbers.holder is None:
            self._waiting.append(numbers)
        numbers.wait_for(tensor)

    def look(self, at: torch.Tensor | None = None) -> None:
        """Read what was put off: of one tensor that is about to change, or of all."""
        left = []
        for numbers in self._waiting:
            if at is None or alive(numbers.holder) is at:
                numbers.find()
            elif numbers.holder is not None:
                left.append(numbers)
        self._waiting = left

    def forget_pass(self) -> None:
        """Tensors of a backward pass that ended are met no more."""
        self._large.clear()

    def settle(self) -> None:
        """Copy what is held, so that it may be written to or go."""
        if self._pending:
            pending, self._pending = self._pending, []
            self._same.clear()
            self._keep(settle(pending))

    def _keep(self, flats: Iterable[Flat]) -> None:
        self._flats += [each for each in flats if each.tensor.device.type != "cpu"]

    def fetch(self) -> None:
        """Settle, and bring over what is on a device, one transfer a dtype."""
        self.settle()
        self._waiting.clear()
        self._large.clear()
        groups: dict[tuple[torch.device, torch.dtype], list[Flat]] = {}
        for flat in self._flats:
            key = flat.tensor.device, flat.tensor.dtype
            groups.setdefault(key, []).append(flat)
        self._flats.clear()
        with torch._C.DisableTorchFunction(), torch.no_grad():
            for group in groups.values():
                sizes = [len(each.tensor) for each in group]
                host = torch.cat([each.tensor for each in group]).cpu().split(sizes)
                for flat, part in zip(group, host, strict=True):
                    flat.tensor = part
