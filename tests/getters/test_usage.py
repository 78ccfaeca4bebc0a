"""The command line: what is taken, what is refused, and what goes to which stream.

What both say of mistakes is in test_equality.py; the long tables are tests/unit/test_options.py
and test_versions.py.
"""

from __future__ import annotations

import pytest

from tests.support.getters import Getters
from tests.support.machines import Machine
from tests.support.releases import Upstream
from tests.support.trees import picture

GOOD_VERSIONS = {
    "v0.25.0": "0.25.0",
    "10.20.30": "10.20.30",
    "v0.26.0-rc12": "0.26.0-rc12",
    "0.1.9.1": "0.1.9.1",
}
BAD_VERSIONS = [
    *("0.20.1/../../../../evil", "0.25", "vv0.25.0", " 0.25.0", "0.25.0\n", "0.25.0-beta1"),
    *("$(touch evil)", "\u0660.\u0661.\u0662", "1." * 2000 + "1"),
]


@pytest.mark.parametrize("given", GOOD_VERSIONS)
def test_a_good_version_is_taken(both: Getters, upstream: Upstream, given: str) -> None:
    upstream.publish(GOOD_VERSIONS[given])
    told = both.install(given, "--dry-run").ok().json
    assert (told["status"], told["version"]) == ("planned", GOOD_VERSIONS[given])


@pytest.mark.parametrize("given", BAD_VERSIONS, ids=range(len(BAD_VERSIONS)))
def test_a_bad_version_is_refused_before_anything_happens(
    both: Getters, upstream: Upstream, given: str
) -> None:
    # Its words may hold what only a shell, or only Python, shows as it is.
    both.install(given, certain_only=True).failed(2, "bad-version")
    assert picture(both.machine.home) == {}
    assert upstream.server.connections == 0


def test_the_version_in_the_environment(both: Getters, upstream: Upstream) -> None:
    upstream.publish("0.24.0")
    upstream.publish("0.25.0", latest=False)
    for value in ("0.24.0", "latest", ""):
        both.machine.set(WASP_VERSION=value)
        assert both.install(None, "--dry-run").ok().json["version"] == "0.24.0"
        assert both.install("0.25.0", "--dry-run").ok().json["version"] == "0.25.0"
    both.machine.set(WASP_VERSION="foo")
    both.install().failed(2, "bad-version").says("WASP_VERSION")
    # It is for installs.
    both.machine.run("list").ok()


def test_an_empty_variable_is_like_none(both: Getters, upstream: Upstream) -> None:
    upstream.publish("0.25.0")
    both.machine.set(WASP_INSTALL_PREFIX="", DESTDIR="", WASP_HTTP_TIMEOUT="")
    assert both.install().ok().json["prefix"] == str(both.machine.layout.prefix)


@pytest.mark.parametrize(
    "words",
    [
        *("-v0.25.0 -qy", "-yq --version=0.25.0 install", "install -v 0.25.0 --quiet --yes"),
        *("-qv0.25.0", "-q --source=npm --version 0.25.0"),
    ],
)
def test_options_may_be_written_in_many_ways(both: Getters, words: str) -> None:
    both.has_current("0.24.0", "0.25.0")
    run = both.run(*words.split()).ok()
    assert (run.json["status"], run.json["version"]) == ("already-installed", "0.25.0")
    assert run.stderr == ""


@pytest.mark.parametrize("value", ["1.5", "0", "-1", "soon"])
def test_a_timeout_that_is_no_number_of_seconds(both: Getters, value: str) -> None:
    both.machine.set(WASP_HTTP_TIMEOUT=value)
    both.install("0.25.0").failed(2, "usage").says("WASP_HTTP_TIMEOUT")


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


@pytest.mark.parametrize("home", ["{home}/", "{home}//"])
def test_a_home_with_a_slash_at_its_end(both: Getters, upstream: Upstream, home: str) -> None:
    upstream.publish("0.25.0")
    both.machine.set(HOME=home.format(home=both.machine.home))
    both.machine.set(PATH=f"{both.machine.home}/.local/bin:{both.machine.environment['PATH']}")
    run = both.install().ok().says("in ~/.local/share/wasp-lang/0.25.0")
    assert run.json["on_path"] is True
