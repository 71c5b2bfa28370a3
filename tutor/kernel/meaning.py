"""What a kernel's messages mean: pure, from Jupyter's words to our outputs.

The words are those of Jupyter's messaging protocol 5.3 as ipykernel speaks it, with what
`engine.shell` adds. A message that is malformed means nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from tutor import wire
from tutor.errors import WireError
from tutor.kernel.base import Completion
from tutor.kernel.outputs import (
    Clear,
    Display,
    Failure,
    InputRequest,
    Notice,
    Output,
    Payload,
    Result,
    Stream,
)
from tutor.messages import Overflowed

SHOWN_CHARACTERS = 2_000_000
"""Of all text of one cell; what it prints is limited before, in the kernel."""
VALUE_CHARACTERS = 100_000
"""Of one value's repr, or of one traceback."""

_KEEPS_RUNNING = "The kernel keeps running: exit() and quit() do nothing here."


def outputs(kind: str, content: Mapping[str, Any]) -> list[Output]:
    """What a message of the iopub channel shows."""
    match kind:
        case "stream":
            text = _text(content, "text")
            is_error = content.get("name") == "stderr"
            return [Stream("stderr" if is_error else "stdout", text)]
        case "execute_result":
            data = content.get("data", {})
            note = _text(data, wire.NOTE_MIME) or None
            return _cut(Result(_text(data, "text/plain"), note))
        case "display_data" | "update_display_data":
            return _displayed(content.get("data", {}))
        case "error":
            return _cut(_failure(content))
        case "clear_output":
            return [Clear()]
    return []


def of_reply(content: Mapping[str, Any]) -> list[Output]:
    """What the reply to an execute says beside its status."""
    found: list[Output] = []
    for payload in content.get("payload", ()):
        if payload.get("source") == "ask_exit":
            found.append(Notice(_KEEPS_RUNNING))
        elif payload.get("source") == "page":
            found += _cut(Display(_text(payload.get("data", {}), "text/plain")))
    return found


def input_request(content: Mapping[str, Any]) -> InputRequest:
    """The cell waits in `input()` or `getpass()`."""
    return InputRequest(_text(content, "prompt"), content.get("password") is True)


def completion(content: Mapping[str, Any]) -> Completion | None:
    """None when there is nothing to offer."""
    matches = tuple(map(str, content.get("matches", ())))
    if not matches:
        return None
    return Completion(matches, content["cursor_start"], content["cursor_end"])


def _displayed(data: Mapping[str, Any]) -> list[Output]:
    if wire.MIME not in data:
        text = _text(data, "text/plain")
        return _cut(Display(text)) if text else []
    try:
        message = wire.loads(_text(data, wire.MIME))
    except WireError as error:
        return [Notice(f"A message of the engine was lost: {error}")]
    if isinstance(message.body, Overflowed):
        return [Notice(_overflowed(message.body))]
    return [Payload(message)]


def _overflowed(told: Overflowed) -> str:
    if told.file is None:
        return "This cell prints a lot: the rest is not shown, and there is no room for it."
    return f"This cell prints a lot: the rest is in {told.file}"


def _failure(content: Mapping[str, Any]) -> Failure:
    line = content.get("line")
    return Failure(
        _text(content, "ename"),
        _text(content, "evalue"),
        "\n".join(map(str, content.get("traceback", ()))),
        line if isinstance(line, int) else None,
    )


def _text(content: Mapping[str, Any], key: str) -> str:
    found = content.get(key, "")
    return found if isinstance(found, str) else ""


def _cut(output: Result | Display | Failure) -> list[Output]:
    text = output.traceback if isinstance(output, Failure) else output.text
    if len(text) <= VALUE_CHARACTERS:
        return [output]
    shown = text[:VALUE_CHARACTERS]
    notice = Notice(f"Only the first {VALUE_CHARACTERS} of {len(text)} characters.")
    if isinstance(output, Failure):
        return [replace(output, traceback=shown), notice]
    return [replace(output, text=shown), notice]


class Allowance:
    """Bounds the text of one execute: a kernel could send more than it should."""

    def __init__(self) -> None:
        self._left = SHOWN_CHARACTERS

    def admit(self, found: Iterable[Output]) -> list[Output]:
        """What may be shown of it."""
        admitted: list[Output] = []
        for output in found:
            if not isinstance(output, (Stream, Result, Display)):
                admitted.append(output)
            elif self._left > 0:
                admitted.append(replace(output, text=output.text[: self._left]))
                self._left -= len(output.text) + 1  # so that empty ones end, too
                if self._left <= 0:
                    admitted.append(Notice("The rest of this output is not shown."))
        return admitted
