"""What `tutor.watch` costs a learner's loop: the same loop with and without it, in turn,
in one cell of a real kernel, while this process takes the points in. By processor time, as
the kernel has two threads at work.
"""

import asyncio
import json

from bench.figure import Figure, quantile
from tutor.kernel.base import KernelOptions
from tutor.kernel.jupyter import JupyterKernel
from tutor.kernel.outputs import Stream
from tutor.progress import Progress
from tutor.session import Session

LIMIT = 0.85
CELL = """\
import json, time, torch, tutor
torch.set_num_threads(1)
g = torch.Generator().manual_seed(0)
x = torch.randn(1000, 1, generator=g)
y = -5 * x + 2 + torch.randn(1000, 1, generator=g)

def loop(iterations, watch):
    w, b = (torch.zeros(1, requires_grad=True) for _ in range(2))
    began = time.process_time()
    for _ in range(iterations):
        rows = torch.randint(1000, (4,), generator=g)
        loss = ((x[rows] * w + b - y[rows]) ** 2).mean()
        loss.backward()
        with torch.no_grad():
            for leaf in (w, b):
                leaf -= 0.01 * leaf.grad
                leaf.grad = None
        watch(loss, w=w, b=b)
    return (time.process_time() - began) / iterations * 1e6

def calls(count, watch, loss=torch.tensor(1.0), w=torch.zeros(1), b=torch.zeros(1)):
    began = time.process_time()
    for _ in range(count):
        watch(loss, w=w, b=b)
    return (time.process_time() - began) / count * 1e6

def nothing(loss, **named): pass

loop(500, tutor.watch)
for _ in range(9):
    print(json.dumps([loop(3000, nothing), loop(3000, tutor.watch),
                      calls(5000, nothing), calls(5000, tutor.watch)]))
"""


def run() -> list[Figure]:
    """Medians of the pairs; the call alone by its quickest piece."""
    pairs = asyncio.run(_measure())
    ratio = quantile([bare / seen for bare, seen, _, _ in pairs], 0.5)
    bare = quantile([each[0] for each in pairs], 0.5)
    call = min(each[3] for each in pairs) - min(each[2] for each in pairs)
    return [
        Figure(
            "iterations/s, own loop watched",
            1e6 / bare * ratio,
            1e6 / bare,
            "/s",
            f"{LIMIT}x",
            ratio >= LIMIT,
            f"batch 4, loss, w and b; {call:.1f} us a call; other: not watched",
        )
    ]


async def _measure() -> list[list[float]]:
    session = Session(JupyterKernel, Progress(None), KernelOptions())
    await session.start()
    try:
        printed = ""
        async for output in session.execute(CELL):
            if isinstance(output, Stream) and output.name == "stdout":
                printed += output.text
    finally:
        await session.close()
    return [json.loads(line) for line in printed.splitlines()]
