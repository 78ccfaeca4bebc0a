"""Disks that are full, read-only, foreign or odd: exit code 7, the reason, and no trace."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.archives import DATA_MEMBERS, Member, tiny_package
from tests.support.filesystems import give_away, remount, small_filesystem, without_privileges
from tests.support.machines import Machine
from tests.support.releases import Upstream
from tests.support.trees import picture

# Does not shrink when compressed, and does not fit.
LARGE = replace(
    tiny_package("0.25.0"),
    data=(*DATA_MEMBERS, Member("data/large", os.urandom(400 * 1024))),
)


@pytest.fixture
def small_disk(machine: Machine) -> Iterator[Path]:
    """A disk of 256 KiB at the prefix."""
    with small_filesystem(machine.layout.prefix, "size=256k,mode=755") as disk:
        yield disk


def test_a_full_disk_is_named_and_left_as_it_was(
    machine: Machine, upstream: Upstream, small_disk: Path
) -> None:
    upstream.publish("0.25.0", package=LARGE)
    run = machine.install().failed(7, "no-space")
    run.says("space")
    assert picture(small_disk) == {}


def test_a_disk_that_is_full_already(
    machine: Machine, upstream: Upstream, small_disk: Path
) -> None:
    upstream.publish("0.25.0")
    filler = small_disk / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(bytes(4096)):
            pass
    machine.install().failed(7, "no-space")
    assert set(picture(small_disk)) == {"filler"}


def test_a_full_disk_keeps_the_version_before(
    machine: Machine, upstream: Upstream, small_disk: Path
) -> None:
    machine.layout.plant("0.24.0")
    machine.run("use", "0.24.0").ok()
    before = picture(small_disk)
    upstream.publish("0.25.0", package=LARGE)
    machine.install().failed(7, "no-space")
    assert picture(small_disk) == before
    assert machine.wasp("version").stdout == "0.24.0\n"


def test_a_full_disk_and_a_file(machine: Machine, small_disk: Path) -> None:
    archive = machine.root / "wasp.tgz"
    archive.write_bytes(LARGE.npm_archive())
    machine.install(None, "--from-file", str(archive)).failed(7, "no-space")
    assert picture(small_disk) == {}


def test_a_read_only_disk_is_named(machine: Machine, upstream: Upstream, small_disk: Path) -> None:
    upstream.publish("0.25.0")
    remount(small_disk, "ro")
    run = machine.install().failed(7, "read-only")
    run.says("read-only")
    assert not [path for path in upstream.server.fetched if path.endswith(".tgz")]


@pytest.mark.parametrize("command", [["use", "0.24.0"], ["uninstall", "--yes"], ["migrate-to-npm"]])
def test_other_commands_on_a_read_only_disk(
    machine: Machine, small_disk: Path, command: list[str]
) -> None:
    machine.layout.plant("0.24.0")
    machine.layout.plant("0.25.0")
    machine.run("use", "0.25.0").ok()
    before = picture(small_disk)
    remount(small_disk, "ro")
    machine.run(*command, "--json").failed(7, "read-only")
    assert picture(small_disk) == before


def test_a_disk_that_runs_no_programs_is_named(machine: Machine, upstream: Upstream) -> None:
    upstream.publish("0.25.0")
    with small_filesystem(machine.layout.prefix, "size=1m,mode=755,noexec") as disk:
        run = machine.install().failed(7, "permission-denied")
        run.says("noexec")
        assert picture(disk) == {}


# --- Permissions ---------------------------------------------------------------------------------


@pytest.fixture
def ordinary(machine: Machine) -> Machine:
    """A machine whose user has no rights beyond those of files and folders."""
    machine.wrapper = without_privileges()
    return machine


def close(folder: Path) -> None:
    """Nobody may write there. It stays one's own, as root refuses another's before it tries."""
    folder.chmod(0o555)


def test_a_prefix_that_is_closed_is_named(ordinary: Machine, upstream: Upstream) -> None:
    upstream.publish("0.25.0")
    closed = ordinary.root / "closed"
    closed.mkdir()
    close(closed)
    run = ordinary.install(None, "--prefix", str(closed / "wasp"))
    run.failed(7, "permission-denied").says(str(closed), "permission denied", "--prefix")
    assert not [path for path in upstream.server.fetched if path.endswith(".tgz")]


@pytest.mark.parametrize("closed", ["bin", "share/wasp-lang", ""])
def test_one_closed_folder_is_enough(ordinary: Machine, upstream: Upstream, closed: str) -> None:
    upstream.publish("0.25.0")
    layout = ordinary.layout
    for folder in (layout.launcher.parent, layout.share):
        folder.mkdir(parents=True)
    close(layout.prefix / closed)
    before = picture(layout.prefix)
    if closed == "":
        ordinary.install().ok()
    else:
        ordinary.install().failed(7, "permission-denied").says("permission denied")
        assert picture(layout.prefix) == before


@pytest.mark.parametrize("command", [["use", "0.24.0"], ["uninstall", "--yes"], ["migrate-to-npm"]])
def test_other_commands_without_permission(ordinary: Machine, command: list[str]) -> None:
    layout = ordinary.layout
    for version in ("0.24.0", "0.25.0"):
        layout.plant(version)
    ordinary.run("use", "0.25.0").ok()
    close(layout.launcher.parent)
    close(layout.share)
    before = picture(ordinary.home)
    ordinary.run(*command, "--json").failed(7, "permission-denied").says("permission denied")
    assert picture(ordinary.home) == before


def test_an_installed_wasp_can_be_listed_by_anybody(ordinary: Machine) -> None:
    ordinary.layout.plant("0.25.0")
    ordinary.run("use", "0.25.0").ok()
    for folder in (ordinary.layout.prefix, ordinary.layout.share, ordinary.layout.launcher.parent):
        give_away(folder)
    assert ordinary.run("list").ok().stdout == "* 0.25.0\n"


def test_a_temporary_folder_that_is_closed_does_not_matter(
    ordinary: Machine, upstream: Upstream
) -> None:
    """What is downloaded goes beside the target."""
    upstream.publish("0.25.0")
    ordinary.set(TMPDIR="/no/such/folder").install().ok()


# --- Odd things in the way -----------------------------------------------------------------------


@pytest.mark.parametrize("place", ["", "share", "share/wasp-lang", "bin"])
def test_a_file_where_a_folder_should_be(machine: Machine, upstream: Upstream, place: str) -> None:
    upstream.publish("0.25.0")
    file = machine.layout.prefix / place
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("in the way\n")
    before = picture(machine.home)
    machine.install().failed(7, "file-system").says(file.name)
    assert picture(machine.home) == before


def test_a_file_where_the_version_should_be(machine: Machine, upstream: Upstream) -> None:
    upstream.publish("0.25.0")
    machine.layout.share.mkdir(parents=True)
    machine.layout.version_folder("0.25.0").write_text("in the way\n")
    run = machine.install()
    if run.code == 0:
        assert machine.wasp("version").stdout == "0.25.0\n"
    else:
        run.failed(7, "file-system")


def test_an_archive_that_cannot_be_read(ordinary: Machine) -> None:
    archive = ordinary.root / "wasp.tgz"
    archive.write_bytes(tiny_package("0.25.0").npm_archive())
    give_away(archive)
    archive.chmod(0o600)
    run = ordinary.install(None, "--from-file", str(archive))
    assert run.code == 7, run
    assert run.json["error"] in ("permission-denied", "file-system")


def test_a_folder_given_as_the_archive(machine: Machine) -> None:
    run = machine.install(None, "--from-file", str(machine.home))
    assert run.code in (2, 7), run
    run.says(str(machine.home))
