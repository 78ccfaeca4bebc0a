"""The real wasp-bin under the launcher: it opens no connection of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.certificates import Authority
from tests.support.collector import Collector
from tests.support.installed import Installed
from tests.support.proxy import Proxy

pytestmark = pytest.mark.real


@pytest.fixture
def wasp(
    tmp_path: Path, authority: Authority, collector: Collector, proxy: Proxy, wasp_package: Path
) -> Installed:
    """All goes through a proxy that lets nothing out."""
    installed = Installed(tmp_path, authority, collector)
    for name in ("wasp-bin", "data"):
        target = installed.binary.with_name(name)
        if target.is_dir():
            target.rmdir()
        else:
            target.unlink()
        target.symlink_to(wasp_package / name)
    names = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "HTTP_PROXY", "http_proxy")
    return installed.set(**dict.fromkeys(names, proxy.url))


def test_wasp_itself_sends_nothing_under_the_launcher(wasp: Installed, proxy: Proxy) -> None:
    assert wasp.used("version").ok().stdout.startswith("0.25.0\n")
    [delivery] = wasp.collector.deliveries
    assert delivery.properties["wasp_version"] == "0.25.0"
    wasp.used("version").ok()
    # The ping uses no proxy, and Wasp's own sender would.
    assert proxy.tunnels == []


def test_left_alone_it_would_send_its_own(wasp: Installed, proxy: Proxy) -> None:
    """Without this, the test before would show nothing. The proxy lets it go nowhere."""
    wasp.run([str(wasp.binary), "version"]).ok()
    assert len(proxy.tunnels) == 1
    assert not proxy.tunnels[0].startswith("127.0.0.1")


def test_it_shares_the_id_of_this_machine(wasp: Installed) -> None:
    wasp.run([str(wasp.binary), "version"]).ok()
    signature = (wasp.cache / "signature").read_text()
    wasp.used("version").ok()
    assert wasp.collector.events[0]["distinct_id"] == signature.strip()


def test_its_uninstall_leaves_nothing_and_nothing_comes_back(wasp: Installed) -> None:
    wasp.used("version")
    wasp.state_file.unlink()
    run = wasp.run(["sh", "-c", f"echo y | '{wasp.launcher}' uninstall"])
    wasp.settle()
    assert run.code == 0, run
    assert not wasp.root.exists()
    assert not wasp.cache.parent.exists()
    assert len(wasp.collector.deliveries) == 1
