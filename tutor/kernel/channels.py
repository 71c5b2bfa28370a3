"""The sockets to one kernel, and the signed messages on them (Jupyter protocol 5.3).

Everything that arrives is read as soon as the event loop is free, whoever wants it; a
kernel whose reader is late waits (`engine.shell`). What is said is left to `meaning`.
"""

import asyncio
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import zmq

from tutor.kernel.connection import Connection

Channel = Literal["shell", "iopub", "stdin"]
"""Those that we use; the control channel and the heartbeat ask nothing we need."""

_DELIMITER = b"<IDS|MSG>"
_AT_ONCE = 50
"""Messages of one channel handled before the event loop may do other things."""
_RETRY_MS = 10
"""How often a socket looks for a kernel that is still starting."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One message of the kernel."""

    kind: str
    parent: str
    """The id of the request that it belongs to; "" for none."""
    content: Mapping[str, Any]


class Channels:
    """Sends requests to one kernel; hands on what it says, on the event loop."""

    def __init__(
        self, connection: Connection, heard: Callable[[Channel, Heard], None]
    ) -> None:
        self._heard = heard
        self._signature = hmac.new(connection.key.encode(), digestmod=hashlib.sha256)
        self._session = secrets.token_hex(8)
        self._sent = 0
        self._loop = asyncio.get_running_loop()
        self._context = zmq.Context(io_threads=1)
        self._sockets: dict[Channel, zmq.Socket[bytes]] = {}
        for channel in ("shell", "iopub", "stdin"):
            self._open(channel, connection.address(channel))

    def _open(self, channel: Channel, address: str) -> None:
        kind = zmq.SUB if channel == "iopub" else zmq.DEALER
        socket = self._context.socket(kind)
        socket.linger = 0
        socket.reconnect_ivl = _RETRY_MS
        if channel == "iopub":
            socket.subscribe(b"")
        else:  # the kernel asks for input at the address the cell came from
            socket.identity = self._session.encode()
        socket.connect(address)
        self._sockets[channel] = socket
        self._loop.add_reader(socket.FD, self._read, channel)

    def send(self, channel: Channel, kind: str, content: Mapping[str, object]) -> str:
        """Send a request, or the answer to one; its id."""
        self._sent += 1
        message_id = f"{self._session}-{self._sent}"
        header = {
            "msg_id": message_id,
            "msg_type": kind,
            "username": "tutor",
            "session": self._session,
            "date": datetime.now(UTC).isoformat(),
            "version": "5.3",
        }
        parts = [json.dumps(part).encode() for part in (header, {}, {}, content)]
        self._sockets[channel].send_multipart(
            [_DELIMITER, self._signed(parts), *parts], zmq.NOBLOCK
        )
        # A socket tells only of its changes, and sending may have swallowed one.
        self._loop.call_soon(self._read, channel)
        return message_id

    def read_all(self) -> None:
        """Take what has arrived, now; for a kernel that is gone."""
        for channel in tuple(self._sockets):
            while self._read_one(channel):
                pass

    def close(self) -> None:
        """Let go of the sockets; nothing is heard any more."""
        for socket in self._sockets.values():
            self._loop.remove_reader(socket.FD)
            socket.close()
        self._sockets.clear()
        self._context.term()

    def _read(self, channel: Channel) -> None:
        for _ in range(_AT_ONCE):
            if not self._read_one(channel):
                return
        self._loop.call_soon(self._read, channel)

    def _read_one(self, channel: Channel) -> bool:
        """False when there is nothing to read, or no socket any more."""
        socket = self._sockets.get(channel)
        if socket is None:
            return False
        try:
            frames = socket.recv_multipart(zmq.NOBLOCK)
        except zmq.Again:
            return False
        heard = self._opened(frames)
        if heard is not None:
            self._heard(channel, heard)
        return True

    def _opened(self, frames: list[bytes]) -> Heard | None:
        """None for what is not signed with our key, or is no message at all."""
        try:
            signature, *parts = frames[frames.index(_DELIMITER) + 1 :][:5]
            if not hmac.compare_digest(self._signed(parts), signature):
                return None
            header, parent, _, content = (
                json.loads(part.decode("utf-8", "replace")) for part in parts
            )
            return Heard(header["msg_type"], parent.get("msg_id", ""), content)
        except (ValueError, KeyError, AttributeError, RecursionError):
            return None

    def _signed(self, parts: list[bytes]) -> bytes:
        signature = self._signature.copy()
        for part in parts:
            signature.update(part)
        return signature.hexdigest().encode()
