"""The arguments: every way to write them, and which of them are for the sh program."""

from __future__ import annotations

from pathlib import Path

import pytest

from wasp_installer import InstallerError, Options
from wasp_installer.command_line.options import parse, usage, without_ours


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me/")
    for name in ("WASP_VERSION", "WASP_INSTALL_PREFIX", "DESTDIR", "WASP_HTTP_TIMEOUT"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        ("-q --json", {"quiet": True, "json": True}),
        ("--prefix /opt/wasp/ --destdir=/x//", {"prefix": "/opt/wasp", "destdir": "/x"}),
        ("--from-file /x/y.tgz --source npm", {"from_file": "/x/y.tgz", "source": "npm"}),
    ],
)
def test_an_install(arguments: str, options: dict[str, object]) -> None:
    made = parse(arguments.split())
    assert made.is_install
    assert made == Options(others=[], **options)  # type: ignore[arg-type]
    named = parse(["install", *arguments.split()])
    assert named.is_install
    assert named == Options(others=["install"], **options)  # type: ignore[arg-type]


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
    assert not parse(arguments.split()).is_install


def test_a_wrong_version_in_the_environment_is_for_the_sh_program(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WASP_VERSION", "x")
    assert not parse([]).is_install
    assert parse(["-v", "0.25.0"]).is_install


def test_what_the_sh_program_does_not_know_is_kept_from_it() -> None:
    arguments = ["use", "--json", "--destdir", "/x", "0.1.0", "--destdir=/y", "--yes"]
    assert without_ours(arguments) == ["use", "0.1.0", "--yes"]
    assert without_ours(["--json", "use", "--", "--json"]) == ["use", "--", "--json"]
    options = parse(arguments)
    assert (options.json, options.destdir, options.command) == (True, "/y", "use")


def test_a_mistake_is_told_as_json_too() -> None:
    options = parse(["--version", "--json"])
    assert (options.json, options.is_install) == (True, False)


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


def test_the_usage_is_that_of_the_sh_program_and_more() -> None:
    lines = usage().splitlines()
    assert "usage: install.py [COMMAND] [OPTIONS]" in lines
    places = [next(at for at, line in enumerate(lines) if word in line) for word in ORDER]
    assert places == sorted(places)


ORDER = ("--prefix", "--destdir", "--source", "--dry-run", "--json", "--quiet")


@pytest.mark.parametrize("path", ["rel", "./rel/", "a/../rel"])
def test_a_path_begins_where_one_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, path: str
) -> None:
    """By the name by which one went there."""
    link = tmp_path / "link"
    link.symlink_to(tmp_path)
    monkeypatch.chdir(link)
    monkeypatch.setenv("PWD", str(link))
    assert Options(prefix=path).prefix == f"{link}/{path.rstrip('/')}"


def test_from_a_folder_that_is_gone_no_path_begins(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert Options(prefix="/x").prefix == "/x"
    with pytest.raises(InstallerError, match="cannot find the current folder"):
        Options(prefix="rel")


def test_the_environment_has_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WASP_VERSION", "v0.24.0")
    monkeypatch.setenv("WASP_INSTALL_PREFIX", "/opt/a")
    monkeypatch.setenv("DESTDIR", "/stage")
    monkeypatch.setenv("WASP_HTTP_TIMEOUT", "7")
    options = parse([])
    assert (options.wanted, options.prefix) == ("0.24.0", "/opt/a")
    assert (options.destdir, options.timeout_s) == ("/stage", 7)
    assert parse(["-v", "latest"]).wanted == "latest"


@pytest.mark.parametrize(
    ("home", "prefix"), [("/", "/.local"), ("/home/me//", "/home/me/.local"), ("", "")]
)
def test_the_usual_place(monkeypatch: pytest.MonkeyPatch, home: str, prefix: str) -> None:
    monkeypatch.setenv("HOME", home)
    assert parse([]).prefix == prefix


def test_a_version_that_is_none_is_refused_when_options_are_made() -> None:
    with pytest.raises(InstallerError) as caught:
        Options(wanted="../evil")
    assert (caught.value.slug, caught.value.code) == ("bad-version", 2)


@pytest.mark.parametrize(
    "arguments", ["--destdir", "--destdir=", "--destdir --json", "list --destdir"]
)
def test_what_only_this_program_knows_needs_its_value(arguments: str) -> None:
    with pytest.raises(InstallerError) as caught:
        parse(arguments.split())
    assert (caught.value.slug, caught.value.message) == ("usage", "--destdir needs a value.")
