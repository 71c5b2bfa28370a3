"""Checks judge right and wrong code, name the mistake, and leave nothing changed."""

import random
import runpy
import signal
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch

from tutor.engine import checks
from tutor.messages import CheckReport, CheckRequest, ExpectRequest

STEP_CHECK = """
for shape in sizes(0, 1, 3, (2, 3)):
    w = leaf(shape)
    (w ** 2).sum().backward()
    want = w.detach() - 0.1 * w.grad
    learner.step(w, 0.1)
    close(w.detach(), want, "w after the step")
    true(w.is_leaf and w.requires_grad, "w must stay a leaf.")
"""
STEP = "def step(w, lr):\n    with torch.no_grad():\n        w -= lr * w.grad\n"
REBOUND = "def step(w, lr):\n    w = w - lr * w.grad\n"
UPHILL = STEP.replace("-=", "+=")


def executed(code: str, **names: Any) -> dict[str, Any]:
    namespace = {"__name__": "__main__", "torch": torch, **names}
    exec(compile(code, "<cell>", "exec"), namespace)
    return namespace


def judged(
    code: str,
    check: str,
    wrong: tuple[tuple[str | None, str], ...] = (),
    seconds: float = 20.0,
    namespace: dict[str, Any] | None = None,
) -> CheckReport:
    request = CheckRequest(
        code=code,
        check=check,
        when=tuple(when for when, _ in wrong),
        known=tuple(known for _, known in wrong),
        seconds=seconds,
    )
    return checks.check(request, executed(code) if namespace is None else namespace)


WRONG_STEPS = (("unchanged(w)", REBOUND), ("ratio(w) == -1", UPHILL))


def test_right_code_passes() -> None:
    assert judged(STEP, STEP_CHECK, WRONG_STEPS).outcome == "passed"


@pytest.mark.parametrize(("code", "mistake"), [(REBOUND, 0), (UPHILL, 1)])
def test_a_mistake_is_named_by_its_when(code: str, mistake: int) -> None:
    report = judged(code, STEP_CHECK, WRONG_STEPS)

    assert (report.outcome, report.mistake) == ("failed", mistake)


def test_a_mistake_written_otherwise_is_named_too() -> None:
    code = "def step(w, lr):\n    w.data.copy_(w.data + w.grad * lr)\n"

    assert judged(code, STEP_CHECK, WRONG_STEPS).mistake == 1


def test_an_unknown_mistake_names_none() -> None:
    code = "def step(w, lr):\n    w.data -= 0.3 * w.grad\n"

    report = judged(code, STEP_CHECK, WRONG_STEPS)

    assert (report.outcome, report.mistake) == ("failed", None)
    assert report.message == (
        "W after the step has the right shape, but not the right numbers."
    )


def test_known_code_without_when_is_recognised_whatever_its_spaces() -> None:
    wrong = ((None, UPHILL),)
    code = UPHILL.replace("lr * w.grad", "lr*w.grad  # up")

    assert judged(code, STEP_CHECK, wrong).mistake == 0
    assert judged(REBOUND, STEP_CHECK, wrong).mistake is None


def test_known_code_with_a_when_is_recognised_by_the_when_alone() -> None:
    assert judged(UPHILL, STEP_CHECK, (("False", UPHILL),)).mistake is None


def test_the_first_when_that_holds_wins_and_one_that_raises_does_not() -> None:
    wrong = (("nowhere > 1", "a"), ("got is not None", "b"), ("True", "c"))

    assert judged(UPHILL, STEP_CHECK, wrong).mistake == 1


def test_a_function_that_was_handed_over_is_told_by_its_name() -> None:
    check = """
def cube(t):
    return t**3

close(learner.same(cube, 2.0), 8.0)
"""
    report = judged("def same(f, x):\n    return x\n", check)

    assert report.detail.startswith("for f = cube, x = 2.0\n")


def test_the_smallest_failing_case_is_told() -> None:
    code = "def double(a):\n    return a + a if a.dim() < 2 else a\n"
    check = """
for shape in sizes(0, 1, 3, (2, 2), (3, 3)):
    a = numbers(shape)
    close(learner.double(a), 2 * a)
"""
    report = judged(code, check)

    assert report.message == (
        "The result has the right shape, but not the right numbers."
    )
    case, wanted, got = report.detail.splitlines()
    assert case.startswith("case 4 of 5: a = [[")
    assert wanted.startswith("wanted  [[")
    assert got.startswith("got     [[")
    assert all(len(line) <= 74 for line in report.detail.splitlines())


def test_a_case_is_told_in_the_words_of_the_check() -> None:
    check = """
for program in cases("f = a", "f = a + a", told=lambda each: f"{each}\\nat a = 3"):
    close(learner.slope(program), 1.0, "the slope")
close(learner.slope("f = a * a"), 3.0)
"""
    code = "def slope(program):\n    return program.count('a') * 1.0\n"

    told = judged(code, check).detail.splitlines()[0]
    past_the_cases = judged(code.replace("count('a')", "count('=')"), check)

    assert told == "case 2 of 2: f = a + a, at a = 3"
    assert past_the_cases.detail.splitlines()[0] == "for program = 'f = a * a'"


def test_the_case_shows_the_input_as_it_was_before_the_call() -> None:
    code = "def zero(a):\n    a.zero_()\n    return a + 1\n"

    report = judged(code, "close(learner.zero(torch.tensor([3.0])), torch.zeros(1))")

    assert "a = [3.]" in report.detail


def test_a_large_difference_is_told_with_its_place() -> None:
    code = "def up(a):\n    a = a.clone()\n    a[1, 2] += 1\n    return a\n"

    report = judged(code, "a = torch.zeros(4, 5); close(learner.up(a), a)")

    assert report.detail.splitlines()[-3:] == [
        "first differs at [1, 2]",
        "wanted  0.",
        "got     1.",
    ]


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        ("None", "`f` returned None: is a `return` missing?"),
        ("3.0", "The result is a float, not a tensor."),
        ("torch.ones(3)", "The result has shape (3,), not (2,)."),
        ("a.tolist()", "The result is a list, not a tensor."),
    ],
)
def test_what_is_not_comparable_is_told_as_such(returned: str, message: str) -> None:
    code = f"def f(a):\n    return {returned}\n"

    assert judged(code, "close(learner.f(torch.ones(2)), torch.ones(2))").message == (
        message
    )


def test_a_one_element_tensor_is_not_a_number() -> None:
    code = "def f():\n    return torch.tensor([3.0])\n"

    report = judged(code, "close(learner.f(), 3.0)")

    assert report.message == (
        "The result is a tensor, not a number; `.item()` takes the number out."
    )


def test_equal_wants_the_same_dtype_and_nan_agrees_with_nan() -> None:
    code = "y = torch.tensor([1.0, float('nan')])\n"

    assert judged(code, "equal(learner.y, learner.y.clone())").outcome == "passed"
    report = judged(code, "equal(learner.y, learner.y.double(), '`y`')")
    assert report.message == "`y` is float32, not float64."


# -- whose fault


def test_an_error_in_the_learners_function_is_the_learners() -> None:
    code = "def outer(a, b):\n    c = a * b\n    return c\n"
    check = "learner.outer(numbers(3), numbers(4))"

    report = judged(code, check, (("'must match the size' in error", ""),))

    assert report.outcome == "raised"
    assert report.message.startswith("RuntimeError: The size of tensor a (3)")
    assert report.detail.splitlines()[-1] == "line 2: c = a * b"
    assert "a = [" in report.detail
    assert report.mistake == 0


@pytest.mark.parametrize(
    "check", ["f(1, 2)", "learner.f(1, 2)", "learner.f(1)", "learner.Net().forward(1)"]
)
def test_calling_the_learners_code_as_told_is_never_a_lesson_bug(check: str) -> None:
    code = (
        "def f(a, b=1):\n    return a / 0\n"
        "class Net:\n    def forward(self, a):\n        return a / 0\n"
    )

    assert judged(code, check).outcome == "raised"


def test_a_missing_parameter_is_the_learners_error() -> None:
    report = judged("def f():\n    pass\n", "learner.f(1)")

    assert report.outcome == "raised"
    assert "takes 0 positional arguments" in report.message


@pytest.mark.parametrize("error", ["SystemExit", "GeneratorExit", "MemoryError"])
def test_any_exception_of_the_learner_is_caught(error: str) -> None:
    report = judged(f"def f():\n    raise {error}()\n", "learner.f()")

    assert report.outcome == "raised"
    assert report.message.startswith(error)


def test_an_interrupt_stops_the_check_and_is_passed_on() -> None:
    with pytest.raises(KeyboardInterrupt):
        judged("def f():\n    raise KeyboardInterrupt\n", "learner.f()")


@pytest.mark.parametrize("check", ["1 / 0", "x = nowhere", "def broken("])
def test_the_checks_own_error_is_a_lesson_bug(check: str) -> None:
    report = judged("y = 1\n", check)

    assert report.outcome == "lesson-bug"
    assert report.message


def test_a_missing_name_is_told() -> None:
    report = judged("y = 1\n", "equal(learner.z, 1)")

    assert (report.outcome, report.message) == ("failed", "There is no `z` yet.")


def test_a_function_left_over_from_an_earlier_try_does_not_count() -> None:
    namespace = executed(STEP)

    report = judged("y = 1\n", STEP_CHECK, namespace=namespace)

    assert report.message == "This cell does not define `step`."


def test_a_blank_is_told_before_anything_is_run() -> None:
    code = "def f():\n    # no ____ here\n    return '____' + ____\n"

    report = judged(code, "1 / 0")

    assert report.message == "There is still a blank ____ in line 3: fill it in."


# -- time


@pytest.mark.parametrize(
    "body",
    [
        "while True: pass",
        "while True:\n        try:\n            pass\n        except Exception: pass",
    ],
)
def test_an_endless_loop_ends_at_the_time_limit(body: str) -> None:
    handler = signal.getsignal(signal.SIGALRM)

    report = judged(f"def f():\n    {body}\n", "learner.f()", seconds=0.2)

    assert report.outcome == "timeout"
    assert report.seconds >= 0.2
    assert signal.getsignal(signal.SIGALRM) is handler
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0.0


def test_a_bare_except_that_swallows_one_alarm_gets_another() -> None:
    code = (
        "def f():\n"
        "    x = 0\n"
        "    for attempt in range(3):\n"
        "        try:\n"
        "            while x >= 0: x += 1\n"
        "        except:\n"
        "            pass\n"
        "    while True: pass\n"
    )
    assert judged(code, "learner.f()", seconds=0.1).outcome == "timeout"


# -- what the learner replaced


def test_replaced_functions_of_torch_help_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    code = "def f(a):\n    return a + 1\n"
    check = "a = numbers(3); close(learner.f(a), torch.add(a, 2))"

    def always(*args: Any, **kwargs: Any) -> torch.Tensor:
        return torch.tensor(True)

    def same(a: torch.Tensor, b: float) -> torch.Tensor:
        return a + 1

    monkeypatch.setattr(torch, "isclose", always)
    monkeypatch.setattr(torch, "add", same)
    report = judged(code, check)
    assert torch.isclose is always
    assert vars(torch)["add"] is same
    monkeypatch.undo()

    assert report.outcome == "failed"
    assert "You replaced `torch." in report.detail
    assert "the check used the true one" in report.detail


def test_an_operator_put_on_tensor_is_undone_and_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.Tensor, "eq", lambda *_: True, raising=False)
    code = "def f(a):\n    return a\n"

    report = judged(code, "a = numbers(2); close(learner.f(a), a)")

    assert report.outcome == "passed"
    assert report.message == (
        "You replaced `torch.Tensor.eq`; the check used the true one."
    )


def test_a_name_of_the_check_cannot_be_shadowed() -> None:
    code = "def close(*_):\n    pass\ndef f(a):\n    return a\n"

    report = judged(code, "a = numbers(2); close(learner.f(a), -a)")

    assert report.outcome == "failed"
    assert report.detail.splitlines()[-1] == (
        "Your `close` is not the `close` of the check."
    )


# -- nothing is changed


def test_a_check_leaves_everything_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code = """
import os, random, warnings
count = 0
def step(w, lr):
    global count, fresh
    count += 1
    fresh = 3
    torch.set_default_dtype(torch.float64)
    torch.set_grad_enabled(False)
    torch.set_default_device("meta")
    torch.rand(3, device="cpu"); random.random(); os.chdir("/")
    warnings.simplefilter("error")
    print("noise")
    w.data -= lr * w.grad
"""
    leaf = torch.ones(3, requires_grad=True)
    (leaf * 2).sum().backward()
    other = leaf * 3
    held = [1, leaf]
    namespace = executed(code, leaf=leaf, other=other, held=held)
    before = dict(namespace)
    grad = leaf.grad
    assert grad is not None
    versions = (leaf._version, other._version, grad._version)
    torch_state, python_state = torch.get_rng_state(), random.getstate()
    filters = list(warnings.filters)
    torch.set_default_dtype(torch.float64)
    torch.set_default_device("meta")
    torch.set_grad_enabled(False)
    try:
        check = STEP_CHECK.replace("sizes(0, 1, 3, (2, 3))", "sizes(3)")
        report = judged(code, check, namespace=namespace)

        assert torch.get_default_dtype() == torch.float64
        assert torch.get_default_device() == torch.device("meta")
        assert not torch.is_grad_enabled()
    finally:
        torch.set_default_dtype(torch.float32)
        torch.set_default_device(None)
        torch.set_grad_enabled(True)

    assert report.outcome == "passed", report
    assert namespace.keys() == before.keys()
    assert all(namespace[name] is value for name, value in before.items())
    assert namespace["count"] == 0
    assert leaf.grad is grad
    assert grad is not None
    assert versions == (leaf._version, other._version, grad._version)
    assert leaf.tolist() == [1.0, 1.0, 1.0]
    assert held == [1, leaf]
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert random.getstate() == python_state
    assert list(warnings.filters) == filters
    assert Path.cwd() == tmp_path


@pytest.mark.parametrize(
    ("call", "left"),
    [
        ("torch.set_grad_enabled(False)", "gradients switched off"),
        (
            "torch.set_default_dtype(torch.float16)",
            "the default dtype at torch.float16",
        ),
        ("torch.set_default_device('meta')", "the default device at meta"),
    ],
)
def test_a_check_spoilt_by_what_the_learner_left_is_no_lesson_bug(
    call: str, left: str
) -> None:
    check = "w = leaf(2); learner.f(); (leaf(2) * numbers(2)).sum().backward(); 1 / 0"

    report = judged(f"def f():\n    {call}\n", check)

    assert (report.outcome, report.message) == ("failed", f"Your code leaves {left}.")
    assert torch.is_grad_enabled()
    assert torch.get_default_dtype() == torch.float32
    assert torch.get_default_device() == torch.device("cpu")


def test_names_that_a_method_binds_are_taken_back() -> None:
    code = """
count = 0
class Net:
    def forward(self):
        global count, fresh
        count += 1
        fresh = 3
"""
    namespace = executed(code)

    report = judged(code, "learner.Net().forward()", namespace=namespace)

    assert report.outcome == "passed"
    assert namespace["count"] == 0
    assert "fresh" not in namespace


def test_what_a_check_prints_is_dropped(capsys: pytest.CaptureFixture[str]) -> None:
    judged("def f():\n    print('noise')\n", "learner.f()")

    assert capsys.readouterr().out == ""


def test_a_check_can_give_the_function_another_global() -> None:
    namespace = executed("w = torch.ones(2)\ndef total():\n    return w.sum()\n")
    code = "def total():\n    return w.sum()\n"
    check = "learner.w = numbers(3); close(learner.total(), learner.w.sum())"

    assert judged(code, check, namespace=namespace).outcome == "passed"
    assert namespace["w"].tolist() == [1.0, 1.0]


def test_a_check_sees_the_same_numbers_every_time() -> None:
    code = "def f(a):\n    return a\n"
    check = "a = numbers(3); close(learner.f(a), a + torch.rand(3))"

    torch.manual_seed(1)
    first = judged(code, check).detail
    torch.manual_seed(2)
    assert judged(code, check).detail == first


# -- single names


def test_calls_names_what_torch_was_asked() -> None:
    code = "def f(a, b):\n    return (a[:, None] * b).sum() / 2\n"
    check = "equal(calls(learner.f, numbers(2), numbers(3)), [])"

    report = judged(code, check)

    assert report.message == "The result has 4 items, not 0."
    assert "['getitem', 'mul', 'sum', 'div']" in report.detail


@pytest.mark.parametrize(
    "body",
    [
        "for x in a: pass",
        "while len(a): break",
        "return [x for x in a]",
        "return sum(x for x in a)",
    ],
)
def test_no_loops_finds_the_line(body: str) -> None:
    report = judged(f"def f(a):\n    {body}\n", "no_loops()")

    assert report.message == "One expression does it, without a loop: line 2 has one."


def test_no_loops_lets_loopless_code_pass() -> None:
    assert judged("def f(a):\n    return a + a\n", "no_loops()").outcome == "passed"


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        ("raise ValueError('not alike')", "passed"),
        ("raise ValueError('else')", "failed"),
        ("return 1", "failed"),
        ("raise KeyError('not alike')", "raised"),
    ],
)
def test_raises_wants_the_type_and_the_words(body: str, outcome: str) -> None:
    code = f"def f(a):\n    {body}\n"

    assert judged(code, "raises(ValueError, learner.f, 1, says='alike')").outcome == (
        outcome
    )


@pytest.mark.parametrize(
    ("update", "ratio"), [("-2 * d", -2.0), ("d / 4", 0.25), ("d * d", "nan")]
)
def test_ratio_compares_the_update_with_the_wanted_one(
    update: str, ratio: object
) -> None:
    code = f"def step(w, d):\n    w += {update}\n"
    check = (
        "w = numbers(3); d = numbers(3); want = w + d; "
        "learner.step(w, d); close(w, want)"
    )
    wrong = ((f"str(ratio(w)) == '{ratio}'", ""),)

    assert judged(code, check, wrong).mistake == 0


def test_ratio_without_a_value_compares_the_results() -> None:
    code = "def f(a):\n    return 3 * a\n"
    check = "a = numbers(3); close(learner.f(a), a)"

    assert judged(code, check, (("ratio() == 3", ""),)).mistake == 0


def test_strided_numbers_are_not_contiguous_and_numbers_are_never_zero() -> None:
    check = """
true(not strided((2, 3)).is_contiguous(), "strided")
true((numbers(1000) != 0).all(), "zero")
true(leaf((2,)).requires_grad and leaf().shape == (), "leaf")
has_shape(numbers(3), 3)
has_dtype(numbers(3, torch.float64), torch.float64)
true(near(1.0, 1.0) and not near(numbers(2), numbers(3)), "near")
x = leaf(2); y = x * 2
true(copied(y) is not y and copied([y])[0].shape == (2,), "copied")
"""
    assert judged("", check) == CheckReport(
        "passed", seconds=judged("", check).seconds
    ) or (judged("", check).outcome == "passed")


# -- the promise of a code cell


def cell_namespace(code: str, value: object) -> dict[str, Any]:
    return {**executed(code), "In": ["", code], "Out": {1: value}}


@pytest.mark.parametrize(
    ("promise", "outcome"),
    [
        ({"close": "torch.tensor([2., 4.])"}, "passed"),
        ({"close": "2 * x"}, "passed"),
        ({"close": "torch.tensor([2., 5.])"}, "failed"),
        ({"equal": "torch.tensor([2, 4])"}, "failed"),
        ({"shape": (2,), "dtype": "float32", "device": "cpu"}, "passed"),
        ({"requires_grad": False}, "passed"),
        ({"shape": (3,)}, "failed"),
        ({"dtype": "int64"}, "failed"),
        ({"device": "meta"}, "failed"),
        ({"requires_grad": True}, "failed"),
        ({"close": "nowhere"}, "lesson-bug"),
        ({}, "passed"),
    ],
)
def test_a_promise_is_judged_by_the_cells_value(
    promise: dict[str, Any], outcome: str
) -> None:
    code = "x = torch.tensor([1.0, 2.0])\nx * 2"
    namespace = cell_namespace(code, torch.tensor([2.0, 4.0]))

    report = checks.expect(ExpectRequest(code=code, **promise), namespace)

    assert report.outcome == outcome


def test_a_cell_that_ends_in_an_assignment_is_judged_by_the_name() -> None:
    code = "x = 3\ny = x + 1"
    namespace = cell_namespace(code, "another cell's value")

    assert checks.expect(ExpectRequest(code, equal="4"), namespace).outcome == "passed"


def test_the_value_of_an_earlier_cell_is_not_taken_for_this_ones() -> None:
    namespace = {**cell_namespace("1", 1), "In": ["", "1", "None"]}

    report = checks.expect(ExpectRequest("None", equal="1"), namespace)

    assert report.outcome == "failed"


def test_the_page_on_the_names_is_up_to_date() -> None:
    root = Path(__file__).parents[2]
    page = runpy.run_path(str(root / "scripts" / "write_check_names.py"))["page"]

    shown = (root / "docs" / "check-names.md").read_text(encoding="utf-8")

    assert shown == page(), "it is stale: run scripts/write_check_names.py"
