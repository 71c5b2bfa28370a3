"""A recording run again with other leaves: it runs on copies."""

import random
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import nn

import tutor
from tutor.engine import again, telling
from tutor.errors import TutorError
from tutor.graph.requests import RetraceRequest
from tutor.graph.trace import Trace, assemble


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Trace]]:
    """What would have gone to the screen."""
    traces: list[Trace] = []
    monkeypatch.setattr(telling, "tell", traces.append)
    yield traces
    again._kept.clear()


def retraced(trace: Trace, **values: Any) -> Trace:
    return assemble(again.retrace(RetraceRequest(trace.end.id, values)))


def gradients(trace: Trace) -> dict[str | None, Any]:
    return {trace.values[leaf.value].name: leaf.after.scalar for leaf in trace.leaves}


def test_another_leaf_on_a_copy(told: list[Trace]) -> None:
    x = torch.tensor(2.0, requires_grad=True)
    y = torch.tensor(5.0, requires_grad=True)
    before = x * y
    tutor.step(lambda: 3 * x**2 + 2 * y)
    new = retraced(told[0], x=3.0)
    assert gradients(told[0]) == {"x": 12, "y": 2}
    assert gradients(new) == {"x": 18, "y": 2}
    assert gradients(retraced(new, y=7)) == {"x": 18, "y": 2}  # x stays 3
    assert (x.item(), y.item(), x.grad, x._version) == (2, 5, None, 0)
    before.backward()
    assert x.grad is not None
    assert x.grad.item() == 5
    assert len(told) == 1


def test_a_parameter_and_what_the_code_changes_itself(told: list[Trace]) -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(2, 1), nn.Dropout(0.5))
    data = torch.ones(4, 2)
    optimiser = torch.optim.SGD(net.parameters(), lr=0.1)

    def train() -> torch.Tensor:
        optimiser.zero_grad()
        loss: torch.Tensor = net(data).sum()
        loss.backward()
        optimiser.step()
        return loss

    tutor.step(train)
    after = [parameter.detach().clone() for parameter in net.parameters()]
    given = [parameter.grad for parameter in net.parameters()]
    state, python_state = torch.get_rng_state(), random.getstate()
    new = retraced(told[0], **{"net.0.weight": [[1.0, 2.0]]})
    for parameter, kept, gradient in zip(net.parameters(), after, given, strict=True):
        assert torch.equal(parameter, kept)
        assert parameter.grad is gradient
    assert torch.equal(torch.get_rng_state(), state)
    assert random.getstate() == python_state
    old_leaves = {each.value: each.add for each in told[0].leaves}
    new_leaves = {each.value: each.add for each in new.leaves}
    assert list(old_leaves.values()) == list(new_leaves.values())  # dropout as then


def test_why_it_cannot_be_run_again(told: list[Trace]) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    tutor.step(lambda: (x * torch.ones(2, requires_grad=True)).sum())
    with pytest.raises(TutorError, match="nope cannot be changed from here"):
        retraced(told[0], nope=1)
    with pytest.raises(TutorError, match=r"x has the shape \(2,\)"):
        retraced(told[0], x=[1, 2, 3])
    for _ in range(again.KEPT):
        tutor.step(lambda: x.sum())
    with pytest.raises(TutorError, match="only the last 3"):
        retraced(told[0], x=[1, 2])
    assert x.tolist() == [1, 2]
