"""Twenty layers of torch.nn and two big models: recorded as they run unrecorded."""

from collections.abc import Callable, Iterable

import pytest
import torch
from torch import nn

from bench import models
from tutor.engine.recorder import Recorder
from tutor.graph.trace import BackwardNode, Event


def picture() -> torch.Tensor:
    return torch.randn(2, 4, 6, 6)


def rows() -> torch.Tensor:
    return torch.randn(5, 2, 4)


LAYERS: dict[str, tuple[Callable[[], nn.Module], Callable[..., object]]] = {
    "Linear": (lambda: nn.Linear(4, 3), rows),
    "Conv1d": (lambda: nn.Conv1d(2, 3, 2), rows),
    "Conv2d": (lambda: nn.Conv2d(4, 3, 3), picture),
    "ConvTranspose2d": (lambda: nn.ConvTranspose2d(4, 2, 2), picture),
    "BatchNorm1d": (lambda: nn.BatchNorm1d(2), rows),
    "BatchNorm2d": (lambda: nn.BatchNorm2d(4), picture),
    "LayerNorm": (lambda: nn.LayerNorm(4), rows),
    "GroupNorm": (lambda: nn.GroupNorm(2, 4), picture),
    "GRU": (lambda: nn.GRU(4, 3), rows),
    "LSTM": (lambda: nn.LSTM(4, 3), rows),
    "RNN": (lambda: nn.RNN(4, 3), rows),
    "MultiheadAttention": (lambda: nn.MultiheadAttention(4, 2), rows),
    "TransformerEncoderLayer": (lambda: nn.TransformerEncoderLayer(4, 2, 8), rows),
    "Embedding": (lambda: nn.Embedding(7, 3), lambda: torch.tensor([1, 4, 1])),
    "EmbeddingBag": (lambda: nn.EmbeddingBag(7, 3), lambda: torch.tensor([[1, 4], [2, 1]])),
    "Dropout": (lambda: nn.Sequential(nn.Linear(4, 3), nn.Dropout(0.4)), rows),
    "MaxPool2d": (lambda: nn.Sequential(nn.Conv2d(4, 3, 3), nn.MaxPool2d(2)), picture),
    "AvgPool2d": (lambda: nn.Sequential(nn.Conv2d(4, 3, 3), nn.AvgPool2d(2)), picture),
    "PReLU": (lambda: nn.PReLU(), rows),
    "Bilinear": (lambda: nn.Bilinear(4, 4, 3), rows),
    "Upsample": (
        lambda: nn.Sequential(nn.Conv2d(4, 3, 3), nn.Upsample(scale_factor=2)),
        picture,
    ),
}  # fmt: skip


def run(name: str) -> tuple[torch.Tensor, list[torch.Tensor | None]]:
    torch.manual_seed(0)
    make, inputs = LAYERS[name]
    net, given = make(), inputs()
    count = {"MultiheadAttention": 3, "Bilinear": 2}.get(name, 1)
    found = net(*[given] * count)
    loss = (found[0] if isinstance(found, tuple) else found).pow(2).sum()
    loss.backward()
    return loss.detach(), [each.grad for each in net.parameters()]


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer(name: str) -> None:
    wanted = run(name)
    with Recorder() as recorder:
        found = run(name)
    assert recorder.drafts.truncated is None
    assert torch.equal(found[0], wanted[0])
    assert len(found[1]) == len(wanted[1]) > 0
    for one, other in zip(found[1], wanted[1], strict=True):
        assert one is not None
        assert other is not None
        assert torch.equal(one, other)
    _owned(recorder.drafts.events())


@pytest.mark.slow
@pytest.mark.parametrize("name", ["resnet", "gpt"])
def test_a_big_model(name: str) -> None:
    forward, leaves = models.MAKERS[name]()
    torch.manual_seed(1)
    forward().backward()
    wanted = [each.grad for each in leaves]
    for each in leaves:
        each.grad = None
    if name == "resnet":  # its running statistics do not enter what is compared
        torch.manual_seed(1)
    with Recorder() as recorder:
        forward().backward()
    assert recorder.drafts.truncated is None
    for leaf, other in zip(leaves, wanted, strict=True):
        assert leaf.grad is not None
        assert other is not None
        assert torch.equal(leaf.grad, other)
    events = list(recorder.drafts.events())
    _owned(events)
    assert len(recorder.drafts.leaves) == len(leaves)
    for _, _, _, _, added, _ in recorder.drafts.leaves:
        summary = added.summary
        assert summary.values is not None or summary.low is not None


def _owned(events: Iterable[Event]) -> None:
    count = 0
    for event in events:
        if isinstance(event, BackwardNode):
            count += 1
            assert event.op is not None
            for each in event.contributions:
                assert each.to is not None or each.to_node is not None
    assert count
