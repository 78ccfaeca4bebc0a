"""The one event of an install: a random number and the operating system (``telemetry_ping.py``)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from typing import Final

import telemetry_ping

from .background import start
from .console import Console
from .contents import content_of
from .options import Options

# Runs a copy of telemetry_ping.py and removes it. ``start`` has it precede the way to run the
# module where it lies, of which only the end, the argument, is of use.
_RUN_COPY: Final = """\
import os, sys; sys.path.insert(0, sys.argv[1])
import telemetry_ping; os.remove(telemetry_ping.__file__); os.rmdir(sys.argv[1])
telemetry_ping.run(sys.argv[-1:])"""


class InstallEvent:
    """Sends a run's event, once, after one line that says so."""

    def __init__(self, options: Options, console: Console) -> None:
        self._options = options
        self._console = console
        self._announced = False
        self._sender: subprocess.Popen[bytes] | None = None
        self._copy = ""
        #: What --json reports: none (there was nothing to send), disabled or sent.
        self.outcome = "none"

    def announce(self) -> None:
        """Sends the event in the background; what becomes of it is not waited for."""
        if self._options.dry_run or self._options.destdir or self._announced:
            return
        self._announced = True
        if self._options.no_telemetry or telemetry_ping.opt_out_reason(os.environ):
            self.outcome = "disabled"
            return
        if telemetry_ping.is_debugging():
            telemetry_ping.main(["installed"])
            return
        if not telemetry_ping.is_allowed(telemetry_ping.collector()[0]):
            return
        self._console.say(
            f'Telemetry: a random id and "{telemetry_ping.this_os()}" are sent '
            "(opt out: WASP_TELEMETRY_DISABLE=1)"
        )
        try:
            self._sender = self._start()
        except OSError:
            self._remove_copy()
            return  # no process can be started; that is for the install itself to meet
        self.outcome = "sent"

    def _start(self) -> subprocess.Popen[bytes]:
        if os.path.isfile(telemetry_ping.__file__):
            return start(["installed"])
        # It is inside this program, and no other process can import it from there.
        self._copy = tempfile.mkdtemp(prefix="wasp-telemetry-")
        with open(os.path.join(self._copy, "telemetry_ping.py"), "wb") as file:
            file.write(content_of("telemetry_ping.py"))
        run_copy = [sys.executable, "-I", "-S", "-B", "-c", _RUN_COPY, self._copy]
        return start(["installed"], before=run_copy)

    def stop(self) -> None:
        """Ends the sending: an interrupted run leaves nothing behind."""
        if self._sender is not None:
            self._sender.kill()
            self._sender.wait()
        self._remove_copy()

    def _remove_copy(self) -> None:
        if self._copy:
            shutil.rmtree(self._copy, ignore_errors=True)
