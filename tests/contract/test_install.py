"""Install: every source, what ends up on disk, and what does not."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.archives import (
    DATA_MEMBERS,
    Member,
    directory,
    sha256_hex,
    symlink,
    tgz_of,
    tiny_binary,
    tiny_package,
)
from tests.support.machines import Machine
from tests.support.releases import (
    GITHUB_LATEST_PATH,
    Upstream,
    npm_cli_path,
    npm_platform_path,
    npm_tarball_path,
)
from tests.support.trees import expected_version_folder, picture


def test_installs_the_newest_from_npm(machine: Machine, upstream: Upstream) -> None:
    upstream.publish("0.24.0", latest=False)
    release = upstream.publish("0.25.0")
    told = machine.install().ok().json
    assert (told["status"], told["version"], told["source"]) == ("installed", "0.25.0", "npm")
    layout = machine.layout
    assert layout.versions() == ["0.25.0"]
    assert layout.version_picture("0.25.0") == expected_version_folder(release.package)
    assert machine.wasp("version").stdout == "0.25.0\n"


def test_installs_a_named_version_from_npm(machine: Machine, upstream: Upstream) -> None:
    upstream.publish("0.24.0", latest=False)
    upstream.publish("0.25.0")
    assert machine.install("0.24.0").ok().json["version"] == "0.24.0"
    assert machine.wasp("version").stdout == "0.24.0\n"
    assert upstream.server.count(npm_cli_path("latest")) == 0


def test_installs_the_newest_from_github(machine: Machine, upstream: Upstream) -> None:
    release = upstream.publish("0.25.0")
    told = machine.install(None, "--source", "github").ok().json
    assert (told["version"], told["source"]) == ("0.25.0", "github")
    assert machine.layout.version_picture("0.25.0") == expected_version_folder(release.package)
    assert upstream.server.count(npm_cli_path("latest")) == 0


def test_installs_a_named_version_from_github(machine: Machine, upstream: Upstream) -> None:
    upstream.publish("0.12.3", npm=False)
    assert machine.install("0.12.3", "--source", "github").ok().json["version"] == "0.12.3"
    assert machine.wasp("version").stdout == "0.12.3\n"
    assert upstream.server.count(GITHUB_LATEST_PATH) == 0


@pytest.mark.parametrize("shape", ["npm", "github", "dotted"])
@pytest.mark.parametrize("named", [True, False], ids=["version-named", "version-asked"])
def test_installs_from_a_file_without_any_network(
    machine: Machine, upstream: Upstream, shape: str, named: bool
) -> None:
    package = tiny_package("0.25.0")
    dotted = [replace(member, name=f"./{member.name}") for member in package.members]
    archives = {
        "npm": package.npm_archive(),
        "github": package.github_archive(),
        "dotted": tgz_of([directory("./"), *dotted]),
    }
    archive = machine.root / "wasp archive.tar.gz"
    archive.write_bytes(archives[shape])
    told = machine.install("0.25.0" if named else None, "--from-file", str(archive)).ok().json
    assert (told["version"], told["source"], told["url"]) == ("0.25.0", "file", None)
    assert told["digest"] == f"sha256:{sha256_hex(archive.read_bytes())}"
    assert machine.layout.version_picture("0.25.0") == expected_version_folder(package)
    assert upstream.server.connections == 0


def test_a_file_is_found_from_the_current_folder(machine: Machine, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "wasp.tgz").write_bytes(tiny_package("0.25.0").npm_archive())
    machine.run("--from-file", "wasp.tgz", cwd=elsewhere).ok()
    assert machine.layout.versions() == ["0.25.0"]
    assert [item.name for item in elsewhere.iterdir()] == ["wasp.tgz"]


def test_a_missing_file_is_named(machine: Machine) -> None:
    run = machine.install(None, "--from-file", "/no/such/archive.tgz").failed(7, "file-system")
    run.says("/no/such/archive.tgz")
    assert machine.layout.versions() == []


def test_a_file_with_another_version_than_named_is_refused(machine: Machine) -> None:
    archive = machine.root / "wasp.tgz"
    archive.write_bytes(tiny_package("0.24.0").npm_archive())
    run = machine.install("0.25.0", "--from-file", str(archive)).failed(6, "wrong-version")
    run.says("0.24.0", "0.25.0")
    assert machine.layout.versions() == []
    assert not machine.layout.launcher.exists()


@pytest.mark.parametrize("target", ["starters/basic", "../Generator/bin"])
def test_a_relative_link_inside_the_archive_is_kept(machine: Machine, target: str) -> None:
    link = symlink("data/Cli/link", target)
    package = replace(tiny_package("0.25.0"), data=(*DATA_MEMBERS, link))
    archive = machine.root / "wasp.tgz"
    archive.write_bytes(package.npm_archive())
    machine.install(None, "--from-file", str(archive)).ok()
    assert machine.layout.version_picture("0.25.0") == expected_version_folder(package)


@pytest.mark.parametrize("mask", [0o000, 0o077], ids=["umask-000", "umask-077"])
def test_the_umask_changes_nothing(machine: Machine, upstream: Upstream, mask: int) -> None:
    release = upstream.publish("0.25.0")
    machine.with_umask(mask).install().ok()
    layout = machine.layout
    assert layout.version_picture("0.25.0") == expected_version_folder(release.package)
    modes = {name: entry.mode for name, entry in picture(layout.prefix).items()}
    assert modes["bin/wasp"] == 0o755
    assert modes["share/wasp-lang/0.25.0/.receipt.json"] == 0o644
    folders = ("bin", "share", "share/wasp-lang", "share/wasp-lang/0.25.0")
    assert {name: modes[name] for name in folders} == dict.fromkeys(folders, 0o755)


@pytest.mark.parametrize("node", [">=24.14.1", None], ids=["engines-known", "engines-unknown"])
def test_the_receipt_of_npm(machine: Machine, upstream: Upstream, node: str | None) -> None:
    release = upstream.publish("0.25.0", node=node)
    machine.toolbox.fake_uname("Linux", "x86_64").fake_glibc("2.36")
    machine.install().ok()
    url = f"{upstream.server.url}{npm_tarball_path('0.25.0', 'linux-x64-glibc')}"
    receipt = {
        "version": "0.25.0",
        "source": "npm",
        "url": url,
        "digest": release.npm_digest,
        "node": node,
        "platform": {"os": "linux", "arch": "x86_64", "libc": "glibc"},
    }
    assert machine.layout.receipt_file("0.25.0").read_text() == json.dumps(receipt) + "\n"


@pytest.mark.parametrize("digests", [True, False], ids=["digest-known", "digest-unknown"])
def test_the_receipt_of_github(machine: Machine, upstream: Upstream, digests: bool) -> None:
    release = upstream.publish("0.19.0", npm=False, digests=digests)
    machine.toolbox.fake_uname("Linux", "x86_64").fake_glibc("2.36")
    told = machine.install("0.19.0").ok().json
    receipt = machine.layout.receipt("0.19.0")
    assert list(receipt) == ["version", "source", "url", "digest", "node", "platform"]
    assert receipt["source"] == "github"
    assert receipt["url"] == told["url"]
    assert receipt["url"].endswith("/releases/download/v0.19.0/wasp-linux-x86_64.tar.gz")
    assert receipt["digest"] == told["digest"] == (release.github_digest if digests else None)
    assert receipt["node"] is None


def test_the_receipt_of_a_file(machine: Machine) -> None:
    archive = machine.root / "wasp.tgz"
    archive.write_bytes(tiny_package("0.25.0").npm_archive())
    machine.install(None, "--from-file", str(archive)).ok()
    receipt = machine.layout.receipt("0.25.0")
    assert (receipt["source"], receipt["url"], receipt["node"]) == ("file", None, None)
    assert receipt["digest"] == f"sha256:{sha256_hex(archive.read_bytes())}"


def test_the_home_holds_nothing_but_wasp(machine: Machine, upstream: Upstream) -> None:
    upstream.publish("0.25.0")
    machine.install(None, "--no-modify-path").ok()
    made = set(picture(machine.home))
    top = {name for name in made if name.count("/") <= 3}
    assert top == {
        ".local",
        ".local/bin",
        ".local/bin/wasp",
        ".local/share",
        ".local/share/wasp-lang",
        ".local/share/wasp-lang/0.25.0",
        ".local/share/wasp-lang/completions",
        ".local/share/wasp-lang/telemetry_ping.py",
    }


def test_npm_is_asked_with_the_slash_of_a_scope_escaped(
    machine: Machine, upstream: Upstream
) -> None:
    upstream.publish("0.25.0")
    machine.install("0.25.0").ok()
    asked = [path.lower() for path in upstream.server.raw_paths if "/-/" not in path]
    assert asked
    assert all("/@wasp.sh%2fwasp-cli" in path for path in asked)


def test_the_archive_is_fetched_once(machine: Machine, upstream: Upstream) -> None:
    upstream.publish("0.25.0")
    machine.toolbox.fake_uname("Linux", "x86_64").fake_glibc("2.36")
    machine.install().ok()
    assert upstream.server.count(npm_tarball_path("0.25.0", "linux-x64-glibc")) == 1
    assert upstream.server.count(npm_platform_path("0.25.0", "linux-x64-glibc")) == 1
    assert upstream.server.connections <= 4


def test_a_second_version_becomes_the_current_one(machine: Machine, upstream: Upstream) -> None:
    upstream.publish("0.24.0", latest=False)
    upstream.publish("0.25.0")
    machine.install("0.24.0").ok()
    machine.install("0.25.0").ok()
    assert machine.layout.versions() == ["0.24.0", "0.25.0"]
    assert machine.wasp("version").stdout == "0.25.0\n"


@pytest.mark.parametrize(
    ("before", "says_what_is_new"), [("0.24.0", True), ("0.26.0", False)], ids=["up", "down"]
)
def test_an_upgrade_says_what_changed(
    machine: Machine, upstream: Upstream, before: str, says_what_is_new: bool
) -> None:
    upstream.publish("0.25.0")
    machine.layout.plant(before)
    machine.run("use", before).ok()
    run = machine.run().ok()
    news = "What is new: https://github.com/wasp-lang/wasp/releases/tag/v0.25.0\n"
    assert (news in run.stderr) is says_what_is_new
    run.says(f"Wasp {before} stays installed; to go back to it:", f"use {before}")
    machine.run().ok().is_silent_about("What is new", "stays installed")


def test_an_installed_version_is_not_fetched_again(machine: Machine, upstream: Upstream) -> None:
    upstream.publish("0.25.0")
    machine.install("0.25.0").ok()
    before = picture(machine.home)
    asked = upstream.server.connections
    told = machine.install("0.25.0").ok().json
    assert told["status"] == "already-installed"
    assert upstream.server.connections == asked
    assert picture(machine.home) == before


def test_what_was_lost_beside_an_installed_version_is_put_back(
    machine: Machine, upstream: Upstream
) -> None:
    """The ping module and the completion scripts, without fetching anything."""
    upstream.publish("0.25.0")
    machine.install("0.25.0").ok()
    before = picture(machine.home)
    asked = upstream.server.connections
    shutil.rmtree(machine.layout.share / "completions")
    (machine.layout.share / "telemetry_ping.py").unlink()
    machine.install("0.25.0", "--dry-run").ok()
    assert not (machine.layout.share / "completions").exists()
    assert machine.install("0.25.0").ok().json["status"] == "already-installed"
    assert picture(machine.home) == before
    assert upstream.server.connections == asked


def test_an_installed_newest_version_is_not_downloaded_again(
    machine: Machine, upstream: Upstream
) -> None:
    upstream.publish("0.25.0")
    machine.toolbox.fake_uname("Linux", "x86_64").fake_glibc("2.36")
    machine.install().ok()
    assert machine.install().ok().json["status"] == "already-installed"
    assert upstream.server.count(npm_tarball_path("0.25.0", "linux-x64-glibc")) == 1


def test_installing_an_installed_version_makes_it_the_current_one(
    machine: Machine, upstream: Upstream
) -> None:
    upstream.publish("0.25.0")
    machine.install("0.25.0").ok()
    machine.layout.plant("0.24.0")
    assert machine.install("0.24.0").ok().json["status"] == "already-installed"
    assert machine.wasp("version").stdout == "0.24.0\n"


def test_force_installs_again(machine: Machine, upstream: Upstream) -> None:
    release = upstream.publish("0.25.0")
    machine.install("0.25.0").ok()
    stray = machine.layout.version_folder("0.25.0") / "data" / "stray"
    stray.write_text("not of this release\n")
    told = machine.install("0.25.0", "--force").ok().json
    assert told["status"] == "installed"
    assert machine.layout.version_picture("0.25.0") == expected_version_folder(release.package)


def test_a_folder_without_a_receipt_is_no_install(machine: Machine, upstream: Upstream) -> None:
    release = upstream.publish("0.25.0")
    half = machine.layout.version_folder("0.25.0")
    half.mkdir(parents=True)
    (half / "wasp-bin").write_text("half a download")
    told = machine.install("0.25.0").ok().json
    assert told["status"] == "installed"
    assert machine.layout.version_picture("0.25.0") == expected_version_folder(release.package)


@pytest.mark.parametrize(
    "receipt", ["", "{", "[]", '{"version": "0.24.0"}'], ids=["empty", "cut", "list", "other"]
)
def test_a_broken_receipt_is_no_receipt(machine: Machine, upstream: Upstream, receipt: str) -> None:
    release = upstream.publish("0.25.0")
    machine.layout.plant("0.25.0", replace(tiny_package("0.25.0"), data=()))
    machine.layout.receipt_file("0.25.0").write_text(receipt)
    assert machine.install("0.25.0").ok().json["status"] == "installed"
    assert machine.layout.version_picture("0.25.0") == expected_version_folder(release.package)


def test_only_wasp_is_kept_of_an_archive(machine: Machine) -> None:
    package = tiny_package("0.25.0")
    extras = [
        Member("package/.receipt.json", b'{"version": "6.6.6"}'),
        Member("package/wasp-bin.old", tiny_binary("0.1.0"), mode=0o755),
        Member("package/database/x", b"x"),
    ]
    inside = [replace(member, name=f"package/{member.name}") for member in package.members]
    archive = machine.root / "wasp.tgz"
    archive.write_bytes(tgz_of([*extras, *inside]))
    machine.install(None, "--from-file", str(archive)).ok()
    assert machine.layout.version_picture("0.25.0") == expected_version_folder(package)
    assert machine.layout.receipt("0.25.0")["version"] == "0.25.0"


def test_dry_run_changes_nothing_and_downloads_no_archive(
    machine: Machine, upstream: Upstream
) -> None:
    upstream.publish("0.25.0")
    told = machine.install(None, "--dry-run").ok().json
    assert (told["status"], told["version"]) == ("planned", "0.25.0")
    assert picture(machine.home) == {}
    assert not [path for path in upstream.server.requests if path.endswith((".tgz", ".gz"))]


def test_the_command_may_be_left_out(machine: Machine, upstream: Upstream) -> None:
    upstream.publish("0.25.0")
    machine.run().ok()
    assert machine.layout.versions() == ["0.25.0"]


def test_a_release_candidate(machine: Machine, upstream: Upstream) -> None:
    upstream.publish("0.26.0-rc1", latest=False)
    assert machine.install("v0.26.0-rc1").ok().json["version"] == "0.26.0-rc1"
    assert machine.wasp("version").stdout == "0.26.0-rc1\n"
