"""The one event of an install: a random number and the operating system (``telemetry_ping.py``)."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from typing import Any

import telemetry_ping

from .command_line.console import Console
from .command_line.options import Options
from .command_line.report import Telemetry
from .contents import content_of
from .programs import file_of
from .signals import held_signals


class InstallEvent:
    """Sends a run's event, once, after a line that says so."""

    def __init__(self, options: Options, console: Console) -> None:
        self._options = options
        self._console = console
        self._announced = options.dry_run or bool(options.destdir)
        self._sender: subprocess.Popen[bytes] | None = None
        self.outcome: Telemetry = "none"

    def announce(self) -> None:
        """Sends the event in the background."""
        if self._announced:
            return
        self._announced = True
        if self._options.no_telemetry or telemetry_ping.opt_out_reason(os.environ):
            self.outcome = "disabled"
            return
        try:
            telemetry_ping.parts_of(telemetry_ping.collector()[0])
        except ValueError:
            return
        if telemetry_ping.is_debugging():
            telemetry_ping.main(["installed"])  # which only prints
            return
        self._console.say(
            "Anonymous telemetry, now and from wasp. Opt out: https://wasp.sh/docs/telemetry"
        )
        # Where no process can be started, that is for the install itself to meet.
        with contextlib.suppress(OSError), held_signals():
            self._sender = _start_sender()
            self.outcome = "sent"

    def stop(self) -> None:
        """Ends the sending: an interrupted run leaves nothing behind."""
        if self._sender is not None:
            self._sender.kill()
            self._sender.wait()


def _start_sender() -> subprocess.Popen[bytes]:
    """Starts telemetry_ping.py away from the terminal; raises OSError where that fails."""
    options: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        flags = subprocess.DETACHED_PROCESS | subprocess.CREATE_NO_WINDOW
        options = {"creationflags": flags}
    # It may be inside this program, from where no other process can run it.
    with file_of(content_of("telemetry_ping.py")) as program:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", "-B", "-", "installed"],
            stdin=program,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **options,
        )
