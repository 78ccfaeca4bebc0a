"""Disks that are full, read-only, foreign or odd: exit code 7, the reason, and no trace."""

from __future__ import annotations

import contextlib
import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.archives import DATA_MEMBERS, Member, tiny_package
from tests.support.filesystems import give_away, remount, small_filesystem, without_privileges
from tests.support.getters import Getters
from tests.support.machines import Machine
from tests.support.releases import Upstream
from tests.support.trees import picture

# Does not shrink when compressed, and does not fit.
LARGE = replace(
    tiny_package("0.25.0"),
    data=(*DATA_MEMBERS, Member("data/large", os.urandom(600 * 1024))),
)
#: How a disk is, and what is said of it.
DISKS = {
    "small": ("no-space", "space"),
    "small, for a file": ("no-space", "space"),
    "full": ("no-space", "space"),
    "read-only": ("read-only", "read-only"),
    "noexec": ("permission-denied", "noexec"),
}


def no_archive_was_fetched(upstream: Upstream) -> bool:
    return not [path for path in upstream.server.fetched if path.endswith(("gz", ".tgz"))]


@pytest.mark.parametrize("kind", DISKS)
def test_a_disk_that_takes_no_install_is_named(
    machine: Machine, upstream: Upstream, kind: str
) -> None:
    """What was there stays."""
    layout, slug, words = machine.layout, *DISKS[kind]
    release = upstream.publish("0.25.0", package=LARGE if "small" in kind else None)
    archive = machine.root / "wasp.tgz"
    archive.write_bytes(release.npm_archive)
    options = "size=640k,mode=755" + (",noexec" if kind == "noexec" else "")
    with small_filesystem(layout.prefix, options) as disk:
        layout.plant("0.24.0")
        if kind == "full":
            with contextlib.suppress(OSError):
                (disk / "filler").write_bytes(bytes(1 << 20))
        if kind == "read-only":
            remount(disk, "ro")
        before = picture(disk)
        given = ["--from-file", str(archive)] if "file" in kind else []
        machine.install(None, *given).failed(7, slug).says(words)
        assert picture(disk) == before
    assert kind != "read-only" or no_archive_was_fetched(upstream)


@pytest.mark.parametrize("closed", ["read-only", "permission-denied"])
def test_other_commands_where_nothing_can_be_written(shell_machine: Machine, closed: str) -> None:
    layout = shell_machine.layout
    with small_filesystem(layout.prefix, "size=1m,mode=755") as disk:
        for version in ("0.24.0", "0.25.0"):
            layout.plant(version)
        shell_machine.run("use", "0.25.0").ok()
        before = {name: entry.content for name, entry in picture(disk).items()}
        if closed == "read-only":
            remount(disk, "ro")
        else:
            shell_machine.wrapper = without_privileges()
            for folder in (layout.share, layout.launcher.parent):
                folder.chmod(0o555)
        shell_machine.run("list").ok()
        for command in ("use 0.24.0", "uninstall --yes", "migrate-to-npm"):
            shell_machine.run(*command.split(), "--json").failed(7, closed)
            assert {name: entry.content for name, entry in picture(disk).items()} == before


@pytest.mark.parametrize("closed", ["", "bin", "share/wasp-lang"])
def test_one_closed_folder_is_enough(both: Getters, upstream: Upstream, closed: str) -> None:
    """It stays one's own, as root refuses another's before it tries."""
    both.machine.wrapper = without_privileges()
    # One that is missing does not matter.
    both.machine.set(TMPDIR="/no/such/folder")
    upstream.publish("0.25.0")
    layout = both.machine.layout
    for folder in (layout.launcher.parent, layout.share):
        folder.mkdir(parents=True)
    (layout.prefix / closed).chmod(0o555)
    before = picture(layout.prefix)
    run = both.install()
    if closed:
        run.failed(7, "permission-denied").says("permission denied", "--prefix")
        assert picture(layout.prefix) == before
        assert no_archive_was_fetched(upstream)
    else:
        # Nothing is made there.
        run.ok()


@pytest.mark.parametrize("place", ["share", "bin"])
def test_a_file_where_a_folder_should_be(both: Getters, upstream: Upstream, place: str) -> None:
    upstream.publish("0.25.0")
    file = both.machine.layout.prefix / place
    file.parent.mkdir(parents=True)
    file.write_text("in the way\n")
    before = picture(both.machine.home)
    both.install(certain_only=True).failed(7, "file-system").says(file.name)
    assert picture(both.machine.home) == before


def test_an_archive_that_cannot_be_read(both: Getters) -> None:
    both.machine.wrapper = without_privileges()
    option, archive = both.file(tiny_package("0.25.0").npm_archive())
    give_away(Path(archive))
    Path(archive).chmod(0o600)
    both.install(None, option, archive).failed(7, "file-system").says("cannot read the archive")
