"""`--json`: one object, with the same keys in the same order, whatever happens."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.machines import Machine
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


def test_installed(machine: Machine, upstream: Upstream) -> None:
    release = upstream.publish("0.25.0")
    told = machine.install().ok().json
    assert list(told) == KEYS
    check_shape(told, machine)
    assert told["status"] == "installed"
    assert told["version"] == "0.25.0"
    assert told["source"] == "npm"
    assert told["url"].startswith(upstream.npm_url)
    assert told["digest"] == release.npm_digest
    assert told["wasp_dir"] == str(machine.layout.version_folder("0.25.0"))


def test_already_installed(machine: Machine, upstream: Upstream) -> None:
    release = upstream.publish("0.25.0")
    first = machine.install("0.25.0").ok().json
    told = machine.install("0.25.0").ok().json
    assert list(told) == KEYS
    check_shape(told, machine)
    assert told["status"] == "already-installed"
    for key in ("version", "source", "url", "digest", "wasp_dir"):
        assert told[key] == first[key], key
    assert told["digest"] == release.npm_digest


def test_planned(machine: Machine, upstream: Upstream) -> None:
    upstream.publish("0.25.0")
    told = machine.install(None, "--dry-run").ok().json
    assert list(told) == KEYS
    check_shape(told, machine)
    assert told["status"] == "planned"
    assert told["version"] == "0.25.0"
    assert told["url"].startswith(upstream.npm_url)


def test_removed(machine: Machine, upstream: Upstream) -> None:
    upstream.publish("0.25.0")
    machine.install().ok()
    told = machine.run("uninstall", "0.25.0", "--json").ok().json
    assert list(told) == KEYS
    check_shape(told, machine)
    assert (told["status"], told["version"]) == ("removed", "0.25.0")


def test_removed_as_a_whole(machine: Machine, upstream: Upstream) -> None:
    upstream.publish("0.25.0")
    machine.install().ok()
    told = machine.run("uninstall", "--json", "--yes").ok().json
    assert list(told) == KEYS
    check_shape(told, machine)
    assert (told["status"], told["version"]) == ("removed", None)


def test_switched(machine: Machine) -> None:
    machine.layout.plant("0.24.0")
    told = machine.run("use", "0.24.0", "--json").ok().json
    assert list(told) == KEYS
    check_shape(told, machine)
    assert (told["status"], told["version"]) == ("switched", "0.24.0")
    assert told["wasp_dir"] == str(machine.layout.version_folder("0.24.0"))


def test_listed(machine: Machine) -> None:
    machine.layout.plant("0.24.0")
    machine.layout.plant("0.9.0")
    machine.run("use", "0.9.0").ok()
    told = machine.run("list", "--json").ok().json
    assert list(told) == LIST_KEYS
    check_shape(told, machine)
    assert told["status"] == "listed"
    assert told["current"] == "0.9.0"
    assert told["versions"] == ["0.24.0", "0.9.0"]


def test_listed_with_nothing_installed(machine: Machine) -> None:
    told = machine.run("list", "--json").ok().json
    assert list(told) == LIST_KEYS
    assert (told["current"], told["versions"]) == (None, [])


def test_migrated_to_npm(machine: Machine) -> None:
    machine.layout.plant("0.24.0")
    told = machine.run("migrate-to-npm", "--json").ok().json
    assert list(told) == KEYS
    check_shape(told, machine)
    assert told["status"] == "removed"


def test_error_before_anything_is_known(machine: Machine) -> None:
    told = machine.run("--json", "--no-such-option").failed(2, "usage").json
    assert list(told) == ERROR_KEYS
    assert list(told["platform"]) == ["os", "arch", "libc", "distro"]
    assert told["version"] is None
    assert told["url"] is None


def test_error_in_the_middle(machine: Machine, upstream: Upstream) -> None:
    upstream.publish("0.25.0", github=False)
    for platform in NPM_PLATFORMS:
        upstream.server.answer(npm_tarball_path("0.25.0", platform), Content(b"wrong bytes"))
    told = machine.install("0.25.0").failed(6, "checksum-mismatch").json
    assert list(told) == ERROR_KEYS
    check_shape(told, machine)
    assert told["version"] == "0.25.0"
    assert told["url"].startswith(upstream.npm_url)
    assert told["hint"]


def test_the_answer_is_one_line(machine: Machine, upstream: Upstream) -> None:
    upstream.publish("0.25.0")
    out = machine.install().ok().stdout
    assert out.endswith("}\n")
    assert out.count("\n") == 1


def test_the_option_may_stand_behind_the_mistake(machine: Machine) -> None:
    machine.run("--no-such-option", "--json").failed(2, "usage")


@pytest.mark.parametrize(
    "name",
    [
        'with "quotes"',
        "with \\ backslash",
        "with\ttab",
        "with\nnewline",
        "\u017c\u00f3\u0142\u0107",
    ],
    ids=["quotes", "backslash", "tab", "newline", "non-ascii"],
)
def test_strange_names_are_told_exactly(machine: Machine, name: str) -> None:
    prefix = machine.root / name
    told = machine.run("list", "--json", "--prefix", str(prefix)).ok().json
    assert told["prefix"] == str(prefix)
    assert told["executable"] == str(prefix / "bin" / "wasp")


def test_a_result_for_people_still_goes_to_stderr(machine: Machine, upstream: Upstream) -> None:
    upstream.publish("0.25.0")
    machine.install().ok().says("0.25.0")


def test_json_and_quiet_print_only_the_object(machine: Machine, upstream: Upstream) -> None:
    upstream.publish("0.25.0")
    run = machine.install(None, "--quiet").ok()
    assert run.stderr == ""
    assert run.json["status"] == "installed"
