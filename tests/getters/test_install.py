"""Install: what is asked of each source, what ends up on disk, and what does not."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.archives import sha256_hex, tiny_package
from tests.support.getters import Getters
from tests.support.machines import Machine
from tests.support.releases import (
    GITHUB_LATEST_PATH,
    Upstream,
    github_download_path,
    npm_cli_path,
    npm_platform_path,
    npm_tarball_path,
)
from tests.support.trees import expected_version_folder, picture

BUILD = "linux-x64-glibc"


@pytest.fixture
def linux(machine: Machine) -> Machine:
    """A machine of a fixed platform."""
    machine.toolbox.fake_uname("Linux", "x86_64").fake_glibc("2.36")
    return machine


def test_the_newest_from_npm(linux: Machine, upstream: Upstream) -> None:
    upstream.publish("0.24.0", latest=False)
    release = upstream.publish("0.25.0", node=">=24.14.1")
    told = linux.install().ok().json
    assert (told["status"], told["version"], told["source"]) == ("installed", "0.25.0", "npm")
    layout = linux.layout
    assert layout.version_picture("0.25.0") == expected_version_folder(release.package)
    receipt = {
        "version": "0.25.0",
        "source": "npm",
        "url": f"{upstream.server.url}{npm_tarball_path('0.25.0', BUILD)}",
        "digest": release.npm_digest,
        "node": ">=24.14.1",
        "platform": {"os": "linux", "arch": "x86_64", "libc": "glibc"},
    }
    assert layout.receipt_file("0.25.0").read_text() == json.dumps(receipt) + "\n"
    assert linux.wasp("version").stdout == "0.25.0\n"
    # Each thing once, with the slash of a scope escaped.
    asked = [npm_cli_path("latest"), npm_platform_path("0.25.0", BUILD)]
    asked.append(npm_tarball_path("0.25.0", BUILD))
    assert upstream.server.requests == dict.fromkeys(asked, 1)
    raw = [path.lower() for path in upstream.server.raw_paths if "/-/" not in path]
    assert all("/@wasp.sh%2fwasp-cli" in path for path in raw)


def test_a_named_version_from_github(linux: Machine, upstream: Upstream) -> None:
    release = upstream.publish("0.12.3", npm=False)
    told = linux.install("0.12.3", "--source", "github").ok().json
    assert linux.layout.version_picture("0.12.3") == expected_version_folder(release.package)
    receipt = linux.layout.receipt("0.12.3")
    assert list(receipt) == ["version", "source", "url", "digest", "node", "platform"]
    assert (receipt["source"], receipt["node"]) == ("github", None)
    assert receipt["url"] == told["url"]
    assert receipt["url"].endswith(github_download_path("0.12.3", "linux-x86_64"))
    assert receipt["digest"] == told["digest"] == release.github_digest
    assert upstream.server.count(GITHUB_LATEST_PATH) == 0
    downloads = {path for path in upstream.server.requests if "/download/" in path}
    assert downloads == {github_download_path("0.12.3", "linux-x86_64")}


@pytest.mark.parametrize("shape", ["npm", "github"])
def test_a_file_needs_no_network(both: Getters, upstream: Upstream, shape: str) -> None:
    package = tiny_package("0.25.0")
    archives = {"npm": package.npm_archive(), "github": package.github_archive()}
    both.machine.toolbox.remove("curl")
    told = both.install(None, *both.file(archives[shape])).ok().json
    assert (told["version"], told["source"], told["url"]) == ("0.25.0", "file", None)
    assert told["digest"] == f"sha256:{sha256_hex(archives[shape])}"
    assert both.machine.layout.version_picture("0.25.0") == expected_version_folder(package)
    assert upstream.server.connections == 0


def test_a_file_is_found_from_the_current_folder(both: Getters, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "wasp.tgz").write_bytes(tiny_package("0.25.0").npm_archive())
    both.install(None, "--from-file", "wasp.tgz", cwd=elsewhere).ok()
    assert [item.name for item in elsewhere.iterdir()] == ["wasp.tgz"]


def test_the_umask_changes_nothing(both: Getters, upstream: Upstream) -> None:
    release = upstream.publish("0.25.0")
    both.machine.with_umask(0o077)
    both.install().ok()
    layout = both.machine.layout
    assert layout.version_picture("0.25.0") == expected_version_folder(release.package)
    modes = {name: entry.mode for name, entry in picture(layout.prefix).items()}
    assert modes["bin/wasp"] == 0o755
    assert modes["share/wasp-lang/0.25.0/.receipt.json"] == 0o644
    folders = ("bin", "share", "share/wasp-lang", "share/wasp-lang/0.25.0")
    assert {name: modes[name] for name in folders} == dict.fromkeys(folders, 0o755)


def test_the_home_holds_nothing_but_wasp(both: Getters, upstream: Upstream) -> None:
    upstream.publish("0.25.0")
    both.install(None, "--no-modify-path").ok()
    share = {item.name for item in both.machine.layout.share.iterdir()}
    assert share == {
        *(
            "0.25.0",
            "telemetry_ping.py",
            "telemetry_messages.py",
            "completions",
            "project_version.sh",
        ),
        *("env.sh", "env.fish", "wasp-installer.sh"),
    }
    top = {name for name in picture(both.machine.home) if name.count("/") <= 2}
    assert top == {
        *(".local", ".local/bin", ".local/bin/wasp"),
        *(".local/share", ".local/share/wasp-lang"),
    }


def test_what_is_installed_is_not_fetched_again(linux: Machine, upstream: Upstream) -> None:
    """The newest is only asked for; and what was lost beside a version is put back."""
    upstream.publish("0.25.0")
    linux.install("0.25.0").ok()
    before = picture(linux.home)
    asked = upstream.server.connections
    shutil.rmtree(linux.layout.share / "completions")
    (linux.layout.share / "telemetry_ping.py").unlink()
    assert linux.install("0.25.0").ok().json["status"] == "already-installed"
    assert upstream.server.connections == asked
    assert picture(linux.home) == before
    assert linux.install().ok().json["status"] == "already-installed"
    assert upstream.server.count(npm_tarball_path("0.25.0", BUILD)) == 1


def test_force_installs_again(both: Getters, upstream: Upstream) -> None:
    release = upstream.publish("0.25.0")
    both.has_current("0.25.0")
    stray = both.machine.layout.version_folder("0.25.0") / "data" / "stray"
    stray.write_text("not of this release\n")
    assert both.install("0.25.0", "--force").ok().json["status"] == "installed"
    layout = both.machine.layout
    assert layout.version_picture("0.25.0") == expected_version_folder(release.package)


@pytest.mark.parametrize("receipt", [None, '{"version": "0.25.0", '])
def test_a_version_without_its_receipt_is_no_install(
    both: Getters, upstream: Upstream, receipt: str | None
) -> None:
    release = upstream.publish("0.25.0")
    layout = both.machine.layout
    layout.plant("0.25.0", replace(tiny_package("0.25.0"), data=()))
    if receipt is None:
        layout.receipt_file("0.25.0").unlink()
    else:
        layout.receipt_file("0.25.0").write_text(receipt)
    assert both.install("0.25.0").ok().json["status"] == "installed"
    assert layout.version_picture("0.25.0") == expected_version_folder(release.package)


def test_a_plan_downloads_no_archive(both: Getters, upstream: Upstream) -> None:
    upstream.publish("0.25.0")
    both.install(None, "--dry-run").ok()
    both.install(None, "--dry-run", "--source", "github").ok()
    assert not [path for path in upstream.server.requests if path.startswith("/assets/")]
    assert not [path for path in upstream.server.requests if path.endswith(".tgz")]


def test_the_command_may_be_left_out(both: Getters, upstream: Upstream) -> None:
    upstream.publish("0.25.0")
    both.run().ok()
    assert both.machine.layout.versions() == ["0.25.0"]
