"""Start-up files that are links, mounts, another user's, or no files at all."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.manager.homes import (
    MARK,
    add_lines,
    dotfiles,
    in_home,
    line_for,
    machine_name,
    path_warnings,
    take_lines_out,
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


# --- What stays as it is -------------------------------------------------------------------------


def test_mode_and_owner_stay(machine: Machine) -> None:
    modes = {".bashrc": 0o600, ".zshrc": 0o755, ".kshrc": 0o666, ".mkshrc": 0o4755}
    owner = (STRANGER, STRANGER + 1) if os.geteuid() == 0 else (os.getuid(), os.getgid())
    for name, mode in modes.items():
        (machine.home / name).write_bytes(MINE)
        os.chown(machine.home / name, *owner)
        (machine.home / name).chmod(mode)
    for step in (add_lines, take_lines_out):
        step(machine.with_umask(0o077))
        for name, mode in modes.items():
            found = (machine.home / name).stat()
            assert (found.st_mode & 0o7777, found.st_uid, found.st_gid) == (mode, *owner)
            assert ((machine.home / name).read_bytes() == MINE) == (step is take_lines_out)
        # A new file is as any other.
        assert step is take_lines_out or dotfiles(machine.home)[".profile"].mode == 0o644


@pytest.mark.parametrize("form", ["", "{home}/"], ids=["relative", "absolute"])
def test_links_inside_the_home_are_followed_and_kept(machine: Machine, form: str) -> None:
    """Files and folders, by one link or two, in a home that is a link."""
    write(machine.home, {"dotfiles/bashrc": MINE, "dotfiles/fish/config.fish": b""})
    (machine.home / ".bashrc").symlink_to("second-link")
    (machine.home / "second-link").symlink_to(f"{form}dotfiles/bashrc".format(home=machine.home))
    (machine.home / ".config").symlink_to(f"{form}dotfiles".format(home=machine.home))
    (machine.root / "link-to-home").symlink_to(machine.home)
    machine.set(HOME=str(machine.root / "link-to-home"))
    before = dotfiles(machine.home)
    add_lines(machine)
    assert (machine.home / "dotfiles/bashrc").read_bytes() == with_line(".bashrc", MINE)
    assert os.readlink(machine.home / ".bashrc") == "second-link"
    file = machine.home / "dotfiles" / "fish" / "conf.d" / "wasp.fish"
    assert file.read_bytes() == with_line("wasp.fish", None)
    take_lines_out(machine)
    assert dotfiles(machine.home) == before


@contextlib.contextmanager
def mounted(source: Path, target: Path) -> Iterator[None]:
    need_root("mounting a file")
    bind = [str(real_tool("mount")), "--bind", str(source), str(target)]
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
        assert path_warnings(add_lines(machine)) == []
        assert outside.read_bytes() == with_line(".bashrc", MINE)
        take_lines_out(machine)
        assert outside.read_bytes() == MINE


@pytest.mark.parametrize("is_mounted", [True, False])
def test_a_full_disk_loses_nothing(machine: Machine, is_mounted: bool) -> None:
    """Neither of a file that is written in place, nor of one that has no room beside it."""
    content = b"x" * 4095 + b"\n"
    machine.layout.prefix.mkdir()
    with small_filesystem(machine.root / "disk", "size=8k") as disk:
        (disk / ".bashrc").write_bytes(content)
        (disk / "filler").write_bytes(b"y" * 4096)
        if is_mounted:
            (machine.home / ".bashrc").write_bytes(b"")
            with mounted(disk / ".bashrc", machine.home / ".bashrc"):
                run = add_lines(machine)
        else:
            run = add_lines(machine.set(HOME=str(disk)), "--prefix", str(machine.layout.prefix))
        assert any("~/.bashrc cannot be written to" in warning for warning in path_warnings(run))
        assert (disk / ".bashrc").read_bytes() == content
        assert {item.name for item in disk.iterdir()} <= {".bashrc", ".profile", "filler"}


# --- What is left alone --------------------------------------------------------------------------

LINK_OUTSIDE = "echo '# outside' >../outside && ln -s ../outside .bashrc"
LINK_THROUGH = "mkdir ../away && touch ../away/bashrc && ln -s ../away x && ln -s x/bashrc .bashrc"
UNWRITABLE = "cannot be written to"
OBSTACLES = {
    # What a person has done in the home, and what is said of the file.
    LINK_OUTSIDE: OUTSIDE,
    LINK_THROUGH: OUTSIDE,
    "ln -s not-there .bashrc": OUTSIDE,
    "ln -s .bashrc .bashrc": OUTSIDE,
    "mkdir .bashrc": UNWRITABLE,
    "mkfifo .bashrc": UNWRITABLE,
    "touch .bashrc && chmod 444 .bashrc": UNWRITABLE,
    f"touch .bashrc && chmod 444 .bashrc && chown {STRANGER} .bashrc": UNWRITABLE,
}


@pytest.mark.parametrize("obstacle", OBSTACLES)
def test_what_must_not_be_written_is_left_and_the_line_said(
    machine: Machine, obstacle: str
) -> None:
    if "chown" in obstacle:
        need_root("a file of another user")
    machine.toolbox.link("chown")
    in_home(machine, f"mkdir .local && {obstacle}")
    machine.wrapper = without_privileges()
    before = picture(machine.root)
    run = add_lines(machine)
    [warning] = path_warnings(run)
    assert warning.startswith("~/.bashrc ")
    assert OBSTACLES[obstacle] in warning
    assert warning.endswith(f"\n{line_for('.bashrc')}")
    run.says("Set up PATH and tab completion for new terminals in ~/.profile.")
    take_lines_out(machine)
    assert picture(machine.root) == before


@pytest.mark.parametrize("variable", ["ZDOTDIR", "XDG_CONFIG_HOME"])
def test_a_folder_outside_the_home_is_left_alone(machine: Machine, variable: str) -> None:
    outside = machine.root / "settings"
    outside.mkdir()
    name = "zsh" if variable == "ZDOTDIR" else "fish"
    run = add_lines(machine.set(SHELL=f"/bin/{name}", **{variable: str(outside)}))
    [warning] = path_warnings(run)
    assert OUTSIDE in warning
    assert list(outside.iterdir()) == []


def test_a_line_that_a_person_added_by_hand_is_no_obstacle(machine: Machine) -> None:
    """The one that the warning named, without the mark: the next run has nothing to say."""
    in_home(machine, LINK_OUTSIDE)
    with (machine.home / ".bashrc").open("a") as file:
        file.write(f"{line_for('.bashrc')}\n")
    assert path_warnings(add_lines(machine)) == []


def test_a_home_that_cannot_be_written_to(machine: Machine) -> None:
    machine.wrapper = without_privileges()
    machine.layout.prefix.mkdir()
    machine.home.chmod(0o555)
    run = add_lines(machine)
    machine.home.chmod(0o755)
    assert len(path_warnings(run)) == 2
    assert dotfiles(machine.home) == {}


def test_a_removal_that_cannot_write_says_so(machine: Machine) -> None:
    add_lines(machine)
    in_home(machine, "mv .bashrc ../outside && ln -s ../outside .bashrc")
    [warning] = take_lines_out(machine).warnings()
    assert warning.startswith(f"~/.bashrc {OUTSIDE}.")
    assert warning.endswith(MARK)
    assert set(dotfiles(machine.home)) == {".bashrc"}


def test_what_a_killed_run_left_is_swept(machine: Machine) -> None:
    """Beside a file that the run was about to replace."""
    (machine.home / ".bashrc").write_bytes(MINE)
    left = machine.home / f".wasp-staging-{machine_name()}-{sleeping_elsewhere()}-abcdef"
    left.write_text("half a file")
    add_lines(machine)
    assert not left.exists()
