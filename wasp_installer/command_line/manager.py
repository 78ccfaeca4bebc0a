r"""The sh program (install.sh), which does all but getting Wasp, and what it reports.

With ``--porcelain`` its stdout has lines ``key=value``, with a backslash as two of them and a line
break as ``\n``; a key may come again. What it says to people goes to stderr.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NoReturn

from wasp_installer.contents import content_of
from wasp_installer.errors import EXIT_CODES, InstallerError, InterruptedRunError, Slug
from wasp_installer.programs import Program, file_of

from .console import Console
from .report import Result, result_of

#: Reads the sh program on stdin, as that may be inside this one. It asks on the terminal itself.
_COMMAND: Final = ("/bin/sh", "-s", "--")
_ESCAPE: Final = re.compile(r"\\(.)")


def read_report(console: Console, code: int, printed: str) -> Result:
    """What the sh program, which has ended with ``code``, has printed; its warnings count as ours.

    Raises:
        InstallerError: what it reports as an error, and has already told the user.
    """
    told: dict[str, str | None] = {}
    for line in printed.split("\n"):
        key, equals, value = line.partition("=")
        # A start-up file of a shell may print something, too.
        if equals and re.fullmatch("[a-z_]+", key):
            told[key] = text = _ESCAPE.sub(lambda found: {"n": "\n"}.get(found[1], found[1]), value)
            console.warnings += [text] if key == "warning" else []
    result = result_of(told)
    if code == 0 or result.status == "checked":
        return result
    if result.status != "error":
        raise InstallerError("unexpected", f"install.sh ended without a report (exit code {code}).")
    slug: Slug = next((slug for slug in EXIT_CODES if slug == told.get("error")), "unexpected")
    error = InstallerError(slug, told.get("message") or "it failed.", told.get("hint") or None)
    error.code, error.shown, error.result = code, True, result
    raise error


@contextlib.contextmanager
def managing(
    console: Console, arguments: Sequence[str], destdir: str
) -> Iterator[Callable[[], Result]]:
    """Has the sh program do what the arguments say, on this machine, beside the ``with`` block.

    Gives what waits for its report; see ``read_report``. It shares the terminal, so that it meets
    Ctrl-C by itself, and may ask.
    """
    with Program(
        # First, as what follows "--" is no option.
        [*_COMMAND, "--porcelain", *arguments],
        environment={**os.environ, "DESTDIR": destdir},
        stdin=content_of("install.sh"),
        shares_terminal=True,
    ) as program:

        def report() -> Result:
            ended = program.wait()
            return read_report(console, ended.code, ended.stdout)

        try:
            yield report
        except InterruptedRunError as error:
            # It meets the signal too, or the one that ends it now, and tells of it.
            error.shown = "error=interrupted" in program.stop().stdout.splitlines()
            raise


def manage(console: Console, arguments: Sequence[str], destdir: str) -> Result:
    """Has the sh program do what the arguments say, and returns what it reports."""
    with managing(console, arguments, destdir) as report:
        return report()


def hand_over(arguments: Sequence[str]) -> NoReturn:
    """Becomes the sh program, with this process's arguments, streams and exit code."""
    with file_of(content_of("install.sh")) as file:
        os.dup2(file.fileno(), 0)
    os.execv(_COMMAND[0], [*_COMMAND, *arguments])
