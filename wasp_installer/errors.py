"""What can go wrong, each with a stable slug and an exit code."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from .texts import pretty

if TYPE_CHECKING:
    from .command_line.report import Result

_Usage = Literal["usage", "bad-version"]
_Machine = Literal["unsupported-platform", "missing-tool", "binary-does-not-run"]
_Way = Literal["dns", "connection", "timeout", "tls", "proxy", "no-downloader"]
_Network = Literal[_Way, "http-status", "captive-portal", "bad-answer", "insecure-url"]
_Lacking = Literal["no-such-version", "not-installed"]
_Checksum = Literal["checksum-mismatch", "no-checksum", "no-hash-tool"]
_Archive = Literal[_Checksum, "corrupt-archive", "unsafe-archive", "wrong-version"]
_Disk = Literal["permission-denied", "read-only", "no-space", "file-system"]
_Conflict = Literal["npm-managed", "foreign-launcher"]
_Named = Literal[_Usage, _Machine, _Network, _Lacking, _Archive, _Disk, _Conflict]
Slug = Literal["unexpected", _Named, "interrupted"]
#: A source has no such version, or has it, but not for this platform. Another source may.
NotHere = Literal["not-found", "no-build"]

#: From code 2 on.
_KINDS: Final[list[Any]] = [_Usage, _Machine, _Network, _Lacking, _Archive, _Disk, _Conflict]
EXIT_CODES: Final[dict[Slug, int]] = {
    "unexpected": 1,
    **{slug: code for code, kind in enumerate(_KINDS, 2) for slug in get_args(kind)},
    "interrupted": 130,
}


class InstallerError(Exception):
    """The run cannot go on: the cause, and what to do about it.

    ``code`` is the exit code, and ``result`` what the run has to report.
    """

    #: Whether another program has told the user already.
    shown = False

    def __init__(self, slug: Slug, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.slug = slug
        self.message = message
        self.hint = hint
        self.code = EXIT_CODES[slug]
        self.result: Result | None = None


class InterruptedRunError(InstallerError):
    """A signal ended the run; ``code`` is 128 + the signal's number."""

    def __init__(self, signal_number: int) -> None:
        hint = "Nothing was changed. Run this again to retry."
        super().__init__("interrupted", "interrupted.", hint)
        self.code = 128 + signal_number


@dataclass(eq=False)
class SourceProblem(Exception):  # noqa: N818 - it ends a source, not the run
    """One source cannot deliver; another one may.

    ``may_pass`` says that a second try may go better, and ``retry_after`` how many seconds the
    server asks to wait before it.
    """

    slug: Slug | NotHere
    text: str
    may_pass: bool = False
    retry_after: int | None = None


def file_system_error(action: str, error: OSError) -> InstallerError:
    """``error`` met while doing ``action`` ("write to ~/.local"), as an error with advice."""
    slug: Slug = "file-system"
    cause = error.strerror or str(error)
    hint = "Check that path, or choose another place with --prefix DIR."
    if error.errno in (errno.EACCES, errno.EPERM):
        slug, cause = "permission-denied", "permission denied"
    elif error.errno == errno.EROFS:
        slug, cause = "read-only", "the file system is read-only"
    elif error.errno in (errno.ENOSPC, errno.EDQUOT):
        slug, cause = "no-space", "no space left on the device (an install needs about 100 MB)"
    return InstallerError(slug, f"cannot {action}: {cause}.", hint)


@contextlib.contextmanager
def changing(action: str) -> Iterator[None]:
    """Explains an ``OSError`` inside as a failure to do ``action``."""
    try:
        yield
    except OSError as error:
        raise file_system_error(action, error) from error


def explained(error: Exception) -> InstallerError:
    """Whatever was raised, in words for a person."""
    if isinstance(error, InstallerError):
        return error
    if isinstance(error, OSError):
        return file_system_error(f"use {pretty(error.filename or 'a file')}", error)
    return InstallerError(
        "unexpected",
        f"{type(error).__name__}: {error}.",
        "Please report it: https://github.com/wasp-lang/wasp/issues",
    )
