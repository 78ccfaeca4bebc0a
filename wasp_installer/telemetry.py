"""The one event of an install: a random number and the operating system (``telemetry_ping.py``)."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from typing import Any, Final, Literal

import telemetry_ping

from .command_line.console import Console
from .command_line.options import Options
from .contents import content_of
from .errors import SourceProblem
from .getting.addresses import check_url
from .signals import held_signals

#: What becomes of the event is not waited for; "none": no install was started.
Outcome = Literal["sent", "disabled", "none"]
#: Without the libraries and the byte code of others. It reads the module, and then the event.
_SENDER: Final = ("-I", "-S", "-B", "-", "installed")


class InstallEvent:
    """Sends a run's event, once, after one line that says so."""

    def __init__(self, options: Options, console: Console) -> None:
        self._options = options
        self._console = console
        self._announced = False
        self._sender: subprocess.Popen[bytes] | None = None
        self.outcome: Outcome = "none"

    def announce(self) -> None:
        """Sends the event in the background."""
        if self._options.dry_run or self._options.destdir or self._announced:
            return
        self._announced = True
        if self._options.no_telemetry or telemetry_ping.opt_out_reason(os.environ):
            self.outcome = "disabled"
            return
        try:
            check_url(os.environ.get("WASP_TELEMETRY_URL") or telemetry_ping.DEFAULT_URL)
        except SourceProblem:
            return
        is_debugging = os.environ.get("WASP_TELEMETRY_DEBUG", "") not in ("", "0")
        if not is_debugging:
            self._console.say(
                f'Telemetry: a random id and "{telemetry_ping.this_os()}" are sent '
                "(opt out: WASP_TELEMETRY_DISABLE=1)"
            )
        try:
            self._sender = _start(None if is_debugging else subprocess.DEVNULL)
        except OSError:
            return  # no process can be started; that is for the install itself to meet
        if is_debugging:
            # It only prints.
            self._sender.wait()
        else:
            self.outcome = "sent"

    def stop(self) -> None:
        """Ends the sending: an interrupted run leaves nothing behind."""
        if self._sender is not None:
            self._sender.kill()
            self._sender.wait()


def _start(stderr: int | None) -> subprocess.Popen[bytes]:
    """Starts the sender, apart from the terminal.

    It gets its module from a file without a name, since this program may be a single file.
    """
    apart: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        flags = subprocess.DETACHED_PROCESS | subprocess.CREATE_NO_WINDOW
        apart = {"creationflags": flags}
    with tempfile.TemporaryFile() as module, held_signals():
        module.write(content_of("telemetry_ping.py"))
        module.seek(0)
        return subprocess.Popen(
            [sys.executable, *_SENDER],
            stdin=module,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            **apart,
        )
