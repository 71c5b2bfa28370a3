"""A pseudo-terminal that only keeps the time: when which bytes came out."""

import re
import tempfile
import time
from collections.abc import Sequence

from tests.e2e.terminal import DEADLINE_S, Terminal


class Line(Terminal):
    """Shows nothing, so that reading it costs next to nothing."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        columns: int = 80,
        rows: int = 24,
        env: dict[str, str] | None = None,
    ):
        self._home = tempfile.TemporaryDirectory()
        self.began = time.perf_counter()
        super().__init__(
            command,
            columns=columns,
            rows=rows,
            env={
                "TUTOR_HOME": self._home.name,
                "COLORTERM": "truecolor",
                **(env or {}),
            },
        )

    def _show(self, piece: bytes) -> None:
        pass

    def seconds_until(self, pattern: bytes, since: float | None = None) -> float:
        """From `since` (None: the start) until `pattern` was painted."""
        since = self.began if since is None else since
        self.wait_until(lambda: pattern in self.output, repr(pattern))
        return time.perf_counter() - since

    def seconds_until_match(
        self, pattern: re.Pattern[bytes], since: float | None = None
    ) -> float:
        """As `seconds_until`, of a regular expression."""
        since = self.began if since is None else since
        self.wait_until(lambda: pattern.search(self.output), repr(pattern))
        return time.perf_counter() - since

    def read_until(self, moment: float) -> None:
        """Read what comes until that `time.perf_counter()`."""
        while (rest := moment - time.perf_counter()) > 0:
            self._read(rest)

    def forget(self) -> None:
        """Begin a new measurement: what was painted before does not count."""
        self.output = b""

    def settle(self, seconds: float = 0.3) -> None:
        """Read until nothing was painted for a while."""
        deadline = time.perf_counter() + DEADLINE_S
        while self._read(seconds) and time.perf_counter() < deadline:
            pass

    def __exit__(self, *failure: object) -> None:
        super().__exit__(None, None, None)
        self._home.cleanup()
