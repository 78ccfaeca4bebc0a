"""Words for people: of errors, and of text from elsewhere, fit for a screen."""

from __future__ import annotations

import errno

import pytest

from wasp_installer import Console, InstallerError
from wasp_installer.errors import explained
from wasp_installer.texts import plain, pretty, without_login


def test_what_is_cut_says_so() -> None:
    assert plain("x" * 200) == "x" * 200
    assert plain("x" * 201) == "x" * 197 + "..."
    assert plain("a\nb\tc\x1b[2J\u202e") == "a b c[2J"


def test_a_login_is_left_out() -> None:
    for text, shown in (
        ("https://host/@wasp.sh%2fwasp-cli", "https://host/@wasp.sh%2fwasp-cli"),
        ("get https://me:secret@host/@wasp.sh/x", "get https://host/@wasp.sh/x"),
        ("http://me:sec@ret@host:80", "http://host:80"),
        ("http://token@host, http://me:x@other/", "http://host, http://other/"),
        ("http://user:password@host:port", "http://user:password@host:port"),
    ):
        assert without_login(text) == shown


def test_nothing_that_is_printed_has_a_password(capfd: pytest.CaptureFixture[str]) -> None:
    console, address = Console(verbose=True), "https://me:secret@host/"
    for say in (console.say, console.say_step, console.warn):
        say(address)
    console.show_error(InstallerError("usage", address, address))
    shown = capfd.readouterr().err
    assert shown.count("https://host/") == 5
    assert "secret" not in shown
    assert console.warnings == ["https://host/"]


def test_the_home_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    for home, path, shown in (
        ("/home/me", "/home/me/.local", "~/.local"),
        ("/home/me/", "/home/me/.local", "~/.local"),
        ("/home/me", "/home/meg/.local", "/home/meg/.local"),
        ("/", "/x", "/x"),
        ("", "/x", "/x"),
    ):
        monkeypatch.setenv("HOME", home)
        assert pretty(path) == shown


FULL = "no space left on the device (an install needs about 100 MB)"


@pytest.mark.parametrize(
    ("number", "slug", "cause"),
    [
        (errno.EACCES, "permission-denied", "permission denied"),
        (errno.EPERM, "permission-denied", "permission denied"),
        (errno.EROFS, "read-only", "the file system is read-only"),
        (errno.ENOSPC, "no-space", FULL),
        (errno.EDQUOT, "no-space", FULL),
        (errno.ENOTDIR, "file-system", "odd"),
    ],
)
def test_what_a_file_system_refuses(number: int, slug: str, cause: str) -> None:
    for name, shown in (("/x/y", "/x/y"), (None, "a file")):
        told = explained(OSError(number, "odd", name))
        assert (told.slug, told.code) == (slug, 7)
        assert told.message == f"cannot use {shown}: {cause}."
        assert "--prefix" in str(told.hint)


def test_an_error_that_nobody_thought_of_is_told_in_its_own_words() -> None:
    told = explained(ZeroDivisionError("by 0"))
    assert (told.slug, told.code, told.message) == ("unexpected", 1, "ZeroDivisionError: by 0.")
    assert "/issues" in str(told.hint)
