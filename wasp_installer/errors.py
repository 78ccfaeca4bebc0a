"""What can go wrong, each with a stable slug and an exit code."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

if TYPE_CHECKING:
    from .placing.receipts import Release

_Usage = Literal["usage", "bad-version"]
_Machine = Literal["unsupported-platform", "missing-tool", "binary-does-not-run"]
_Way = Literal["dns", "connection", "timeout", "tls", "proxy", "no-downloader"]
_Answer = Literal["http-status", "captive-portal", "bad-answer", "insecure-url"]
_Lacking = Literal["no-such-version", "not-installed"]
_Checksum = Literal["checksum-mismatch", "no-checksum", "no-hash-tool"]
_Archive = Literal["corrupt-archive", "unsafe-archive", "wrong-version"]
_Disk = Literal["permission-denied", "read-only", "no-space", "file-system"]
_Conflict = Literal["npm-managed", "foreign-launcher"]
_Other = Literal["unexpected", "interrupted"]
_All = Literal[_Usage, _Machine, _Way, _Answer, _Lacking, _Checksum, _Archive, _Disk, _Conflict]
Slug = Literal[_All, _Other]
#: A source has no such version, or has it, but not for this platform. Another source may.
NotHere = Literal["not-found", "no-build"]

_BY_CODE: Final[dict[int, tuple[Any, ...]]] = {
    2: (_Usage,),
    3: (_Machine,),
    4: (_Way, _Answer),
    5: (_Lacking,),
    6: (_Checksum, _Archive),
    7: (_Disk,),
    8: (_Conflict,),
}
EXIT_CODES: Final[dict[Slug, int]] = {
    "unexpected": 1,
    **{slug: code for code, kinds in _BY_CODE.items() for kind in kinds for slug in get_args(kind)},
    "interrupted": 130,
}


class InstallerError(Exception):
    """The run cannot go on: the cause, and what to do about it.

    ``code`` is the exit code. ``release`` is what the run was installing, if it was known.
    """

    #: Whether another program has told the user already.
    shown = False

    def __init__(self, slug: Slug, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.slug = slug
        self.message = message
        self.hint = hint
        self.code = EXIT_CODES[slug]
        self.release: Release | None = None


class InterruptedRunError(InstallerError):
    """A signal ended the run; ``code`` is 128 + the signal's number."""

    def __init__(self, signal_number: int = 2) -> None:
        super().__init__(
            "interrupted",
            "interrupted.",
            "Nothing was changed. Run this again to retry.",
        )
        self.code = 128 + signal_number


class SourceProblem(Exception):  # noqa: N818 - it ends a source, not the run
    """One source cannot deliver; another one may.

    ``may_pass`` says that a second try may go better, and ``retry_after`` how many seconds the
    server asks to wait before it.
    """

    def __init__(
        self,
        slug: Slug | NotHere,
        text: str,
        *,
        may_pass: bool = False,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(text)
        self.slug = slug
        self.text = text
        self.may_pass = may_pass
        self.retry_after = retry_after


@contextlib.contextmanager
def about(release: Release) -> Iterator[None]:
    """Notes on an error inside which release it is about."""
    try:
        yield
    except InstallerError as error:
        error.release = error.release or release
        raise


_HINT_OTHER_PLACE: Final = "Choose another place with --prefix DIR."


def file_system_error(action: str, error: OSError) -> InstallerError:
    """``error`` met while doing ``action`` ("write to ~/.local"), as an error with advice."""
    message = f"cannot {action}"
    if error.errno in (errno.EACCES, errno.EPERM):
        return InstallerError(
            "permission-denied",
            f"{message}: permission denied.",
            _HINT_OTHER_PLACE,
        )
    if error.errno == errno.EROFS:
        return InstallerError(
            "read-only", f"{message}: the file system is read-only.", _HINT_OTHER_PLACE
        )
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return InstallerError(
            "no-space",
            f"{message}: no space left on the device (a version needs about 170 MB).",
            _HINT_OTHER_PLACE,
        )
    return InstallerError(
        "file-system",
        f"{message}: {error.strerror or error}.",
        _HINT_OTHER_PLACE,
    )


@contextlib.contextmanager
def changing(action: str) -> Iterator[None]:
    """Explains an ``OSError`` inside as a failure to do ``action``."""
    try:
        yield
    except OSError as error:
        raise file_system_error(action, error) from error
