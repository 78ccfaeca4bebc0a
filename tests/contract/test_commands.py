"""list, use, uninstall and migrate-to-npm."""

from __future__ import annotations

import pytest

from tests.support.archives import tiny_package
from tests.support.machines import Machine
from tests.support.releases import Upstream
from tests.support.trees import picture


@pytest.fixture
def three(machine: Machine) -> Machine:
    """A machine with three versions, the middle one current."""
    for version in ("0.9.0", "0.24.0", "0.25.0"):
        machine.layout.plant(version)
    machine.run("use", "0.24.0").ok()
    return machine


# --- list ----------------------------------------------------------------------------------------


@pytest.mark.core
def test_list_shows_the_newest_first_and_marks_the_current(three: Machine) -> None:
    run = three.run("list").ok()
    assert run.stdout == "  0.25.0\n* 0.24.0\n  0.9.0\n"


def test_list_orders_versions_as_versions(machine: Machine) -> None:
    for version in ("0.10.0", "0.9.0", "0.25.0-rc2", "0.25.0-rc10", "0.25.0", "1.0.0", "0.1.9.1"):
        machine.layout.plant(version)
    order = machine.run("list", "--json").ok().json["versions"]
    assert order == [
        "1.0.0",
        "0.25.0",
        "0.25.0-rc10",
        "0.25.0-rc2",
        "0.10.0",
        "0.9.0",
        "0.1.9.1",
    ]


def test_list_of_nothing(machine: Machine) -> None:
    run = machine.run("list").ok()
    assert run.stdout == ""
    assert run.stderr.count("\n") == 1
    assert picture(machine.home) == {}


def test_list_leaves_out_what_is_no_install(three: Machine) -> None:
    half = three.layout.version_folder("0.26.0")
    half.mkdir()
    (half / "wasp-bin").write_text("half")
    (three.layout.share / "notes").mkdir()
    (three.layout.share / "0.27.0").write_text("a file")
    (three.layout.share / "telemetry_ping.py").write_text("")
    assert three.run("list", "--json").ok().json["versions"] == ["0.25.0", "0.24.0", "0.9.0"]


def test_list_changes_nothing(three: Machine) -> None:
    before = picture(three.root)
    three.run("list").ok()
    assert picture(three.root) == before


def test_list_needs_no_network(three: Machine, upstream: Upstream) -> None:
    three.run("list", "--json").ok()
    assert upstream.server.connections == 0


# --- use -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("spelling", ["0.9.0", "v0.9.0"])
def test_use_switches(three: Machine, upstream: Upstream, spelling: str) -> None:
    three.run("use", spelling).ok()
    assert three.wasp("version").stdout == "0.9.0\n"
    assert three.run("list", "--json").json["current"] == "0.9.0"
    assert upstream.server.connections == 0


def test_use_of_the_current_version_is_no_error(three: Machine) -> None:
    before = picture(three.home)
    three.run("use", "0.24.0").ok()
    assert picture(three.home) == before


def test_use_of_what_is_not_installed(three: Machine) -> None:
    before = picture(three.home)
    run = three.run("use", "0.99.0", "--json").failed(5, "not-installed")
    run.says("0.99.0")
    assert picture(three.home) == before


def test_use_of_half_an_install(three: Machine) -> None:
    half = three.layout.version_folder("0.26.0")
    half.mkdir()
    (half / "wasp-bin").write_text("half")
    three.run("use", "0.26.0", "--json").failed(5, "not-installed")
    assert three.wasp("version").stdout == "0.24.0\n"


def test_use_makes_a_launcher_that_was_lost(three: Machine) -> None:
    three.layout.launcher.unlink()
    three.run("use", "0.25.0").ok()
    assert three.wasp("version").stdout == "0.25.0\n"


# --- uninstall -----------------------------------------------------------------------------------


def test_uninstall_of_another_version_leaves_the_current_one(three: Machine) -> None:
    before = three.layout.launcher.read_bytes()
    three.run("uninstall", "0.9.0").ok()
    assert three.layout.versions() == ["0.24.0", "0.25.0"]
    assert three.layout.launcher.read_bytes() == before


@pytest.mark.core
def test_uninstall_of_the_current_version_falls_to_the_newest(three: Machine) -> None:
    three.run("uninstall", "0.24.0").ok()
    assert three.layout.versions() == ["0.25.0", "0.9.0"]
    assert three.wasp("version").stdout == "0.25.0\n"


def test_uninstall_of_the_last_version_takes_the_launcher_along(machine: Machine) -> None:
    machine.layout.plant("0.25.0")
    machine.run("use", "0.25.0").ok()
    machine.run("uninstall", "0.25.0").ok()
    assert not machine.layout.launcher.exists()
    assert machine.layout.versions() == []


def test_uninstall_of_a_version_with_a_v(three: Machine) -> None:
    three.run("uninstall", "v0.9.0").ok()
    assert three.layout.versions() == ["0.24.0", "0.25.0"]


def test_uninstall_of_everything(three: Machine) -> None:
    (three.layout.share / "telemetry_ping.py").write_text("")
    keep = three.layout.launcher.with_name("keep-me")
    keep.write_text("")
    three.run("uninstall", "--yes").ok()
    assert not three.layout.launcher.exists()
    assert not three.layout.share.exists()
    assert keep.exists()


def test_uninstall_without_a_terminal_does_not_ask(three: Machine) -> None:
    three.run("uninstall").ok()
    assert not three.layout.share.exists()


def test_uninstall_of_what_is_not_installed(three: Machine) -> None:
    before = picture(three.home)
    three.run("uninstall", "0.99.0", "--json").failed(5, "not-installed").says("0.99.0")
    assert picture(three.home) == before


def test_uninstall_of_nothing(machine: Machine) -> None:
    machine.run("uninstall", "--yes").ok()
    assert picture(machine.home) == {}


def test_uninstall_of_half_an_install(three: Machine) -> None:
    half = three.layout.version_folder("0.26.0")
    half.mkdir()
    (half / "wasp-bin").write_text("half")
    three.run("uninstall", "0.26.0").ok()
    assert not half.exists()
    assert three.wasp("version").stdout == "0.24.0\n"


def test_uninstall_of_everything_takes_half_installs_along(machine: Machine) -> None:
    machine.layout.plant("0.25.0")
    (machine.layout.version_folder("0.26.0") / "data").mkdir(parents=True)
    machine.run("uninstall", "--yes").ok()
    assert not machine.layout.share.exists()


def test_uninstall_leaves_a_foreign_launcher(three: Machine) -> None:
    three.layout.launcher.write_text("#!/bin/sh\necho mine\n")
    three.run("uninstall", "--yes").ok()
    assert three.layout.launcher.read_text() == "#!/bin/sh\necho mine\n"
    assert three.layout.versions() == []


def test_uninstall_does_not_follow_links(three: Machine) -> None:
    outside = three.root / "outside"
    outside.mkdir()
    (outside / "precious").write_text("precious\n")
    (three.layout.version_folder("0.9.0") / "data" / "link").symlink_to(outside)
    three.run("uninstall", "--yes").ok()
    assert (outside / "precious").read_text() == "precious\n"


def test_uninstall_of_a_version_with_read_only_folders(three: Machine) -> None:
    (three.layout.version_folder("0.9.0") / "data").chmod(0o555)
    three.run("uninstall", "0.9.0").ok()
    assert not three.layout.version_folder("0.9.0").exists()


def test_a_dry_run_of_uninstall_removes_nothing(three: Machine) -> None:
    before = picture(three.home)
    assert three.run("uninstall", "--yes", "--dry-run", "--json").ok().json["status"] == "planned"
    assert picture(three.home) == before


# --- migrate-to-npm ------------------------------------------------------------------------------


@pytest.mark.core
def test_migrate_to_npm_removes_all_and_leaves_the_marker(three: Machine) -> None:
    (three.layout.version_folder("0.26.0") / "data").mkdir(parents=True)
    (three.layout.share / "telemetry_ping.py").write_text("")
    run = three.run("migrate-to-npm").ok()
    run.says("npm install -g @wasp.sh/wasp-cli")
    assert three.layout.npm_marker.read_bytes() == b""
    assert three.layout.versions() == []
    assert not three.layout.launcher.exists()
    assert not [item for item in three.layout.share.iterdir() if item.is_dir()]


def test_migrate_to_npm_with_nothing_installed(machine: Machine) -> None:
    machine.run("migrate-to-npm").ok()
    assert machine.layout.npm_marker.exists()


def test_migrate_to_npm_leaves_a_foreign_launcher(three: Machine) -> None:
    """After npm install, bin/wasp may be npm's."""
    three.layout.launcher.write_text("#!/usr/bin/env node\n// npm's\n")
    three.run("migrate-to-npm").ok()
    assert three.layout.launcher.read_text() == "#!/usr/bin/env node\n// npm's\n"


def test_migrating_twice_is_no_error(three: Machine) -> None:
    three.run("migrate-to-npm").ok()
    three.run("migrate-to-npm").ok()
    assert three.layout.npm_marker.exists()


def test_after_migrating_an_install_is_refused(machine: Machine, upstream: Upstream) -> None:
    upstream.publish("0.25.0")
    machine.install().ok()
    machine.run("migrate-to-npm").ok()
    machine.install().failed(8, "npm-managed")


def test_a_dry_run_of_migrating_changes_nothing(three: Machine) -> None:
    before = picture(three.home)
    three.run("migrate-to-npm", "--dry-run", "--json").ok()
    assert picture(three.home) == before


# --- Other prefixes ------------------------------------------------------------------------------


def test_commands_work_in_another_prefix(machine: Machine) -> None:
    prefix = machine.root / "opt"
    archive = machine.root / "wasp.tgz"
    for version in ("0.24.0", "0.25.0"):
        archive.write_bytes(tiny_package(version).npm_archive())
        machine.run("install", "--from-file", str(archive), "--prefix", str(prefix)).ok()
    machine.set(WASP_INSTALL_PREFIX=str(prefix))
    assert machine.run("list").ok().stdout == "* 0.25.0\n  0.24.0\n"
    machine.run("use", "0.24.0").ok()
    assert machine.run_program([str(prefix / "bin" / "wasp"), "version"]).stdout == "0.24.0\n"
    machine.run("uninstall", "--yes").ok()
    assert not (prefix / "bin" / "wasp").exists()
    assert picture(machine.home) == {}


def test_an_empty_operand_is_no_operand(machine: Machine) -> None:
    """As of a variable that is not set: it must not remove everything."""
    machine.layout.plant("0.25.0")
    machine.run("uninstall", "").failed(2)
    assert machine.layout.versions() == ["0.25.0"]
