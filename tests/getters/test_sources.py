"""Which source is asked, in which order, and when the other one is."""

from __future__ import annotations

import pytest

from tests.support.getters import Getters
from tests.support.releases import (
    Upstream,
    npm_cli_path,
    npm_platform_path,
    npm_tarball_path,
)
from tests.support.replies import status

BUILD = "linux-x64-glibc"


def asked(upstream: Upstream, source: str) -> bool:
    return any(path.startswith(f"/{source}") for path in upstream.server.requests)


def test_npm_comes_first(both: Getters, upstream: Upstream) -> None:
    upstream.publish("0.25.0")
    run = both.install("0.25.0").ok()
    assert run.json["source"] == "npm"
    assert not asked(upstream, "github")
    run.is_silent_about("github")


def test_versions_before_npm_come_from_github_at_once(both: Getters, upstream: Upstream) -> None:
    upstream.publish("0.20.1", npm=False, latest=False)
    assert both.install("0.20.1", "--dry-run").ok().json["source"] == "github"
    assert not asked(upstream, "npm")


@pytest.mark.parametrize(
    ("fault", "version"),
    [("lacking", "0.25.0"), ("lacking", None), ("500", "0.25.0"), ("dns", None)],
)
def test_github_serves_when_npm_does_not(
    both: Getters, upstream: Upstream, fault: str, version: str | None
) -> None:
    upstream.publish("0.25.0", npm=False)
    both.machine.without_waiting()
    if fault == "dns":
        both.machine.set(WASP_NPM_REGISTRY="https://registry.invalid")
    elif fault == "500":
        upstream.server.answer(npm_cli_path("0.25.0"), status(500))
    run = both.install(version, "--dry-run").ok()
    assert run.json["source"] == "github"
    [warning] = [warning for warning in run.warnings() if "GitHub" in warning]
    assert warning.startswith("the npm registry: ")


@pytest.mark.parametrize("lacking", ["document", "archive"])
def test_github_serves_when_npm_lacks_the_platform(
    both: Getters, upstream: Upstream, lacking: str
) -> None:
    upstream.publish("0.25.0")
    path = npm_platform_path if lacking == "document" else npm_tarball_path
    upstream.server.forget(path("0.25.0", BUILD))
    assert both.install("0.25.0").ok().json["source"] == "github"


def test_an_unreachable_source_is_not_called_a_missing_version(
    both: Getters, upstream: Upstream
) -> None:
    """Nobody can know whether the version is where nobody could look."""
    both.machine.set(WASP_NPM_REGISTRY="https://registry.invalid")
    both.install("0.25.0").failed(4, "dns").says("registry.invalid")
    assert asked(upstream, "github")
    both.machine.set(WASP_NPM_REGISTRY=upstream.npm_url, WASP_GITHUB_URL="https://github.invalid")
    both.install("0.25.0").failed(4, "dns").says("github.invalid")


# --- GitHub --------------------------------------------------------------------------------------


def test_a_release_without_a_build_for_this_platform(both: Getters, upstream: Upstream) -> None:
    """Old releases have only the x86_64 pair; the version exists all the same."""
    names = ("linux-x86_64", "macos-x86_64")
    upstream.publish("0.11.0", npm=False, github_names=names)
    both.machine.toolbox.fake_uname("Linux", "aarch64").fake_glibc("2.36")
    run = both.install("0.11.0", "--source", "github").failed(3, "unsupported-platform")
    run.says("0.11.0", "aarch64")
