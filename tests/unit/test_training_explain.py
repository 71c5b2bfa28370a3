"""What findings are told as, with their numbers, and what is proposed."""

import math
from typing import get_args

import pytest

from tutor.training import explain, options, remedies
from tutor.training.findings import Finding, FindingKind
from tutor.training.spec import Change, RunSpec

GD = RunSpec("gd", lr=1.5)
FAR = Finding(
    "gd", "diverged", 13, "w", 1.5, 0.9346, facts={"loss": 3.4e12, "size": 1.2e6}
)


def test_a_divergence_is_told_with_iteration_tensor_rate_and_limit() -> None:
    assert explain.lines(FAR, GD) == [
        "gd diverged at iteration 13: w had grown to 1.2e+06 and the loss to 3.4e+12. "
        "The learning rate 1.5 is above 0.935, which is 2 / λmax: from there on every "
        "step overshoots further than the one before.",
        "  try lr 0.5: below the limit of 0.935",
        "  try adam: its steps do not grow with the gradient",
    ]


def test_what_is_not_finite_is_named() -> None:
    found = Finding("net", "not-finite", 61, "0.weight.grad", 30.0)
    told = explain.sentence(found, RunSpec("net", model="mlp", lr=30.0))
    assert "iteration 61: the gradient of 0.weight is not finite any more" in told
    assert "The learning rate is 30." in told
    assert "the loss is not finite" in explain.sentence(
        Finding("net", "not-finite", 2, "loss")
    )


def test_a_batch_can_be_steeper_than_all_the_data() -> None:
    spec = RunSpec("sgd", lr=0.7, batch=1)
    found = Finding("sgd", "diverged", 40, "b", 0.7, 0.9346)
    assert "below 0.935" in explain.sentence(found, spec)
    assert "a batch of 1 point is often steeper" in explain.sentence(found, spec)
    keys = [(each.key, each.value) for each in explain.proposals(found, spec)]
    assert keys == [("lr", 0.1), ("batch", 64)]


def test_features_far_apart_are_to_be_scaled() -> None:
    found = Finding("gd", "diverged", 5, "w", 0.01, 2.97e-4, facts={"condition": 13231})
    first, second = explain.proposals(found, GD)
    assert (first.key, first.value) == ("lr", 1e-4)
    assert "scale the features" in second.words
    assert "13231 times steeper" in second.words


def test_momentum_has_a_limit_of_its_own() -> None:
    spec = RunSpec("m", optimiser="momentum", lr=3.0)
    found = Finding("m", "diverged", 9, "w", 3.0, 1.776)
    assert "2 (1 + momentum) / λmax" in explain.sentence(found, spec)
    _, second = explain.proposals(found, spec)  # 3.0 is too large without, too
    assert (second.key, second.value) == ("decay", 1.0)


def test_the_settings_are_those_of_the_iteration() -> None:
    spec = RunSpec("a", changes=(Change(5, "optimiser", "momentum"),))
    early, late = (Finding("a", "diverged", at, "w", 0.7, 1.776) for at in (4, 6))
    assert explain.proposals(early, spec)[1].value == "adam"
    assert explain.proposals(late, spec)[1].value == "sgd"


def test_uphill() -> None:
    """The learner's own update, with the wrong sign."""
    found = Finding("loss", "diverged", 50, "w", -0.05, facts={"loss": 1e9})
    assert "add the gradient where they should subtract it" in explain.sentence(found)
    assert explain.proposals(found)[0].words.startswith("subtract the gradient")


def test_a_loop_whose_rate_nobody_knows() -> None:
    found = Finding("loss", "diverged", 50, "w", facts={"times": 1.6, "loss": 1e9})
    assert "1.6 times the largest" in explain.sentence(found)
    first, second = explain.proposals(found)
    assert first.words == "a learning rate 2.67 times smaller"
    assert "clip_grad_norm_" in second.words


@pytest.mark.parametrize("kind", get_args(FindingKind))
@pytest.mark.parametrize("spec", [None, GD, RunSpec("gd", batch=4, loss="sse")])
def test_every_kind_has_a_sentence_with_bare_facts_and_with_all(
    kind: FindingKind, spec: RunSpec | None
) -> None:
    facts = {"n": 250.0, "loss": math.inf, "size": 1e9, "units": 8, "times": 3.0}
    shapes = ("(250, 1)", "(250, 250)")
    for found in (
        Finding("gd", kind, 3, "w", shapes=shapes),
        Finding("gd", kind, 3, "w", 0.5, 0.1, 7, facts, shapes, "softmax"),
    ):
        told = explain.sentence(found, spec)
        assert told.endswith(".")
        assert "None" not in told
        assert told.count(". ") <= 1, told
        offered = explain.proposals(found, spec)
        expected = 1
        if kind in ("diverged", "not-finite"):
            expected = len(offered) or 1
            assert expected in (1, 2)
        elif kind in ("device", "restarted", "engine", "workers", "one-worker"):
            expected = 0
        assert len(offered) == expected
        for each in offered:
            assert each.words
            assert "{" not in each.words


def test_a_proposed_setting_is_one_that_a_run_has() -> None:
    for lr, limit, batch in ((1.5, 0.9, None), (0.5, None, 1), (0.7, 0.9, 4)):
        spec = RunSpec("gd", lr=lr, batch=batch)
        found = Finding("gd", "diverged", 9, "w", lr, limit)
        for each in explain.proposals(found, spec):
            value = "all" if each.value is None else each.value
            options.race(None, [f"{each.key}={value}"])


@pytest.mark.parametrize(
    ("value", "rung"),
    [(0.56, 0.5), (1.0, 1.0), (0.999, 0.5), (4.99e-4, 2e-4), (5e-4, 5e-4), (60, 50)],
)
def test_round_numbers_below(value: float, rung: float) -> None:
    assert remedies.below(value) == pytest.approx(rung)


@pytest.mark.parametrize("kind", get_args(FindingKind))
def test_several_runs_of_which_the_same_is_said_are_several(kind: FindingKind) -> None:
    facts = {"n": 250.0, "loss": 1e9, "size": -1e9, "units": 8}
    shapes = ("(250, 1)", "(250, 250)")
    for lr in (-0.5, 0.5, 30.0):
        spec = RunSpec("gd", lr=lr)
        found = Finding(
            "gd, minibatch and sgd", kind, 3, "w", lr, None, None, facts, shapes
        )
        told = explain.sentence(found, spec)
        assert not told.startswith("gd, minibatch and sgd is ")
        assert "sgd computes" not in told
        assert ". It" not in told
