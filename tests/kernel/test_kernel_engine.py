"""Calls of the engine through a real kernel with torch."""

import pytest
import pytest_asyncio

from tests.kernel.cells import call, failure, rest, result, run
from tutor import messages, wire
from tutor.kernel.jupyter import JupyterKernel
from tutor.kernel.outputs import Done, Payload
from tutor.messages import HelloRequest, ResetDone, ResetRequest, WarmRequest

pytestmark = [pytest.mark.kernel, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(loop_scope="module")
async def torch_kernel(kernel: JupyterKernel) -> JupyterKernel:
    """The kernel after the first hello, which remembers what `reset` restores."""
    if (await run(kernel, "'torch' in globals()", quiet=True)) == [Done("ok")]:
        found = await run(kernel, "import sys; 'tutor.engine.state' in sys.modules")
        if result(found).text == "False":
            (hello,) = await call(kernel, "hello", HelloRequest())
            assert hello.torch is not None
    return kernel


@pytest.mark.parametrize(
    ("code", "note"),
    [
        ("torch.zeros(3, 4)", "shape (3, 4) · float32 · cpu"),
        (
            "torch.tensor(2.0, requires_grad=True) * 3",
            "shape () · float32 · cpu · requires_grad · grad_fn MulBackward0",
        ),
        (
            "torch.nn.Parameter(torch.ones(2, dtype=torch.float64))",
            "shape (2,) · float64 · cpu · requires_grad",
        ),
        ("torch.zeros(2, device='meta')", "shape (2,) · float32 · meta"),
        ("3", None),
        ("[torch.zeros(1)]", None),
        ("torch.Tensor", None),
    ],
)
async def test_notes(torch_kernel: JupyterKernel, code: str, note: str | None) -> None:
    assert result(await run(torch_kernel, f"import torch\n{code}")).note == note


async def test_frames_in_torch_are_folded(torch_kernel: JupyterKernel) -> None:
    code = "import torch\nlayer = torch.nn.Linear(3, 2)\nlayer(torch.ones(4))"
    raised = failure(await run(torch_kernel, code))
    assert raised.line == 3
    assert "calls inside torch, the last to forward()" in raised.traceback
    assert "site-packages" not in raised.traceback


async def test_a_call_leaves_no_trace(torch_kernel: JupyterKernel) -> None:
    code = "x = 5\nx"
    await run(torch_kernel, code)
    names = "sorted(n for n in dir() if not n.startswith('_'))"
    before = result(await run(torch_kernel, names)).text
    await call(torch_kernel, "warm", WarmRequest(0))
    assert result(await run(torch_kernel, names)).text == before


async def test_warming_ends(torch_kernel: JupyterKernel) -> None:
    part = 0
    while (await call(torch_kernel, "warm", WarmRequest(part)))[0].parts_left:
        part += 1
    found = await run(torch_kernel, "import sys; 'torch._dynamo' in sys.modules")
    assert result(found).text == "True"


async def test_a_bug_of_ours_is_a_problem(torch_kernel: JupyterKernel) -> None:
    (problem,) = await call(torch_kernel, "warm", WarmRequest(99))
    assert isinstance(problem, messages.Problem)
    assert problem.message.startswith("IndexError")
    assert "hello.py" in problem.traceback


async def test_an_unknown_function_is_a_problem(torch_kernel: JupyterKernel) -> None:
    (problem,) = await call(torch_kernel, "no such", WarmRequest(0))
    assert isinstance(problem, messages.Problem)


SPOILED = """\
import builtins, gc, os, random, sys, warnings
import numpy, torch
import torch.nn.functional
torch.set_default_dtype(torch.float64)
torch.set_default_device("meta")
torch.set_grad_enabled(False)
torch.autograd.set_detect_anomaly(True)
torch.use_deterministic_algorithms(True)
torch.set_num_threads(3)
torch.set_printoptions(precision=1, sci_mode=True)
torch.set_float32_matmul_precision("medium")
torch.nn.modules.module.register_module_forward_hook(lambda *args: 1 / 0)
from torch.optim.optimizer import register_optimizer_step_pre_hook
register_optimizer_step_pre_hook(lambda *args: 1 / 0)
torch.autograd.graph.saved_tensors_hooks(lambda t: 1 / 0, lambda t: t).__enter__()
class Spy(torch.overrides.TorchFunctionMode):
    def __torch_function__(self, *args): 1 / 0
Spy().__enter__()
builtins.sum = None
os.chdir("/")
os.environ["SPOILED"] = "1"
sys.path.insert(0, "/spoiled")
sys.setrecursionlimit(500)
warnings.simplefilter("error")
gc.disable()
Out[1] = 3
"""
FACTS = """\
import builtins, gc, math, os, random, sys, warnings
import numpy, torch
[
    str(torch.get_default_dtype()), str(torch.ones(1).device),
    torch.is_grad_enabled(), torch.is_anomaly_enabled(),
    torch.are_deterministic_algorithms_enabled(), torch.get_num_threads(),
    repr(torch.tensor(1 / 3)), torch.get_float32_matmul_precision(),
    torch.nn.Linear(1, 1)(torch.ones(1)).shape == (1,),
    torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=0.1).step() is None,
    float((torch.ones(1, requires_grad=True) ** 2).detach()),
    sum([1, 2]), len("abc"),
    os.getcwd(), os.environ.get("SPOILED"), sys.path, sys.getrecursionlimit(),
    warnings.filters, gc.isenabled(),
    random.random(), float(torch.rand(())), numpy.random.rand(),
    In[1:-1], Out,
]
"""


async def facts(kernel: JupyterKernel) -> str:
    found = await run(kernel, FACTS)
    assert found[-1] == Done("ok"), found
    return result(found).text


async def test_reset_restores_the_process(torch_kernel: JupyterKernel) -> None:
    request = ResetRequest(setup="a = 1\ndef f(x): return x + a", seed=7)
    assert await call(torch_kernel, "reset", request) == [ResetDone()]
    before = await facts(torch_kernel)
    found = await run(torch_kernel, SPOILED)
    assert found[-1] == Done("ok"), found
    assert await call(torch_kernel, "reset", request) == [ResetDone()]
    assert await facts(torch_kernel) == before
    found = await run(torch_kernel, "f(2), 'Spy' in globals()")
    assert result(found).text == "(3, False)"


async def test_reset_says_what_setup_raised(torch_kernel: JupyterKernel) -> None:
    request = ResetRequest(setup="a = 1\nb = a / 0")
    (done,) = await call(torch_kernel, "reset", request)
    assert done == ResetDone("ZeroDivisionError: division by zero")
    raised = failure(await run(torch_kernel, "b"))
    assert raised.ename == "NameError"


STREAMING = """\
import sys, types
from tutor.messages import Warmed
module = types.ModuleType("streaming")
def stream(request):
    sent = 0
    try:
        while True:
            yield Warmed(sent)
            sent += 1
    except KeyboardInterrupt:
        yield Warmed(-sent)
module.stream = stream
sys.modules["streaming"] = module
from tutor.engine import bridge
bridge._FUNCTIONS["stream"] = "streaming:stream"
"""


async def test_an_interrupt_reaches_a_stream(torch_kernel: JupyterKernel) -> None:
    """Whenever it comes, no body is lost or sent twice, and the last one is sent."""
    await run(torch_kernel, STREAMING)
    for _ in range(20):
        code = wire.call("stream", "r1", WarmRequest(0))
        running = torch_kernel.execute(code, quiet=True)
        first = await anext(running)
        await torch_kernel.interrupt()
        found = [first, *await rest(running)]
        assert found[-1] == Done("ok")
        sent = [each.message for each in found if isinstance(each, Payload)]
        assert [each.seq for each in sent] == list(range(len(sent)))
        bodies = [each.body.parts_left for each in sent]
        assert bodies[:-1] == list(range(len(sent) - 1))
        assert bodies[-1] in (1 - len(sent), 2 - len(sent))  # before or after the +=
