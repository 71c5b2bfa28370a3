"""Summaries of tensors: all values of a small one, a few numbers of a large one.

While code runs, a tensor of up to 4096 elements is only held; `settle` copies what is
held, many in one go, before anything can be written into it and when the recording ends.
A larger one is looked at once, or only referred to weakly where it stays alive.
"""

import math
import weakref
from collections.abc import Iterable, Sequence

import torch

from tutor.graph.trace import INLINE, Summary

HEAD = 6
HELD = 4096
"""Up to this many elements a tensor's values are kept."""
_USUAL = frozenset([torch.Tensor, torch.nn.Parameter])
BUDGET = 64 * 2**20
"""Bytes kept of tensors of over 64 elements; beyond it they count as large."""


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
                    self.head = Taken(_head(tensor))

    def read(self, tensor: torch.Tensor) -> None:
        """One pass over the tensor, more only where it holds something not finite."""
        if not readable(tensor):
            return
        found = real(tensor)
        if found.device.type == "cpu" and found.numel():
            try:
                least, most = torch.aminmax(_as_it_lies(found))
                low, high = least.item(), most.item()
            except RuntimeError:  # not made for this dtype
                low = high = math.nan
            if math.isfinite(low) and math.isfinite(high):
                self.low, self.high, self.nonfinite = low, high, 0
                return
        taken = Taken(_statistics(found))
        if taken.tensor is not None and taken.tensor.device.type == "cpu":
            self.say(taken.tensor.tolist())
        else:
            self.parts = taken

    def say(self, statistics: Sequence[float]) -> None:
        """Take them over as `_statistics` gives them."""
        low, high, mean, nonfinite = statistics
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
                _settle([self])
            with torch._C.DisableTorchFunction(), torch.no_grad():
                self._summary = self._made()
        return self._summary

    def tensor_again(self) -> torch.Tensor | None:
        """A copy of the tensor; None: its values were not kept."""
        if self.tensor is not None:
            _settle([self])
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
            numbers.say(_statistics(part).tolist())
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
                _copy(taken, tensor)
            else:
                self._keep(_settle([taken]))
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
            taken.head = Taken(_head(tensor))
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
            self._keep(_settle(pending))

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


def version_of(tensor: torch.Tensor) -> int:
    """torch's version counter; tensors of inference mode have none."""
    try:
        return tensor._version
    except RuntimeError:
        return 0


def alive(holder: "weakref.ref[torch.Tensor] | None") -> torch.Tensor | None:
    """The tensor, if it is still there."""
    tensor = None if holder is None else holder()
    if tensor is not None:
        tensor._fix_weakref()  # type: ignore[attr-defined]
    return tensor


def readable(tensor: torch.Tensor) -> bool:
    """Whether it has numbers that can be read here and now."""
    return (
        tensor.layout is torch.strided
        and tensor.device.type != "meta"
        and not tensor.is_quantized
        and not torch._C._functorch.is_functorch_wrapped_tensor(tensor)
    )


def real(tensor: torch.Tensor) -> torch.Tensor:
    """Complex numbers as pairs."""
    return torch.view_as_real(tensor.resolve_conj()) if tensor.is_complex() else tensor


def _copy(taken: Taken, tensor: torch.Tensor) -> None:
    """One tensor by itself, as `_settle` would."""
    taken.shape, taken.dtype, taken.device = tensor.shape, tensor.dtype, tensor.device
    row = tensor.detach().clone(memory_format=torch.contiguous_format)
    taken.flat, taken.start, taken.tensor = Flat(row.view(-1)), 0, None


def _settle(pending: Sequence[Taken]) -> list[Flat]:
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


def _as_it_lies(tensor: torch.Tensor) -> torch.Tensor:
    """The same elements in the order of memory, each of those that are shared once.

    torch reads a large transposed tensor ten times slower than a plain one.
    """
    if tensor.is_contiguous():
        return tensor
    strides = tensor.stride()
    order = sorted(range(len(strides)), key=strides.__getitem__, reverse=True)
    tensor = tensor.permute(order)
    for dim in range(len(order) - 1, -1, -1):
        if strides[order[dim]] != 0:
            break
        tensor = tensor.select(dim, 0)
    return tensor


def _head(tensor: torch.Tensor) -> torch.Tensor:
    """A copy of the first elements; without a copy of all of them."""
    if tensor.is_contiguous() and tensor.numel() >= HEAD:
        return tensor.detach().as_strided((HEAD,), (1,)).clone()
    while tensor.dim() > 1 and tensor[0].numel() >= HEAD:
        tensor = tensor[0]
    return tensor.detach().reshape(-1)[:HEAD].clone()


def _statistics(tensor: torch.Tensor) -> torch.Tensor:
    """Low, high, mean of the finite elements; how many are not."""
    numbers = tensor if tensor.is_floating_point() else tensor.double()
    if numbers.dtype not in (torch.float32, torch.float64):
        numbers = numbers.float()
    if not numbers.numel():
        return torch.tensor([math.inf, -math.inf, 0, 0], dtype=torch.float64)
    finite = torch.isfinite(numbers)
    nonfinite = (~finite).sum()
    infinite = torch.full((), math.inf, dtype=numbers.dtype, device=numbers.device)
    low = torch.where(finite, numbers, infinite).amin()
    high = torch.where(finite, numbers, -infinite).amax()
    mean = torch.where(finite, numbers, 0).sum(dtype=torch.float64) / finite.sum()
    return torch.stack([each.double() for each in (low, high, mean, nonfinite)])


def _plain(tensor: torch.Tensor) -> tuple[float, ...]:
    return tuple(map(float, tensor.tolist()))


def _of_numbers(
    shape: tuple[int, ...], dtype: str, numbers: Numbers, head: tuple[float, ...]
) -> Summary:
    return Summary(
        shape, dtype, None, numbers.low, numbers.high, numbers.mean,
        numbers.nonfinite, head,
    )  # fmt: skip
