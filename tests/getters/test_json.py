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
from wasp_installer import Options
from wasp_installer.command_line.report import result_before

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


def check_shape(told: dict[str, Any], machine: Machine) -> None:
    """What holds for every answer."""
    assert list(told["platform"]) == ["os", "arch", "libc", "distro"]
    assert told["prefix"] == str(machine.layout.prefix)
    assert told["executable"] == str(machine.layout.launcher)
    assert told["telemetry"] in ("none", "disabled")
    assert isinstance(told["on_path"], bool)
    assert isinstance(told["elapsed_s"], (int, float))
    assert 0 <= told["elapsed_s"] < 600
    assert all(isinstance(warning, str) for warning in told["warnings"])


def test_installs(python: Machine, upstream: Upstream) -> None:
    release = upstream.publish("0.25.0")
    planned = python.install(None, "--dry-run").ok()
    installed = python.install(None, "--quiet").ok()
    again = python.install("0.25.0").ok()
    assert (installed.stdout[-2:], installed.stdout.count("\n"), installed.stderr) == ("}\n", 1, "")
    for run in (planned, installed, again):
        told = run.json
        assert list(told) == KEYS
        check_shape(told, python)
        assert (told["version"], told["source"]) == ("0.25.0", "npm")
        assert told["digest"] == release.npm_digest
        assert told["url"].startswith(upstream.npm_url)
        assert told["wasp_dir"] == str(python.layout.version_folder("0.25.0"))
    statuses = [run.json["status"] for run in (planned, installed, again)]
    assert statuses == ["planned", "installed", "already-installed"]


@pytest.mark.parametrize(
    ("command", "keys", "status", "version"),
    [
        ("use -- 0.24.0", KEYS, "switched", "0.24.0"),
        ("list", LIST_KEYS, "listed", None),
        ("uninstall --yes", KEYS, "removed", None),
    ],
)
def test_other_commands(
    python: Machine, command: str, keys: list[str], status: str, version: str | None
) -> None:
    python.layout.plant("0.24.0")
    told = python.run("--json", *command.split()).ok().json
    assert list(told) == keys
    check_shape(told, python)
    assert (told["status"], told["version"]) == (status, version)


def test_an_error_before_anything_is_known(python: Machine) -> None:
    told = python.run("--no-such-option", "--json").failed(2, "usage").json
    assert list(told) == ERROR_KEYS
    assert list(told["platform"]) == ["os", "arch", "libc", "distro"]
    assert (told["version"], told["url"]) == (None, None)


def test_an_error_in_the_middle(python: Machine, upstream: Upstream) -> None:
    upstream.publish("0.25.0", github=False)
    for platform in NPM_PLATFORMS:
        upstream.server.answer(npm_tarball_path("0.25.0", platform), Content(b"wrong bytes"))
    told = python.install("0.25.0").failed(6, "checksum-mismatch").json
    assert list(told) == ERROR_KEYS
    check_shape(told, python)
    assert told["version"] == "0.25.0"
    assert told["url"].startswith(upstream.npm_url)
    assert told["hint"]


@pytest.mark.parametrize(
    ("folder", "is_it"), [("bin", True), ("bin/", True), ("", False), ("bin2", False)]
)
def test_a_failure_tells_too_whether_the_folder_is_on_path(
    monkeypatch: pytest.MonkeyPatch, folder: str, is_it: bool
) -> None:
    monkeypatch.setenv("PATH", f"/usr/bin:/prefix/{folder}")
    assert result_before(Options(prefix="/prefix")).on_path is is_it


# --- What the sh program tells install.py --------------------------------------------------------

_RESULT = (
    *("status", "version", "source", "url", "digest", "os", "arch", "libc", "distro"),
    *("prefix", "on_path"),
)
_WHERE = ("sources", "registry", "fetcher", "npm_build", "github_builds")


STRANGE = ('"quotes"', "back\\slash", "t\tab", "new\nline", "\u017c\u00f3\u0142", "end\\")


def test_strange_text_is_told_exactly(shell_machine: Machine) -> None:
    calls = [f"porcelain=true\ntell message {shlex.quote(f'a {text}')}" for text in STRANGE]
    told = [from_porcelain(said)["message"] for said in call_functions(shell_machine, calls)]
    assert told == [f"a {text}" for text in STRANGE]


def _keys(text: str) -> set[str]:
    return {line.partition("=")[0] for line in text.splitlines()}


def test_the_porcelain_has_the_documented_keys(shell_machine: Machine, upstream: Upstream) -> None:
    upstream.publish("0.25.0", node=None)
    check = ("check", "--dry-run", "--porcelain")
    checked = {*_RESULT, "current", "versions", "startup"}
    assert _keys(shell_machine.run(*check).ok().stdout) == {*checked, *_WHERE}
    installed = shell_machine.run("install", "--porcelain").ok()
    assert _keys(installed.stdout) == {*_RESULT, "warning"}
    # There is nothing to look for.
    assert _keys(shell_machine.run(*check, "-v", "0.25.0").ok().stdout) == checked
    listed = shell_machine.run("list", "--porcelain").ok()
    assert _keys(listed.stdout) == {*_RESULT, "current", "versions", "remote"}
    failed = shell_machine.run("use", "0.1.2", "--porcelain").failed(5)
    assert _keys(failed.stdout) == {*_RESULT, "code", "error", "message", "hint"}
