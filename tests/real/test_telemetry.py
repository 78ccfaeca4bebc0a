"""The real wasp-bin under the launcher: it opens no connection of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real.test_registry import go_online
from tests.support.collector import Collector
from tests.support.machines import MachineRoom
from tests.support.projects import Project
from tests.support.proxy import Proxy

pytestmark = pytest.mark.real


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    running = Proxy()
    yield running
    running.close()


@pytest.fixture
def project(machines: MachineRoom, registry: str, collector: Collector, proxy: Proxy) -> Project:
    """Wasp from the registry; from then on all goes through a proxy that lets nothing out."""
    project = machines.build_as(Project, "dash")
    trusted = {name: project.environment[name] for name in ("SSL_CERT_FILE", "CURL_CA_BUNDLE")}
    project.collects(collector)
    go_online(project, registry).install(None, "--no-telemetry").ok()
    for name in (
        "HTTPS_PROXY",
        "https_proxy",
        "ALL_PROXY",
        "all_proxy",
        "HTTP_PROXY",
        "http_proxy",
    ):
        project.set(**{name: proxy.url})
    return project.set(**trusted, NO_PROXY=None, no_proxy=None, WASP_AUTO_NEWS_DISABLE="1")


def binary_of(project: Project) -> Path:
    [version] = project.layout.versions()
    return project.layout.binary(version)


def test_wasp_itself_sends_nothing_under_the_launcher(
    project: Project, collector: Collector, proxy: Proxy
) -> None:
    assert "0." in project.used("version").ok().stdout
    [delivery] = collector.deliveries
    [version] = project.layout.versions()
    assert delivery.properties["wasp_version"] == version
    assert proxy.tunnels == [f"127.0.0.1:{collector.server.port}"]
    project.used("version").ok()
    assert len(proxy.tunnels) == 1


def test_left_alone_it_would_send_its_own(project: Project, proxy: Proxy) -> None:
    """Without this, the test before would show nothing. The proxy lets it go nowhere."""
    project.run_program([str(binary_of(project)), "version"], cwd=project.folder).ok()
    assert len(proxy.tunnels) == 1
    assert not proxy.tunnels[0].startswith("127.0.0.1")


def test_it_shares_the_id_of_this_machine(project: Project, collector: Collector) -> None:
    project.run_program([str(binary_of(project)), "version"], cwd=project.folder).ok()
    signature = (project.cache / "signature").read_text()
    project.used("version").ok()
    assert collector.events[0]["distinct_id"] == signature.strip()
