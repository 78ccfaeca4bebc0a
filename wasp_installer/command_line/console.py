"""What a person reads, on stderr; stdout has only results."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, TextIO

from wasp_installer.errors import InstallerError, InterruptedRunError
from wasp_installer.texts import without_login

if TYPE_CHECKING:
    from tqdm import tqdm
    from typing_extensions import Never


class Console:
    """Prints for one run and remembers its warnings, which ``--json`` reports too."""

    def __init__(self, *, quiet: bool = False, verbose: bool = False) -> None:
        self._quiet = quiet
        self._verbose = verbose
        self.warnings: list[str] = []
        # https://no-color.org; the terminal of Windows has to be asked to understand colours.
        self._on_terminal = (
            sys.stderr is not None
            and sys.stderr.isatty()
            and os.environ.get("TERM") != "dumb"
            and not os.environ.get("NO_COLOR")
            and os.name != "nt"
        )

    def say(self, line: str) -> None:
        """A line, unless quiet."""
        if not self._quiet:
            _print(line)

    def say_step(self, line: str) -> None:
        """A line that only --verbose shows."""
        if self._verbose:
            self.say(line)

    def warn(self, text: str) -> None:
        """A warning."""
        self.warnings.append(without_login(text))
        self.say(self._marked("warning", "33", text))

    def show_error(self, error: InstallerError) -> None:
        """The cause, then what to do; never hidden."""
        if not error.shown:
            if isinstance(error, InterruptedRunError) and sys.stderr.isatty():
                # Below the bar, or the ^C of the terminal.
                _print("")
            text = f"{error.message}\n{error.hint}" if error.hint else error.message
            _print(self._marked("error", "31", text))

    def _marked(self, mark: str, colour: str, text: str) -> str:
        """``text`` after a coloured mark, below which none of its other lines begins."""
        shown = f"\033[1;{colour}m{mark}:\033[0m" if self._on_terminal else f"{mark}:"
        return f"{shown} " + text.replace("\n", "\n" + " " * len(f"{mark}: "))

    def progress(self) -> Progress:
        """A bar for one download."""
        return Progress(shown=self._on_terminal and not self._quiet)


class Progress:
    """One line that shows how much has arrived, for as long as the ``with`` block lasts."""

    def __init__(self, *, shown: bool) -> None:
        self._shown = shown
        self._line: tqdm[Never] | None = None

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if self._line is not None and isinstance(error, InterruptedRunError):
            # It stays as it is.
            self._line.disable = True
        self._close()

    def start(self, total: int | None) -> None:
        """A download of ``total`` bytes begins, perhaps not for the first time."""
        self._close()
        if not self._shown:
            return
        from tqdm import tqdm  # 20 ms, so only where somebody sees it

        share = "{percentage:.0f}% of {total_fmt}" if total else "{n_fmt}"
        self._line = tqdm(
            total=total,
            unit="B",
            unit_scale=True,
            dynamic_ncols=True,
            delay=0.1,
            leave=False,
            file=sys.stderr,
            bar_format=f"Downloading {share}B, {{rate_fmt}}",
        )

    def advance(self, count: int) -> None:
        """``count`` more bytes have arrived."""
        if self._line is not None:
            self._line.update(count)

    def _close(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None


def _print(text: str) -> None:
    """Prints to stderr; one that is closed or full is no reason to stop."""
    try:
        print(without_login(text), file=sys.stderr, flush=True)
    except OSError:
        give_up(sys.stderr)


def give_up(stream: TextIO) -> None:
    """What waits to be written would fail again, at the latest when Python ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
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
            # A path may hold bytes that are no text, and a terminal may know few letters.
            stream.reconfigure(errors="backslashreplace")
