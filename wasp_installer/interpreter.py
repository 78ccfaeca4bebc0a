"""The Python that the launcher runs ``telemetry_ping.py`` with: whichever the machine has."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import Final

# What a Python that can run telemetry_ping.py prints: where it is. That of a virtual environment,
# which may be gone tomorrow, names the one that it was made from.
_PROBE: Final = """\
import os, sys
path = sys.executable
if os.path.exists(os.path.join(os.path.dirname(path), "..", "pyvenv.cfg")):
    path = os.path.realpath(path)
if sys.version_info >= (3, 8):
    print(path)"""


class PythonLookup:
    """Looks for a Python on PATH, beside the download, since some take long to start.

    The one that runs this installer is not asked, since ``install.sh`` has none, and both record
    the same. ``system`` is the operating system as ``Platform.os`` names it; ``staged`` says that
    what is installed is for other machines.
    """

    def __init__(self, system: str | None, *, staged: bool = False) -> None:
        self._found: str | None = None
        if staged:
            self._found = "/usr/bin/python3" if system == "linux" else ""
        self._candidates = [] if staged else _candidates(system)
        self._asked: subprocess.Popen[bytes] | None = None
        self._ask_next()

    def path(self) -> str:
        """Where it is; "" when there is none."""
        if self._found is None:
            self._found = self._answer()
        return self._found

    def _ask_next(self) -> None:
        if self._candidates:
            self._asked = subprocess.Popen(
                [self._candidates.pop(0), "-I", "-S", "-c", _PROBE],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )

    def _answer(self) -> str:
        while self._asked is not None:
            said = os.fsdecode(self._asked.communicate()[0]).partition("\n")[0]
            code, self._asked = self._asked.returncode, None
            if code == 0 and said:
                return said
            self._ask_next()
        return ""

    def close(self) -> None:
        """Ends the Python that is asked, if it still runs."""
        if self._asked is not None:
            self._asked.kill()
            self._asked.communicate()
            self._asked = None


def _candidates(system: str | None) -> list[str]:
    if system == "windows":
        # On PATH may be the Store's offer of a Python; and there is one here, which runs this.
        return [getattr(sys, "_base_executable", None) or sys.executable]
    found = [path for path in map(shutil.which, ("python3", "python")) if path]
    return [path for path in found if os.path.isabs(path) and not _is_apples_offer(path, system)]


def _is_apples_offer(path: str, system: str | None) -> bool:
    """On a Mac without the command line tools, Apple's opens a window that offers them."""
    return (
        system == "macos"
        and path.startswith("/usr/bin/")
        and subprocess.run(["xcode-select", "-p"], capture_output=True).returncode != 0
    )
