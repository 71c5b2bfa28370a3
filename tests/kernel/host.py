"""A process that holds a kernel and waits to be killed: `python host.py CELL`.

Prints the pids that the cell prints, of the kernel and of what it started.
"""

import asyncio
import sys

from tutor.kernel.jupyter import JupyterKernel
from tutor.kernel.outputs import Done, Stream


async def main(cell: str) -> None:
    kernel = JupyterKernel()
    await kernel.start()
    async for output in kernel.execute(cell):
        if isinstance(output, Stream):
            sys.stdout.write(output.text)
            sys.stdout.flush()
        elif isinstance(output, Done):
            sys.stdout.write("done\n")
            sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
