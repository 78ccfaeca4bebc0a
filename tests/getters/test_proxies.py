"""Proxies: taken as curl takes them, by both getters; a password is never shown."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.certificates import ELSEWHERE
from tests.support.getters import Getters
from tests.support.proxy import Proxy
from tests.support.releases import Upstream, npm_cli_path, npm_platform_path
from tests.support.replies import json_content

FROM_NPM = ("--source", "npm", "--dry-run")
BUILD = "linux-x64-glibc"


@pytest.fixture
def both(both: Getters, upstream: Upstream) -> Getters:
    upstream.publish("0.25.0", github=False)
    return both


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    running = Proxy("user:s3cr3t")
    yield running
    running.close()


@pytest.mark.parametrize("variable", ["https_proxy", "ALL_PROXY"])
def test_everything_goes_through_a_proxy(
    both: Getters, upstream: Upstream, proxy: Proxy, variable: str
) -> None:
    both.machine.set(**{variable: proxy.url})
    both.install("0.25.0", "--source", "npm").ok()
    assert set(proxy.tunnels) == {f"127.0.0.1:{upstream.server.port}"}
    assert len(proxy.tunnels) == upstream.server.connections


@pytest.mark.parametrize(
    ("excepted", "is_excepted"),
    [
        ("other.example, 127.0.0.1", True),
        ("other.example 127.0.0.1", True),
        ("*", True),
        ("127.0.0.0/8", True),
        ("7.0.0.1,0.0.1,127.0.0.1.example", False),
    ],
)
def test_no_proxy(both: Getters, proxy: Proxy, excepted: str, is_excepted: bool) -> None:
    both.machine.set(HTTPS_PROXY=proxy.url, NO_PROXY=excepted)
    both.install("0.25.0", *FROM_NPM).ok()
    assert (proxy.tunnels == []) is is_excepted


def test_no_proxy_with_a_port_means_the_same_to_both(
    both: Getters, upstream: Upstream, proxy: Proxy
) -> None:
    both.machine.set(HTTPS_PROXY=proxy.url, NO_PROXY=f"127.0.0.1:{upstream.server.port}")
    both.install("0.25.0", *FROM_NPM).ok()
    assert len(proxy.tunnels) in (0, upstream.server.connections)


def test_a_proxy_that_wants_a_password(both: Getters, proxy: Proxy) -> None:
    both.machine.set(HTTPS_PROXY=proxy.url_without_login)
    both.install("0.25.0", *FROM_NPM, certain_only=True).failed(4, "proxy").says("HTTPS_PROXY")
    assert proxy.tunnels == []


@pytest.mark.parametrize("password", ["s3cr3t-wrong", "s3cr3t@x", "s3cr3t#x", "s3cr3t/x"])
def test_the_password_of_a_proxy_is_not_told(
    both: Getters, upstream: Upstream, proxy: Proxy, password: str
) -> None:
    """Also where it makes the address none, for which it is to be written in another way."""
    both.machine.set(HTTPS_PROXY=f"http://user:{password}@127.0.0.1:{proxy.port}")
    run = both.install("0.25.0", *FROM_NPM, "--verbose", certain_only=True).failed(4, "proxy")
    assert "s3cr3t" not in run.stdout + run.stderr
    assert upstream.server.connections == 0


def test_a_dead_proxy_is_named(both: Getters, upstream: Upstream, closed: int) -> None:
    both.machine.set(HTTPS_PROXY=f"http://127.0.0.1:{closed}")
    both.install("0.25.0", *FROM_NPM, certain_only=True).failed(4, "proxy").says("HTTPS_PROXY")
    assert upstream.server.connections == 0


def test_an_archive_on_this_machine_is_not_for_a_registry_elsewhere(
    both: Getters, upstream: Upstream
) -> None:
    """Whoever runs that could reach what listens here only for its owner."""
    server = upstream.server
    release = upstream.publish("0.25.0", github=False)
    metadata = upstream.npm_platform_metadata(release, "0.25.0", BUILD)
    server.answer(npm_platform_path("0.25.0", BUILD), json_content(metadata))
    proxy = Proxy()
    proxy.routes[f"{ELSEWHERE}:443"] = server.port
    try:
        both.machine.set(HTTPS_PROXY=proxy.url, WASP_NPM_REGISTRY=f"https://{ELSEWHERE}/npm")
        run = both.install("0.25.0", "--source", "npm").failed(4, "insecure-url")
        run.says("points to an archive on this machine")
    finally:
        proxy.close()
    assert server.count(npm_cli_path("0.25.0")) == 2
    assert not [path for path in server.requests if path.endswith(".tgz")]
