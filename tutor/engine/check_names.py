"""The names at hand in a lesson's `check`, `when` and `expect`: the one list of them.

`docs/check-names.md` is made from the docstrings here.
"""

import inspect
import math
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from tutor.engine.compare import difference, dtype_name
from tutor.engine.learner import (
    Case,
    CheckFailedError,
    Learner,
    copied,
    note_call,
)
from tutor.engine.short import short
from tutor.engine.tensor_graphs import NODES_AT_MOST, form_of, nodes_of, parting
from tutor.source import first_loop

Shape = int | tuple[int, ...]

MODULES: dict[str, Any] = {
    "torch": torch,
    "nn": torch.nn,
    "F": torch.nn.functional,
    "math": math,
}
"""Modules that are at hand too, the true ones."""


class CheckNames:
    """The names of one check; each public method is one name."""

    def __init__(self, namespace: dict[str, Any], code: str) -> None:
        self._code = code
        self._case = Case()
        self._learner = Learner(namespace, code, self._case.calls)
        self._lots = self.generator()
        self._failed: CheckFailedError | None = None

    # -- inputs

    def sizes(self, *shapes: Shape) -> Iterator[tuple[int, ...]]:
        """The cases of a loop: shapes, small ones first, irregular on purpose.

        `for shape in sizes(0, 1, 3, (2, 3)):` gives (0,), (1,), (3,), (2, 3). A check
        that fails inside the loop tells which case it was and what the learner's
        function was called with.
        """
        yield from self.cases(*(_shape(each) for each in shapes))

    def cases(
        self, *inputs: Any, told: Callable[[Any], str] | None = None
    ) -> Iterator[Any]:
        """As `sizes`, for inputs of any kind.

        `told(input)` is what a failure tells of the case, a line or more, instead of
        what the learner's function was called with: `told=str` for a program, say.
        """
        for number, each in enumerate(inputs, start=1):
            self._case.number, self._case.count = number, len(inputs)
            self._case.told = told(each) if told is not None else ""
            self._case.calls.forget()
            yield each
        self._case.number, self._case.told = 0, ""
        self._case.calls.forget()

    def numbers(
        self, shape: Shape = (), dtype: torch.dtype = torch.float32
    ) -> torch.Tensor:
        """A tensor of tenths in -2.9 ... 2.9, never 0; new numbers at each call.

        They are drawn from the check's own generator, the same in every run.
        """
        size = _shape(shape)
        tenths = torch.randint(1, 30, size, generator=self._lots)
        signs = torch.randint(0, 2, size, generator=self._lots) * 2 - 1
        return (tenths * signs / 10).to(dtype)

    def leaf(
        self, shape: Shape = (), dtype: torch.dtype = torch.float32
    ) -> torch.Tensor:
        """`numbers` that require gradients."""
        return self.numbers(shape, dtype).requires_grad_()

    def strided(self, shape: Shape) -> torch.Tensor:
        """`numbers` that are not contiguous in memory (from two elements on)."""
        numbers: torch.Tensor = self.numbers((*_shape(shape), 2))[..., 0]
        return numbers

    def generator(self, seed: int = 0) -> torch.Generator:
        """A seeded `torch.Generator`. torch's global one is seeded with 0 as well."""
        return torch.Generator().manual_seed(seed)

    def copied(self, value: Any) -> Any:
        """A deep copy to change: what the learner holds must stay as it is."""
        return copied(value)

    # -- judging

    def close(
        self,
        got: object,
        want: object,
        what: str = "the result",
        rtol: float = 1e-4,
        atol: float = 1e-6,
    ) -> None:
        """`got` has the shape of `want` and its numbers, within the tolerances.

        Fails with "`what` has shape (3,), not (3, 1)." and the like, `what` being a
        few words for the learner: "w after the step". Lists and tuples go item by item.
        """
        self._compare(got, want, what, rtol, atol)

    def equal(self, got: object, want: object, what: str = "the result") -> None:
        """As `close` with no tolerance; tensors must have the same dtype too."""
        self._compare(got, want, what, 0.0, 0.0)

    def true(self, fact: object, sentence: str) -> None:
        """`fact` holds; `sentence` tells the learner what must: "w stays a leaf."."""
        if not fact:
            raise CheckFailedError(sentence, self._case.describe())

    def has_shape(self, got: object, shape: Shape, what: str = "the result") -> None:
        """`got` is a tensor of this shape."""
        tensor = self._tensor(got, what)
        if tuple(tensor.shape) != _shape(shape):
            message = f"has shape {tuple(tensor.shape)}, not {_shape(shape)}."
            self._fail(f"{_name(what)} {message}", "", got, None)

    def has_dtype(
        self, got: object, dtype: torch.dtype, what: str = "the result"
    ) -> None:
        """`got` is a tensor of this dtype."""
        tensor = self._tensor(got, what)
        if tensor.dtype != dtype:
            wanted = str(dtype).removeprefix("torch.")
            message = f"{_name(what)} is {dtype_name(tensor)}, not {wanted}."
            self._fail(message, "", got, None)

    def same_graph(
        self,
        got: object,
        want: torch.Tensor,
        what: str = "the graph",
        **leaves: torch.Tensor,
    ) -> None:
        """`got` was computed by the ops that made `want`, from the same leaves.

        Told by torch's own nodes, sums and products in either order; a node used twice
        is not two nodes. `same_graph(got, x * y, "`first`", x=x, y=y)` names the leaves
        and fails with "`first` ends in `+`; the graph shown ends in `*`." and the like.
        A constant in a sum leaves no trace: compare the numbers, too.
        """
        tensor = self._tensor(got, what)
        found = parting(tensor, want, leaves)
        if found is not None:
            wanted, ours = self.graph_of(want, **leaves), self.graph_of(got, **leaves)
            lines = f"wanted  {wanted}\ngot     {ours}"
            self._fail(f"{_name(what)} {found}", lines, got, want)

    def raises(
        self,
        kind: type[BaseException],
        function: Callable[..., Any],
        *args: Any,
        says: str = "",
    ) -> None:
        """`function(*args)` raises `kind`, its message containing `says`."""
        name = getattr(function, "__name__", "it")
        try:
            returned = function(*args)
        except kind as error:
            if says not in str(error):
                said = f"`{name}` raised {kind.__name__}, but with another message."
                self._fail(said, f"got     {short(str(error))}", error, says)
        else:
            said = f"`{name}` must raise {kind.__name__} here."
            self._fail(said, f"got     {short(returned)}", returned, None)

    def no_loops(
        self, sentence: str = "One expression does it, without a loop"
    ) -> None:
        """The learner's code has no Python loop and no comprehension."""
        line = first_loop(self._code)
        if line is not None:
            raise CheckFailedError(f"{sentence}: line {line} has one.")

    def calls(self, function: Callable[..., Any], *args: Any) -> list[str]:
        """The names of torch's functions that `function(*args)` calls, in order.

        Operators have their function's name: `a * b` is "mul", `a[0]` is "getitem".
        """
        bare = inspect.unwrap(function)
        note_call(self._case.calls, bare, args, {})
        log = _Log()
        with log:
            bare(*args)
        if not self._case.number:
            self._case.calls.forget()
        return log.names

    # -- recognising a mistake (they judge nothing, and are for `when`)

    def near(
        self, one: object, other: object, rtol: float = 1e-4, atol: float = 1e-6
    ) -> bool:
        """Would `close(one, other)` pass?"""
        return difference(one, other, "it", rtol=rtol, atol=atol) is None

    def graph_of(self, value: object, **leaves: torch.Tensor) -> str:
        """The graph behind a tensor as an expression: "(x + y) * 2"; "" for no tensor.

        Equal where `same_graph` sees equal ops: `graph_of(got, x=x) == graph_of(x * x,
        x=x)`.
        """
        if not isinstance(value, torch.Tensor) or len(nodes_of(value)) > NODES_AT_MOST:
            return ""
        return form_of(value, leaves).text

    def unchanged(self, value: object) -> bool:
        """Did the last call of the learner's function leave this argument's values?"""
        before = self._case.calls.before(value)
        return difference(value, before, "it") is None

    def ratio(self, value: torch.Tensor | None = None) -> float:
        """The learner's update of the argument `value`, over the wanted update.

        -1 is a step the wrong way, 0.5 half a step; NaN when one is no multiple of the
        other. The wanted one comes from the `close` that failed. Without `value`: what
        that `close` got over what it wanted. Rounded to four digits, to compare by ==.
        """
        if self._failed is None:
            return math.nan
        got, wanted = self._failed.got, self._failed.wanted
        if not isinstance(got, torch.Tensor) or not isinstance(wanted, torch.Tensor):
            return math.nan
        start: Any = 0.0
        if value is not None:
            got, start = value, self._case.calls.before(value)
        return _ratio(got, wanted, start)

    # -- how they fail

    def _compare(
        self, got: object, want: object, what: str, rtol: float, atol: float
    ) -> None:
        found = difference(got, want, what, rtol=rtol, atol=atol)
        if found is None:
            return
        message = found.message
        if got is None and self._case.calls.returned_none:
            name = self._case.calls.function
            message = f"`{name}` returned None: is a `return` missing?"
        self._fail(message, found.detail, got, want)

    def _fail(self, message: str, detail: str, got: object, wanted: object) -> None:
        lines = [line for line in (self._case.describe(), detail) if line]
        raise CheckFailedError(message, "\n".join(lines), got, wanted)

    def _tensor(self, got: object, what: str) -> torch.Tensor:
        if not isinstance(got, torch.Tensor):
            self._compare(got, torch.empty(0), what, 0.0, 0.0)
        assert isinstance(got, torch.Tensor)
        return got


class _Log(TorchFunctionMode):
    """Writes down the names of torch's functions as they are called."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        name = getattr(func, "__name__", str(func)).strip("_")
        self.names.append(_OPERATORS.get(name, name))
        return func(*args, **(kwargs or {}))


_OPERATORS = {
    **{f"r{name}": name for name in ("add", "sub", "mul", "matmul", "pow")},
    **{f"i{name}": name for name in ("add", "sub", "mul", "pow")},
    "truediv": "div",
    "rtruediv": "div",
    "itruediv": "div",
    "rdiv": "div",
}


def _shape(shape: Shape) -> tuple[int, ...]:
    return (shape,) if isinstance(shape, int) else tuple(shape)


def _name(what: str) -> str:
    return what[:1].upper() + what[1:]


def _ratio(got: torch.Tensor, wanted: torch.Tensor, start: Any) -> float:
    origin = start.detach().double() if isinstance(start, torch.Tensor) else start
    update = got.detach().double() - origin
    full = wanted.detach().double() - origin
    square = float((full * full).sum())
    if update.shape != full.shape or square == 0.0:
        return math.nan
    ratio = float((update * full).sum()) / square
    rest = float((update - ratio * full).norm())
    if rest > 1e-3 * max(float(update.norm()), math.sqrt(square)):
        return math.nan
    return float(f"{ratio:.4g}")


def at_hand(names: CheckNames) -> dict[str, Any]:
    """The names as a check sees them."""
    methods = {name: getattr(names, name) for name in names_at_hand()}
    return {**MODULES, "learner": names._learner, **methods}


def at_failure(names: CheckNames, failed: BaseException) -> dict[str, Any]:
    """What `when` sees besides: `got`, `wanted` of the failed check, and `error`.

    got and wanted are None for a check that compared nothing; error is "" unless the
    learner's code raised, then "Type: message".
    """
    if isinstance(failed, CheckFailedError):
        names._failed = failed
        return {"got": failed.got, "wanted": failed.wanted, "error": ""}
    said = f"{type(failed).__name__}: {failed}"
    return {"got": None, "wanted": None, "error": said}


def escaped(names: CheckNames) -> BaseException | None:
    """What the learner's function raised last, caught by the check or not."""
    return names._case.calls.escaped


def describe(names: CheckNames) -> str:
    """The case that was tried last, for a report."""
    return names._case.describe()


def names_at_hand() -> list[str]:
    """The names that are functions, in the order they are explained."""
    return [name for name in vars(CheckNames) if not name.startswith("_")]
