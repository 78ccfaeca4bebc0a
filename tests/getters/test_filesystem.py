"""What ends an install: disks (exit code 7) and signals. The reason is told, nothing is left."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.archives import DATA_MEMBERS, Member, tiny_package
from tests.support.filesystems import give_away, remount, small_filesystem, without_privileges
from tests.support.frontends import PYTHON, SH
from tests.support.getters import Getters
from tests.support.machines import Background, Machine
from tests.support.releases import Release, Upstream, npm_cli_path, npm_tarball_path
from tests.support.replies import Content, StallAfter
from tests.support.trees import expected_version_folder, picture

# Does not shrink when compressed, and does not fit.
LARGE = replace(
    tiny_package("0.25.0"), data=(*DATA_MEMBERS, Member("data/large", os.urandom(600 * 1024)))
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
def test_a_disk_that_takes_nothing(machine: Machine, upstream: Upstream, kind: str) -> None:
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


TARBALL = npm_tarball_path("0.25.0", "linux-x64-glibc")


@pytest.fixture
def release(machine: Machine, upstream: Upstream) -> Release:
    machine.toolbox.fake_uname("Linux", "x86_64").fake_glibc("2.36")
    return upstream.publish("0.25.0")


def start_until_the_middle(machine: Machine, upstream: Upstream, path: str) -> Background:
    """An install that has half of what is there, and will not get the rest."""
    whole = upstream.server.reply_of(path)
    assert isinstance(whole, Content)
    stalled = StallAfter(whole.body, len(whole.body) // 2)
    upstream.server.answer(path, stalled)
    # A signal must end it; nothing else would in time.
    machine.set(WASP_HTTP_TIMEOUT="200")
    running = machine.start("install", "--json", "--version", "0.25.0")
    assert stalled.reached.wait(60)
    upstream.server.answer(path, whole)
    return running


@pytest.mark.parametrize(
    ("path", "number", "is_for_all"),
    [
        (TARBALL, signal.SIGINT, False),
        (TARBALL, signal.SIGTERM, False),
        (TARBALL, signal.SIGHUP, True),
        (npm_cli_path("0.25.0"), signal.SIGTERM, False),
    ],
)
@pytest.mark.usefixtures("release")
def test_a_signal_in_the_middle(
    machine: Machine, upstream: Upstream, path: str, number: signal.Signals, is_for_all: bool
) -> None:
    """To the whole group, as a terminal sends it, or to the run alone."""
    running = start_until_the_middle(machine, upstream, path)
    running.interrupt_group(number) if is_for_all else running.interrupt_process(number)
    running.result().failed(128 + number, "interrupted")
    assert picture(machine.home) == {}


@pytest.mark.parametrize("tool", ["uname", "npm"])
def test_ctrl_c_while_another_program_is_asked(machine: Machine, tool: str) -> None:
    """Also where that hangs; nothing of it is left."""
    asked = machine.set(WASP_NPM_REGISTRY=None).home / "asked"
    machine.toolbox.script(tool, f': >"{asked}"; exec sleep 20')
    running = machine.start("install", "--json", "--dry-run")
    while not asked.exists():
        time.sleep(0.01)
    running.interrupt_group(signal.SIGINT)
    running.result().failed(130, "interrupted")
    asked.unlink()
    assert picture(machine.home) == {}


def test_the_next_run_cleans_up(machine: Machine, upstream: Upstream, release: Release) -> None:
    """Each after the other; what needs no cleaning does not mind what was left."""
    running = start_until_the_middle(machine, upstream, TARBALL)
    running.interrupt_group(signal.SIGKILL)
    assert running.result().code == -signal.SIGKILL
    assert machine.layout.staging(), "nothing to clean up: the test shows nothing"
    for left in machine.temporary.iterdir():
        # It may be anybody's until then.
        os.utime(left, (time.time() - 2 * 86400,) * 2)
    machine.front_end = PYTHON if machine.front_end.is_shell else SH
    assert machine.run("list", "--json").ok().json["versions"] == []
    assert machine.layout.staging()
    machine.install("0.25.0").ok()
    assert machine.layout.staging() == []
    assert machine.layout.version_picture("0.25.0") == expected_version_folder(release.package)
    assert not [item for item in machine.layout.share.iterdir() if item.name.startswith(".")]
    assert [item.name for item in machine.layout.launcher.parent.iterdir()] == ["wasp"]


def test_installs_at_once(shell_machine: Machine, upstream: Upstream) -> None:
    """Of the same and of others, by both getters, while another is made the current one."""
    machine = shell_machine
    versions = ["0.25.0"] * 4 + ["0.25.1", "0.25.2"]
    releases = {version: upstream.publish(version) for version in versions}
    machine.layout.plant("0.23.0")
    commands = [["install", "--version", version] for version in versions] + [["use", "0.23.0"]]
    running = []
    for number, command in enumerate(commands):
        machine.front_end = (SH, PYTHON)[number % 2]
        running.append(machine.start(*command, "--json"))
    for run in [start.result() for start in running]:
        assert run.ok().json["status"] in ("installed", "already-installed", "switched")
    assert machine.layout.versions() == sorted({*versions, "0.23.0"})
    for version, release in releases.items():
        expected = expected_version_folder(release.package)
        assert machine.layout.version_picture(version) == expected
        assert machine.layout.receipt(version)["version"] == version
    assert [item.name for item in machine.layout.launcher.parent.iterdir()] == ["wasp"]
    assert machine.wasp("version").stdout.strip() in (*versions, "0.23.0")
