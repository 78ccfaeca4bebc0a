"""root installs nothing where another user could exchange what it will then run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.archives import tiny_package
from tests.support.filesystems import STRANGER, give_away
from tests.support.machines import Machine, Run
from tests.support.skips import need_root
from tests.support.trees import picture

COMMANDS = (["install"], ["use", "0.25.0"], ["uninstall", "--yes"], ["migrate-to-npm"])


@pytest.fixture
def root(machine: Machine) -> Machine:
    """A machine with a release in a file, on which root works."""
    need_root("a folder of another user")
    (machine.root / "wasp.tgz").write_bytes(tiny_package("0.25.0").npm_archive())
    return machine


def install(machine: Machine, *options: str) -> Run:
    return machine.install(None, "--from-file", str(machine.root / "wasp.tgz"), *options)


def refused(run: Run, folder: Path) -> Run:
    return run.failed(7, "permission-denied").says(f"error: {folder} ", "root")


def test_the_home_of_another_user(root: Machine) -> None:
    """As under a sudo that keeps HOME."""
    give_away(root.home)
    refused(install(root), root.home).says(
        f"belongs to {STRANGER}", "Run this again without sudo", "--prefix"
    )
    assert picture(root.home) == {}


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_that_changes_something(root: Machine, command: list[str]) -> None:
    install(root).ok()
    give_away(root.home)
    before = picture(root.home)
    run = refused(root.run(*command, "--json"), root.home)
    run.says(f"sudo chown -R {STRANGER}", str(root.layout.prefix))
    assert picture(root.home) == before
    assert root.run("list").ok().stdout == "* 0.25.0\n"


@pytest.mark.parametrize("below", ["", "a/b"])
def test_a_prefix_in_a_folder_of_another_user(root: Machine, below: str) -> None:
    theirs = root.root / "theirs"
    (theirs / below).mkdir(parents=True)
    give_away(theirs)
    refused(install(root, "--prefix", str(theirs / below / "wasp")), theirs)
    assert not (theirs / below / "wasp").exists()


def test_a_link_of_another_user(root: Machine) -> None:
    """It leads to a folder of root's, and tomorrow elsewhere."""
    theirs, ours = root.root / "theirs", root.root / "ours"
    theirs.mkdir()
    ours.mkdir()
    (theirs / "link").symlink_to(ours)
    give_away(theirs)
    refused(install(root, "--prefix", str(theirs / "link" / "wasp")), theirs)
    assert picture(ours) == {}


def test_a_link_to_a_folder_of_another_user(root: Machine) -> None:
    theirs = root.root / "theirs"
    theirs.mkdir()
    link = root.root / "link"
    link.symlink_to(theirs)
    give_away(theirs)
    refused(install(root, "--prefix", str(link / "wasp")), link)
    assert picture(theirs) == {}


def test_a_folder_inside_that_is_another_users(root: Machine) -> None:
    share = root.layout.prefix / "bin"
    share.mkdir(parents=True)
    give_away(share)
    refused(install(root), share)
    assert not root.layout.share.exists()


@pytest.mark.parametrize("mode", [0o777, 0o2777, 0o707])
def test_a_folder_that_all_may_write_to(root: Machine, mode: int) -> None:
    opened = root.root / "open to all"
    opened.mkdir()
    opened.chmod(mode)
    run = refused(install(root, "--prefix", str(opened / "wasp")), opened)
    run.says(f"chmod o-w '{opened}'")
    assert picture(opened) == {}
    opened.chmod(mode & ~0o002)
    install(root, "--prefix", str(opened / "wasp")).ok()


@pytest.mark.parametrize(("mode", "group"), [(0o1777, 0), (0o775, 50), (0o2775, 50)])
def test_what_is_as_on_any_system(root: Machine, mode: int, group: int) -> None:
    """/tmp is sticky, and /usr/local is open to a group such as staff."""
    folder = root.root / "local"
    folder.mkdir()
    os.chown(folder, 0, group)
    folder.chmod(mode)
    install(root, "--prefix", str(folder / "wasp")).ok().is_silent_about("as root")


@pytest.mark.parametrize("kind", ["owner", "mode"])
def test_a_container_of_ci_is_let_in(root: Machine, kind: str) -> None:
    """Its home is often a folder of the machine around it."""
    if kind == "owner":
        give_away(root.home)
    else:
        root.home.chmod(0o777)
    run = install(root.set(CI="true")).ok()
    assert [line for line in run.stderr.splitlines() if "as root" in line] == [
        f"Installing as root below {root.home}, which "
        + (f"belongs to {STRANGER}" if kind == "owner" else "may be written to by all users")
        + " (allowed on CI)"
    ]
    assert root.layout.versions() == ["0.25.0"]


def test_a_home_of_another_user_does_not_matter_elsewhere(root: Machine) -> None:
    give_away(root.home)
    prefix = str(root.root / "wasp")
    install(root, "--prefix", prefix).ok()
    assert picture(root.home) == {}
    root.run("uninstall", "--yes", "--prefix", prefix).ok()


def test_what_is_staged_for_a_package_may_be_anywhere(root: Machine) -> None:
    give_away(root.home)
    install(root, "--destdir", str(root.home / "package"), "--prefix", "/usr").ok()
    assert (root.home / "package/usr/bin/wasp").is_file()
