"""`tutor.watch(loss, w=w, b=b)`: the learner's own loop on the tutor's training screen.

Each call reads numbers and nothing else: no graph, no gradient and no generator is
another for it. Points go out in batches, about 25 times a second and when the cell ends,
however it ends. Where no tutor runs, nothing happens. Imported by `import tutor` in any
script, so that torch and IPython are met here only when they are there already.
"""

import itertools
import math
import os
import sys
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from time import perf_counter
from types import FrameType
from typing import Any

from tutor.packing import packed
from tutor.training.findings import Finding
from tutor.training.watched import CURVES, Watched
from tutor.wire import Message

PUBLISH_S = 0.04
"""Between two batches of one curve's points; one costs about as much as 100 calls."""
_SHARE = 30
"""A pause is at least so many times as long as what was sent before it took."""
_LATEST_S = 0.5
DIVERGED = 1e6
"""A loss of so many times the first one (or of 1) will not come back: as `train`'s."""
NUMBERS = 4
"""A tensor of more elements is no column of numbers; a curve has at most
`COLUMNS` of them."""
COLUMNS = 8
RECENT = 8
"""Values of each column kept, to see how a loop diverges."""

_numbers = itertools.count(1)
_hosted = False
"""The cell's end has been asked for."""
_torch: Any = None
"""Once a curve has begun."""


class BadCallError(Exception):
    """What is wrong with a call, as a sentence."""


_NONE: Any = object()
"""Instead of a loss that was not given."""


def watch(
    loss: Any = _NONE,
    /,
    *seen: Any,
    test: Any = None,
    name: str = "loss",
    **parameters: Any,
) -> None:
    """Show this iteration of a loop on the training screen: call it once an iteration.

    `loss` is a tensor with one element, or a number; `test` another one, of data that
    is not trained on. What else is given is looked at: parameters with at most four
    numbers are recorded, those of an `nn.Module` are checked for slips. `name` tells
    several curves of one cell apart.

    It never raises: what is wrong with a call is said once, and the loop goes on.
    """
    try:
        curve = _cell.curves.get(name)
        if curve is not None and not _torch._C._len_torch_function_stack():
            curve.add(
                loss, test, curve.together(seen, parameters) if seen else parameters
            )
        elif curve is not None or _watched_by_a_tutor():
            with _torch._C.DisableTorchFunction():  # else %%step would record us
                curve = curve or _begin(name, loss, seen, parameters, sys._getframe(1))
                curve.add(loss, test, curve.together(seen, parameters))
    except Exception as error:  # noqa: BLE001 - a spectator stops nobody's loop
        _complain(error)


class _Cell:
    """The curves of the cell that runs, and what was said in it."""

    def __init__(self) -> None:
        self.curves: dict[str, _Curve] = {}
        self.said: set[str] = set()
        self.id = ""
        self._sent = 0

    def send(self, body: Watched) -> None:
        """As the next message of the cell."""
        bridge = sys.modules["tutor.engine.bridge"]
        bridge.publish(Message(self.id, self._sent, body))
        self._sent += 1


_cell = _Cell()


@dataclass(frozen=True, slots=True)
class _Given:
    """What the first call of a curve had beside the losses."""

    parameters: dict[str, Any]
    model: dict[str, Any]
    """Those of modules: always the same objects."""
    places: dict[int, str]
    """Names of the tensors that were given without one."""


class _Curve:
    """One curve of the running cell: what was not sent yet."""

    def __init__(
        self,
        name: str,
        loss: Any,
        given: _Given,
    ) -> None:
        self.name = name
        self._places = given.places
        self.losses = array("d")
        self.test: array[float] | None = None
        self.scalars: list[tuple[str, array[float]]] = []
        self.rows: list[tuple[str, list[array[float]]]] = []
        """Parameters of a few numbers, given anew in each call."""
        self.kept: list[tuple[Any, list[array[float]]]] = []
        """Those of a model."""
        self.columns: dict[str, array[float]] = {}
        self.recent: dict[str, list[float]] = {}
        self.start = 0
        self.findings: list[Finding] = []
        for key, value in given.parameters.items():
            self._make_room(key, value)
        for key, value in given.model.items():
            if (columns := self._columns(key, value)) is not None:
                self.kept.append((value, columns))
        first = abs(_number(loss, "the loss"))
        self._bound = DIVERGED * max(1.0, first if math.isfinite(first) else 1.0)
        self._far = False
        """Why was asked already."""
        self._began = self._now = self._first = perf_counter()
        self._due = self._began  # the first point at once: the curve is there
        from tutor.engine import watched_slips

        looked_at = {**given.parameters, **given.model}
        self._slips = watched_slips.Slips(name, loss, looked_at)

    def together(
        self, seen: Sequence[Any], parameters: dict[str, Any]
    ) -> dict[str, Any]:
        """The parameters of a call, with the names of those given without one."""
        places = self._places.items()
        return {
            **{name: seen[at] for at, name in places if at < len(seen)},
            **parameters,
        }

    def add(self, loss: Any, test: Any, parameters: dict[str, Any]) -> None:
        """One iteration. A bad loss adds nothing, a bad parameter is nan."""
        value = _number(loss, "the loss")
        for key, column in self.scalars:
            try:
                column.append(parameters[key].item())
            except Exception:  # noqa: BLE001 - any object may have been given
                column.append(_otherwise(parameters, key))
        if self.rows or self.kept:
            self._add_rows(parameters)
        if test is not None or self.test is not None:
            self._add_test(test)
        self.losses.append(value)
        if not -self._bound <= value <= self._bound and not self._far:
            self._leave(value, parameters)
        self._now = perf_counter()
        if self._now >= self._due:
            self.send_undisturbed()

    def _add_rows(self, parameters: dict[str, Any]) -> None:
        given = [(parameters.get(key), columns) for key, columns in self.rows]
        for value, columns in (*given, *self.kept):
            for column, number in zip(columns, _flat(value, len(columns)), strict=True):
                column.append(number)

    def _add_test(self, test: Any) -> None:
        if self.test is None:
            self.test = array("d", [float("nan")] * len(self.losses))
        self.test.append(
            float("nan") if test is None else _number(test, "the test loss")
        )

    def _leave(self, value: float, parameters: dict[str, Any]) -> None:
        """The loss is far away, or not finite: why is asked once."""
        self._far = True
        iteration = self.start + len(self.losses) - 1
        told = self._slips.ended(iteration, value, parameters, self._recent())
        self.findings += told

    def _recent(self) -> dict[str, list[float]]:
        return {
            key: [*self.recent.get(key, ()), *column][-RECENT:]
            for key, column in self.columns.items()
        }

    # ------------------------------------------------------------------ what is sent

    def send_undisturbed(self) -> None:
        """Send; an interrupt that comes meanwhile is raised afterwards."""
        from tutor.engine.telling import undisturbed

        with undisturbed():
            self.send()
        # Where the machine is busy, sending takes longer: it is then done less often.
        taken = self._first - self._now
        self._due = self._first + min(max(PUBLISH_S, _SHARE * taken), _LATEST_S)

    def send(self) -> None:
        """What was not sent yet, if that is anything."""
        self.findings += self._slips.new()
        columns = [self.losses, *self.columns.values()]
        if self.test is not None:
            columns.append(self.test)
        count = min(map(len, columns))  # an interrupt may have cut a row in two
        if not count and not self.findings:
            return
        self.recent = self._recent()
        body = Watched(
            self.name,
            self.start,
            packed(self.losses[:count]),
            "" if self.test is None else packed(self.test[:count]),
            {key: packed(column[:count]) for key, column in self.columns.items()},
            (self._first - self._began, self._now - self._began),
            tuple(self.findings),
        )
        for column in columns:
            del column[:]
        self.findings.clear()
        self.start += count
        _cell.send(body)
        self._first = perf_counter()

    def end(self) -> None:
        """The cell is over."""
        self.send()
        self._slips.end()

    # ------------------------------------------------------------------- its columns

    def _make_room(self, key: str, value: Any) -> None:
        columns = self._columns(key, value)
        if columns is None:
            self._say_left_out(key, _size(value))
            return
        if len(columns) == 1:
            self.scalars.append((key, columns[0]))
        else:
            self.rows.append((key, columns))

    def _say_left_out(self, key: str, size: int | None) -> None:
        """Why numbers that were given have no curve."""
        if not size:
            return
        why = f"{COLUMNS} numbers are recorded already"
        if size > NUMBERS:
            why = f"a parameter of at most {NUMBERS} numbers has one"
        have = "number" if size == 1 else "numbers"
        said = f"{key} ({size} {have}) has no curve: {why}. The loss is recorded."
        _complain(BadCallError(said))

    def _columns(self, key: str, value: Any) -> "list[array[float]] | None":
        """New columns for a parameter; None: it is no few numbers."""
        size = _size(value)
        if size is None:
            said = f"{key} is {_kind(value)}, so it has no curve: give a parameter."
            _complain(BadCallError(said))
            return None
        if not 0 < size <= NUMBERS or len(self.columns) + size > COLUMNS:
            return None
        names = [key] if size == 1 else [f"{key}{at}" for at in range(1, size + 1)]
        made = [array("d") for _ in names]
        self.columns.update(zip(names, made, strict=True))
        return made


def _begin(
    name: Any,
    loss: Any,
    seen: Sequence[Any],
    parameters: dict[str, Any],
    frame: FrameType,
) -> _Curve:
    """The curve of that name, at its first call."""
    if not isinstance(name, str):
        raise BadCallError(f"name is {_kind(name)}: give it a text, like name='sgd'.")
    if len(_cell.curves) >= CURVES:
        raise BadCallError(
            f"{name!r} would be curve {CURVES + 1}: at most {CURVES} of a cell are "
            "shown."
        )
    curve = _Curve(name[:40], loss, _given(seen, parameters, frame))
    if not _cell.curves:
        _cell.id = f"watched-{os.getpid()}-{next(_numbers)}"
    _cell.curves[name] = curve
    return curve


def _given(seen: Sequence[Any], parameters: dict[str, Any], frame: FrameType) -> _Given:
    """What the first call of a curve was given: a tensor without a name has its
    variable's."""
    from torch import Tensor, nn

    from tutor.engine import slips, telling

    named: dict[str, Any] = {}
    model: dict[str, Any] = {}
    places: dict[int, str] = {}
    scope = {**frame.f_globals, **frame.f_locals}
    for at, each in enumerate(seen):
        if isinstance(each, nn.Module):
            model.update(slips.named(each))
        elif isinstance(each, Tensor):
            places[at] = telling.name_of(each, scope) or f"p{at + 1}"
            named[places[at]] = each
        else:
            said = (
                f"argument {at + 2} is {_kind(each)}: give a model, or name=parameter."
            )
            _complain(BadCallError(said))
    return _Given({**named, **parameters}, model, places)


def _watched_by_a_tutor() -> bool:
    """Whether this is a kernel of ours, and not a fork of it."""
    global _hosted, _torch
    bridge = sys.modules.get("tutor.engine.bridge")
    if bridge is None or not bridge.hosted or os.getpid() != bridge.kernel:
        return False
    if not _hosted:
        _hosted = True
        import torch as _torch

        bridge.shell().events.register("post_execute", end_cell)
    return True


def end_cell() -> None:
    """Send what is left of each curve; the next call begins another race."""
    global _cell
    curves = list(_cell.curves.values())
    try:
        for curve in curves:
            curve.end()
    finally:
        _cell = _Cell()


# ------------------------------------------------------------------------ what is read


def _number(value: Any, what: str) -> float:
    """Raises BadCallError where there is not one number."""
    if isinstance(value, _torch.Tensor):
        if value.numel() != 1:
            raise BadCallError(
                f"{what} has {value.numel()} elements (shape {tuple(value.shape)}): a "
                "point is one number, like that of loss.mean()."
            )
        if value.is_complex():
            raise BadCallError(f"{what} is complex: a point is one real number.")
        return float(value.item())
    if value is _NONE:
        raise BadCallError("there is no loss: give it first, like tutor.watch(loss).")
    if isinstance(value, (str, bytes)) or value is None:
        raise BadCallError(f"{what} is {_kind(value)}, not a number or a tensor.")
    try:
        return float(value)
    except (TypeError, ValueError):
        raise BadCallError(
            f"{what} is {_kind(value)}, not a number or a tensor."
        ) from None


def _otherwise(parameters: dict[str, Any], key: str) -> float:
    """A parameter that is no tensor: a number; nan where there is none."""
    try:
        return _number(parameters[key], key)
    except KeyError:
        return float("nan")
    except BadCallError as error:
        _complain(error)
        return float("nan")


def _size(value: Any) -> int | None:
    """How many numbers; None: it is nothing of numbers."""
    if isinstance(value, _torch.Tensor):
        return 0 if value.is_complex() else int(value.numel())
    if isinstance(value, (str, bytes)):
        return None
    try:
        float(value)
    except (TypeError, ValueError):
        size = getattr(value, "size", None)  # numpy's
        return size if isinstance(size, int) else None
    return 1


def _flat(value: Any, count: int) -> Iterable[float]:
    """The numbers of a small tensor; nan where they are others now."""
    try:
        held = value.detach() if hasattr(value, "detach") else value
        numbers = held.reshape(-1).tolist()
    except Exception:  # noqa: BLE001 - any object may have been given
        numbers = []
    return numbers if len(numbers) == count else [float("nan")] * count


def _kind(value: Any) -> str:
    if value is None:
        return "None"
    kind = type(value).__name__
    return f"{'an' if kind[:1].lower() in 'aeiou' else 'a'} {kind}"


def _complain(error: Exception) -> None:
    """Say once in a cell what is wrong."""
    said = str(error) if isinstance(error, BadCallError) else _unexpected(error)
    if said not in _cell.said and len(_cell.said) < 10 and _watched_by_a_tutor():
        _cell.said.add(said)
        sys.stderr.write(f"tutor.watch: {said}\n")


def _unexpected(error: Exception) -> str:
    return f"this could not be read ({type(error).__name__}: {error})."[:300]
