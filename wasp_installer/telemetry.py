"""The one event of an install: a random number and the operating system (``telemetry_ping.py``)."""

from __future__ import annotations

import os
import subprocess

import telemetry_ping

from .console import Console
from .options import Options


class InstallEvent:
    """Sends a run's event, once, after one line that says so."""

    def __init__(self, options: Options, console: Console) -> None:
        self._options = options
        self._console = console
        self._announced = False
        self._sender: subprocess.Popen[bytes] | None = None
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
        if telemetry_ping.is_debugging(os.environ):
            telemetry_ping.send_install_event()
            return
        if not telemetry_ping.is_allowed(telemetry_ping.Target(os.environ).url):
            return
        self._console.say(
            f'Telemetry: a random id and "{telemetry_ping.this_os()}" are sent '
            "(opt out: WASP_TELEMETRY_DISABLE=1)"
        )
        try:
            self._sender = telemetry_ping.start(["installed"])
        except OSError:
            return  # no process can be started; that is for the install itself to meet
        self.outcome = "sent"

    def stop(self) -> None:
        """Ends the sending: an interrupted run leaves nothing behind."""
        if self._sender is not None:
            self._sender.kill()
            self._sender.wait()


def ping_module() -> bytes:
    """The text of ``telemetry_ping.py``, also where it is inside an archive."""
    loader = telemetry_ping.__spec__.loader
    assert loader is not None, "an imported module has a loader"
    content: bytes = loader.get_data(telemetry_ping.__file__)  # type: ignore[attr-defined]
    return content
