"""What went wrong, as an exit code, a word for programs, and words for people."""

from __future__ import annotations

import errno

import pytest

from wasp_installer.errors import explained

FULL = "no space left on the device (an install needs about 100 MB)"


@pytest.mark.parametrize(
    ("error", "slug", "code", "message", "hint"),
    [
        *(
            (OSError(number, "odd", "/x/y"), slug, 7, f"cannot use /x/y: {cause}.", "--prefix")
            for number, slug, cause in (
                (errno.EACCES, "permission-denied", "permission denied"),
                (errno.EPERM, "permission-denied", "permission denied"),
                (errno.EROFS, "read-only", "the file system is read-only"),
                (errno.ENOSPC, "no-space", FULL),
                (errno.EDQUOT, "no-space", FULL),
                (errno.ENOTDIR, "file-system", "odd"),
            )
        ),
        (OSError(errno.EIO, "odd"), "file-system", 7, "cannot use a file: odd.", "--prefix"),
        (ZeroDivisionError("by 0"), "unexpected", 1, "ZeroDivisionError: by 0.", "/issues"),
    ],
)
def test_whatever_was_raised_is_told_in_words(
    error: Exception, slug: str, code: int, message: str, hint: str
) -> None:
    told = explained(error)
    assert (told.slug, told.code, told.message) == (slug, code, message)
    assert hint in str(told.hint)
