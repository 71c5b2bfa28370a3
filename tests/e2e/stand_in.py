"""A tiny app for the launcher's tests: takes the terminal as Textual does, then waits.

Run as a program; it goes through the real launcher. Commands are read as keys:
q ends with code 7, s suspends, c crashes with an exception of C, f floods the terminal.
It says READY when it has the terminal, AGAIN after each wake-up. With the argument
`deaf` it ignores TERM and HUP.
"""

import asyncio
import ctypes
import os
import signal
import sys
import termios

from tutor import launcher

ON = "\x1b[?1049h\x1b[?1000h\x1b[?1003h\x1b[?1006h\x1b[?1004h\x1b[?2004h\x1b[?25l\x1b[?7l"
OFF = "\x1b[?1000l\x1b[?1003l\x1b[?1006l\x1b[?1004l\x1b[?2004l\x1b[?7h\x1b[?1049l\x1b[?25h"


class App:
    def __init__(self) -> None:
        self.before = termios.tcgetattr(0)
        self.code = 0

    async def run(self, parent_pipe: int) -> int:
        loop = asyncio.get_running_loop()
        self.ended = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGHUP):
            if "deaf" in sys.argv:
                signal.signal(number, signal.SIG_IGN)
            else:
                loop.add_signal_handler(number, self.end, 128 + number)
        signal.signal(signal.SIGTSTP, lambda *_: self.suspend())
        loop.add_reader(parent_pipe, self.end, 5)
        loop.add_reader(0, self.key)
        self.take("READY")
        await self.ended.wait()
        self.give()
        return self.code

    def end(self, code: int) -> None:
        self.code = code
        asyncio.get_running_loop().remove_reader(0)
        self.ended.set()

    def take(self, word: str) -> None:
        raw = termios.tcgetattr(0)
        raw[0] &= ~termios.ICRNL
        raw[3] &= ~(termios.ECHO | termios.ICANON | termios.ISIG)
        termios.tcsetattr(0, termios.TCSANOW, raw)
        self.say(f"{ON}\x1b[>1u{word}")

    def give(self) -> None:
        termios.tcsetattr(0, termios.TCSANOW, self.before)
        self.say(f"\x1b[<u{OFF}")

    def say(self, text: str) -> None:
        os.write(2, text.encode())  # a signal's handler may come in between

    def suspend(self) -> None:
        self.give()
        os.kill(os.getpid(), signal.SIGSTOP)
        self.take("AGAIN")

    def key(self) -> None:
        match os.read(0, 1):
            case b"q":
                self.end(7)
            case b"s":
                os.kill(os.getpid(), signal.SIGTSTP)
            case b"c":
                ctypes.string_at(0)
            case b"f":
                while True:
                    self.say("flood " * 1000)


if __name__ == "__main__":
    sys.exit(launcher.launch(lambda pipe: asyncio.run(App().run(pipe)), "tutor"))
