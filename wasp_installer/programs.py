"""Other programs: started, waited for and ended with all that they have started."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

from .errors import InterruptedRunError
from .signals import held_signals

#: A helper that takes longer is as one that is not there.
HELPER_LIMIT_S: Final = 10.0
#: The exit code of what took too long, as the program timeout has it.
TOO_LONG: Final = 124
_PATIENCE_S: Final = 3.0
#: What makes a shell, or a script that answers in its name, print more than its answer.
_DISTURBING: Final = ("BASH_ENV", "ENV", "SHELLOPTS", "BASHOPTS")


class Ended(NamedTuple):
    """How a program ended: its exit code as a shell reports it, and what it printed.

    Bytes that are no UTF-8 are as ``surrogateescape`` has them.
    """

    code: int
    stdout: str = ""
    stderr: str = ""


class Program:
    """A program that runs; after the ``with`` block it has ended.

    It is apart from the terminal, in a session of its own, and its stderr is collected, unless it
    ``shares_terminal``. ``stdin`` is what it reads.

    Raises:
        OSError: it cannot be started.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        environment: Mapping[str, str] | None = None,
        folder: str | Path | None = None,
        stdin: bytes | None = None,
        shares_terminal: bool = False,
    ) -> None:
        self._has_session = not shares_terminal and sys.platform != "win32"
        process = None
        try:
            with contextlib.ExitStack() as stack:
                file = subprocess.DEVNULL if stdin is None else stack.enter_context(file_of(stdin))
                # A signal that comes while it is started would leave it running, unknown to all.
                stack.enter_context(held_signals())
                self._process = process = subprocess.Popen(
                    command,
                    env=environment,
                    cwd=folder,
                    stdin=file,
                    stdout=subprocess.PIPE,
                    stderr=None if shares_terminal else subprocess.PIPE,
                    start_new_session=self._has_session,
                )
        except InterruptedRunError:
            if process is not None:
                self.end()
            raise

    def __enter__(self) -> Program:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def wait(self, limit_s: float | None = None) -> Ended:
        """How it ended; one that has not within the limit is ended, with the code TOO_LONG."""
        try:
            printed = self._process.communicate(timeout=limit_s)
        except subprocess.TimeoutExpired:
            self.end()
            return Ended(TOO_LONG)
        code = self._process.returncode
        texts = ((each or b"").decode("utf-8", "surrogateescape") for each in printed)
        return Ended(code if code >= 0 else 128 - code, *texts)

    def stop(self) -> Ended:
        """Ends it by a signal that it may answer."""
        self._signal(signal.SIGTERM)
        return self.wait(_PATIENCE_S)

    def end(self) -> None:
        """Ends it, if it still runs: by a signal that it may answer, then by one that it cannot."""
        with self._process:
            if self._process.poll() is None:
                self._signal(signal.SIGTERM)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(_PATIENCE_S)
                self._signal(getattr(signal, "SIGKILL", signal.SIGTERM))

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(OSError):
            if self._has_session and sys.platform != "win32":
                os.killpg(self._process.pid, number)
            else:
                self._process.send_signal(number)


@contextlib.contextmanager
def file_of(content: bytes) -> Iterator[IO[bytes]]:
    """An open file without a name, for another program to read from its beginning."""
    with tempfile.TemporaryFile() as file:
        file.write(content)
        file.seek(0)
        yield file


def run(command: Sequence[str | Path], limit_s: float | None = None, **options: Any) -> Ended:
    """Runs a program to its end; see ``Program``."""
    with Program(command, **options) as program:
        return program.wait(limit_s)


def helper_environment(**more: str) -> dict[str, str]:
    """For a helper program, so that it answers in one language and nothing else speaks."""
    kept = {name: value for name, value in os.environ.items() if name not in _DISTURBING}
    return {**kept, "LC_ALL": "C", **more}
