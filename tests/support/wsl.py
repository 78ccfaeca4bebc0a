"""A WSL to talk to: a wsl.exe that asks the test, which answers as Microsoft's does."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

from tests.support.machines import Machine
from tests.support.tcp_listener import TcpListener

CLIENT = Path(__file__).with_name("wsl_client.py")
# What wsl.exe makes of a failure of its own.
_OWN_FAILURE = 0xFFFFFFFF
# Those that exist in every Linux, wherever it runs.
_NEVER_SHARED = ("PATH", "HOME", "SHELL")


class Call(NamedTuple):
    """One start of wsl.exe."""

    arguments: list[str]
    environment: dict[str, str]
    folder: str
    given: bytes


@dataclass
class FakeWsl:
    """Answers for wsl.exe; ``inside`` is the machine that every distribution is.

    ``listing`` is what ``--list --verbose`` prints, with the exit code ``list_code``; those of the
    distributions in ``broken`` do not start, those in ``stuck`` never answer.
    """

    inside: Machine
    listing: bytes = b""
    list_code: int = 0
    broken: tuple[str, ...] = ()
    stuck: tuple[str, ...] = ()
    calls: list[Call] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._closing = threading.Event()
        self._listener = TcpListener(self._serve)
        self.port = self._listener.port

    def _serve(self, connection: socket.socket) -> None:
        with Connection(connection.detach()) as client:
            call = Call(*client.recv())
            self.calls.append(call)
            client.send(self._answer(call))

    def close(self) -> None:
        self._closing.set()
        self._listener.close()

    def lists(self, text: str, encoding: str = "utf-16-le", code: int = 0) -> FakeWsl:
        """``--list --verbose`` prints this; `code` is its exit code."""
        self.listing, self.list_code = text.replace("\n", "\r\n").encode(encoding), code
        return self

    def program(self, folder: Path) -> None:
        """A wsl.exe for Linux, in this folder."""
        path = folder / "wsl.exe"
        start = f'exec "{sys.executable}" -I -S "{CLIENT}" "$@"'
        path.write_text(f"#!/bin/sh\nWASP_TESTS_WSL_PORT={self.port} {start}\n")
        path.chmod(0o755)

    def inner_calls(self) -> list[Call]:
        """Those that ran something inside, but for the look whether it answers."""
        inside = [call for call in self.calls if "--exec" in call.arguments]
        return [call for call in inside if not call.arguments[-1].startswith("echo ")]

    def _answer(self, call: Call) -> tuple[int, bytes, bytes]:
        name = "--list" if call.arguments[0] == "--list" else call.arguments[1]
        if name in self.stuck:
            self._closing.wait(20)
        if name == "--list":
            return self.list_code, self.listing, b""
        assert call.arguments[::2][:2] == ["-d", "--exec"], call.arguments
        if name in self.broken:
            return _OWN_FAILURE, "Failed to attach disk.\r\n".encode("utf-16-le"), b""
        environment = dict(self.inside.environment)
        for entry in call.environment.get("WSLENV", "").split(":"):
            variable = entry.partition("/")[0]
            if variable in call.environment and variable not in _NEVER_SHARED:
                environment[variable] = call.environment[variable]
        done = subprocess.run(
            call.arguments[3:],
            input=call.given,
            capture_output=True,
            env=environment,
            cwd=self.inside.here,
            timeout=60,
        )
        return done.returncode, done.stdout, done.stderr
