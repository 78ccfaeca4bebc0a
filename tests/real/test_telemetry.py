"""The real wasp-bin under the launcher: it opens no connection of its own; and its news."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import telemetry_messages as messages

from tests.support.certificates import Authority
from tests.support.collector import Collector
from tests.support.installed import Installed
from tests.support.proxy import Proxy
from tests.support.replies import json_content
from tests.support.server import Server
from tests.telemetry.test_messages import RIGHT, WRONG, fields

pytestmark = pytest.mark.real


@pytest.fixture
def wasp(
    tmp_path: Path, authority: Authority, collector: Collector, proxy: Proxy, wasp_package: Path
) -> Installed:
    """All goes through a proxy that lets nothing out."""
    installed = Installed(tmp_path, authority, collector)
    shutil.rmtree(installed.binary.parent)
    installed.binary.parent.symlink_to(wasp_package)
    names = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "HTTP_PROXY", "http_proxy")
    return installed.set(**dict.fromkeys(names, proxy.url))


def test_wasp_itself_sends_nothing_under_the_launcher(wasp: Installed, proxy: Proxy) -> None:
    for _ in range(2):
        assert wasp.used("version").ok().stdout.startswith("0.25.0\n")
    [delivery] = wasp.collector.deliveries
    assert delivery.properties["wasp_version"] == "0.25.0"
    # The ping uses no proxy, and Wasp's own sender would.
    assert proxy.tunnels == []
    shutil.rmtree(wasp.cache)
    wasp.run([str(wasp.binary), "version"]).ok()
    assert len(proxy.tunnels) == 1
    assert not proxy.tunnels[0].startswith("127.0.0.1")
    # They share the id of this machine.
    signature = (wasp.cache / "signature").read_text()
    wasp.used("version").ok()
    assert wasp.collector.events[1]["distinct_id"] == signature.strip()


def test_its_uninstall_leaves_nothing_and_nothing_comes_back(wasp: Installed) -> None:
    wasp.used("version")
    wasp.state_file.unlink()
    run = wasp.run(["sh", "-c", f"echo y | '{wasp.launcher}' uninstall"])
    wasp.settle()
    assert run.code == 0, run
    assert not wasp.root.exists()
    assert not wasp.cache.parent.exists()
    assert len(wasp.collector.deliveries) == 1


def test_a_feed_that_is_taken_here_is_taken_there(
    plain: Server, wasp_package: Path, tmp_path: Path
) -> None:
    environment = {
        **os.environ,
        "HOME": str(tmp_path),
        "LANG": "C.UTF-8",
        "WASP_NEWS_SERVER_URL": f"{plain.url}/",
        "waspc_datadir": str(wasp_package / "data"),
    }
    taken = []
    for changes in [*RIGHT, *WRONG]:
        feed = [fields(**changes)]
        plain.answer("/", json_content(feed))
        command = [str(wasp_package / "wasp-bin"), "news"]
        run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True)
        try:
            messages.messages_from(feed)
        except messages.BROKEN:
            continue
        taken.append(changes)
        assert run.returncode == 0, (changes, run.stdout)
    assert taken == RIGHT
    assert plain.count("/") == len([*RIGHT, *WRONG])
