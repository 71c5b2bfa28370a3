"""One execute, between the kernel that fills it and the reader that iterates it.

It begins when it is made, not when it is read: nobody has to iterate for the kernel to
go on. Unread text of one stream is handed over as one output.
"""

import asyncio
from collections import deque

from tutor.kernel.outputs import Done, Output, Status, Stream


class Execution:
    """An `AsyncIterator[Output]` whose last item is `Done`; for one reader."""

    def __init__(self, code: str, *, quiet: bool = False, stdin: bool = False) -> None:
        self.code = code
        self.quiet = quiet
        self.stdin = stdin
        self.done: Done | None = None
        self._unread: deque[Output] = deque()
        self._arrived = asyncio.Event()

    def put(self, output: Output) -> None:
        """One more output; ignored after the end."""
        if self.done is None:
            self._unread.append(output)
            self._arrived.set()

    def finish(self, status: Status, cause: str | None = None) -> None:
        """The end; the first one counts."""
        if self.done is None:
            done = Done(status, cause)
            self.put(done)
            self.done = done

    def __aiter__(self) -> "Execution":
        return self

    async def __anext__(self) -> Output:
        while not self._unread:
            if self.done is not None:
                raise StopAsyncIteration
            self._arrived.clear()
            await self._arrived.wait()
        output = self._unread.popleft()
        return self._merged(output) if isinstance(output, Stream) else output

    def _merged(self, first: Stream) -> Stream:
        texts = [first.text]
        while (
            self._unread
            and isinstance(following := self._unread[0], Stream)
            and following.name == first.name
        ):
            texts.append(following.text)
            self._unread.popleft()
        return Stream(first.name, "".join(texts))
