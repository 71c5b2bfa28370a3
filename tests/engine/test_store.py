"""What can be looked at after a recording: copies, large tensors while they last."""

import math

import pytest
import torch

from tutor.engine import store
from tutor.engine.drafts import Drafts
from tutor.engine.recorder import Recorder
from tutor.engine.trace import record
from tutor.graph.requests import Looked, TraceLook, TraceRequest


def kept(size: int) -> tuple[Drafts, str, torch.Tensor, torch.Tensor]:
    x = torch.linspace(-1, 1, size, requires_grad=True)
    with Recorder({"x": x}) as recorder:
        y = x * 2
        y.sum().backward()
    return recorder.drafts, store.keep(recorder.drafts), x, y


def look(trace: str, value: int, **options: object) -> Looked:
    return store.look(TraceLook(trace, value, **options))  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [9, 100, 10_000])
def test_all_statistics(size: int) -> None:
    _, trace, _, y = kept(size)
    found = look(trace, 1)
    assert found.problem is None
    assert found.summary is not None
    assert (found.summary.low, found.summary.high) == (-2, 2)
    assert found.summary.mean == pytest.approx(0, abs=1e-6)
    assert found.std == pytest.approx(y.std(correction=0).item(), rel=1e-5)
    assert sum(found.histogram) == size
    assert len(found.histogram) == 20
    assert found.rows[0][:3] == tuple(y[:3].tolist())


def test_a_large_tensor_that_was_written_to_or_is_gone() -> None:
    _, trace, x, y = kept(10_000)
    with torch.no_grad():
        x.mul_(2)
    assert "overwritten since" in str(look(trace, 0).problem)
    del y
    found = look(trace, 1)
    assert "no longer there" in str(found.problem)
    assert found.summary is not None
    assert (found.summary.low, found.summary.high) == (-2, 2)


def test_a_weight_that_changed_since_is_not_told_as_it_was() -> None:
    drafts, _, x, _ = kept(10_000)
    with torch.no_grad():
        x.mul_(2)
    summary = drafts.values[0].taken.summary
    assert (summary.low, summary.high, summary.nonfinite) == (None, None, None)


def test_a_gradient_by_its_pass() -> None:
    _, trace, x, _ = kept(10_000)
    found = look(trace, 0, number=1)
    assert found.problem is None
    assert found.summary is not None
    assert (found.summary.low, found.summary.high, found.std) == (2, 2, 0)
    assert "No gradient" in str(look(trace, 0, number=2).problem)
    x.grad = None
    assert "no longer there" in str(look(trace, 0, number=1).problem)


def test_rows_begin_where_they_are_asked_for() -> None:
    trace = record(
        TraceRequest("y = x * 1\nf = y.sum()", {"x": [[1, 2, 3], [4, 5, 6]]})
    )
    found = look(trace.end.id, 1, start=(1, 1), rows=5, columns=2)
    assert found.rows == ((5, 6),)


def test_not_finite_elements_are_counted() -> None:
    request = TraceRequest("y = x / x", {"x": [0.0, 1.0, 2.0]}, grad="ones")
    found = look(record(request).end.id, 1)
    assert found.summary is not None
    assert found.summary.nonfinite == 1
    assert (found.summary.low, found.summary.high) == (1, 1)
    assert math.isnan(found.rows[0][0])


def test_an_op_can_be_run_again() -> None:
    trace = record(TraceRequest("q = x**2\nf = q * 3", {"x": 2.0}))
    again = store.replay(trace.end.id, 0)
    assert again is not None
    assert again.function(*again.args).item() == 4
    assert again.args[0].requires_grad
    assert store.replay(trace.end.id, 7) is None
    assert store.replay("nothing", 0) is None


def test_only_the_last_traces_are_kept() -> None:
    first = record(TraceRequest("f = x * 2", {"x": 2.0})).end.id
    for _ in range(store.KEPT):
        record(TraceRequest("f = x * 2", {"x": 2.0}))
    assert "no more" in str(look(first, 0).problem)
