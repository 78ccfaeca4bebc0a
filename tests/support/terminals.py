"""Runs a program on a terminal of its own, types into it, and keeps what it showed."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.support.machines import RUN_LIMIT, end_group
from tests.support.toolboxes import real_tool


class Terminal:
    """A pseudo-terminal whose foreground program is the one under test."""

    def __init__(
        self, argv: Sequence[str], environment: Mapping[str, str], cwd: Path, columns: int = 80
    ) -> None:
        self._main, side = pty.openpty()
        fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))

        # Makes the terminal the controlling one, so that Ctrl-C and /dev/tty work.
        take_terminal = [str(real_tool("setsid")), "--ctty"]
        self.process = subprocess.Popen(
            [*take_terminal, *argv],
            stdin=side,
            stdout=side,
            stderr=side,
            env=dict(environment),
            cwd=cwd,
        )
        os.close(side)
        self._shown = b""

    @property
    def shown(self) -> str:
        return self._shown.decode(errors="replace")

    def type(self, text: str) -> None:
        os.write(self._main, text.encode())

    def wait_for(self, text: str) -> None:
        """Reads until the terminal has shown the text; fails when the program ends before."""
        while text not in self.shown:
            assert self._read(), f"never showed {text!r}:\n{self.shown}"

    def finish(self) -> int:
        """Reads until the program has ended; gives its exit code."""
        while self._read():
            pass
        try:
            return self.process.wait(timeout=RUN_LIMIT)
        finally:
            end_group(self.process)
            os.close(self._main)

    def _read(self) -> bool:
        if not select.select([self._main], [], [], RUN_LIMIT)[0]:
            end_group(self.process)
            raise AssertionError(f"did not end:\n{self.shown}")
        with contextlib.suppress(OSError):
            data = os.read(self._main, 65536)
            self._shown += data
            return bool(data)
        return False
