"""Completer: asks what fits at an editor's cursor, and shows it in a CompletionList.

Typing never waits: the kernel is asked in a worker, and an answer about a text that has
changed meanwhile is dropped.
"""

import asyncio
from collections.abc import Awaitable, Callable

from textual.widgets import TextArea

from tutor.editing import Offer, offer
from tutor.kernel.base import Completion
from tutor.ui.widgets.completion_list import ROWS, CompletionList

Complete = Callable[[str, int], Awaitable[Completion | None]]

_PAUSE_S = 0.1
"""Of typing, before the kernel is asked about what was typed."""
_MOVES = {"up": -1, "down": 1, "pageup": -ROWS, "pagedown": ROWS}


class Completer:
    """The completion of one editor."""

    def __init__(self, editor: TextArea, complete: Complete) -> None:
        self._editor = editor
        self._complete = complete
        self._list = CompletionList()
        self._offer: Offer | None = None
        """What is shown, before it is narrowed; None: nothing is."""
        self._seen = ("", 0)
        """The text and the cursor that the list was made for."""

    @property
    def is_open(self) -> bool:
        return self._offer is not None

    def ask(self) -> None:
        """Tab: insert what is certain, show the rest."""
        self._start(0.0, asked=True)

    def take_key(self, key: str) -> bool:
        """Use a key while the list is open; False: it is not for the list."""
        if self._offer is None:
            return False
        if key in _MOVES:
            self._list.chosen += _MOVES[key]
        elif key in ("tab", "enter"):
            self._insert(self._offer.start, self._list.match)
            self.close()
        elif key == "escape":
            self.close()
        else:
            return False
        return True

    def follow(self) -> None:
        """The text or the cursor has changed: narrow the list, ask anew, or close."""
        if self._offer is None:
            return
        code, cursor = place = self._place()
        if place == self._seen:
            return
        only_moved, self._seen = code == self._seen[0], place
        typed = code[self._offer.start : cursor]
        if only_moved or cursor < self._offer.start or not _is_name(typed):
            self.close()
            return
        narrowed = self._offer.narrowed(typed)
        if narrowed.matches and narrowed.matches != (typed,):
            self._show(narrowed, typed)
        elif typed.endswith("."):
            self._list.hide()
            self._start(_PAUSE_S, asked=False)
        else:
            self.close()

    def close(self) -> None:
        """Show nothing, and forget a question on its way."""
        self._offer = None
        self._list.hide()
        self._editor.workers.cancel_group(self._editor, "completion")

    def remove(self) -> None:
        """The editor goes away."""
        if self._list.is_attached:
            self._list.remove()

    def _start(self, pause: float, *, asked: bool) -> None:
        self._editor.run_worker(
            self._ask(pause, asked),
            group="completion",
            exclusive=True,
            exit_on_error=False,
        )

    async def _ask(self, pause: float, asked: bool) -> None:
        await asyncio.sleep(pause)
        code, cursor = place = self._place()
        answer = await self._complete(code, cursor)
        if answer is None or place != self._place() or not self._editor.has_focus:
            return
        found = offer(answer, code, cursor)
        typed = code[found.start : cursor]
        if not found.matches or found.matches == (typed,):
            self.close()
            return
        certain = found.common
        if asked and len(certain) > len(typed) and certain.startswith(typed):
            self._insert(found.start, certain)
            typed = certain
        if len(found.matches) == 1 and asked:
            self._insert(found.start, found.matches[0])
            self.close()
            return
        self._offer = found
        self._seen = self._place()
        self._show(found, typed)

    def _show(self, shown: Offer, typed: str) -> None:
        if not self._list.is_attached:
            self._editor.screen.mount(self._list)
        self._list.show(shown, self._editor.cursor_screen_offset, typed)

    def _place(self) -> tuple[str, int]:
        editor = self._editor
        lines = editor.text.split("\n")
        row, column = editor.cursor_location
        return editor.text, sum(len(line) + 1 for line in lines[:row]) + column

    def _insert(self, start: int, text: str) -> None:
        """Put `text` in place of the code from `start` to the cursor."""
        editor = self._editor
        code, cursor = self._place()
        if code[start:cursor] != text:
            row, column = editor.cursor_location
            begin = (row, max(0, column - (cursor - start)))
            editor.replace(text, begin, (row, column), maintain_selection_offset=False)


def _is_name(typed: str) -> bool:
    return all(each.isalnum() or each in "_.%" for each in typed)
