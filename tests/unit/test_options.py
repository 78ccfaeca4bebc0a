"""The arguments: every way to write them, and what cannot be meant."""

from __future__ import annotations

import pytest

from wasp_installer import InstallerError, Options
from wasp_installer.command_line.arguments import OnlyPrintError, parse_arguments


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me/")
    for name in ("WASP_VERSION", "WASP_INSTALL_PREFIX", "DESTDIR", "WASP_HTTP_TIMEOUT"):
        monkeypatch.delenv(name, raising=False)


def made(**options: object) -> Options:
    return Options(**options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        ("", {}),
        ("install", {}),
        ("-v 0.25.0", {"wanted": "0.25.0"}),
        ("-v0.25.0", {"wanted": "0.25.0"}),
        ("--version v0.25.0", {"wanted": "0.25.0"}),
        ("--version=0.25.0-rc1", {"wanted": "0.25.0-rc1"}),
        ("-qyv latest", {"quiet": True, "yes": True}),
        ("-q --json install", {"quiet": True, "json": True}),
        ("--prefix /opt/wasp/ --destdir=/x//", {"prefix": "/opt/wasp", "destdir": "/x"}),
        ("use 0.24.0", {"command": "use", "named_version": "0.24.0"}),
        ("use -- v0.24.0", {"command": "use", "named_version": "0.24.0"}),
        ("uninstall", {"command": "uninstall"}),
        ("list --remote --source github", {"command": "list", "remote": True, "source": "github"}),
        ("--sha256 " + "A" * 64, {"sha256": "a" * 64}),
    ],
)
def test_what_is_meant(arguments: str, options: dict[str, object]) -> None:
    assert parse_arguments(arguments.split()) == made(**options)


@pytest.mark.parametrize(
    ("arguments", "slug", "said"),
    [
        (["--frobnicate"], "usage", "there is no option '--frobnicate'."),
        (["--quiet=yes"], "usage", "there is no option '--quiet=yes'."),
        (["-qx"], "usage", "there is no option '-x'."),
        (["--prefix"], "usage", "--prefix needs a value."),
        (["--prefix="], "usage", "--prefix needs a value."),
        (["-v", "--json"], "usage", "-v needs a value."),
        (["-v", ""], "usage", "-v needs a value."),
        ([""], "usage", "one of the arguments is empty."),
        (["list", "use", "0.1.0"], "usage", "one command at a time, not also 'use'."),
        (["use", "0.1.0", "0.2.0"], "usage", "do not know what to do with '0.2.0'."),
        (["frob"], "usage", "do not know what to do with 'frob'."),
        (["--", "list"], "usage", "do not know what to do with 'list'."),
        (["use"], "usage", "'use' needs a version."),
        (["--remote"], "usage", "--remote belongs to the command list."),
        (["--source", "ftp"], "usage", "there is no source 'ftp'."),
        (["--sha256", "abc"], "usage", "'abc' is not a SHA-256."),
        (["-v", "0.25"], "bad-version", "'0.25' is not a version of Wasp."),
        (["use", "x"], "bad-version", "'x' is not a version of Wasp."),
        (["--from-file", "/nowhere"], "file-system", "cannot read the archive '/nowhere'."),
    ],
)
def test_what_cannot_be_meant(arguments: list[str], slug: str, said: str) -> None:
    with pytest.raises(InstallerError) as caught:
        parse_arguments(arguments)
    assert (caught.value.slug, caught.value.message) == (slug, said)
    assert caught.value.hint


def test_the_environment_has_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WASP_VERSION", "v0.24.0")
    monkeypatch.setenv("WASP_INSTALL_PREFIX", "/opt/a")
    monkeypatch.setenv("DESTDIR", "/stage")
    monkeypatch.setenv("WASP_HTTP_TIMEOUT", "7")
    options = parse_arguments([])
    assert (options.wanted, options.prefix) == ("0.24.0", "/opt/a")
    assert (options.destdir, options.timeout_s) == ("/stage", 7)
    assert parse_arguments(["-v", "latest"]).wanted == "latest"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("WASP_VERSION", "x", "'x' (in WASP_VERSION) is not a version of Wasp."),
        ("WASP_HTTP_TIMEOUT", "0", "WASP_HTTP_TIMEOUT is '0', not a number of seconds."),
        ("HOME", "", "HOME is not set, so there is no default place to install to."),
    ],
)
def test_an_environment_that_cannot_be_meant(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(InstallerError) as caught:
        parse_arguments([])
    assert caught.value.message == said


@pytest.mark.parametrize(("home", "prefix"), [("/", "/.local"), ("/home/me//", "/home/me/.local")])
def test_a_slash_at_the_end_of_home(
    monkeypatch: pytest.MonkeyPatch, home: str, prefix: str
) -> None:
    monkeypatch.setenv("HOME", home)
    assert parse_arguments([]).prefix == prefix


@pytest.mark.parametrize(("word", "what"), [("-h", "help"), ("--help", "help"), ("-V", "version")])
def test_only_a_text_is_wanted(word: str, what: str) -> None:
    with pytest.raises(OnlyPrintError) as caught:
        parse_arguments(["list", word, "--frobnicate"])
    assert caught.value.word == what
