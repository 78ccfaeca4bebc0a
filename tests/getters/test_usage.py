"""The command line: what is taken, and what is refused before anything is touched.

What both print of mistakes is in test_equality.py.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.support.functions import call_functions
from tests.support.machines import Machine
from tests.support.trees import picture
from wasp_installer import InstallerError, Options
from wasp_installer.command_line.options import parse, without_ours
from wasp_installer.versions import is_version, newest_first, older_than

#: The newest first.
VERSIONS = ["10.20.30", "0.26.0", "0.26.0-rc12", "0.26.0-rc2", "0.25.0", "0.9.0", "0.1.9.1"]
NO_VERSIONS = (
    *("0.20.1/../../../../evil", "0.25", "v0.25.0", " 0.25.0", "0.25.0\n", "0.25.0-beta1", ""),
    *("$(touch evil)", "\u0660.\u0661.\u0662", "1." * 2000 + "1", "01.2.3", "1.2.1234567"),
    "-1.2.3",
)


def test_what_is_a_version_and_which_is_newer(every_shell_machine: Machine) -> None:
    asked = [*VERSIONS, *NO_VERSIONS]
    calls = [f"is_version {shlex.quote(text)} && echo yes" for text in asked]
    ordered = f"printf '%s\\n' {' '.join(sorted(VERSIONS))} | newest_first"
    *told, order = call_functions(every_shell_machine, [*calls, ordered])
    expected = [text in VERSIONS for text in asked]
    assert [is_version(text) for text in asked] == expected
    assert [answer == "yes" for answer in told] == expected
    assert order.split("\n") == newest_first(sorted(VERSIONS)) == VERSIONS
    assert all(older_than(*pair) for pair in zip(VERSIONS[1:], VERSIONS))
    assert not any(older_than(*pair) for pair in (*zip(VERSIONS, VERSIONS[1:]), VERSIONS[:1] * 2))


#: As both understand them: variables and words, and what is not as it is without them.
WAYS: dict[str, dict[str, str]] = {
    "": {},
    "install": {},
    "-v 0.25.0": {"wanted": "0.25.0"},
    "-v0.25.0 -qy": {"wanted": "0.25.0", "quiet": "yes", "yes": "yes"},
    "-yq --version=v0.26.0-rc1 install": {"wanted": "0.26.0-rc1", "quiet": "yes", "yes": "yes"},
    "-qyv latest": {"quiet": "yes", "yes": "yes"},
    "--prefix /opt/a/ --source npm": {"prefix": "/opt/a", "source": "npm"},
    "--prefix=/opt/a=b --source=github": {"prefix": "/opt/a=b", "source": "github"},
    f"--sha256 {'A' * 64} --require-checksum": {"sha256": "a" * 64, "require_checksum": "yes"},
    "--force --dry-run --verbose": {"force": "yes", "dry_run": "yes", "verbose": "yes"},
    "--no-modify-path": {"no_modify_path": "yes"},
    "WASP_VERSION=v0.24.0 -y": {"wanted": "0.24.0", "yes": "yes"},
    "WASP_VERSION=0.24.0 -v latest": {},
    "WASP_VERSION=foo -v 0.25.0": {"wanted": "0.25.0"},
    "WASP_INSTALL_PREFIX=/opt/a/": {"prefix": "/opt/a"},
    "WASP_VERSION= WASP_INSTALL_PREFIX= DESTDIR= WASP_HTTP_TIMEOUT=": {},
    "HOME=/": {"prefix": "/.local"},
}
NAMES = {
    **{name: name for name in ("wanted", "source", "force", "dry_run", "quiet", "verbose")},
    "prefix": "prefix",
    "require_checksum": "require_checksum",
    "sha256": "wanted_sha256",
    "yes": "assume_yes",
    "no_modify_path": "modify_path",
}


def parsing(words: str) -> str:
    """The sh program reads these variables and options."""
    each = words.split()
    variables = [word for word in each if re.match("[A-Z_]+=", word)]
    options = " ".join(each[len(variables) :])
    exports = "".join(f"export {word}\n" for word in variables)
    return f'{exports}set_defaults\nset -- {options or "install"}\nparse_arguments "$@"\n'


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me//")


def test_ways_to_write_options(
    every_shell_machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = every_shell_machine.set(HOME="/home/me//")
    printed = " ".join(f'"${name}"' for name in NAMES.values())
    calls = [f"{parsing(words)}check_arguments\nprintf '%s\\n' {printed} ." for words in WAYS]
    for words, answer in zip(WAYS, call_functions(machine, calls)):
        told = ({"true": "yes", "false": "no"}.get(it, it) for it in answer.split("\n"))
        by_sh = dict(zip(NAMES, told))
        by_sh["no_modify_path"] = {"no": "yes", "yes": "no"}[by_sh["no_modify_path"]]
        with monkeypatch.context() as context:
            variables = [word for word in words.split() if re.match("[A-Z_]+=", word)]
            for variable in variables:
                context.setenv(*variable.split("=", 1))
            options = parse(words.split()[len(variables) :])
        assert options.is_install
        by_python = {}
        for name in NAMES:
            value = getattr(options, name)
            by_python[name] = ("no", "yes")[value] if isinstance(value, bool) else value or ""
        plain = {**dict.fromkeys(NAMES, "no"), "wanted": "latest", "source": "auto", "sha256": ""}
        expected = {**plain, "prefix": "/home/me/.local", **WAYS[words]}
        assert by_sh == expected, words
        assert by_python == expected, words


#: What is said of variables and options that cannot be meant.
MISTAKES = {
    "unknown option": ["--no-such-option", "-Z"],
    "needs a value": ["-v", "--sha256", "--prefix=", "--prefix --force", "--source -q"],
    "npm or github": ["--source ftp"],
    "64 hexadecimal": [f"--sha256 {it}" for it in ("abc", "a" * 63, "a" * 65, f"{'a' * 63}g")],
    "is a second command": ["install list", "install use"],
    "Did you mean install?": ["instal"],
    "Did you mean update?": ["upgrade"],
    "-v 0.24.0": ["0.24.0"],
    "unknown command": ["-- install -q", "check", "check 0.25.0", "list 0.25.0", "use 0.2.0 0.1.0"],
    "is not a Wasp version": ["-v latest-but-one", "-v 0.25.0/../evil", "-v '$(evil)'"],
    "'foo' (in WASP_VERSION) is not a Wasp version": ["WASP_VERSION=foo"],
    "works only with list": ["--remote"],
    "needs a version": ["use"],
    "an argument is empty": ["''"],
    "WASP_HTTP_TIMEOUT is": [
        f"WASP_HTTP_TIMEOUT={seconds}" for seconds in ("1.5", "0", "-1", "soon", "01", "100000")
    ],
    "cannot read the archive": ["--from-file /"],
}


def test_a_mistake_is_told_with_what_to_do(every_shell_machine: Machine) -> None:
    each = [(words, told) for told, mistakes in MISTAKES.items() for words in mistakes]
    end = 'leave() { exit "$1"; }\n'
    calls = [f"{end}({parsing(words)}check_arguments)\necho $?" for words, _ in each]
    for (words, told), said in zip(each, call_functions(every_shell_machine, calls)):
        error, hint, *_, code = said.split("\n")
        assert error.startswith("error: "), words
        assert hint.startswith("       "), words
        assert told in said
        assert code == ("7" if words[-1] == "/" else "2")
    # The version in the environment is for installs.
    every_shell_machine.set(WASP_VERSION="foo").run("list").ok()
    assert picture(every_shell_machine.home) == {}


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
def test_what_is_for_the_sh_program(arguments: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = parse(arguments.split())
    assert not made.is_install
    assert made.json == ("--json" in arguments)
    monkeypatch.setenv("WASP_VERSION", "x")
    assert not parse([]).is_install


def test_what_only_install_py_knows(monkeypatch: pytest.MonkeyPatch) -> None:
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
        with pytest.raises(InstallerError, match="--destdir needs a value"):
            parse(words.split())
    with pytest.raises(InstallerError, match="is not a Wasp version"):
        Options(wanted="../evil")


def test_what_is_only_shown() -> None:
    for arguments, shows in (
        *(("-h", "-h"), ("--help --frob", "--help"), ("use -V", "-V"), ("-qh", "-h")),
        # What stands before is a mistake, or not an option any more.
        *(("--frob --help", ""), ("-v --help", ""), ("-- --help", ""), ("use -- -V", "")),
    ):
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
    monkeypatch.setenv("HOME", "")
    assert parse([]).prefix == ""
