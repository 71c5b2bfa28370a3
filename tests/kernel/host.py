"""A process that holds a kernel and waits to be killed: `python host.py CELL...`.

Prints what the cells print, and "done" after each.
"""

import asyncio
import sys

from tutor.kernel.jupyter import JupyterKernel
from tutor.kernel.outputs import Stream


def say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


async def main(cells: list[str]) -> None:
    kernel = JupyterKernel()
    await kernel.start()
    for cell in cells:
        async for output in kernel.execute(cell):
            if isinstance(output, Stream):
                say(output.text)
        say("done\n")
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
