"""Which versions are accepted, and that nothing else reaches a path or a URL."""

from __future__ import annotations

import pytest

from tests.support.machines import Machine
from tests.support.releases import Upstream
from tests.support.trees import picture

GOOD = {
    "0.25.0": "0.25.0",
    "v0.25.0": "0.25.0",
    "10.20.30": "10.20.30",
    "0.0.0": "0.0.0",
    "0.26.0-rc1": "0.26.0-rc1",
    "v0.26.0-rc12": "0.26.0-rc12",
    "0.1.9.1": "0.1.9.1",
}
BAD = {
    "traversal": "0.20.1/../../../../evil",
    "traversal-alone": "..",
    "slash": "0.25.0/",
    "two-parts": "0.25",
    "five-parts": "0.25.0.1.2",
    "word": "newest",
    "latest-upper-case": "LATEST",
    "two-v": "vv0.25.0",
    "v-alone": "v",
    "space-before": " 0.25.0",
    "space-after": "0.25.0 ",
    "newline": "0.25.0\n",
    "newline-inside": "0.25.0\n0.24.0",
    "other-suffix": "0.25.0-beta1",
    "empty-candidate": "0.25.0-rc",
    "dotted-candidate": "0.25.0-rc.1",
    "build": "0.25.0+build",
    "empty-part": "0..25",
    "letters": "0.x.0",
    "star": "0.25.*",
    "command": "0.25.0;touch evil",
    "substitution": "$(touch evil)",
    "query": "0.25.0?x=1",
    "escape": "0.25.0%2f..",
    "arabic-digits": "\u0660.\u0661.\u0662",
    "plus": "+0.25.0",
    "very-long": "1." * 2000 + "1",
}


@pytest.mark.parametrize("given", GOOD, ids=str)
def test_a_good_version_is_accepted(machine: Machine, upstream: Upstream, given: str) -> None:
    meant = GOOD[given]
    upstream.publish(meant)
    told = machine.install(given, "--dry-run").ok().json
    assert (told["status"], told["version"]) == ("planned", meant)


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_version_is_refused_before_anything_happens(
    machine: Machine, upstream: Upstream, kind: str
) -> None:
    machine.install(BAD[kind]).failed(2, "bad-version")
    assert picture(machine.home) == {}
    assert upstream.server.connections == 0


@pytest.mark.parametrize("command", ["use", "uninstall"])
def test_a_bad_version_is_refused_by_other_commands(machine: Machine, command: str) -> None:
    machine.layout.plant("0.25.0")
    before = picture(machine.root)
    machine.run(command, BAD["traversal"], "--json", "--yes").failed(2, "bad-version")
    assert picture(machine.root) == before


@pytest.mark.parametrize("value", ["0.24.0", "v0.24.0", "latest"])
def test_the_version_comes_from_the_environment(
    machine: Machine, upstream: Upstream, value: str
) -> None:
    upstream.publish("0.24.0")
    told = machine.set(WASP_VERSION=value).install(None, "--dry-run").ok().json
    assert told["version"] == "0.24.0"


def test_a_bad_version_in_the_environment_is_refused(machine: Machine) -> None:
    machine.set(WASP_VERSION=BAD["traversal"]).install().failed(2, "bad-version")


def test_the_option_wins_over_the_environment(machine: Machine, upstream: Upstream) -> None:
    upstream.publish("0.25.0")
    told = machine.set(WASP_VERSION="0.24.0").install("0.25.0", "--dry-run").ok().json
    assert told["version"] == "0.25.0"


def test_a_variable_for_installs_bothers_no_other_command(machine: Machine) -> None:
    machine.set(WASP_VERSION="foo").run("list").ok()
    machine.run("install", "--json").failed(2, "bad-version").says("WASP_VERSION")


def test_an_empty_variable_is_like_none(machine: Machine, upstream: Upstream) -> None:
    upstream.publish("0.25.0")
    empty = {"WASP_VERSION": "", "WASP_INSTALL_PREFIX": "", "DESTDIR": "", "WASP_HTTP_TIMEOUT": ""}
    told = machine.set(**empty).install().ok().json
    assert (told["version"], told["prefix"]) == ("0.25.0", str(machine.layout.prefix))
