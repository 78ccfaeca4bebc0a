"""Start-up files that are links, mounts, another user's, or no files at all."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.manager.homes import (
    MARK,
    VERSION,
    dotfiles,
    line_for,
    path_warnings,
    set_up,
    uninstall,
    with_line,
    write,
)
from tests.support.filesystems import STRANGER, small_filesystem, without_privileges
from tests.support.machines import Machine
from tests.support.processes import sleeping_elsewhere
from tests.support.skips import need, need_root
from tests.support.toolboxes import real_tool
from tests.support.trees import picture

MINE = b"# mine"
OUTSIDE = "is a link to nowhere, or outside your home folder"


@pytest.fixture
def machine(shell_machine: Machine) -> Machine:
    return shell_machine


# --- What stays as it is -------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o755, 0o666, 0o4755])
def test_mode_and_owner_stay(machine: Machine, mode: int) -> None:
    file = machine.home / ".bashrc"
    file.write_bytes(MINE)
    owner = (STRANGER, STRANGER + 1) if os.geteuid() == 0 else (os.getuid(), os.getgid())
    os.chown(file, *owner)
    file.chmod(mode)
    for step in (set_up, uninstall):
        step(machine.with_umask(0o077))
        found = file.stat()
        assert (found.st_mode & 0o7777, found.st_uid, found.st_gid) == (mode, *owner)
    assert file.read_bytes() == MINE


def test_a_new_file_is_as_any_other(machine: Machine) -> None:
    set_up(machine.with_umask(0o077))
    assert dotfiles(machine.home)[".profile"].mode == 0o644


@pytest.mark.parametrize("target", ["dotfiles/bashrc", "{home}/dotfiles/bashrc"])
def test_a_link_inside_the_home_is_followed_and_kept(machine: Machine, target: str) -> None:
    write(machine.home, {"dotfiles/bashrc": MINE})
    (machine.home / ".bashrc").symlink_to("second-link")
    (machine.home / "second-link").symlink_to(target.format(home=machine.home))
    before = dotfiles(machine.home)
    set_up(machine)
    assert (machine.home / "dotfiles/bashrc").read_bytes() == with_line(".bashrc", MINE)
    assert os.readlink(machine.home / ".bashrc") == "second-link"
    uninstall(machine)
    assert dotfiles(machine.home) == before


def test_a_folder_that_is_a_link_inside_the_home_is_followed(machine: Machine) -> None:
    write(machine.home, {"dotfiles/fish/config.fish": b""})
    (machine.home / ".config").symlink_to("dotfiles")
    before = dotfiles(machine.home)
    set_up(machine)
    file = machine.home / "dotfiles" / "fish" / "conf.d" / "wasp.fish"
    assert file.read_bytes() == with_line("wasp.fish", None)
    uninstall(machine)
    assert dotfiles(machine.home) == before


def test_a_home_that_is_a_link_is_a_home(machine: Machine) -> None:
    link = machine.root / "link-to-home"
    link.symlink_to(machine.home)
    set_up(machine.set(HOME=str(link)))
    assert set(dotfiles(machine.home)) == {".bashrc", ".profile"}
    uninstall(machine)
    assert dotfiles(machine.home) == {}


def test_a_hard_link_stays_one(machine: Machine) -> None:
    write(machine.home, {"dotfiles/bashrc": MINE})
    (machine.home / ".bashrc").hardlink_to(machine.home / "dotfiles/bashrc")
    before = dotfiles(machine.home)
    for step, content in ((set_up, with_line(".bashrc", MINE)), (uninstall, MINE)):
        step(machine)
        assert (machine.home / "dotfiles/bashrc").read_bytes() == content
        assert (machine.home / ".bashrc").samefile(machine.home / "dotfiles/bashrc")
    assert dotfiles(machine.home) == before


@contextlib.contextmanager
def mounted(source: Path, target: Path, *options: str) -> Iterator[None]:
    need_root("mounting a file")
    bind = [str(real_tool("mount")), "--bind", *options, str(source), str(target)]
    done = subprocess.run(bind, capture_output=True, text=True)
    need(done.returncode == 0, f"cannot mount a file here: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run([str(real_tool("umount")), "-l", str(target)], check=True)


def test_a_mounted_file_is_written_in_place(machine: Machine) -> None:
    """As in a container that shares one file with the machine around it."""
    outside = machine.root / "outside"
    outside.write_bytes(MINE)
    (machine.home / ".bashrc").write_bytes(b"")
    with mounted(outside, machine.home / ".bashrc"):
        run = set_up(machine)
        assert path_warnings(run) == []
        assert outside.read_bytes() == with_line(".bashrc", MINE)
        uninstall(machine)
        assert outside.read_bytes() == MINE
    assert (machine.home / ".bashrc").read_bytes() == b""


def test_a_full_disk_loses_nothing(machine: Machine) -> None:
    """A file that can only be written in place, on a disk without a free block."""
    content = b"x" * 4095 + b"\n"
    with small_filesystem(machine.root / "disk", "size=8k") as disk:
        (disk / "bashrc").write_bytes(content)
        (disk / "filler").write_bytes(b"y" * 4096)
        (machine.home / ".bashrc").write_bytes(b"")
        with mounted(disk / "bashrc", machine.home / ".bashrc"):
            [warning] = path_warnings(set_up(machine))
            assert "~/.bashrc cannot be written to" in warning
            assert (disk / "bashrc").read_bytes() == content


# --- What is left alone --------------------------------------------------------------------------


def _link_outside(machine: Machine) -> None:
    (machine.root / "outside").write_text("# outside\n")
    (machine.home / ".bashrc").symlink_to(machine.root / "outside")


def _link_through_outside(machine: Machine) -> None:
    write(machine.root, {"outside-folder/bashrc": b"# outside\n"})
    (machine.home / "folder").symlink_to(machine.root / "outside-folder")
    (machine.home / ".bashrc").symlink_to("folder/bashrc")


def _link_to_nowhere(machine: Machine) -> None:
    (machine.home / ".bashrc").symlink_to("not-there")


def _link_to_itself(machine: Machine) -> None:
    (machine.home / ".bashrc").symlink_to(".bashrc")


def _folder(machine: Machine) -> None:
    (machine.home / ".bashrc").mkdir()


def _pipe(machine: Machine) -> None:
    os.mkfifo(machine.home / ".bashrc")


def _read_only(machine: Machine) -> None:
    machine.wrapper = without_privileges()
    write(machine.home, {".bashrc": MINE})
    (machine.home / ".bashrc").chmod(0o444)


def _strangers(machine: Machine) -> None:
    """It may be written to, and not be replaced by a file of the same owner."""
    _read_only(machine)
    need_root("a file of another user")
    os.chown(machine.home / ".bashrc", STRANGER, STRANGER)


OBSTACLES: dict[str, tuple[Callable[[Machine], None], str]] = {
    "link-outside": (_link_outside, OUTSIDE),
    "link-through-outside": (_link_through_outside, OUTSIDE),
    "link-to-nowhere": (_link_to_nowhere, OUTSIDE),
    "link-to-itself": (_link_to_itself, OUTSIDE),
    "folder": (_folder, "cannot be written to"),
    "pipe": (_pipe, "cannot be written to"),
    "read-only": (_read_only, "cannot be written to"),
    "strangers": (_strangers, "cannot be written to"),
}


@pytest.mark.parametrize("obstacle", OBSTACLES)
def test_what_must_not_be_written_is_left_and_the_line_said(
    machine: Machine, obstacle: str
) -> None:
    put, words = OBSTACLES[obstacle]
    put(machine)
    before = picture(machine.root)
    run = set_up(machine)
    [warning] = path_warnings(run)
    assert warning.startswith("~/.bashrc ")
    assert words in warning
    assert warning.endswith(f"\n{line_for('.bashrc')}")
    run.says("Set up PATH and tab completion for new terminals in ~/.profile.")
    uninstall(machine)
    assert picture(machine.root) == before


@pytest.mark.parametrize("variable", ["ZDOTDIR", "XDG_CONFIG_HOME"])
def test_a_folder_outside_the_home_is_left_alone(machine: Machine, variable: str) -> None:
    outside = machine.root / "settings"
    outside.mkdir()
    name = "zsh" if variable == "ZDOTDIR" else "fish"
    run = set_up(machine.set(SHELL=f"/bin/{name}", **{variable: str(outside)}))
    [warning] = path_warnings(run)
    assert OUTSIDE in warning
    assert list(outside.iterdir()) == []


def test_a_line_that_a_person_added_by_hand_is_no_obstacle(machine: Machine) -> None:
    """The one that the warning named, without the mark: the next run has nothing to say."""
    _link_outside(machine)
    with (machine.home / ".bashrc").open("a") as file:
        file.write(f"{line_for('.bashrc')}\n")
    assert path_warnings(set_up(machine)) == []


def test_a_home_that_cannot_be_written_to(machine: Machine) -> None:
    machine.wrapper = without_privileges()
    machine.layout.plant(VERSION)
    machine.home.chmod(0o555)
    run = set_up(machine)
    machine.home.chmod(0o755)
    assert len(path_warnings(run)) == 2
    assert dotfiles(machine.home) == {}


def test_a_removal_that_cannot_write_says_so(machine: Machine) -> None:
    machine.wrapper = without_privileges()
    set_up(machine)
    (machine.home / ".bashrc").chmod(0o444)
    run = uninstall(machine, "--porcelain")
    [warning] = run.warnings()
    assert warning.startswith("~/.bashrc cannot be written to.")
    assert warning.endswith(MARK)
    assert set(dotfiles(machine.home)) == {".bashrc"}


def test_what_a_killed_run_left_is_swept(machine: Machine) -> None:
    """Beside a file that the run was about to replace."""
    probe = machine.run_program(["uname", "-n"]).stdout.strip()
    namespace = os.readlink("/proc/self/ns/pid")
    this_machine = "".join(
        letter if letter.isascii() and letter.isalnum() else "_"
        for letter in f"{probe}_{namespace}"
    )
    (machine.home / ".bashrc").write_bytes(MINE)
    left = machine.home / f".wasp-staging-{this_machine}-{sleeping_elsewhere()}-abcdef"
    left.write_text("half a file")
    set_up(machine)
    assert not left.exists()
