"""What is proposed where a run diverged, followed: it ends near the lowest loss."""

from dataclasses import replace
from statistics import median
from typing import Any

import pytest

from tutor.engine.run import Run
from tutor.training import explain
from tutor.training.findings import Finding
from tutor.training.spec import RunSpec

SEEDS = range(4)


def ended(spec: RunSpec) -> tuple[list[Finding], float]:
    """Its findings, and its last loss; inf: it diverged."""
    run = Run(spec)
    while run.iteration < spec.iterations and not run.diverged:
        run.advance()
    return run.findings, float("inf") if run.diverged else run._last_loss


def follow(most: float, **settings: Any) -> int:
    """Follow each proposal with several seeds; how many there were."""
    asked = RunSpec("a", **settings)
    found, followed = [], 0
    for seed in SEEDS:
        findings, _ = ended(replace(asked, seed=seed, iterations=300))
        found = [each for each in findings if each.kind in ("diverged", "not-finite")]
        if found:
            break
    assert found, "it does not diverge"
    for proposal in explain.proposals(found[0], asked):
        if not proposal.key:
            continue
        followed += 1
        changed: dict[str, Any] = {proposal.key: proposal.value}
        better = replace(asked, iterations=100, **changed)
        ends = [ended(replace(better, seed=seed))[1] for seed in SEEDS]
        assert median(ends) <= most, (proposal.words, ends)
        assert max(ends) <= 6 * most, (proposal.words, ends)
    return followed


@pytest.mark.parametrize("batch", [None, 16, 4, 1])
@pytest.mark.parametrize("lr", [0.7, 0.9, 1.5, 1e30])
def test_of_the_line(lr: float, batch: int | None) -> None:
    steady = 1 if batch is None else batch / (batch + 0.4)
    if lr < 0.95 * steady:  # it does not diverge
        return
    count = follow(1.5, lr=lr, batch=batch)
    assert count == 2


@pytest.mark.parametrize(
    ("most", "settings"),
    [
        (2.0, {"optimiser": "momentum", "lr": 3.0}),
        (2.0, {"optimiser": "momentum", "lr": 3.0, "batch": 16}),
        (3.0, {"optimiser": "momentum", "lr": 1.0, "batch": 1}),
        (1400.0, {"loss": "sse", "lr": 0.05}),
        (1400.0, {"loss": "sse", "lr": 5.0}),
        (1800.0, {"loss": "sse", "lr": 5.0, "batch": 4}),
        (1.2, {"dataset": "standard", "lr": 2.0}),
        (2.0, {"optimiser": "momentum", "lr": 1e30}),
        (1.5, {"lr": 2.0}),
        (1.5, {"lr": 90.0}),
        (1.5, {"lr": 5.0, "batch": 1}),
        (1.5, {"lr": 5.0, "batch": 16}),
        (1.7, {"dataset": "sin", "model": "mlp", "widths": (8,), "lr": 1e30}),
        (
            1.7,
            {"dataset": "sin", "model": "mlp", "widths": (8,), "lr": 5.0, "batch": 1},
        ),
        (1.5, {"noise": 1e300}),
        (1.5, {"noise": 1e300, "lr": 0.1, "batch": 4}),
    ],
)
def test_of_others(most: float, settings: dict[str, Any]) -> None:
    assert follow(most, **settings) == (1 if "noise" in settings else 2)


def test_noise_beyond_float32_is_not_the_batchs_fault() -> None:
    findings, _ = ended(RunSpec("gd", noise=1e300))
    told = explain.sentence(findings[-1], RunSpec("gd", noise=1e300))
    assert "beyond float32" in told
    assert "steeper" not in told
