"""From Enter in the console to the painted value, against a bare ipykernel's answer."""

import subprocess
import time

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import start_new_kernel

from bench.figure import Figure, quantile
from bench.line import Line
from bench.start import OURS

TIMES = 60
LIMIT_MS = 40.0


def run() -> list[Figure]:
    """The medians of alternating executions, the first of each left out."""
    manager, client = start_new_kernel(kernel_name="python3", stderr=subprocess.DEVNULL)
    ours, bare = [], []
    with Line(OURS[0]) as line:
        open_console(line)
        for number in range(TIMES + 1):
            bare.append(answer(client))
            ours.append(painted(line, 4211 + 2 * number))
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    mine, other = (quantile(times[1:], 0.5) * 1000 for times in (ours, bare))
    note = f"p50 of {TIMES}, p95 {quantile(ours[1:], 0.95) * 1000:.0f} ms; other: a "
    return [
        Figure(
            "1+1, Enter to painted",
            mine,
            other,
            "ms",
            f"{LIMIT_MS:.0f} ms",
            mine <= LIMIT_MS,
            note + "bare ipykernel's answer, not painted",
        )
    ]


def open_console(line: Line) -> None:
    """Until it has answered once."""
    line.seconds_until(b"quit")
    line.send("c")
    line.seconds_until(b">>>")
    painted(line, 1111)


def painted(line: Line, number: int) -> float:
    """Seconds from Enter until one more than `number` was painted."""
    line.send(f"1+{number}")
    line.seconds_until(str(number).encode())
    line.settle(0.1)
    line.forget()
    began = time.perf_counter()
    line.send("\r")
    seconds = line.seconds_until(str(number + 1).encode(), began)
    line.settle(0.1)
    line.forget()
    return seconds


def answer(client: BlockingKernelClient) -> float:
    """Seconds until the value of 1+1 came."""
    began = time.perf_counter()
    request = client.execute("1+1")
    seconds = 0.0
    while True:
        message = client.get_iopub_msg(timeout=30)
        if message["parent_header"].get("msg_id") != request:
            continue
        if message["msg_type"] == "execute_result":
            seconds = time.perf_counter() - began
        if message["content"].get("execution_state") == "idle":
            break
    client.get_shell_msg(timeout=30)
    return seconds


if __name__ == "__main__":
    from bench.figure import table

    print(table(run()))
