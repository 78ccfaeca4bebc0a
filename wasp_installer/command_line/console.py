"""What a person reads, on stderr; stdout has only results."""

from __future__ import annotations

import os
import sys

from wasp_installer.errors import InstallerError
from wasp_installer.texts import without_login

from .progress import Progress


class Console:
    """Prints for one run and remembers its warnings, which ``--json`` reports too."""

    def __init__(self, *, quiet: bool = False, verbose: bool = False) -> None:
        self.quiet = quiet
        self.verbose = verbose
        self.warnings: list[str] = []
        # https://no-color.org
        self.on_terminal = (
            sys.stderr is not None
            and sys.stderr.isatty()
            and os.environ.get("TERM") != "dumb"
            and not os.environ.get("NO_COLOR")
            # The terminal of Windows has to be asked to understand colours.
            and os.name != "nt"
        )
        self._red, self._yellow, self._plain = (
            ("\033[1;31m", "\033[1;33m", "\033[0m") if self.on_terminal else ("", "", "")
        )

    def say(self, line: str) -> None:
        """A line, unless quiet."""
        if not self.quiet:
            _print(line)

    def say_step(self, line: str) -> None:
        """A line that only --verbose shows."""
        if self.verbose:
            _print(line)

    def warn(self, text: str) -> None:
        """A warning."""
        self.warnings.append(without_login(text))
        self.say(f"{self._yellow}warning:{self._plain} " + text.replace("\n", "\n" + " " * 9))

    def show_error(self, error: InstallerError) -> None:
        """The cause, then what to do; never hidden."""
        if error.shown:
            return
        lines = [error.message, *([error.hint] if error.hint else [])]
        text = "\n".join(lines).replace("\n", "\n" + " " * 7)
        _print(f"{self._red}error:{self._plain} {text}")

    def progress(self) -> Progress:
        """A bar for one download."""
        return Progress(shown=self.on_terminal and not self.quiet)


def _print(text: str) -> None:
    """Prints to stderr; one that is closed or full is no reason to stop."""
    try:
        print(without_login(text), file=sys.stderr, flush=True)
    except OSError:
        # What waits to be written would fail again, at the latest when Python ends.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stderr.fileno())
        os.close(nowhere)


def open_standard_streams() -> None:
    """Opens those that are closed, so that no file that is opened later takes their place."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        else:
            # A path may hold bytes that are no text.
            stream.reconfigure(errors="backslashreplace" if os.name == "nt" else "surrogateescape")
