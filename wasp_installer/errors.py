"""What can go wrong, each with a stable slug and an exit code."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from .placing.receipts import Release

Slug = Literal[
    "unexpected",
    "usage",
    "bad-version",
    "unsupported-platform",
    "missing-tool",
    "binary-does-not-run",
    "dns",
    "connection",
    "timeout",
    "tls",
    "proxy",
    "http-status",
    "captive-portal",
    "bad-answer",
    "insecure-url",
    "no-downloader",
    "no-such-version",
    "not-installed",
    "checksum-mismatch",
    "no-checksum",
    "no-hash-tool",
    "corrupt-archive",
    "unsafe-archive",
    "wrong-version",
    "permission-denied",
    "read-only",
    "no-space",
    "file-system",
    "npm-managed",
    "foreign-launcher",
    "interrupted",
]
#: A source has no such version, or has it, but not for this platform. Another source may.
Lacking = Literal["not-found", "no-build"]

EXIT_CODES: Final[dict[Slug, int]] = {
    "unexpected": 1,
    "usage": 2,
    "bad-version": 2,
    "unsupported-platform": 3,
    "missing-tool": 3,
    "binary-does-not-run": 3,
    "dns": 4,
    "connection": 4,
    "timeout": 4,
    "tls": 4,
    "proxy": 4,
    "http-status": 4,
    "captive-portal": 4,
    "bad-answer": 4,
    "insecure-url": 4,
    "no-downloader": 4,
    "no-such-version": 5,
    "not-installed": 5,
    "checksum-mismatch": 6,
    "no-checksum": 6,
    "no-hash-tool": 6,
    "corrupt-archive": 6,
    "unsafe-archive": 6,
    "wrong-version": 6,
    "permission-denied": 7,
    "read-only": 7,
    "no-space": 7,
    "file-system": 7,
    "npm-managed": 8,
    "foreign-launcher": 8,
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
            "What was installed before is as it was. Run this again to go on.",
        )
        self.code = 128 + signal_number


class SourceProblem(Exception):  # noqa: N818 - it ends a source, not the run
    """One source cannot deliver; another one may.

    ``may_pass`` says that a second try may go better, and ``retry_after`` how many seconds the
    server asks to wait before it. ``status`` is the HTTP status, if that was the problem.
    """

    def __init__(
        self,
        slug: Slug | Lacking,
        text: str,
        *,
        may_pass: bool = False,
        status: int | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(text)
        self.slug = slug
        self.text = text
        self.may_pass = may_pass
        self.status = status
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
            'Choose a folder that you may write to, for example: --prefix "$HOME/.local"',
        )
    if error.errno == errno.EROFS:
        return InstallerError(
            "read-only", f"{message}: the file system is read-only.", _HINT_OTHER_PLACE
        )
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return InstallerError(
            "no-space",
            f"{message}: no space left on the device.",
            "Make room (about 170 MB for one version), or choose another place with --prefix DIR.",
        )
    return InstallerError(
        "file-system",
        f"{message}: {error.strerror or error}.",
        "See to that path, or choose another one with --prefix DIR.",
    )


@contextlib.contextmanager
def changing(action: str) -> Iterator[None]:
    """Explains an ``OSError`` inside as a failure to do ``action``."""
    try:
        yield
    except OSError as error:
        raise file_system_error(action, error) from error
