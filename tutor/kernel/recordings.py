"""The walks that a cell asked for, put together of their messages. Pure."""

from tutor.errors import WireError
from tutor.graph.trace import TracePart, assemble
from tutor.kernel.outputs import Notice, Output, Payload, Recording


class Recordings:
    """Of one cell."""

    def __init__(self) -> None:
        self._parts: dict[str, list[TracePart]] = {}

    def take(self, output: Output) -> Output | None:
        """The output; for the last part of a trace the whole; None for its other parts."""
        if not isinstance(output, Payload):
            return output
        message = output.message
        part = message.body
        if not isinstance(part, TracePart):
            return output
        parts = self._parts.setdefault(message.id, [])
        parts.append(part)
        if part.end is None:
            return None
        del self._parts[message.id]
        try:
            if len(parts) != message.seq + 1:
                raise WireError("some of its messages were lost.")
            return Recording(assemble(parts))
        except WireError as error:
            return Notice(f"What was recorded cannot be walked: {error}")
