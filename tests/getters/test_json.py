"""`--json` of install.py: one object, with the same keys in the same order, whatever happens."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.frontends import PYTHON
from tests.support.machines import Machine, MachineRoom
from tests.support.releases import NPM_PLATFORMS, Upstream, npm_tarball_path
from tests.support.replies import Content

KEYS = [
    "status",
    "version",
    "source",
    "url",
    "digest",
    "platform",
    "prefix",
    "wasp_dir",
    "executable",
    "on_path",
    "telemetry",
    "elapsed_s",
    "warnings",
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
    planned = python.install(None, "--dry-run").ok().json
    installed = python.install()
    again = python.install("0.25.0").ok().json
    assert installed.stdout.endswith("}\n")
    assert installed.stdout.count("\n") == 1
    installed.says("Installed Wasp 0.25.0")
    for told in (planned, installed.json, again):
        assert list(told) == KEYS
        check_shape(told, python)
        assert (told["version"], told["source"]) == ("0.25.0", "npm")
        assert told["digest"] == release.npm_digest
        assert told["url"].startswith(upstream.npm_url)
        assert told["wasp_dir"] == str(python.layout.version_folder("0.25.0"))
    statuses = [told["status"] for told in (planned, installed.json, again)]
    assert statuses == ["planned", "installed", "already-installed"]


def test_other_commands(python: Machine) -> None:
    python.layout.plant("0.24.0")
    python.layout.plant("0.9.0")
    told = {}
    for command in (
        "use -- 0.9.0",
        "list",
        "uninstall 0.24.0",
        "uninstall --yes",
        "migrate-to-npm",
    ):
        told[command] = python.run("--json", *command.split()).ok().json
        assert list(told[command]) == (LIST_KEYS if command == "list" else KEYS)
        check_shape(told[command], python)
    summary = {command: (each["status"], each["version"]) for command, each in told.items()}
    assert summary == {
        "use -- 0.9.0": ("switched", "0.9.0"),
        "list": ("listed", None),
        "uninstall 0.24.0": ("removed", "0.24.0"),
        "uninstall --yes": ("removed", None),
        "migrate-to-npm": ("removed", None),
    }
    assert (told["list"]["current"], told["list"]["versions"]) == ("0.9.0", ["0.24.0", "0.9.0"])


@pytest.mark.parametrize("arguments", ["--json --no-such-option", "--no-such-option --json"])
def test_an_error_before_anything_is_known(python: Machine, arguments: str) -> None:
    told = python.run(*arguments.split()).failed(2, "usage").json
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
    "name",
    ['with "quotes"', "with \\ backslash", "with\ttab", "with\nnewline", "\u017c\u00f3\u0142"],
)
def test_strange_names_are_told_exactly(python: Machine, name: str) -> None:
    prefix = python.root / name
    told = python.run("list", "--json", "--prefix", str(prefix)).ok().json
    assert told["prefix"] == str(prefix)
    assert told["executable"] == str(prefix / "bin" / "wasp")


@pytest.mark.parametrize(
    ("folder", "is_it"), [("bin", True), ("bin/", True), ("", False), ("bin2", False)]
)
def test_a_failure_tells_too_whether_the_folder_is_on_path(
    python: Machine, folder: str, is_it: bool
) -> None:
    python.set(PATH=f"{python.toolbox.folder}:{python.layout.launcher.parents[1]}/{folder}")
    told = python.install("0.99.0", "--source", "github").failed(5).json
    assert told["on_path"] is is_it


def test_json_and_quiet_print_only_the_object(python: Machine, upstream: Upstream) -> None:
    upstream.publish("0.25.0")
    run = python.install(None, "--quiet").ok()
    assert run.stderr == ""
    assert run.json["status"] == "installed"


# --- What the sh program tells install.py --------------------------------------------------------

_RESULT = (
    *("status", "version", "source", "url", "digest", "os", "arch", "libc", "distro"),
    *("prefix", "on_path", "wasp_dir", "executable"),
)


def _keys(text: str) -> set[str]:
    return {line.partition("=")[0] for line in text.splitlines()}


def test_the_porcelain_has_the_documented_keys(shell_machine: Machine, upstream: Upstream) -> None:
    upstream.publish("0.25.0", node=None)
    check = ("check", "--dry-run", "--porcelain")
    assert _keys(shell_machine.run(*check).ok().stdout) == {"current", "versions", "startup"}
    installed = shell_machine.run("install", "--porcelain").ok()
    assert _keys(installed.stdout) == {*_RESULT, "warning"}
    listed = shell_machine.run("list", "--porcelain").ok()
    assert _keys(listed.stdout) == {*_RESULT, "current", "versions", "remote"}
    failed = shell_machine.run("use", "0.1.2", "--porcelain").failed(5)
    assert _keys(failed.stdout) == {*_RESULT, "code", "error", "message", "hint"}
