"""What a person reads, on stderr; stdout has only results."""

from __future__ import annotations

import os
import sys
from types import TracebackType
from typing import TYPE_CHECKING

from .errors import InstallerError, InterruptedRunError

if TYPE_CHECKING:
    from tqdm import tqdm
    from typing_extensions import Never


class Console:
    """Prints for one run and remembers its warnings, which ``--json`` reports too."""

    def __init__(self, *, quiet: bool = False, verbose: bool = False) -> None:
        self.quiet = quiet
        self.verbose = verbose
        self.warnings: list[str] = []
        self._held: list[str] | None = None
        # https://no-color.org
        self.on_terminal = (
            sys.stderr.isatty()
            and os.environ.get("TERM") != "dumb"
            and not os.environ.get("NO_COLOR")
            and _understands_escapes()
        )
        self._bold, self._red, self._yellow, self._plain = (
            ("\033[1m", "\033[1;31m", "\033[1;33m", "\033[0m")
            if self.on_terminal
            else ("", "", "", "")
        )

    def say(self, line: str) -> None:
        """A line, unless quiet."""
        if not self.quiet:
            print(line, file=sys.stderr)

    def say_next(self, command: str) -> None:
        """The command to type next."""
        self.say(f"\nNext: {self._bold}{command}{self._plain}")

    def say_step(self, line: str) -> None:
        """A line that only --verbose shows."""
        if self.verbose:
            print(line, file=sys.stderr)

    def warn(self, text: str) -> None:
        """A warning, shown at once or, while they are held, when they are released."""
        self.warnings.append(text)
        if self._held is None:
            self._print_warning(text)
        else:
            self._held.append(text)

    def hold_warnings(self) -> None:
        """Keeps what is warned of from here on for after the result."""
        self._held = []

    def release_warnings(self) -> None:
        """Shows what was held."""
        held, self._held = self._held, None
        if held:
            self.say("")
        for text in held or ():
            self._print_warning(text)

    def _print_warning(self, text: str) -> None:
        self.say(f"{self._yellow}warning:{self._plain} " + text.replace("\n", "\n" + " " * 9))

    def show_error(self, error: InstallerError) -> None:
        """The cause, then what to do; never hidden."""
        if error.shown:
            return
        lines = [error.message, *([error.hint] if error.hint else [])]
        text = "\n".join(lines).replace("\n", "\n" + " " * 7)
        print(f"{self._red}error:{self._plain} {text}", file=sys.stderr)

    def progress(self) -> Progress:
        """A bar for one download."""
        return Progress(shown=self.on_terminal and not self.quiet and _is_wide_enough())


def _understands_escapes() -> bool:
    """Whether the terminal takes colours; the one of Windows has to be asked to."""
    if sys.platform == "win32":
        import ctypes

        standard_error, virtual_terminal, mode = -12, 0x0004, ctypes.c_ulong()
        kernel = ctypes.WinDLL("kernel32")
        kernel.GetStdHandle.restype = ctypes.c_void_p
        handle = ctypes.c_void_p(kernel.GetStdHandle(standard_error))
        return bool(
            kernel.GetConsoleMode(handle, ctypes.byref(mode))
            and kernel.SetConsoleMode(handle, mode.value | virtual_terminal)
        )
    return True


def _is_wide_enough() -> bool:
    """Whether a bar does not wrap, as it would then scroll."""
    try:
        columns = os.get_terminal_size(sys.stderr.fileno()).columns
    except OSError:
        return True
    return columns == 0 or columns > 60


class Progress:
    """A bar of how much has arrived, for as long as the ``with`` block lasts."""

    def __init__(self, *, shown: bool) -> None:
        self._shown = shown
        self._bar: tqdm[Never] | None = None

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None and isinstance(error, InterruptedRunError):
            # It stays as it is, and what is said goes below it.
            self._bar.disable = True
            print(file=sys.stderr)
        self._close()

    def start(self, total: int | None) -> None:
        """A download of ``total`` bytes begins, perhaps not for the first time."""
        self._close()
        if not self._shown:
            return
        from tqdm import tqdm  # 20 ms, so only where somebody sees it

        self._bar = tqdm(
            total=total,
            unit="B",
            unit_scale=True,
            ascii=" #",
            ncols=79,
            delay=0.1,
            leave=False,
            file=sys.stderr,
            bar_format="Downloading [{bar:24}] {percentage:3.0f}% of {total_fmt}B"
            if total
            else "Downloading {n_fmt}B",
        )

    def advance(self, count: int) -> None:
        """``count`` more bytes have arrived."""
        if self._bar is not None:
            self._bar.update(count)

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def pretty(path: str | os.PathLike[str]) -> str:
    """``path`` with ~ for the home folder."""
    text = os.fspath(path)
    home = os.environ.get("HOME")
    return "~" + text[len(home) :] if home and text.startswith(home + "/") else text
