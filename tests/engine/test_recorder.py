"""The recorder on small programs: names, order, versions, faults, and leaving no mark."""

import gc
import math
import weakref

import pytest
import torch
from torch import nn

from tutor.engine import trace as tracing
from tutor.engine.recorder import Recorder
from tutor.engine.trace import record
from tutor.errors import TutorError
from tutor.graph import names
from tutor.graph.draw import Sketch
from tutor.graph.requests import TraceRequest
from tutor.graph.steps import WINDOW, walk
from tutor.graph.trace import Const, Op, Ref, Trace, assemble
from tutor.wire import from_json, to_json

SEED = "q = x**2\nu = 3 * q\nz = 2 * y\nf = u + z"


def traced(code: str, **at: object) -> Trace:
    trace = record(TraceRequest(code, at))
    assert trace.end.truncated is None
    return trace


def op(trace: Trace, label: str) -> Op:
    return next(each for each in trace.ops if each.label == label)


def scalars(trace: Trace) -> dict[str, float | None]:
    return {
        each.name: each.summary.scalar for each in trace.values if each.name is not None
    }


def grads(trace: Trace) -> dict[str | None, object]:
    return {
        trace.values[leaf.value].name: leaf.after.scalar or leaf.after.values
        for leaf in trace.leaves
    }


def test_the_seed() -> None:
    trace = traced(SEED, x=2, y=5)
    assert scalars(trace) == {"x": 2, "y": 5, "q": 4, "u": 12, "z": 10, "f": 22}
    assert [each.function for each in trace.ops] == ["pow", "mul", "mul", "add"]
    assert [each.symbol for each in trace.ops] == ["sqr", "*", "*", "+"]
    assert [trace.ops[node.op or 0].label for node in trace.nodes] == [
        "u + z", "2 * y", "3 * q", "x**2",
    ]  # fmt: skip
    assert grads(trace) == {"x": 12, "y": 2}
    assert [rule.text for rule in trace.rules] == ["2x", "3", "2", "1", "1"]
    assert {rule.check for rule in trace.rules} == {"ok"}


@pytest.mark.parametrize(
    ("code", "inputs"),
    [
        ("3 * x", [3, "x"]),
        ("x * 3", ["x", 3]),
        ("1.5 + x", [1.5, "x"]),
        ("x + 1.5", ["x", 1.5]),
        ("2 - x", [2, "x"]),
        ("x - 2", ["x", 2]),
        ("1 / x", [1, "x"]),
        ("2 ** x", [2, "x"]),
        ("-3 * x", [-3, "x"]),
        ("k = 3\nk * x", [3, "x"]),
        ("k = 3\nx * k", ["x", 3]),
        ("k = 2\n(k + 1) * x", [3, "x"]),
        ("x.k = 3\nx.k * x", [3, "x"]),
        ("x *\\\n 3", ["x", 3]),
    ],
)
def test_constants_stand_where_they_were_written(
    code: str, inputs: list[object]
) -> None:
    trace = traced(code, x=2)
    found = [
        trace.values[each.value].name if isinstance(each, Ref) else each.value
        for each in trace.ops[-1].arguments
        if isinstance(each, (Ref, Const))
    ]
    assert found == inputs


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("f = x * 2", "f"),
        ("f = g = x * 2", "f"),
        ("a, f = 1, x * 2", "f"),
        ("if (f := x * 2) > 0: pass", "f"),
        ("f: object = x * 2", "f"),
        ("f = x + 1\nf *= 2", "f"),
        ("class A: pass\na = A()\na.h = x * 2", "a.h"),
        ("def g(t):\n    return t * 2\nf = g(x)", "f"),
        ("def g(t):\n    return t * 2\ndef h(t):\n    return g(t)\nf = h(x)", "f"),
        ("f = (lambda t: t * 2)(x)", "f"),
        ("f = x.mul(\n    2\n)", "f"),
        ("z = [x * 2]", None),
        ("f = abs(x * 2)", "f"),
        ("ü = x * 2", "ü"),
    ],
)
def test_names_are_those_of_the_source(code: str, name: str | None) -> None:
    trace = traced(code + "\nlast = 0", x=2)
    ops = [each for each in trace.ops if each.function not in ("gt", "bool")]
    assert trace.values[ops[-1].outputs[0]].name == name


def test_a_span_counts_characters_not_bytes() -> None:
    source = traced("ä = 'öü'; f = x * 2", x=2).ops[0].source
    assert source is not None
    assert (source.line, source.column, source.end_column) == (1, 14, 19)


def test_several_outputs_have_their_own_names() -> None:
    trace = traced("a, b = x.chunk(2)\nf = (a * b).sum()", x=[1.0, 2.0])
    assert [trace.values[each].name for each in trace.ops[0].outputs] == ["a", "b"]
    assert grads(trace) == {"x": (2.0, 1.0)}


def test_backward_three_times_accumulates() -> None:
    trace = traced(
        "for _ in range(3):\n    y = 3 * x**2 + 2 * x\n    y.backward()", x=5.3
    )
    assert [each.number for each in trace.passes] == [1, 2, 3]
    before = [leaf.before and leaf.before.scalar for leaf in trace.leaves]
    assert before == [None, pytest.approx(33.8), pytest.approx(67.6)]
    assert trace.leaves[-1].after.scalar == pytest.approx(101.4)
    assert trace.end.root == trace.passes[-1].root


def test_torch_autograd_backward_and_grad_are_passes_too() -> None:
    trace = traced(
        "torch.autograd.backward(x * 2)\ng, = torch.autograd.grad(x**3, x)", x=2
    )
    assert len(trace.passes) == 2
    assert grads(trace) == {"x": 2}
    assert scalars(trace)["g"] == 12


def test_a_second_derivative() -> None:
    code = "g, = torch.autograd.grad(x**3, x, create_graph=True)\ng.backward()"
    trace = traced(code, x=2)
    assert grads(trace) == {"x": 12}
    assert all(node.op is not None for node in trace.nodes)


def test_in_place_makes_another_value_of_the_same_tensor() -> None:
    trace = traced("h = x * 1\nh *= 3\nf = h.sum()", x=[1.0, 2.0])
    h = [each for each in trace.values if each.name == "h"]
    assert [each.summary.values for each in h] == [(1, 2), (3, 6)]
    assert h[0].tensor == h[1].tensor
    assert trace.ops[1].flags == ("inplace",)
    assert trace.ops[1].label == "h *= 3"
    assert grads(trace) == {"x": (3.0, 3.0)}


def test_a_write_through_a_view_is_noticed() -> None:
    trace = traced("h = x * 1\nh.view(2)[0].mul_(5)\nf = h.sum()", x=[1.0, 2.0])
    last = [each for each in trace.values if each.name == "h"][-1]
    assert last.summary.values == (5.0, 2.0)
    assert grads(trace) == {"x": (5.0, 1.0)}


def test_no_grad_is_marked() -> None:
    trace = traced("with torch.no_grad():\n    q = x * 2\nf = q * x", x=2)
    assert "nograd" in trace.ops[0].flags
    assert "nograd" not in trace.ops[1].flags


def test_a_custom_function_is_one_op() -> None:
    code = (
        "class Cube(torch.autograd.Function):\n"
        "    @staticmethod\n"
        "    def forward(ctx, x):\n"
        "        ctx.save_for_backward(x)\n"
        "        return x * x * x\n"
        "    @staticmethod\n"
        "    def backward(ctx, g):\n"
        "        x, = ctx.saved_tensors\n"
        "        return 3 * x * x * g\n"
        "f = Cube.apply(x) * 2\n"
    )
    trace = traced(code, x=2)
    assert [(each.function, each.flags) for each in trace.ops] == [
        ("cube", ("unseen",)), ("mul", ()),
    ]  # fmt: skip
    assert grads(trace) == {"x": 24}


def test_vmap_is_one_op_that_was_not_looked_into() -> None:
    trace = traced("f = torch.vmap(lambda t: t.sin() * 2)(x).sum()", x=[1.0, 2.0])
    first, total = trace.ops
    assert (first.function, first.flags) == ("vmap", ("opaque",))
    assert first.arguments == (Ref(0),)
    assert trace.values[first.outputs[0]].summary.values == pytest.approx(
        (2 * math.sin(1), 2 * math.sin(2))
    )
    assert total.arguments == (Ref(first.outputs[0]),)
    assert all(node.op is not None for node in trace.nodes)
    assert grads(trace) == {
        "x": pytest.approx((2 * math.cos(1), 2 * math.cos(2))),
    }


def test_modules_give_their_parameters_names() -> None:
    code = "net = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1)).double()\ny = net(x)\nf = y.sum()"
    trace = traced(code, x=[1.0, 2.0])
    parameters = [each.name for each in trace.values if each.role == "parameter"]
    assert sorted(map(str, parameters)) == [
        "net.0.bias", "net.0.weight", "net.2.bias", "net.2.weight",
    ]  # fmt: skip
    linear, tanh, last, _ = (each for each in trace.ops if "creation" not in each.flags)
    assert [linear.module, tanh.module, last.module] == ["net.0", "net.1", "net.2"]
    assert trace.values[linear.outputs[0]].name is None
    assert trace.values[last.outputs[0]].name == "y"
    assert names.statement(trace, linear) == "linear(x, net.0.weight, net.0.bias)"


def test_a_module_of_the_learner_names_what_its_forward_assigns() -> None:
    code = (
        "class Net(nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.fc = nn.Linear(2, 2)\n"
        "    def forward(self, x):\n"
        "        h = self.fc(x)\n"
        "        return h.relu()\n"
        "net = Net().double()\n"
        "y = net(x)\n"
        "f = y.sum()\n"
    )
    trace = traced(code, x=[1.0, 2.0])
    made = {op.function: trace.values[op.outputs[0]].name for op in trace.ops}
    assert made == {"linear": "h", "relu": "y", "sum": "f"}
    assert trace.ops[0].calls == ("forward",)


def test_seventeen_layers() -> None:
    layers = [
        "nn.Conv2d(2, 3, 3)", "nn.BatchNorm2d(2)", "nn.MaxPool2d(2)", "nn.GroupNorm(2, 2)",
        "nn.Upsample(scale_factor=2)", "nn.ConvTranspose2d(2, 2, 2)", "nn.LayerNorm(6)",
        "nn.Dropout(0.5)", "nn.PReLU()", "nn.GELU()", "nn.Linear(6, 2)", "nn.Flatten()",
        "nn.AvgPool2d(2)", "nn.Softmax(-1)", "nn.InstanceNorm2d(2)", "nn.ELU()", "nn.SiLU()",
    ]  # fmt: skip
    for layer in layers:
        code = (
            f"torch.manual_seed(0)\nnet = {layer}.double()\n"
            "f = (net(x.reshape(1, 2, 6, 6)) ** 2).sum()"
        )
        at = [float(number % 7) for number in range(72)]
        trace = traced(code, x=at)
        assert trace.fault is None, layer
        assert all(node.op is not None for node in trace.nodes), layer


def test_recurrent_layers_and_attention() -> None:
    for layer, call in [
        ("nn.GRU(3, 4)", "net(x)[0]"),
        ("nn.LSTM(3, 4)", "net(x)[0]"),
        ("nn.MultiheadAttention(3, 1)", "net(x, x, x)[0]"),
        ("nn.TransformerEncoderLayer(3, 1, 8, dropout=0.0)", "net(x)"),
    ]:
        code = f"net = {layer}.double()\nf = ({call} ** 2).sum()"
        trace = traced(code, x=[[[1.0, 2.0, 3.0]], [[3.0, 1.0, 0.5]]])
        assert trace.fault is None, layer
        assert all(node.op is not None for node in trace.nodes), layer


# ---------------------------------------------------------------------------- the root


def test_the_last_expression_is_the_root() -> None:
    trace = traced("q = x * 2\nq * 3\n", x=2)
    assert grads(trace) == {"x": 6}


def test_else_the_last_assignment_is() -> None:
    trace = traced("q = x * 2\nf = q * 3\nprint(end='')", x=2)
    assert grads(trace) == {"x": 6}


@pytest.mark.parametrize("code", ["x", "x.backward()", "f = x"])
def test_a_leaf_may_be_the_root(code: str) -> None:
    trace = traced(code, x=2)
    assert trace.fault is None
    assert grads(trace) == {"x": 1}
    assert [step.kind for step in walk(trace).steps] == ["leaf"]


def test_or_the_name_that_is_asked_for() -> None:
    trace = record(TraceRequest(SEED, {"x": 2, "y": 5}, root="u"))
    assert grads(trace) == {"x": 12}


def test_a_function_is_called() -> None:
    code = "def f(x, y):\n    q = x ** 2\n    return 3 * q + 2 * y"
    trace = record(TraceRequest(code, {"x": 2, "y": 5}, call="f"))
    assert grads(trace) == {"x": 12, "y": 2}
    assert trace.values[trace.end.root or 0].name == "f"
    assert trace.ops[0].source is not None
    assert trace.ops[0].source.line == 2


# ------------------------------------------------------------------------------- faults


def test_an_exception_leaves_the_trace_until_there() -> None:
    trace = traced("q = x * 2\nu = q + nothing\nf = u", x=2)
    assert trace.fault is not None
    assert trace.fault.text == "NameError: name 'nothing' is not defined"
    assert (trace.fault.line, trace.fault.stage) == (2, "run")
    assert [each.label for each in trace.ops] == ["x * 2"]


def test_a_call_of_torch_that_raises_is_in_the_trace() -> None:
    trace = traced("q = x * 2\nf = q @ q", x=2)
    assert trace.ops[-1].label == "q @ q"
    assert trace.ops[-1].error is not None
    assert trace.fault is not None
    assert trace.fault.line == 2


def test_code_that_does_not_parse() -> None:
    trace = traced("q = x *\n", x=2)
    assert trace.fault is not None
    assert (trace.fault.line, trace.fault.stage) == (1, "parse")
    assert not trace.ops


@pytest.mark.parametrize(
    "stop", ["raise KeyboardInterrupt", "exit()", "raise SystemExit"]
)
def test_an_interrupt_and_an_exit_end_the_code_alone(stop: str) -> None:
    trace = traced(f"q = x * 2\n{stop}", x=2)
    assert trace.fault is not None
    assert len(trace.ops) == 1


def test_a_root_that_is_no_scalar_has_torchs_own_reason() -> None:
    trace = traced("x * 2", x=[1.0, 2.0])
    assert trace.fault is not None
    assert "grad can be implicitly created only for scalar outputs" in trace.fault.text
    ones = record(TraceRequest("x * 2", {"x": [1.0, 2.0]}, grad="ones"))
    assert grads(ones) == {"x": (2.0, 2.0)}
    assert len(ones.ops) == 1
    given = record(TraceRequest("x * 2", {"x": [1.0, 2.0]}, grad="[1, 10]"))
    assert grads(given) == {"x": (2.0, 20.0)}


@pytest.mark.parametrize("code", ["3", "f = 'word'", "for t in []: pass", ""])
def test_without_a_tensor_there_is_no_way_back(code: str) -> None:
    trace = traced(code, x=2)
    assert trace.fault is not None
    assert trace.fault.stage == "backward"
    assert "go backward from" in trace.fault.text


def test_a_freed_graph() -> None:
    trace = traced("f = x**2\nf.backward()\nf.backward()", x=2)
    assert trace.fault is not None
    assert "second time" in trace.fault.text
    assert len(trace.leaves) == 1


def test_leaves_that_cannot_be_made() -> None:
    with pytest.raises(TutorError, match="equally long"):
        record(TraceRequest("x", {"x": [[1, 2], [3]]}))
    with pytest.raises(TutorError, match="float64 or float32"):
        record(TraceRequest("x", {"x": 1}, dtype="int64"))


def test_over_the_limit_the_code_runs_on() -> None:
    code = "for turn in range(50):\n    x = x * 1.0\nx.backward()\n"
    trace = record(TraceRequest(code, {"x": 2}, op_limit=20))
    assert len(trace.ops) == 21
    assert trace.ops[-1].flags == ("unseen",)  # all that came after
    assert trace.end.truncated is not None
    assert trace.fault is None
    assert [leaf.after.scalar for leaf in trace.leaves] == [1.0]


def test_a_fault_of_the_recorder_is_not_the_learners(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    x = torch.tensor(2.0, requires_grad=True)

    def fail(self: object, tensor: object) -> None:
        raise ZeroDivisionError("planted")

    with Recorder({"x": x}) as recorder:
        q = x * 2
        monkeypatch.setattr("tutor.engine.summary.Summaries.take", fail)
        u = q * 3
        u.backward()
    assert x.grad is not None
    assert x.grad.item() == 6
    assert "planted" in str(recorder.drafts.truncated)
    assert len(recorder.drafts.values) >= 2


# ---------------------------------------------------------------------- leaving no mark


def test_no_hook_and_no_reference_is_left() -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    calls: list[object] = []

    def run() -> list[weakref.ref[torch.Tensor]]:
        net = nn.Linear(2, 2)
        with Recorder({"x": x}) as recorder:
            y = net(x).sum()
            y.backward()
        count = len(recorder.drafts.ran) + len(recorder.drafts.leaves)
        recorder._ledger.listening = True  # a hook left behind would note what it sees
        net(x).sum().backward()
        calls.append(len(recorder.drafts.ran) + len(recorder.drafts.leaves) - count)
        return [weakref.ref(each) for each in (net.weight, net.bias, y)]

    held = run()
    gc.collect()
    assert [each() for each in held] == [None, None, None]
    assert calls == [0]
    assert x._backward_hooks is None
    assert not nn.modules.module._global_forward_hooks
    assert not nn.modules.module._global_forward_pre_hooks


def test_the_random_state_is_as_without_recording() -> None:
    code = "h = F.dropout(x, 0.5)\nf = (h * torch.randn(4, dtype=torch.float64)).sum()"
    at = [1.0, 2.0, 3.0, 4.0]
    torch.manual_seed(3)
    found = grads(traced(code, x=at))
    after = torch.rand(1)
    torch.manual_seed(3)
    assert torch.equal(after, torch.rand(1))
    torch.manual_seed(3)
    x = torch.tensor(at, dtype=torch.float64, requires_grad=True)
    f = torch.nn.functional.dropout(x, 0.5)
    (f * torch.randn(4, dtype=torch.float64)).sum().backward()
    assert x.grad is not None
    assert found == {"x": tuple(x.grad.tolist())}


def test_what_the_code_sets_for_all_of_torch_is_put_back() -> None:
    traced(
        "torch.set_default_dtype(torch.float64)\ntorch.set_grad_enabled(False)\nx * 2",
        x=2,
    )
    assert torch.get_default_dtype() is torch.float32
    assert torch.is_grad_enabled()


def test_the_learners_names_can_be_seen_and_stay(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import tutor.engine.bridge as bridge

    w = torch.tensor(4.0, requires_grad=True)
    learners = {"w": w}
    monkeypatch.setattr(bridge, "namespace", lambda: learners)
    trace = record(TraceRequest("f = w * x", {"x": 2}, from_namespace=True))
    assert scalars(trace) == {"x": 2, "w": 4, "f": 8}
    assert learners == {"w": w}


@pytest.mark.parametrize("how", ["transposed", "expanded", "every other one"])
def test_a_large_tensor_in_another_order_is_told_the_same(how: str) -> None:
    values = torch.arange(24_000.0).reshape(60, 80, 5)
    shown = {
        "transposed": values.transpose(0, 2),
        "expanded": values[:, :1, :].expand(60, 80, 5),
        "every other one": values[::2, 1:],
    }[how]
    with Recorder() as recorder:
        shown + 0
    told = recorder.drafts.values[0].taken.summary
    assert (told.low, told.high) == (float(shown.min()), float(shown.max()))
    assert told.head == tuple(shown.reshape(-1)[:6].tolist())


def test_a_large_tensor_is_told_in_statistics() -> None:
    trace = traced("h = torch.arange(100.) * x\nh[3] = float('nan')\nf = h.sum()", x=2)
    summary = [each for each in trace.values if each.name == "h"][-1].summary
    assert summary.values is None
    assert (summary.low, summary.high, summary.nonfinite) == (0, 198, 1)
    assert summary.mean == pytest.approx((9900 - 6) / 99)
    assert summary.head[:3] == (0, 2, 4)


def test_integers_booleans_and_complex_numbers() -> None:
    trace = traced(
        "n = torch.tensor([1, 2])\nb = n > 1\nc = torch.complex(x, x)\nf = c.real", x=2
    )
    shown = [
        (each.name, each.summary.dtype, each.summary.values) for each in trace.values
    ]
    assert shown[1:4] == [
        ("n", "int64", (1, 2)),
        ("b", "bool", (0, 1)),
        ("c", "complex128", (2, 2)),
    ]
    assert grads(trace) == {"x": 1}


def test_a_long_walk_shows_the_op_under_way() -> None:
    code = "for turn in range(60):\n    x = torch.sin(x * 1.5) + y\nf = x"
    walked = walk(traced(code, x=0.5, y=0.25))
    views = set()
    for place in range(len(walked.steps) + 1):
        scene = walked.view(place)
        views.add(scene)
        assert len(scene.ops) == WINDOW
        step = walked.step(place)
        if step is not None and step.op is not None:
            assert step.op in scene.ops
    assert len(views) < 25
    drawn = Sketch(walked, walked.view(100)).draw(100).text()
    assert "║" in drawn


def test_the_handler_sends_parts() -> None:
    sent = list(tracing.trace(TraceRequest(SEED, {"x": 2, "y": 5})))
    assert [each.end is None for each in sent] == [True, False]
    assert assemble(sent).end.root == 5


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_traced_function_on_cuda() -> None:
    code = (
        "net = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1)).to('cuda')\n"
        "f = (net(x.to('cuda', torch.float32)) ** 2).mean()\n"
    )
    at = [[0.5, -1.0, 2.0], [1.0, 0.0, 0.25]]
    torch.manual_seed(0)
    trace = traced(code, x=at)
    assert trace.fault is None
    assert all(node.op is not None for node in trace.nodes)
    assert {each.device for each in trace.values} == {"cpu", "cuda:0"}
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1)).to("cuda")
    x = torch.tensor(at, dtype=torch.float64, requires_grad=True)
    (net(x.to("cuda", torch.float32)) ** 2).mean().backward()
    assert x.grad is not None
    after = next(
        leaf.after for leaf in trace.leaves if trace.values[leaf.value].name == "x"
    )
    assert after.values == tuple(x.grad.reshape(-1).tolist())
    weight = next(net.parameters()).grad
    assert weight is not None
    after = next(
        leaf.after
        for leaf in trace.leaves
        if trace.values[leaf.value].name == "net.0.weight"
    )
    assert after.values == tuple(weight.double().reshape(-1).tolist())


def test_a_leaf_that_is_not_finite() -> None:
    request = TraceRequest("y = x * 2", {"x": [math.inf, -math.inf, 1.0]}, grad="ones")
    sent = from_json(TraceRequest, to_json(request))  # as it comes over the wire
    (x,) = (value for value in record(sent).values if value.name == "x")
    assert x.summary.values == (math.inf, -math.inf, 1.0)
