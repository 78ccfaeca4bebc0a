"""Proxies: taken as curl takes them, by both getters; a password is never shown."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.getters.test_fetching import told_by_requests
from tests.support.certificates import ELSEWHERE
from tests.support.functions import call_functions
from tests.support.getters import Getters
from tests.support.machines import Machine
from tests.support.proxy import Proxy
from tests.support.releases import Upstream, npm_cli_path, npm_platform_path
from tests.support.replies import json_content
from tests.support.server import Server

BUILD = "linux-x64-glibc"
LOGIN = "user:s3cr3t"
#: Variables, and how often the proxy is passed by both together; None where it is refused.
CASES = {
    "https_proxy={proxy}": 2,
    "ALL_PROXY={proxy}": 2,
    "HTTPS_PROXY={proxy} NO_PROXY=other.example,127.0.0.1": 0,
    "HTTPS_PROXY={proxy} NO_PROXY=other.example%127.0.0.1": 0,
    "HTTPS_PROXY={proxy} NO_PROXY=*": 0,
    "HTTPS_PROXY={proxy} NO_PROXY=127.0.0.0/8": 0,
    "HTTPS_PROXY={proxy} NO_PROXY=7.0.0.1,0.0.1,127.0.0.1.example": 2,
    "HTTPS_PROXY={anonymous}": None,
    "HTTPS_PROXY=http://127.0.0.1:{closed}": None,
    # Also where it makes the address none, for which it is to be written in another way.
    **{
        f"HTTPS_PROXY=http://user:{password}@127.0.0.1:{{port}}": None
        for password in ("s3cr3t-wrong", "s3cr3t@x", "s3cr3t#x", "s3cr3t/x")
    },
}


def test_a_proxy_is_taken_as_curl_takes_it(
    shell_machine: Machine, server: Server, closed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.fallback = json_content({})
    proxies = {name: Proxy(LOGIN) for name in CASES}
    calls, settings = [], {}
    for name, proxy in proxies.items():
        given = name.format(
            proxy=proxy.url, anonymous=proxy.url_without_login, port=proxy.port, closed=closed
        )
        settings[name] = [word.replace("%", " ") for word in given.split()]
        exports = "\n".join(f"export '{word}'" for word in settings[name])
        calls.append(
            f"{exports}\nverbose=true\nchoose_downloader\nfetch_json '{server.url}/' || :\n"
            'lines "$problem."'
        )
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.setenv(name, shell_machine.environment[name])
    monkeypatch.setattr("wasp_installer.getting.transport.time.sleep", lambda _: None)
    for (name, times), said in zip(
        CASES.items(), call_functions(shell_machine.without_waiting(), calls)
    ):
        with monkeypatch.context() as context:
            for word in settings[name]:
                context.setenv(*word.split("=", 1))
            told = told_by_requests(f"{server.url}/", is_archive=False)
        slug = "proxy" if times is None else ""
        assert (said.rpartition("\n")[2], told.slug) == (f"{slug}.", slug), name
        assert len(proxies[name].tunnels) == (times or 0), name
        assert "s3cr3t" not in f"{said}{told.words}"
        proxies[name].close()
    assert server.connections == 2 * sum(times is not None for times in CASES.values())


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    running = Proxy()
    yield running
    running.close()


def test_everything_goes_through_a_proxy(both: Getters, upstream: Upstream, proxy: Proxy) -> None:
    upstream.publish("0.25.0", github=False)
    both.machine.set(HTTPS_PROXY=proxy.url)
    both.install("0.25.0", "--source", "npm").ok()
    assert set(proxy.tunnels) == {f"127.0.0.1:{upstream.server.port}"}
    assert len(proxy.tunnels) == upstream.server.connections


def test_an_archive_on_this_machine_is_not_for_a_registry_elsewhere(
    both: Getters, upstream: Upstream, proxy: Proxy
) -> None:
    """Whoever runs that could reach what listens here only for its owner."""
    server = upstream.server
    release = upstream.publish("0.25.0", github=False)
    metadata = upstream.npm_platform_metadata(release, "0.25.0", BUILD)
    server.answer(npm_platform_path("0.25.0", BUILD), json_content(metadata))
    proxy.routes[f"{ELSEWHERE}:443"] = server.port
    both.machine.set(HTTPS_PROXY=proxy.url, WASP_NPM_REGISTRY=f"https://{ELSEWHERE}/npm")
    run = both.install("0.25.0", "--source", "npm").failed(4, "insecure-url")
    run.says("points to an archive on this machine")
    assert server.count(npm_cli_path("0.25.0")) == 2
    assert not [path for path in server.requests if path.endswith(".tgz")]
