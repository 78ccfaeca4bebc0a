"""`--json` of install.py: one object, with the same keys in the same order, whatever happens."""

from __future__ import annotations

import shlex
from typing import Any

import pytest

from tests.support.frontends import PYTHON
from tests.support.functions import call_functions
from tests.support.machines import Machine, MachineRoom
from tests.support.porcelain import from_porcelain
from tests.support.releases import NPM_PLATFORMS, Upstream, npm_tarball_path
from tests.support.replies import Content
from wasp_installer import Console, InstallerError, Options
from wasp_installer.command_line.manager import read_report
from wasp_installer.command_line.report import Result, result_before, to_json

KEYS = [
    *("status", "version", "source", "url", "digest", "platform", "prefix", "wasp_dir"),
    *("executable", "on_path", "telemetry", "elapsed_s", "warnings"),
]
ERROR_KEYS = [*KEYS, "code", "error", "message", "hint"]
LIST_KEYS = ["status", "current", "versions", *KEYS[1:]]


@pytest.fixture
def python(machines: MachineRoom) -> Machine:
    """A machine for install.py."""
    return machines.build(PYTHON)


def check_shape(told: dict[str, Any], keys: list[str], machine: Machine) -> None:
    """What holds for every answer."""
    assert list(told) == keys
    assert list(told["platform"]) == ["os", "arch", "libc", "distro"]
    assert told["prefix"] == str(machine.layout.prefix)
    assert told["executable"] == str(machine.layout.launcher)
    assert told["telemetry"] in ("none", "disabled")
    assert isinstance(told["on_path"], bool)
    assert 0 <= told["elapsed_s"] < 600
    assert all(isinstance(warning, str) for warning in told["warnings"])


#: What is done one after the other, and what is reported of it.
COMMANDS = {
    "install --dry-run": (KEYS, "planned", "0.25.0"),
    "install --quiet": (KEYS, "installed", "0.25.0"),
    "install -v 0.25.0": (KEYS, "already-installed", "0.25.0"),
    "use -- 0.24.0": (KEYS, "switched", "0.24.0"),
    "list": (LIST_KEYS, "listed", None),
    "uninstall --yes": (KEYS, "removed", None),
}


def test_every_command(python: Machine, upstream: Upstream) -> None:
    release = upstream.publish("0.25.0")
    for command, (keys, status, version) in COMMANDS.items():
        run = python.run("--json", *command.split()).ok()
        told = run.json
        check_shape(told, keys, python)
        assert (told["status"], told["version"]) == (status, version)
        if status == "planned":
            python.layout.plant("0.24.0")
        if version == "0.25.0":
            assert (told["source"], told["digest"]) == ("npm", release.npm_digest)
            assert told["url"].startswith(upstream.npm_url)
            assert told["wasp_dir"] == str(python.layout.version_folder("0.25.0"))
        if "--quiet" in command:
            assert (run.stdout[-2:], run.stdout.count("\n"), run.stderr) == ("}\n", 1, "")


def test_errors(python: Machine, upstream: Upstream) -> None:
    """In the middle, and before anything is known."""
    upstream.publish("0.25.0", github=False)
    for platform in NPM_PLATFORMS:
        upstream.server.answer(npm_tarball_path("0.25.0", platform), Content(b"wrong bytes"))
    told = python.install("0.25.0").failed(6, "checksum-mismatch").json
    check_shape(told, ERROR_KEYS, python)
    assert told["version"] == "0.25.0"
    assert told["url"].startswith(upstream.npm_url)
    assert told["hint"]
    told = python.run("--no-such-option", "--json").failed(2, "usage").json
    assert list(told) == ERROR_KEYS
    assert list(told["platform"]) == ["os", "arch", "libc", "distro"]
    assert (told["version"], told["url"]) == (None, None)


def test_a_failure_tells_too_whether_the_folder_is_on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    for folder, is_it in (("bin", True), ("bin/", True), ("", False), ("bin2", False)):
        monkeypatch.setenv("PATH", f"/usr/bin:/prefix/{folder}")
        assert result_before(Options(prefix="/prefix")).on_path is is_it


STRANGE = ('"quotes"', "back\\slash", "t\tab", "new\nline", "\u017c\u00f3\u0142", "end\\")


def test_strange_text_is_told_exactly(shell_machine: Machine) -> None:
    calls = [f"porcelain=true\ntell message {shlex.quote(f'a {text}')}" for text in STRANGE]
    told = [from_porcelain(said)["message"] for said in call_functions(shell_machine, calls)]
    assert told == [f"a {text}" for text in STRANGE]


def reported(output: str, code: int = 0) -> tuple[dict[str, Any], InstallerError | None]:
    """What is reported of this output of the sh program, and the error that it is."""
    console, error = Console(quiet=True), None
    try:
        result = read_report(console, code, output)
    except InstallerError as caught:
        result, error = caught.result or Result("error"), caught
    return to_json(result, elapsed_s=0, warnings=console.warnings, error=error), error


LISTED = r"""
welcome to this machine
status=listed
versions=0.25.0, 0.24.0
remote=0.26.0, 0.25.0
version=
prefix=/home/a\\b\\n
url=https://me:secret@host/@wasp.sh/x
warning=one\nand its second line
warning=two
"""


def test_a_list_of_what_can_be_had() -> None:
    report, _ = reported(LISTED)
    assert list(report) == [*LIST_KEYS[:3], "remote", *LIST_KEYS[3:]]
    assert (report["versions"], report["version"]) == (["0.25.0", "0.24.0"], None)
    assert (report["remote"], report["current"]) == (["0.26.0", "0.25.0"], None)
    assert report["executable"] == "/home/a\\b\\n/bin/wasp"
    assert report["url"] == "https://host/@wasp.sh/x"
    assert report["warnings"] == ["one\nand its second line", "two"]


@pytest.mark.parametrize(
    ("output", "code", "error", "message", "hint"),
    [
        ("code=8\nerror=npm-managed\nmessage=no.\nhint=a\\nb", 8, "npm-managed", "no.", "a\nb"),
        ("error=other\nmessage=m", 9, "unexpected", "m", None),
    ],
)
def test_an_error_is_that_of_the_program(
    output: str, code: int, error: str, message: str, hint: str | None
) -> None:
    report, caught = reported(f"status=error\n{output}\n", code)
    assert list(report) == ERROR_KEYS
    assert [report[key] for key in ERROR_KEYS[-4:]] == [code, error, message, hint]
    assert caught is not None
    assert caught.shown


@pytest.mark.parametrize("output", ["", "garbage\n", "status=listed\n"])
def test_a_program_that_ends_without_a_word_is_an_error_of_its_own(output: str) -> None:
    report, caught = reported(output, 134)
    assert (report["error"], report["code"]) == ("unexpected", 1)
    assert "134" in report["message"]
    assert caught is not None
    assert not caught.shown
