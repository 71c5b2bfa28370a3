"""Every row of the book against torch.func.vjp, on random inputs of irregular shapes."""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from tests.engine.rule_cases import CASES
from tutor.engine import naming
from tutor.engine.alone import mapped
from tutor.engine.calls import tensors
from tutor.engine.rule_book import BOOK, SAME, Bound, Row, bind, entry_of
from tutor.engine.rules import Comparison
from tutor.graph.expressions import ExpressionError, parse

INPUTS = 20
"""Random inputs for each row."""
SHORT = ("half", "bfloat16")
"""Ops whose values have few digits."""
pytestmark = pytest.mark.filterwarnings("ignore:reduction")


class Last(TorchFunctionMode):
    """Keeps the last call of one op, as the recorder sees it."""

    def __init__(self, op: str) -> None:
        super().__init__()
        self.op = op
        self.call: tuple[Callable[..., Any], list[Any], dict[str, Any]] | None = None

    def __torch_function__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        # Before the call: it may change its arguments.
        if entry_of(naming.function_name(function)) is BOOK[self.op]:
            copies = mapped(Tensor.clone, (list(args), dict(kwargs or {})))
            self.call = function, *copies
        return function(*args, **(kwargs or {}))


def names_for(seed: str, dtype: torch.dtype, scalar: bool = False) -> dict[str, Any]:
    """What the code of a case may use."""
    rng = random.Random(seed)
    generator = torch.Generator().manual_seed(rng.randrange(2**31))
    sizes = {each: rng.randint(2, 4) for each in "pqs"}

    def shaped(shape: Sequence[Any]) -> Sequence[int]:
        flat = [each for each in shape if each != ()]
        return () if scalar else flat

    def normal(*shape: Any) -> Tensor:
        found = torch.randn(shaped(shape), generator=generator, dtype=torch.float64)
        return found.to(dtype)

    def positive(*shape: Any) -> Tensor:
        found = torch.rand(shaped(shape), generator=generator, dtype=torch.float64)
        return (found * 1.5 + 0.5).to(dtype)

    def whole(high: int, *shape: int) -> Tensor:
        return torch.randint(high, shape, generator=generator)

    def distinct(*shape: int) -> Tensor:
        count = torch.Size(shape).numel()
        return (torch.randperm(count, generator=generator).to(dtype) - 2).reshape(shape)

    return {
        "torch": torch,
        "F": functional,
        "n": normal,
        "u": positive,
        "d": distinct,
        "i": whole,
        "m": lambda *shape: whole(2, *shape).bool(),
        "perm": lambda size: torch.randperm(size, generator=generator),
        "eye": lambda size: torch.eye(size, dtype=torch.bool),
        **sizes,
    }


@dataclass(frozen=True)
class Met:
    """A call of an op, what torch makes of it, and the book's view."""

    bound: Bound
    position: int
    leaf: Tensor
    output: Any
    upstream: list[Tensor]
    wanted: Tensor

    @property
    def row(self) -> Row:
        row = self.bound.row(self.position)
        assert row is not None
        return row

    @property
    def parameter(self) -> str:
        return self.bound.entry.parameters[self.bound.places[self.position][0]]

    def check(self, row: Row | None = None) -> str:
        compared = Comparison(
            self.bound, row or self.row, self.position, self.output, self.leaf
        )
        return compared.check(self.upstream, self.wanted)


def meetings(op: str, code: str, names: dict[str, Any]) -> Iterator[Met]:
    """For each argument of a case's call that has a row."""
    torch.manual_seed(1)
    with Last(op) as last:
        eval(code, names)
    assert last.call is not None, f"{code} does not call {op}"
    function, args, keywords = last.call
    bound = bind(BOOK[op], args, keywords)
    held = list(tensors((args, keywords)))
    assert len(held) == len(bound.places)
    places = [
        n for n, each in enumerate(held) if bound.row(n) and each.is_floating_point()
    ]

    def run(*given: Tensor) -> Any:
        left = dict(zip(places, given, strict=True))
        numbers = iter(range(len(held)))
        new: Any = mapped(lambda each: left.get(next(numbers), each), (args, keywords))
        new_args, new_keywords = new
        if naming.changes_in_place(function, keywords):
            new_args[0] = new_args[0].clone()
            function(*new_args, **new_keywords)
            return new_args[0]
        return function(*new_args, **new_keywords)

    torch.manual_seed(2)
    shapes: list[Any] = []

    def floats(*given: Tensor) -> Any:
        returned = run(*given)
        shapes.append(returned)
        found = [each for each in tensors(returned) if each.is_floating_point()]
        return tuple(found)

    found: Any = torch.func.vjp(floats, *[held[n] for n in places])
    outputs, back = found
    generator = torch.Generator().manual_seed(3)
    upstream = tuple(
        torch.randn(each.shape, generator=generator, dtype=torch.float64).to(each)
        for each in outputs
    )
    gradients = back(upstream)
    several = isinstance(shapes[0], (tuple, list))
    sent = iter(upstream)
    values = iter(outputs)
    plain: list[Tensor] = []
    arrived: list[Tensor] = []
    torch.manual_seed(2)
    for each in tensors(run(*[held[n].detach().clone() for n in places])):
        real = each.is_floating_point()
        plain.append(next(values).detach() if real else each)
        arrived.append(next(sent) if real else torch.zeros(each.shape))
    for place, gradient in zip(places, gradients, strict=True):
        output = tuple(plain) if several else plain[0]
        yield Met(bound, place, held[place], output, arrived, gradient)


def all_meetings(
    op: str, seeds: Sequence[int], dtype: torch.dtype
) -> Iterator[tuple[str, Met]]:
    for code in CASES[op]:
        for seed in seeds:
            for met in meetings(op, code, names_for(f"{code} {seed}", dtype)):
                yield f"{code} seed {seed} argument {met.position}", met


OPS = [op for op in BOOK if CASES[op]]


def test_every_entry_has_a_case() -> None:
    assert CASES.keys() == BOOK.keys()
    assert [op for op in BOOK if not CASES[op]] == ["cuda"]


@pytest.mark.parametrize(
    ("dtype", "inputs"), [(torch.float64, INPUTS), (torch.float32, 8)], ids=str
)
@pytest.mark.parametrize("op", OPS)
def test_rows_agree_with_torch(op: str, dtype: torch.dtype, inputs: int) -> None:
    met_rows = dict.fromkeys(BOOK[op].rows, 0)
    for seed in range(inputs):
        for where, met in all_meetings(op, [seed], dtype):
            assert met.check() == "ok", where
            met_rows[met.parameter] += 1
        if min(met_rows.values()) >= inputs:
            return
    pytest.fail(f"too few cases reach some rows: {met_rows}")


@pytest.mark.parametrize("op", OPS)
def test_a_wrong_row_is_caught(op: str) -> None:
    """Each row negated, a little too large, and shifted: no case lets all of it pass."""
    caught: dict[str, set[str]] = {}
    for _, met in all_meetings(op, range(2), torch.float64):
        for title, row in wrong(met.row, 1.1 if op in SHORT else 1.0001).items():
            if met.check(row) != "ok":
                caught.setdefault(met.parameter, set()).add(title)
    zero = {name for name, row in BOOK[op].rows.items() if _is_zero(op, name)}
    for name in BOOK[op].rows:
        assert caught[name] >= ({"shifted"} if name in zero else set(wrong(ZERO, 2))), (
            name
        )


def wrong(row: Row, factor: float) -> dict[str, Row]:
    def changed(change: Callable[[Tensor], Tensor]) -> Row:
        return replace(row, back=lambda *args, **more: change(row.back(*args, **more)))

    return {
        "negated": changed(lambda back: -back),
        "larger": changed(lambda back: back * factor),
        "shifted": changed(lambda back: back + 0.001),
    }


ZERO = Row("0", lambda g, *_: torch.zeros_like(g))


def _is_zero(op: str, name: str) -> bool:
    """Whether the rule says 0 wherever it is asked."""
    return all(
        not met.wanted.any()
        for _, met in all_meetings(op, range(2), torch.float64)
        if met.parameter == name
    )


def test_texts_that_are_formulas_are_right() -> None:
    """Each text is read as a learner's formula and evaluated where torch was asked."""
    right = 0
    for op in OPS:
        for code in CASES[op]:
            for seed in range(3):
                right += sum(formulas(op, code, f"{code} {seed}"))
    assert right > 300


def formulas(op: str, code: str, seed: str) -> Iterator[bool]:
    try:
        found = list(meetings(op, code, names_for(seed, torch.float64, scalar=True)))
    except (
        RuntimeError,
        IndexError,
        TypeError,
        ValueError,
        AssertionError,
        UserWarning,
    ):
        return  # the op wants more than numbers
    for met in found:
        if isinstance(met.output, tuple) or met.output.dim() or not met.row.elementwise:
            continue
        written = ["abcdefgh"[parameter] for parameter, _ in met.bound.places]
        text = met.bound.read(met.position, written, "o")
        held = [each for each in met.bound.values if isinstance(each, Tensor)]
        if any(each.dim() for each in held):
            continue
        values = {
            name: each.item() for name, each in zip(written, held, strict=True)
        } | {"o": met.output.item()}
        try:
            formula = parse(text)
        except ExpressionError:
            continue
        wanted = met.wanted.item() / met.upstream[0].item()
        near = pytest.approx(wanted, rel=1e-6, abs=1e-12, nan_ok=True)
        assert formula.at(values) == near, (code, seed, text, values)
        yield True


def test_every_text_can_be_read() -> None:
    for op in OPS:
        for where, met in all_meetings(op, [0], torch.float64):
            written = [f"v{n}" for n, _ in enumerate(met.bound.places)]
            text = met.bound.read(met.position, written, "out")
            assert text, where
            assert not set("{}?") & set(text), (where, text)
            assert len(text) <= 60, (where, text)


ASKED = """
add sub rsub mul div rdiv pow rpow square neg exp log log1p log2 expm1 sqrt rsqrt
reciprocal sin cos tan atan sinh cosh tanh sigmoid relu leaky_relu elu softplus silu gelu
erf abs sign round floor ceil clone maximum minimum log_sigmoid sum mean prod norm softmax
log_softmax logsumexp cumsum t transpose view reshape flatten squeeze unsqueeze expand
matmul mm mv dot bmm linear mse_loss cross_entropy nll_loss binary_cross_entropy
binary_cross_entropy_with_logits getitem cat stack chunk split unbind where masked_fill
clamp max min amax amin gather index_select embedding dropout conv1d conv2d max_pool2d
avg_pool2d layer_norm batch_norm einsum var std to float detach addmm addmv addcmul
addcdiv lerp outer baddbmm triu tril flip roll repeat movedim permute swapaxes atan2 hypot
hardtanh relu6 hardsigmoid mish selu celu prelu smooth_l1_loss huber_loss kl_div
cosine_similarity scaled_dot_product_attention sort topk scatter index_add nan_to_num fmod
remainder add_ mul_ relu_ iadd setitem
"""
"""What beginners meet: the list that the book was made for."""


def test_no_op_of_the_list_is_missing() -> None:
    assert [op for op in ASKED.split() if entry_of(op) is None] == []


@pytest.mark.parametrize("op", [*BOOK, *SAME])
def test_every_op_exists_in_torch(op: str) -> None:
    owners = (torch, Tensor, functional, torch._C._nn, torch.special, torch.linalg)
    bare = op.removeprefix("special_").removeprefix("linalg_").removeprefix("_")
    forms = (bare, f"{bare}_", f"__{bare}__")
    known = any(hasattr(owner, form) for owner in owners for form in forms)
    assert known, op


def test_an_option_that_is_not_known_is_told() -> None:
    from tutor.engine.rule_book import UnknownCallError

    with pytest.raises(UnknownCallError):
        bind(BOOK["exp"], [torch.ones(1)], {"out": torch.ones(1)})
    with pytest.raises(UnknownCallError):
        bind(BOOK["exp"], [torch.ones(1), 2], {})
    assert bind(BOOK["exp"], [torch.ones(1)], {"out": None}).values[0] == 1
