"""The command line: what is taken, what is refused, and what goes to which stream.

What both say of mistakes is in test_equality.py; what install.py leaves to the sh program in
tests/unit/test_options.py.
"""

from __future__ import annotations

import pytest

from tests.support.frontends import FrontEnd
from tests.support.functions import call_functions
from tests.support.getters import Getters
from tests.support.machines import Machine, MachineRoom
from tests.support.releases import Upstream
from tests.support.trees import picture
from wasp_installer.command_line.options import parse
from wasp_installer.versions import is_version, newest_first

VERSIONS = ("0.25.0", "10.20.30", "0.26.0-rc12", "0.26.0-rc2", "0.1.9.1", "0.9.0", "0.26.0")
NO_VERSIONS = (
    *("0.20.1/../../../../evil", "0.25", "v0.25.0", " 0.25.0", "0.25.0\n", "0.25.0-beta1", ""),
    *(
        "$(touch evil)",
        "\u0660.\u0661.\u0662",
        "1." * 2000 + "1",
        "01.2.3",
        "1.2.1234567",
        "-1.2.3",
    ),
)


def quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def test_what_is_a_version_and_which_is_newer(every_shell_machine: Machine) -> None:
    asked = [*VERSIONS, *NO_VERSIONS]
    calls = [f"is_version {quoted(text)} && echo yes" for text in asked]
    ordered = f"printf '%s\\n' {' '.join(VERSIONS)} | newest_first"
    *told, order = call_functions(every_shell_machine, [*calls, ordered])
    expected = [text in VERSIONS for text in asked]
    assert [is_version(text) for text in asked] == expected
    assert [answer == "yes" for answer in told] == expected
    assert order.split("\n") == newest_first(VERSIONS)
    assert order.split("\n")[:4] == ["10.20.30", "0.26.0", "0.26.0-rc12", "0.26.0-rc2"]


#: As both understand them: words, and what is not as it is without them.
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
}
NAMES = {
    **{name: name for name in ("wanted", "source", "force", "dry_run", "quiet", "verbose")},
    "prefix": "prefix",
    "sha256": "wanted_sha256",
    "require_checksum": "require_checksum",
    "yes": "assume_yes",
    "no_modify_path": "modify_path",
}


def test_options_may_be_written_in_many_ways(
    machines: MachineRoom, every_shell: FrontEnd, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = machines.build(every_shell).set(HOME="/home/me//")
    monkeypatch.setenv("HOME", "/home/me//")
    printed = " ".join(f'"${name}"' for name in NAMES.values())
    calls = [
        f'set -- {words or "install"}\nparse_arguments "$@"\ncheck_arguments\n'
        f"printf '%s\\n' {printed} ."
        for words in WAYS
    ]
    for words, answer in zip(WAYS, call_functions(machine, calls)):
        told = ({"true": "yes", "false": "no"}.get(it, it) for it in answer.split("\n"))
        by_sh = dict(zip(NAMES, told))
        by_sh["no_modify_path"] = {"no": "yes", "yes": "no"}[by_sh["no_modify_path"]]
        options = parse(words.split())
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


def test_a_bad_version_is_refused_before_anything_happens(
    both: Getters, upstream: Upstream
) -> None:
    both.install("$(touch evil)").failed(2, "bad-version")
    both.machine.set(WASP_HTTP_TIMEOUT="1.5")
    both.install("0.25.0").failed(2, "usage").says("WASP_HTTP_TIMEOUT")
    assert picture(both.machine.home) == {}
    assert upstream.server.connections == 0


@pytest.mark.parametrize("value", ["1.5", "0", "-1", "soon", "01"])
def test_a_timeout_that_is_no_number_of_seconds(shell_machine: Machine, value: str) -> None:
    shell_machine.set(WASP_HTTP_TIMEOUT=value)
    shell_machine.run("install").failed(2).says("WASP_HTTP_TIMEOUT")


def test_the_version_in_the_environment(both: Getters, upstream: Upstream) -> None:
    upstream.publish("0.24.0")
    upstream.publish("0.25.0", latest=False)
    both.machine.set(WASP_VERSION="0.24.0")
    assert both.install(None, "--dry-run").ok().json["version"] == "0.24.0"
    assert both.install("0.25.0", "--dry-run").ok().json["version"] == "0.25.0"
    both.machine.set(WASP_VERSION="")
    assert both.install(None, "--dry-run").ok().json["version"] == "0.24.0"
    both.machine.set(WASP_VERSION="foo")
    both.install().failed(2, "bad-version").says("WASP_VERSION")
    # It is for installs.
    both.machine.run("list").ok()


def test_an_empty_variable_is_like_none(both: Getters, upstream: Upstream) -> None:
    upstream.publish("0.25.0")
    both.machine.set(WASP_INSTALL_PREFIX="", DESTDIR="", WASP_HTTP_TIMEOUT="")
    assert both.install().ok().json["prefix"] == str(both.machine.layout.prefix)


@pytest.mark.parametrize("option", ["-V", "--help"])
def test_what_is_only_printed(machine: Machine, option: str) -> None:
    run = machine.run("install", option, "-v", "nonsense").ok()
    assert run.stderr == ""
    assert "Wasp" in run.stdout


def test_people_are_told_on_stderr_only(machine: Machine, upstream: Upstream) -> None:
    upstream.publish("0.25.0")
    run = machine.run("--verbose").ok()
    assert run.stdout == ""
    run.says("0.25.0", ".local/share/wasp-lang", f"{upstream.npm_url}/@wasp.sh")
    # Of the binary only its version is of interest.
    run.is_silent_about("If you wish to install/switch")
    assert machine.run("list", "--quiet").ok().stdout == "* 0.25.0\n"


def test_quiet_hides_no_error(both: Getters) -> None:
    run = both.run("-q", "-v", "0.25.0", "--source", "github").failed(5)
    assert run.stderr.startswith("error: ")


def test_a_missing_home_does_not_matter_with_a_prefix(both: Getters, upstream: Upstream) -> None:
    upstream.publish("0.25.0")
    prefix = both.machine.home / "prefix"
    both.machine.set(HOME=None)
    both.install(None, "--prefix", str(prefix)).ok()
    assert (prefix / "bin" / "wasp").is_file()


def test_a_home_with_a_slash_at_its_end(both: Getters, upstream: Upstream) -> None:
    upstream.publish("0.25.0")
    both.machine.set(HOME=f"{both.machine.home}//")
    both.machine.set(PATH=f"{both.machine.home}/.local/bin:{both.machine.environment['PATH']}")
    run = both.install().ok().says("in ~/.local/share/wasp-lang/0.25.0")
    assert run.json["on_path"] is True


USAGE_ERRORS = (
    *("use", "list 0.25.0", "install use", "use 0.25.0 0.24.0", "''", "check", "check 0.25.0"),
    *("--remote", "--source ftp", "--source", "--version", "--prefix -q", "--sha256 abc"),
    *(f"--sha256 {'a' * 63}", f"--sha256 {'a' * 65}", f"--sha256 {'a' * 63}g", "--no-such", "-x"),
)


def test_what_cannot_be_meant(shell_machine: Machine) -> None:
    calls = [
        f"(parse_arguments {words}; check_arguments) 2>/dev/null\necho $?" for words in USAGE_ERRORS
    ]
    told = call_functions(shell_machine, calls)
    assert dict(zip(USAGE_ERRORS, told)) == dict.fromkeys(USAGE_ERRORS, "2")
