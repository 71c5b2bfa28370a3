"""What is kept of one tensor: held, copied in a row with others, or a few numbers.

Those of a small tensor are all kept; what is told of a large one is read when it is asked
for, where the tensor is still as it was.
"""

import math
import weakref
from collections.abc import Sequence

import torch

from tutor.engine.reading import (
    HEAD,
    alive,
    as_it_lies,
    head_of,
    readable,
    real,
    statistics,
    version_of,
)
from tutor.graph.trace import INLINE, Summary


class Numbers:
    """What is told of a large tensor; views that show all of it share them."""

    __slots__ = (
        "head",
        "high",
        "holder",
        "low",
        "mean",
        "nonfinite",
        "origin",
        "parts",
        "version",
    )

    def __init__(self) -> None:
        self.low: float | None = None
        self.high: float | None = None
        self.mean: float | None = None
        self.nonfinite: int | None = None
        self.holder: weakref.ref[torch.Tensor] | None = None
        """Where they can still be read, as long as its version is the same."""
        self.origin: weakref.ref[torch.Tensor] | None = None
        """The same, also once they were read."""
        self.version = 0
        self.head: Taken | None = None
        """Of the holder."""
        self.parts: Taken | None = None
        """Low, high, mean and nonfinite, still on the device."""

    def wait_for(self, tensor: torch.Tensor) -> None:
        """Let them be read there when they are asked for."""
        self.holder = self.origin = weakref.ref(tensor)
        self.version = version_of(tensor)

    def find(self) -> None:
        """Read them now, where that was put off and the tensor is as it was."""
        tensor = alive(self.holder)
        self.holder = None
        if tensor is not None and version_of(tensor) == self.version:
            with torch._C.DisableTorchFunction(), torch.no_grad():
                self.read(tensor)
                if readable(tensor):
                    self.head = Taken(head_of(tensor))

    def read(self, tensor: torch.Tensor) -> None:
        """One pass over the tensor, more only where it holds something not finite."""
        if not readable(tensor):
            return
        found = real(tensor)
        if found.device.type == "cpu" and found.numel():
            try:
                least, most = torch.aminmax(as_it_lies(found))
                low, high = least.item(), most.item()
            except RuntimeError:  # not made for this dtype
                low = high = math.nan
            if math.isfinite(low) and math.isfinite(high):
                self.low, self.high, self.nonfinite = low, high, 0
                return
        taken = Taken(statistics(found))
        if taken.tensor is not None and taken.tensor.device.type == "cpu":
            self.say(taken.tensor.tolist())
        else:
            self.parts = taken

    def say(self, found: Sequence[float]) -> None:
        """Take them over as `statistics` gives them."""
        low, high, mean, nonfinite = found
        self.nonfinite = int(nonfinite)
        if math.isfinite(low):
            self.low, self.high, self.mean = low, high, mean


class Flat:
    """Copies of many tensors in one row."""

    __slots__ = ("_list", "tensor")

    def __init__(self, tensor: torch.Tensor) -> None:
        self.tensor = tensor
        self._list: list[float] | None = None

    def values(self, start: int, count: int) -> tuple[float, ...]:
        """As numbers; of a complex dtype both parts in turn."""
        if self._list is None:
            self._list = real(self.tensor).reshape(-1).tolist()
        if self.tensor.is_complex():
            start, count = 2 * start, 2 * count
        return tuple(map(float, self._list[start : start + count]))


class Taken:
    """What is kept of one tensor, as it was when it was taken."""

    __slots__ = (
        "_summary", "device", "dtype", "flat", "head", "numbers", "shape", "start",
        "tensor",
    )  # fmt: skip

    shape: torch.Size
    dtype: torch.dtype
    device: torch.device
    start: int
    """These are set when it is copied, so that holding it is quick."""

    def __init__(self, tensor: torch.Tensor | None) -> None:
        self.tensor = tensor
        """Held, not copied yet."""
        self.flat: Flat | None = None
        self.numbers: Numbers | None = None
        self._summary: Summary | None = None
        self.head: Taken | None = None

    @property
    def summary(self) -> Summary:
        """For the trace."""
        if self._summary is None:
            if self.tensor is not None:
                settle([self])
            with torch._C.DisableTorchFunction(), torch.no_grad():
                self._summary = self._made()
        return self._summary

    def tensor_again(self) -> torch.Tensor | None:
        """A copy of the tensor; None: its values were not kept."""
        if self.tensor is not None:
            settle([self])
        if self.flat is None:
            return None
        count = math.prod(self.shape)
        part = self.flat.tensor[self.start : self.start + count]
        return part.reshape(self.shape).to(self.device, copy=True)

    def _made(self) -> Summary:
        shape, dtype = tuple(self.shape), str(self.dtype).removeprefix("torch.")
        count = math.prod(shape)
        if self.flat is not None and count <= INLINE:
            try:
                return Summary(shape, dtype, self.flat.values(self.start, count))
            except RuntimeError:  # it has no numbers to be read, like a batched tensor
                return Summary(shape, dtype, None)
        numbers, head = self.numbers, self.head
        if self.flat is not None:
            part = real(self.flat.tensor[self.start : self.start + count])
            numbers = Numbers()
            numbers.say(statistics(part).tolist())
            return _of_numbers(shape, dtype, numbers, _plain(part.reshape(-1)[:HEAD]))
        if numbers is None:
            return Summary(shape, dtype, None)
        was_put_off = head is None
        if numbers.holder is not None:
            numbers.find()
        if numbers.parts is not None and numbers.nonfinite is None:
            numbers.say(numbers.parts.summary.values or (math.nan,) * 4)
        if was_put_off:
            head = numbers.head
        shown = head.summary.values or () if head is not None else ()
        return _of_numbers(shape, dtype, numbers, shown)


def copy_now(taken: Taken, tensor: torch.Tensor) -> None:
    """One tensor by itself, as `settle` would."""
    taken.shape, taken.dtype, taken.device = tensor.shape, tensor.dtype, tensor.device
    row = tensor.detach().clone(memory_format=torch.contiguous_format)
    taken.flat, taken.start, taken.tensor = Flat(row.view(-1)), 0, None


def settle(pending: Sequence[Taken]) -> list[Flat]:
    """Copy what is held, many in one row; these rows."""
    groups: dict[tuple[torch.dtype, torch.device, bool], list[Taken]] = {}
    for taken in pending:
        tensor = taken.tensor
        assert tensor is not None
        taken.shape, taken.dtype, taken.device = (
            tensor.shape, tensor.dtype, tensor.device,
        )  # fmt: skip
        key = taken.dtype, taken.device, tensor.numel() <= INLINE
        group = groups.get(key)
        if group is None:
            groups[key] = [taken]
        else:
            group.append(taken)
    flats = []
    enabled = torch.is_grad_enabled()
    with torch._C.DisableTorchFunction():
        torch._C._set_grad_enabled(False)
        try:
            for group in groups.values():
                flats += _copied(group)
        finally:
            torch._C._set_grad_enabled(enabled)
    return flats


def _copied(group: Sequence[Taken]) -> list[Flat]:
    """The group in one row; what cannot be copied goes without."""
    tensors = [taken.tensor for taken in group if taken.tensor is not None]
    flat = None
    if tensors[0].device.type != "meta":
        try:
            flat = torch._C._nn.flatten_dense_tensors(tensors)
            if len(tensors) == 1:
                flat = flat.clone()
        except RuntimeError:  # sparse, quantized or another layout
            flat = None
    if flat is None and len(group) > 1 and tensors[0].device.type != "meta":
        return [flat for taken in group for flat in _copied([taken])]
    start = 0
    row = None if flat is None else Flat(flat)
    for taken in group:
        taken.flat, taken.start, taken.tensor = row, start, None
        start += math.prod(taken.shape)
    return [] if row is None else [row]


def _of_numbers(
    shape: tuple[int, ...], dtype: str, numbers: Numbers, head: tuple[float, ...]
) -> Summary:
    return Summary(
        shape, dtype, None, numbers.low, numbers.high, numbers.mean,
        numbers.nonfinite, head,
    )  # fmt: skip


def _plain(tensor: torch.Tensor) -> tuple[float, ...]:
    return tuple(map(float, tensor.tolist()))
