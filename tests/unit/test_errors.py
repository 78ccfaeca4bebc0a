"""What went wrong, as an exit code, a word for programs, and words for people."""

from __future__ import annotations

import errno
import os

import pytest

from wasp_installer.errors import InstallerError, changing, explained


@pytest.mark.parametrize(
    ("number", "slug", "words"),
    [
        (errno.EACCES, "permission-denied", "permission denied"),
        (errno.EPERM, "permission-denied", "permission denied"),
        (errno.EROFS, "read-only", "the file system is read-only"),
        (errno.ENOSPC, "no-space", "no space left on the device (an install needs about 100 MB)"),
        (errno.EDQUOT, "no-space", "no space left on the device (an install needs about 100 MB)"),
        (errno.ENOTDIR, "file-system", os.strerror(errno.ENOTDIR)),
    ],
)
def test_what_a_file_system_refuses(number: int, slug: str, words: str) -> None:
    with pytest.raises(InstallerError) as caught, changing("write to ~/.local"):
        raise OSError(number, os.strerror(number))
    assert (caught.value.slug, caught.value.code) == (slug, 7)
    assert caught.value.message == f"cannot write to ~/.local: {words}."
    assert "--prefix" in str(caught.value.hint)


def test_an_error_that_nobody_thought_of_is_told_in_its_own_words() -> None:
    error = explained(ZeroDivisionError("by nothing"))
    assert (error.slug, error.code) == ("unexpected", 1)
    assert error.message == "ZeroDivisionError: by nothing."
    assert "/issues" in str(error.hint)


@pytest.mark.parametrize(
    ("name", "words"), [("/x/y", "cannot use /x/y: "), (None, "cannot use a file: ")]
)
def test_a_file_that_cannot_be_used_is_named(name: str | None, words: str) -> None:
    error = explained(OSError(errno.EIO, "broken", name))
    assert (error.slug, error.message) == ("file-system", f"{words}broken.")
