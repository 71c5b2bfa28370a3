"""Formulas that a learner types: what is read, what it is worth, what is refused."""

import math
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tutor.graph.expressions import (
    Expression,
    ExpressionError,
    number,
    parse,
)
from tutor.graph.functions import CONSTANTS, FUNCTIONS, Function

HERE = {"x": 2.0, "y": 0.5, "a": 3.0, "b": -1.5, "o": 4.0}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("6*x", 12), ("6x", 12), ("6 x", 12), ("2·x", 4), ("2×x", 4), ("3x²", 12),
        ("x^2", 4), ("x**2", 4), ("x⁻¹", 0.5), ("x^-1", 0.5), ("-x²", -4),
        ("(-x)²", 4), ("2^3^2", 512), ("(x**2)**3", 64), ("x − 1", 1), ("x ÷ 4", 0.5),
        ("-sin(x)", -math.sin(2)), ("1/(2·sqrt(x))", 1 / (2 * math.sqrt(2))),
        ("√x", math.sqrt(2)), ("√(x + 2)", 2), ("exp(x)", math.exp(2)),
        ("e^x", math.exp(2)), ("e^(2x)", math.exp(4)), ("σ(x)", 1 / (1 + math.exp(-2))),
        ("sigmoid(x)", 1 / (1 + math.exp(-2))), ("tanh x", math.tanh(2)),
        ("1 - tanh²(x)", 1 - math.tanh(2) ** 2), ("ln(x)", math.log(2)),
        ("log(x)", math.log(2)), ("1 - y²", 0.75), ("cosh(x)", math.cosh(2)),
        ("relu(b)", 0), ("x cos(x)", 2 * math.cos(2)), ("2(x + 1)", 6),
        ("(x + 1)(x - 1)", 3), ("2π", 2 * math.pi), ("1e-3", 0.001), (".5x", 1),
        ("2e", 2 * math.e), ("abs(b)", 1.5), ("max(x, b)", 2), ("1/2·x", 1),
        # what the learner's own code says
        ("torch.exp(x)", math.exp(2)), ("x.exp()", math.exp(2)), ("x.pow(2)", 4),
        ("torch.pow(x, 2)", 4), ("F.relu(x)", 2), ("3 * x**2 + 2*y", 13),
        ("(x + 1).sqrt()", math.sqrt(3)), ("torch.nn.functional.softplus(b)",
         math.log1p(math.exp(-1.5))),
        # the rule book's own
        ("2x", 4), ("3·x²", 12), ("1/(2·o)", 0.125), ("-a/b²", -3 / 2.25),
        ("sigmoid(x)·(1 + x - y)", 2.5 / (1 + math.exp(-2))), ("x·y^(x - 1)", 1),
        ("2/sqrt(π)·exp(-x²)", 2 / math.sqrt(math.pi) * math.exp(-4)),
        ("1/(x·ln 2)", 1 / (2 * math.log(2))), ("ln(x)·o", 4 * math.log(2)),
        ("Φ(y) + y·φ(y)", 0.6914624612740131 + 0.5 * 0.3520653267642995),
    ],
)  # fmt: skip
def test_a_formula_is_read(text: str, value: float) -> None:
    assert parse(text).at(HERE) == pytest.approx(value, rel=1e-12)


def test_names_with_dots_and_brackets_are_names() -> None:
    assert parse("2·net.0.weight + x[0][1]").names == {"net.0.weight", "x[0][1]"}
    assert parse("x.grad").names == {"x.grad"}
    # Given as they stand, they may hold any sign, and win over constants.
    here = {"h(x)": 3.0, "e": 5.0, "x": 1.0, "x + 1": 9.0, "exp": 2.0}
    assert parse("2·h(x)", here).at(here) == 6
    assert parse("2e + exp(x) + exp", here).at(here) == pytest.approx(12 + math.e)
    assert parse("x(x + 1)", here).at(here) == 9
    assert parse("π·e", ()).names == frozenset()


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "Nothing was typed"), ("  ", "Nothing was typed"), ("g @ bᵀ", '"@"'),
        ("2 +", "ends too early"), ("(x", "bracket at character 1"), ("x)", '")"'),
        ("0,5", "0.5"), ("sinn(x)", "no function known"), ("1/2x", "unclear"),
        ("e^2x", "unclear"), ("sin 2x", "unclear"), ("√x²", "unclear"), ("x 2", '"2"'),
        ("sin()", "cannot be read"), ("sin", "write sin(x)"), ("pow(x)", "2 arguments"),
        ("sin(x, y)", "1 argument,"), ("sign of x", '"x" at character 9'),
        ("1 where it was taken, else 0", '"it"'), ("1 for every element", '"every"'),
        ("1, each element back at its place", "comma"), ("g, transposed", "comma"),
        ("1/n for each of its n elements", "cannot be read"), ("x == 2", '"="'),
        ("__import__('os').system('x')", "no function known"), ("x; y", '";"'),
        ("lambda: 1", '":"'), ("x.append(1)", "no function known"), ("x²⁻", '"²⁻"'),
        ("softmax(x)", "no function known"), ("[1, 2]", '"["'), ("x\x00", '"\x00"'),
    ],
)  # fmt: skip
def test_what_is_no_formula_gets_a_sentence(text: str, word: str) -> None:
    with pytest.raises(ExpressionError) as raised:
        parse(text)
    sentence = str(raised.value)
    assert word in sentence
    assert sentence.endswith((".", "…", ")"))


@pytest.mark.parametrize(
    "text",
    ["(" * 10_000, "(" * 10_000 + "x" + ")" * 10_000, "-" * 10_000 + "x", "x²" * 10_000,
     "2^" * 199 + "2", "(" * 150 + "x" + ")" * 150, "-" * 399 + "1", "√" * 400,
     "sin(" * 90 + "x" + ")" * 90],
)  # fmt: skip
def test_hostile_text_is_refused_at_once(text: str) -> None:
    start = time.process_time()
    with pytest.raises(ExpressionError, match=r"longer|within each other|no argument"):
        parse(text)
    assert time.process_time() - start < 5  # not a speed: it would be minutes


def test_a_name_without_a_value_is_told() -> None:
    with pytest.raises(ExpressionError, match="z has no value here: write it with x"):
        parse("z + 1").at({"x": 1.0})
    with pytest.raises(ExpressionError, match="write a number"):
        parse("z + 1").at({})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("9**9**9", math.inf), ("-9**9**9", -math.inf), ("1/0", math.inf),
        ("-1/0", -math.inf), ("1/-0", -math.inf), ("0/0", math.nan),
        ("ln(0)", -math.inf), ("ln(-1)", math.nan), ("sqrt(-1)", math.nan),
        ("exp(1000)", math.inf), ("sinh(-1000)", -math.inf), ("cosh(-1000)", math.inf),
        ("inf - inf", math.nan), ("0^-1", math.inf), ("(-8)^(1/3)", math.nan),
        ("(-9)^999", -math.inf), ("(-9)^998", math.inf), ("sin(inf)", math.nan),
        ("floor(inf)", math.inf), ("floor(nan)", math.nan), ("max(nan, 1)", math.nan),
        ("sigmoid(-1000)", 0), ("sigmoid(1000)", 1), ("relu(nan)", math.nan),
        ("log2(0)", -math.inf), ("log1p(-1)", -math.inf), ("1/inf", 0),
        ("1e400", math.inf), ("asin(2)", math.nan), ("erf(inf)", 1),
    ],
)  # fmt: skip
def test_no_number_is_an_error(text: str, value: float) -> None:
    assert parse(text).at({}) == pytest.approx(value, nan_ok=True)


def test_numbers() -> None:
    assert number("12") == 12
    assert number(" -1.5e-3 ") == -0.0015
    assert number("1/4") == 0.25
    assert number("−3") == -3
    assert number("-inf") == -math.inf
    assert math.isnan(number("nan") or 0)
    assert number("x") is None
    assert number("12 apples") is None
    assert number("") is None


# ------------------------------------------------------------------------------ fuzzing

_LEAVES = st.one_of(
    st.sampled_from([("x", "x"), ("y", "y"), ("net.0.weight", "w"), ("x[1]", "v")]),
    st.floats(0.1, 9).map(lambda value: (f"{value:.4g}", f"{value:.4g}")),
)


def _grown(
    inner: st.SearchStrategy[tuple[str, str]],
) -> st.SearchStrategy[tuple[str, str]]:
    """(as typed, as Python), each whole in itself."""
    sign = st.sampled_from(
        [(" + ", "+"), ("-", "-"), ("·", "*"), ("*", "*"), ("/", "/"), (" × ", "*")]
    )
    two = st.tuples(inner, sign, inner).map(
        lambda each: (
            f"({each[0][0]}{each[1][0]}{each[2][0]})",
            f"({each[0][1]}{each[1][1]}{each[2][1]})",
        )
    )
    called = st.tuples(st.sampled_from(["sin", "tanh", "cos", "atan"]), inner).map(
        lambda each: (f"{each[0]}({each[1][0]})", f"m.{each[0]}({each[1][1]})")
    )
    raised = inner.map(lambda each: (f"({each[0]})²", f"({each[1]})**2"))
    negative = inner.map(lambda each: (f"(-{each[0]})", f"(-{each[1]})"))
    times = inner.map(lambda each: (f"(3({each[0]}))", f"(3*({each[1]}))"))
    return st.one_of(two, called, raised, negative, times)


@given(st.recursive(_LEAVES, _grown, max_leaves=8))
def test_random_formulas_are_worth_what_python_says(formula: tuple[str, str]) -> None:
    typed, python = formula
    values = {"x": 1.3, "y": -0.7, "net.0.weight": 2.1, "x[1]": 0.4}
    known = {"x": 1.3, "y": -0.7, "w": 2.1, "v": 0.4, "m": math}
    try:
        wanted = eval(python, {"__builtins__": {}}, known)
    except (ZeroDivisionError, OverflowError):
        return
    if abs(wanted) < 1e200:
        assert parse(typed).at(values) == pytest.approx(wanted, rel=1e-9, abs=1e-12)


_PIECES = [*FUNCTIONS, *CONSTANTS, *"xyo0123456789.+-*/^()[]²³⁻·×√,| @=_\n", "**", "1e9",
           "net.0.weight", "torch.", ".exp()", " for ", "ᵀ", "é", "½", "٣", "₁"]  # fmt: skip


@settings(max_examples=400)
@given(
    st.one_of(
        st.lists(st.sampled_from(_PIECES), max_size=30).map("".join),
        st.text(max_size=40),
    )
)
def test_any_text_gives_a_number_or_a_sentence(text: str) -> None:
    try:
        expression = parse(text, ["x", "net.0.weight"])
    except ExpressionError:
        return
    assert isinstance(expression, Expression)
    for value in (0.0, -1.5, 1e308, math.inf, math.nan):
        assert isinstance(expression.at(dict.fromkeys(expression.names, value)), float)


@settings(max_examples=400)
@given(st.sampled_from([*FUNCTIONS.values()]), st.floats(), st.floats())
def test_no_function_raises(function: Function, a: float, b: float) -> None:
    assert isinstance(function(*(a, b)[: function.arity]), float)
