"""Two traces beside each other: what belongs together, and the first difference."""

from dataclasses import replace

from tests.stored_traces import stored
from tutor.graph.compare import Comparison, compare
from tutor.graph.trace import Summary, Trace


def changed(trace: Trace, name: str, value: float) -> Trace:
    """The trace with another number in every value of that name."""
    values = tuple(
        replace(each, summary=replace(each.summary, values=(value,)))
        if each.name == name
        else each
        for each in trace.values
    )
    return replace(trace, values=values)


def names(trace: Trace, ids: frozenset[int]) -> list[str | None]:
    return [trace.values[each].name for each in sorted(ids)]


def test_a_trace_equals_itself() -> None:
    found = compare(stored("seed"), stored("seed"))
    assert found == Comparison(
        frozenset(), frozenset(), None, ("Nothing differs.",), (), ()
    )


def test_nan_equals_nan() -> None:
    old, new = (changed(stored("seed"), "q", float("nan")) for _ in range(2))
    assert compare(old, new).first is None


def test_another_leaf_is_the_first_difference() -> None:
    new = stored("seed")
    for name, value in (("x", 3.0), ("q", 9.0), ("u", 27.0), ("f", 37.0)):
        new = changed(new, name, value)
    found = compare(stored("seed"), new)
    assert names(new, found.changed_values) == ["x", "q", "u", "f"]
    assert found.first is not None
    assert found.first.text == "x is 3, and was 2."
    assert found.lines[:2] == (
        "First difference: x is 3, and was 2.",
        "4 values differ in all.",
    )


def test_a_difference_inside_names_its_line() -> None:
    new = changed(stored("seed"), "u", 13.0)
    found = compare(stored("seed"), new)
    assert found.first is not None
    assert (found.first.line, found.first.text) == (
        2,
        "Line 2: `3 * q` gives 13, and gave 12.",
    )


def test_gradients_are_compared_too() -> None:
    old = stored("seed")
    leaf = replace(old.leaves[-1], after=Summary((), "float64", (13.0,)))
    new = replace(old, leaves=(*old.leaves[:-1], leaf))
    found = compare(old, new)
    assert found.first is None
    assert found.lines == ("x.grad is 13, and was 12.",)
    assert names(new, found.changed_gradients) == ["x"]


def without(trace: Trace, op: int) -> Trace:
    """The trace as of a code without one op, whose result nothing uses there."""
    renamed = {each.id: each.id - (each.id > op) for each in trace.ops if each.id != op}
    ops = tuple(
        replace(each, id=renamed[each.id]) for each in trace.ops if each.id != op
    )
    values = tuple(
        replace(each, op=None if each.op is None else renamed.get(each.op))
        for each in trace.values
    )
    return replace(trace, ops=ops, values=values, nodes=(), graph=(), leaves=())


def test_an_op_that_only_one_code_has() -> None:
    old = stored("seed")
    new = without(old, 1)
    found = compare(old, new)
    assert found.only_new == ()
    assert len(found.only_old) == 1
    assert found.lines[-1].startswith("Only in the old code, line ")
    back = compare(new, replace(old, nodes=(), graph=(), leaves=()))
    assert len(back.only_new) == 1
    assert back.lines[-1].startswith("Only in the new code, line ")


def test_a_run_that_stopped() -> None:
    whole = replace(stored("stopped"), end=replace(stored("stopped").end, fault=None))
    found = compare(whole, stored("stopped"))
    assert found.lines == (
        "The old run came to its end; the new run stopped with "
        "`NameError: name 'missing' is not defined`.",
        "Nothing differs.",
    )
