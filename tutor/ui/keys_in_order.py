"""KeysInOrder: a key acts only after the one before it has done all it does.

Textual hands a key to whoever has the focus when it arrives. Keys that arrive together,
as they do over a slow line, would then miss what the first of them changes: in `Esc h`
the h would still be typed. So each key is followed by a message that takes the same way
through the widgets, and the next key waits for that.
"""

from collections import deque
from typing import TypeVar

from textual import events
from textual.message import Message
from textual.timer import Timer

from tutor.ui.look import LookApp

Result = TypeVar("Result")
PATIENCE_S = 1.0
"""The message is lost where a widget goes away: then the next key goes on anyhow."""


class KeyDone(Message):
    """The key before this has been handled by all who wanted to."""


class KeysInOrder(LookApp[Result]):
    """An App in which typing ahead works."""

    _under_way: Timer | None = None
    """Runs while a key is; None: the next may come."""
    _waiting: deque[events.Key]

    def on_load(self) -> None:
        """Before the first key."""
        self._waiting = deque()

    async def on_event(self, event: events.Event) -> None:
        """Keys one by one; everything else as it comes."""
        if not isinstance(event, events.Key) or event.is_forwarded:
            await super().on_event(event)
        elif self._under_way is not None:
            self._waiting.append(event)
        else:
            await self._take(event)

    async def _take(self, key: events.Key) -> None:
        self._under_way = self.set_timer(PATIENCE_S, self.on_key_done)
        await self.before_key()
        taker = self.focused or self.screen
        await super().on_event(key)
        if not taker.post_message(KeyDone()):
            self.on_key_done()

    async def before_key(self) -> None:
        """A key is about to be taken."""

    def on_key_done(self) -> None:
        """What the key asked of the app in passing stands in the queue before this."""
        if self._under_way is not None:
            self._under_way.stop()
            self.call_later(self._go_on)

    async def _go_on(self) -> None:
        self._under_way = None
        if self._waiting:
            await self._take(self._waiting.popleft())
