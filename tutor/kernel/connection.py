"""Where a kernel listens, and the key that signs what is said there."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

_PORTS = {"shell": 1, "iopub": 2, "stdin": 3, "control": 4, "hb": 5}
"""With the ipc transport a port is the end of a socket's file name."""


@dataclass(frozen=True, slots=True)
class Connection:
    """Sockets in a folder that is ours alone: other users reach neither code nor output.

    (TCP on this machine would be open to all of them: the key signs, but hides nothing.)
    """

    folder: Path
    key: str

    @classmethod
    def new(cls, folder: Path) -> "Connection":
        """With a key of its own."""
        return cls(folder, os.urandom(32).hex())

    def write(self) -> Path:
        """The connection file that the kernel reads; OSError when there is no room."""
        path = self.folder / "connection.json"
        path.touch(mode=0o600)
        ports = {f"{name}_port": port for name, port in _PORTS.items()}
        facts = {
            "transport": "ipc",
            "ip": str(self.folder / "socket"),
            "key": self.key,
            "signature_scheme": "hmac-sha256",
            "kernel_name": "",
            **ports,
        }
        path.write_text(json.dumps(facts), encoding="utf-8")
        return path

    def address(self, channel: str) -> str:
        """Of the kernel's socket."""
        return f"ipc://{self.folder / 'socket'}-{_PORTS[channel]}"
