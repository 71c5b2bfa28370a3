"""Random programs: a recorded run is the run itself, and its ledger adds up bitwise."""

import math
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from tests.engine.random_programs import Program, nets, plain, rough
from tutor.engine.trace import record
from tutor.graph import backward
from tutor.graph.requests import TraceRequest
from tutor.graph.trace import Summary, Trace

PLAIN = range(450)
ROUGH = range(400)
NETS = range(150)


def test_a_few_programs() -> None:
    for seed in range(12):
        for make in (plain, rough, nets):
            program = make(seed)
            _compare(program, _traced(program), f"{make.__name__} {seed}")


@pytest.mark.slow
def test_plain_programs() -> None:
    rules = 0
    for seed in PLAIN:
        program = plain(seed)
        trace = _traced(program)
        _compare(program, trace, f"plain {seed}")
        rules += _check_rules(trace, f"plain {seed}")
    assert rules > 1000


@pytest.mark.slow
def test_programs_with_modules() -> None:
    for seed in NETS:
        program = nets(seed)
        trace = _traced(program)
        _compare(program, trace, f"nets {seed}")
        _check_rules(trace, f"nets {seed}")
        assert any(str(each.name).startswith("net.") for each in trace.values) or (
            "Linear" not in program.code
        )


@pytest.mark.slow
def test_rough_programs() -> None:
    seen: set[str] = set()
    for seed in ROUGH:
        program = rough(seed)
        trace = _traced(program)
        _compare(program, trace, f"rough {seed}")
        assert len(trace.passes) == program.passes
        seen |= {flag for op in trace.ops for flag in op.flags}
        _check_rules(trace, f"rough {seed}")
    assert seen >= {"inplace", "view", "unseen", "nograd", "random"}


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_less_precise_programs(dtype: str) -> None:
    for seed in range(40):
        program = plain(seed)
        _compare(program, _traced(program, dtype), f"{dtype} {seed}", dtype)


def _traced(program: Program, dtype: str = "float64") -> Trace:
    torch.manual_seed(1)
    before = torch.get_rng_state()
    request = TraceRequest(program.code, program.at, dtype)
    trace = record(request)
    assert torch.equal(torch.get_rng_state(), before)
    assert trace.fault is None, (trace.fault, program.code)
    assert trace.end.truncated is None, (trace.end.truncated, program.code)
    return trace


def _compare(
    program: Program, trace: Trace, where: str, dtype: str = "float64"
) -> None:
    wanted = _untraced(program, dtype)
    after = {trace.values[leaf.value].tensor: leaf.after for leaf in trace.leaves}
    for name, gradient in wanted.items():
        value = next(each for each in trace.values if each.name == name)
        found = after.get(value.tensor)
        assert (found is None) == (gradient is None), (where, name)
        if gradient is not None:
            assert found is not None
            assert _same(found, gradient), (where, name, program.code)
    _check_ledger(trace, f"{where}\n{program.code}")


def _untraced(program: Program, dtype: str) -> dict[str, torch.Tensor | None]:
    torch.manual_seed(1)
    leaves = {
        name: torch.tensor(at, dtype=getattr(torch, dtype), requires_grad=True)
        for name, at in program.at.items()
    }
    names: dict[str, Any] = {"torch": torch, "nn": nn, "F": functional, **leaves}
    exec(program.code, names)
    if program.passes == 1:
        names["f"].backward()
    return {name: leaf.grad for name, leaf in leaves.items()}


def _same(found: Summary, wanted: torch.Tensor) -> bool:
    assert found.values is not None
    flat = wanted.double().reshape(-1).tolist()
    return len(flat) == len(found.values) and all(
        one == other or (math.isnan(one) and math.isnan(other))
        for one, other in zip(flat, found.values, strict=True)
    )


def _check_ledger(trace: Trace, where: str) -> None:
    """Nothing is unowned; what was sent to a value is what arrived there, bitwise."""
    sent: dict[tuple[int, int], torch.Tensor] = {}
    for node in trace.nodes:
        assert node.op is not None, where
        for edge in node.contributions:
            assert edge.to is not None or edge.to_node is not None, where
            if edge.to is None or edge.gradient is None:
                continue
            key = node.number, edge.to
            part = _tensor(edge.gradient)
            sent[key] = part if key not in sent else sent[key] + part
    arrived = {
        (node.number, value): gradient
        for node in trace.nodes
        for value, gradient in zip(node.of, node.upstream, strict=True)
        if value is not None and gradient is not None
    }
    roots = {(each.number, each.root) for each in trace.passes}
    for key, gradient in arrived.items():
        if key in sent and key not in roots:
            assert _same(gradient, sent[key]), (where, key)
    for leaf in trace.leaves:
        tensor = trace.values[leaf.value].tensor
        total = None
        for (number, value), part in sent.items():
            if number == leaf.number and trace.values[value].tensor == tensor:
                total = part if total is None else total + part
        if total is not None:
            assert _same(leaf.add, total), (where, leaf)


def _tensor(summary: Summary) -> torch.Tensor:
    assert summary.values is not None
    dtype = getattr(torch, summary.dtype)
    return (
        torch.tensor(summary.values, dtype=torch.float64)
        .reshape(summary.shape)
        .to(dtype)
    )


def _check_rules(trace: Trace, where: str) -> int:
    """Every rule of the book agrees with the engine; how many were compared."""
    compared = 0
    rules = {(rule.op, rule.position): rule for rule in trace.rules}
    for passed in trace.passes:
        for merged in backward.merged(trace, passed.number):
            for each in merged.sent:
                # Through a view the gradient goes to its base, which is no argument.
                through_a_view = "inplace" in trace.ops[merged.op].flags
                assert each.position >= 0 or through_a_view, where
                rule = rules.get((merged.op, each.position))
                if rule is not None:
                    assert rule.check != "off", (where, trace.ops[rule.op].label, rule)
                    compared += rule.check == "ok"
    return compared
