"""Kinds of code that tracers fail on, and the notebook's: the recorded run is the run."""

import itertools
import linecache
import random
from dataclasses import dataclass, field
from typing import Any

import numpy
import pytest
import torch
from torch import nn
from torch.nn import functional

from tests.engine.recorder_programs import PROGRAMS
from tutor.engine.recorder import Recorder
from tutor.graph.trace import BackwardNode, LeafGradient, Op, Ref, Summary, Value

CLEARED = {"notebook: regression"}
"""The last gradient of a pass is not the last `.grad`."""

_numbers = itertools.count()


@dataclass
class Run:
    """What code computed, bit by bit."""

    leaves: dict[str, torch.Tensor] = field(default_factory=dict)
    floats: dict[str, torch.Tensor] = field(default_factory=dict)
    random: list[Any] = field(default_factory=list)


def run(code: str, *, recorder: Recorder | None = None) -> Run:
    """Run code on `x`, then go backward from `f` unless the code did."""
    torch.manual_seed(0)
    numpy.random.seed(0)
    random.seed(0)
    file = f"<accepted {next(_numbers)}>"
    linecache.cache[file] = len(code), None, code.splitlines(keepends=True), file
    x = torch.tensor([[0.5, 1.5, 2.5], [4.5, 3.0, 0.25]], requires_grad=True)
    names: dict[str, Any] = {"torch": torch, "nn": nn, "F": functional, "numpy": numpy,
                             "random": random}  # fmt: skip
    names["x"] = x.detach().double().requires_grad_()
    compiled = compile(code, file, "exec")
    if recorder is None:
        exec(compiled, names)
        if "backward()" not in code and "backward(gradient" not in code:
            names["f"].backward()
    else:
        with recorder:
            exec(compiled, names)
            if "backward()" not in code and "backward(gradient" not in code:
                names["f"].backward()
            recorder.bind(names)
    found = Run(random=[torch.get_rng_state().tolist(), random.getstate()])
    found.random.append(str(numpy.random.get_state()))
    for name, held in names.items():
        if isinstance(held, torch.Tensor):
            found.floats[name] = held.detach()
            if held.is_leaf and held.requires_grad:
                found.leaves[name] = held
        elif isinstance(held, nn.Module):
            for part, parameter in held.named_parameters():
                found.leaves[f"{name}.{part}"] = parameter
    return found


@pytest.mark.filterwarnings("ignore:.torch.jit.script:DeprecationWarning")  # by jacfwd
@pytest.mark.parametrize("name", PROGRAMS)
def test_the_recorded_run_is_the_run(name: str) -> None:
    wanted = run(PROGRAMS[name])
    recorder = Recorder()
    found = run(PROGRAMS[name], recorder=recorder)
    assert recorder.drafts.truncated is None
    assert found.random == wanted.random
    assert found.floats.keys() == wanted.floats.keys()
    for key, one in found.floats.items():
        assert torch.equal(one, wanted.floats[key]), key
    assert found.leaves.keys() == wanted.leaves.keys() != set()
    events = list(recorder.drafts.events())
    values = [each for each in events if isinstance(each, Value)]
    told: dict[str | None, Summary] = {}
    for event in events:
        if isinstance(event, BackwardNode):
            assert event.op is not None
            assert all(
                each.to is not None or each.to_node is not None
                for each in event.contributions
            )
        elif isinstance(event, LeafGradient):
            told[values[event.value].name] = event.after
    for key, leaf in found.leaves.items():
        other = wanted.leaves[key].grad
        assert (leaf.grad is None) == (other is None), key
        if other is None or leaf.grad is None:
            continue
        assert torch.equal(leaf.grad, other), key
        if name not in CLEARED and told[key].values is not None:
            assert told[key].values == tuple(other.reshape(-1).tolist()), key


def ops(code: str) -> list[Op]:
    recorder = Recorder()
    run(code, recorder=recorder)
    assert recorder.drafts.truncated is None
    return [each for each in recorder.drafts.events() if isinstance(each, Op)]


@pytest.mark.filterwarnings("ignore:.torch.jit.script:DeprecationWarning")
@pytest.mark.parametrize("what", ["vmap", "jacrev", "jacfwd", "hessian", "grad"])
def test_a_transform_is_one_op(what: str) -> None:
    call = f"torch.func.{what}(lambda t: (t * t).sum())(x[0].detach())"
    if what == "vmap":
        call = "torch.vmap(lambda t: t.sin() * 2)(x[0].detach())"
    found = ops(f"d = {call}\nf = (d * x[1]).sum()")
    opaque = [each for each in found if "opaque" in each.flags]
    # torch's own hessian is the one Jacobian of the other.
    name = "jacfwd" if what == "hessian" else what
    assert [each.function for each in opaque] == [name]
    (output,) = opaque[0].outputs
    (product,) = (each for each in found if each.function == "mul")
    assert product.arguments[0] == Ref(output)
    assert [each.function for each in found if "opaque" not in each.flags] == [
        "getitem", "detach", "getitem", "mul", "sum",
    ]  # fmt: skip


def test_what_torch_cannot_differentiate_ends_the_trace_in_its_error() -> None:
    code = "r = 7 % (x + 1)\nf = r.sum()"
    recorder = Recorder()
    with pytest.raises(RuntimeError, match="derivative") as plain:
        run(code)
    with pytest.raises(RuntimeError, match="derivative") as raised:
        run(code, recorder=recorder)
    assert str(raised.value) == str(plain.value)
    drafts = recorder.drafts
    assert drafts.truncated is None
    assert [each.kind.name for each in drafts.ops] == ["add", "rmod", "sum"]
    assert drafts.passes[-1].error == f"RuntimeError: {raised.value}"


def test_the_regression_has_its_hundred_passes() -> None:
    recorder = Recorder()
    run(PROGRAMS["notebook: regression"], recorder=recorder)
    assert len(recorder.drafts.passes) == 100
    assert len(recorder.drafts.leaves) == 200
    events = list(recorder.drafts.events())
    values = [each for each in events if isinstance(each, Value)]
    named = {values[e.value].name for e in events if isinstance(e, LeafGradient)}
    assert named == {"w", "b"}


def test_two_transforms_in_a_row_are_two_ops() -> None:
    found = ops("f = torch.vmap(torch.cos)(torch.vmap(torch.sin)(x)).sum()\n"
                "def two():\n    return [torch.vmap(torch.sin)(x[i]).sum() for i in (0, 1)]\n"
                "f = f + sum(two())")  # fmt: skip
    assert [each.function for each in found if "opaque" in each.flags] == ["vmap"] * 4


def test_what_two_transforms_gave_is_each_ones_own() -> None:
    found = ops(
        "a = torch.vmap(torch.sin)(x)\nb = torch.vmap(torch.cos)(x)\nf = (b * a).sum()"
    )
    one, other, product, _ = found
    (a,), (b,) = one.outputs, other.outputs
    assert product.arguments == (Ref(b), Ref(a))
    assert len(one.arguments) == len(other.arguments) == 1
