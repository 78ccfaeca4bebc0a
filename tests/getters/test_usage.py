"""The command line: what is taken, and what is refused before anything is touched.

What both print of mistakes is in test_equality.py; what install.py leaves to the sh program in
tests/unit/test_options.py.
"""

from __future__ import annotations

import shlex

import pytest

from tests.support.frontends import FrontEnd
from tests.support.functions import call_functions
from tests.support.machines import Machine, MachineRoom
from tests.support.trees import picture
from wasp_installer.command_line.options import parse
from wasp_installer.versions import is_version, newest_first

VERSIONS = ("0.25.0", "10.20.30", "0.26.0-rc12", "0.26.0-rc2", "0.1.9.1", "0.9.0", "0.26.0")
NO_VERSIONS = (
    *("0.20.1/../../../../evil", "0.25", "v0.25.0", " 0.25.0", "0.25.0\n", "0.25.0-beta1", ""),
    *("$(touch evil)", "\u0660.\u0661.\u0662", "1." * 2000 + "1", "01.2.3", "1.2.1234567"),
    "-1.2.3",
)


def test_what_is_a_version_and_which_is_newer(every_shell_machine: Machine) -> None:
    asked = [*VERSIONS, *NO_VERSIONS]
    calls = [f"is_version {shlex.quote(text)} && echo yes" for text in asked]
    ordered = f"printf '%s\\n' {' '.join(VERSIONS)} | newest_first"
    *told, order = call_functions(every_shell_machine, [*calls, ordered])
    expected = [text in VERSIONS for text in asked]
    assert [is_version(text) for text in asked] == expected
    assert [answer == "yes" for answer in told] == expected
    assert order.split("\n") == newest_first(VERSIONS)
    assert order.split("\n")[:4] == ["10.20.30", "0.26.0", "0.26.0-rc12", "0.26.0-rc2"]


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
}
NAMES = {
    **{name: name for name in ("wanted", "source", "force", "dry_run", "quiet", "verbose")},
    "prefix": "prefix",
    "sha256": "wanted_sha256",
    "require_checksum": "require_checksum",
    "yes": "assume_yes",
    "no_modify_path": "modify_path",
}


def parsing(words: str) -> str:
    """The sh program reads these variables and options."""
    each = words.split()
    variables = "".join(f"export {word}\n" for word in each if word.startswith(("WASP_", "DEST")))
    options = " ".join(word for word in each if f"export {word}\n" not in variables)
    return f'{variables}set_defaults\nset -- {options or "install"}\nparse_arguments "$@"\n'


def test_options_may_be_written_in_many_ways(
    machines: MachineRoom, every_shell: FrontEnd, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = machines.build(every_shell).set(HOME="/home/me//")
    printed = " ".join(f'"${name}"' for name in NAMES.values())
    calls = [f"{parsing(words)}check_arguments\nprintf '%s\\n' {printed} ." for words in WAYS]
    for words, answer in zip(WAYS, call_functions(machine, calls)):
        told = ({"true": "yes", "false": "no"}.get(it, it) for it in answer.split("\n"))
        by_sh = dict(zip(NAMES, told))
        by_sh["no_modify_path"] = {"no": "yes", "yes": "no"}[by_sh["no_modify_path"]]
        with monkeypatch.context() as context:
            context.setenv("HOME", "/home/me//")
            variables = [word for word in words.split() if word[0] in "WD"]
            for variable in variables:
                context.setenv(*variable.split("=", 1))
            options = parse(words.split()[len(variables) :])
        assert options.is_install
        found = {name: getattr(options, name) for name in NAMES}
        by_python = {
            name: ("no", "yes")[value] if isinstance(value, bool) else value or ""
            for name, value in found.items()
        }
        plain = {**dict.fromkeys(NAMES, "no"), "wanted": "latest", "source": "auto", "sha256": ""}
        expected = {**plain, "prefix": "/home/me/.local", **WAYS[words]}
        assert by_sh == expected, words
        assert by_python == expected, words


#: What is said of variables and options that cannot be meant.
MISTAKES = {
    **dict.fromkeys(("--no-such-option", "-Z"), "unknown option"),
    **dict.fromkeys(
        ("-v", "--sha256", "--prefix=", "--prefix --force", "--source -q"),
        "needs a value",
    ),
    "--source ftp": "npm or github",
    **dict.fromkeys(
        (f"--sha256 {digits}" for digits in ("abc", "a" * 63, "a" * 65, f"{'a' * 63}g")),
        "64 hexadecimal",
    ),
    **dict.fromkeys(("install list", "install use"), "is a second command"),
    "instal": "Did you mean install?",
    "upgrade": "Did you mean update?",
    "0.24.0": "-v 0.24.0",
    **dict.fromkeys(("-- install -q", "check", "check 0.25.0"), "unknown command"),
    **dict.fromkeys(("list 0.25.0", "use 0.25.0 0.24.0"), "unknown command"),
    **dict.fromkeys(
        ("-v latest-but-one", "-v 0.25.0/../evil", "-v '$(evil)'"), "is not a Wasp version"
    ),
    "WASP_VERSION=foo": "'foo' (in WASP_VERSION) is not a Wasp version",
    "--remote": "works only with list",
    "use": "needs a version",
    "''": "an argument is empty",
    **dict.fromkeys(
        (f"WASP_HTTP_TIMEOUT={seconds}" for seconds in ("1.5", "0", "-1", "soon", "01", "100000")),
        "WASP_HTTP_TIMEOUT is",
    ),
    "--from-file /": "cannot read the archive",
}


def test_a_mistake_is_told_with_what_to_do(every_shell_machine: Machine) -> None:
    end = 'leave() { exit "$1"; }\n'
    calls = [f"{end}({parsing(words)}check_arguments)\necho $?" for words in MISTAKES]
    for words, said in zip(MISTAKES, call_functions(every_shell_machine, calls)):
        error, hint, *_, code = said.split("\n")
        assert error.startswith("error: "), words
        assert hint.startswith("       "), words
        assert MISTAKES[words] in said
        assert code == ("7" if words[-1] == "/" else "2")
    assert picture(every_shell_machine.home) == {}


def test_the_version_in_the_environment_is_for_installs(shell_machine: Machine) -> None:
    shell_machine.set(WASP_VERSION="foo").run("list").ok()
