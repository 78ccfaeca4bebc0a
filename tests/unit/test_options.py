"""The arguments: which of them are for the sh program; tests/getters/test_usage.py has the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from wasp_installer import InstallerError, Options
from wasp_installer.command_line.options import parse, without_ours


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me/")
    for name in ("WASP_VERSION", "WASP_INSTALL_PREFIX", "DESTDIR", "WASP_HTTP_TIMEOUT"):
        monkeypatch.delenv(name, raising=False)


def test_what_only_this_program_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESTDIR", "/stage")
    monkeypatch.setenv("WASP_HTTP_TIMEOUT", "7")
    made = parse(["--prefix", "/opt/wasp/", "--from-file", "/x/y.tgz"])
    found = Options(prefix="/opt/wasp", from_file="/x/y.tgz", destdir="/stage", timeout_s=7)
    assert made == Options(**{**vars(found), "others": []})
    arguments = ["use", "--json", "--destdir", "/x", "0.1.0", "--destdir=/y//", "--yes"]
    assert without_ours(arguments) == ["use", "0.1.0", "--yes"]
    assert without_ours(["--json", "use", "--", "--json"]) == ["use", "--", "--json"]
    made = parse(arguments)
    assert (made.json, made.destdir, made.command) == (True, "/y", "use")
    for words in ("--destdir", "--destdir=", "--destdir --json", "list --destdir"):
        with pytest.raises(InstallerError) as caught:
            parse(words.split())
        assert (caught.value.slug, caught.value.message) == ("usage", "--destdir needs a value.")


@pytest.mark.parametrize(
    "arguments",
    [
        *("list", "list --remote --source github", "use 0.24.0", "use -- 0.24.0", "uninstall"),
        *("update", "doctor", "migrate-to-npm --yes", "install --remote", "install install"),
        # Mistakes are told by the sh program too.
        *("--frobnicate", "--quiet=yes", "-qx", "--prefix", "--prefix=", "-v --json", "frob"),
        *("-- list", "-v 0.25", "-v ../evil", "list use 0.1.0", "--version=x"),
    ],
)
def test_what_is_for_the_sh_program(arguments: str) -> None:
    made = parse(arguments.split())
    assert not made.is_install
    assert made.json == ("--json" in arguments)


def test_a_wrong_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the environment it is for the sh program, and from Python refused at once."""
    monkeypatch.setenv("WASP_VERSION", "x")
    assert not parse([]).is_install
    assert parse(["-v", "0.25.0"]).is_install
    with pytest.raises(InstallerError, match="is not a Wasp version"):
        Options(wanted="../evil")


@pytest.mark.parametrize(
    ("arguments", "shows"),
    [
        *(("-h", "-h"), ("--help --frob", "--help"), ("use -V", "-V"), ("-qh", "-h")),
        # What stands before is a mistake, or not an option any more.
        *(("--frob --help", ""), ("-v --help", ""), ("-- --help", ""), ("use -- -V", "")),
    ],
)
def test_what_is_only_shown(arguments: str, shows: str) -> None:
    options = parse(arguments.split())
    assert options.shows == shows
    assert bool(shows) or not options.is_install


def test_a_path_begins_where_one_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """By the name by which one went there; from a folder that is gone, none does."""
    link, gone = tmp_path / "link", tmp_path / "gone"
    link.symlink_to(tmp_path)
    monkeypatch.chdir(link)
    monkeypatch.setenv("PWD", str(link))
    for path in ("rel", "./rel/", "a/../rel"):
        assert Options(prefix=path).prefix == f"{link}/{path.rstrip('/')}"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert Options(prefix="/x").prefix == "/x"
    with pytest.raises(InstallerError, match="cannot find the current folder"):
        Options(prefix="rel")


def test_the_usual_place(monkeypatch: pytest.MonkeyPatch) -> None:
    for home, prefix in (("/", "/.local"), ("/home/me//", "/home/me/.local"), ("", "")):
        monkeypatch.setenv("HOME", home)
        assert parse([]).prefix == prefix
