"""root installs nothing where another user could exchange what it will then run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.manager.homes import archive
from tests.support.filesystems import STRANGER, give_away
from tests.support.frontends import PYTHON
from tests.support.machines import Machine, MachineRoom, Run
from tests.support.skips import need_root
from tests.support.trees import Layout, picture

COMMANDS = (["install"], ["use", "0.25.0"], ["uninstall", "--yes"], ["migrate-to-npm"])


@pytest.fixture
def root(shell_machine: Machine) -> Machine:
    """A machine on which root works."""
    need_root("a folder of another user")
    return shell_machine


def install(machine: Machine, *options: str) -> Run:
    return machine.install(None, "--from-file", archive(machine), *options)


def refused(run: Run, folder: Path) -> None:
    run.failed(7, "permission-denied").says(f"{folder} ", "root", "without sudo", "--prefix")


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_the_home_of_another_user(root: Machine, command: list[str]) -> None:
    """As under a sudo that keeps HOME; with nothing and with something in it."""
    give_away(root.home)
    refused(root.run(*command, "--json"), root.home)
    assert picture(root.home) == {}
    root.layout.plant("0.25.0")
    before = picture(root.home)
    run = root.run(*command, "--json")
    refused(run, root.home)
    run.says(f"belongs to another user (uid {STRANGER})")
    assert picture(root.home) == before
    assert root.run("list", "--json").ok().json["versions"] == ["0.25.0"]


def test_install_py_asks_before_it_fetches_anything(machines: MachineRoom) -> None:
    need_root("a folder of another user")
    machine = machines.build(PYTHON)
    give_away(machine.home)
    refused(install(machine), machine.home)
    assert picture(machine.home) == {}


@pytest.mark.parametrize("below", ["", "a/b"])
def test_a_prefix_in_a_folder_of_another_user(root: Machine, below: str) -> None:
    theirs = root.root / "theirs"
    (theirs / below).mkdir(parents=True)
    give_away(theirs)
    refused(install(root, "--prefix", str(theirs / below / "wasp")), theirs)
    assert not (theirs / below / "wasp").exists()


@pytest.mark.parametrize("owner", ["of the link's folder", "of what it leads to"])
def test_a_link_with_another_user_at_either_end(root: Machine, owner: str) -> None:
    """Where it leads is theirs, or will be what they want tomorrow."""
    one, other = root.root / "one", root.root / "other"
    one.mkdir()
    other.mkdir()
    (one / "link").symlink_to(other)
    give_away(one if "folder" in owner else other)
    refused(
        install(root, "--prefix", str(one / "link" / "wasp")),
        one / "link" if "leads" in owner else one,
    )
    assert picture(other) == {}


def test_a_link_into_a_folder_of_another_user(root: Machine) -> None:
    theirs = root.root / "theirs"
    (theirs / "roots").mkdir(parents=True)
    os.chown(theirs, STRANGER, STRANGER)
    (root.root / "link").symlink_to(theirs / "roots")
    refused(install(root, "--prefix", str(root.root / "link")), theirs)
    assert picture(theirs / "roots") == {}


@pytest.mark.parametrize("name", ["bin", "share"])
def test_a_folder_inside_that_is_another_users(root: Machine, name: str) -> None:
    theirs = root.layout.prefix / name
    theirs.mkdir(parents=True)
    give_away(theirs)
    refused(install(root), theirs)
    assert set(picture(root.layout.prefix)) == {name}


@pytest.mark.parametrize("mode", [0o777, 0o2777, 0o707])
def test_a_folder_that_all_may_write_to(root: Machine, mode: int) -> None:
    opened = root.root / "open to all"
    opened.mkdir()
    opened.chmod(mode)
    refused(install(root, "--prefix", str(opened / "wasp")), opened)
    assert picture(opened) == {}


@pytest.mark.parametrize(("mode", "group"), [(0o1777, 0), (0o775, 50), (0o2775, 50)])
def test_what_is_as_on_any_system(root: Machine, mode: int, group: int) -> None:
    """/tmp is sticky, and /usr/local is open to a group such as staff."""
    folder = root.root / "local"
    folder.mkdir()
    os.chown(folder, 0, group)
    folder.chmod(mode)
    install(root, "--prefix", str(folder / "wasp")).ok().is_silent_about(
        "root installs", "others can"
    )


@pytest.mark.parametrize("kind", ["owner", "mode"])
def test_a_container_of_ci_is_let_in(root: Machine, kind: str) -> None:
    """Its home is often a folder of the machine around it. One line says so."""
    if kind == "owner":
        give_away(root.home)
    else:
        root.home.chmod(0o777)
    run = install(root.set(CI="true")).ok()
    [line] = [line for line in run.stderr.splitlines() if "root installs there" in line]
    assert line.startswith(f"{root.home} ")
    assert root.layout.versions() == ["0.25.0"]


def test_a_home_of_another_user_does_not_matter_elsewhere(root: Machine) -> None:
    give_away(root.home)
    prefix = str(root.root / "wasp")
    install(root, "--prefix", prefix).ok()
    # Its start-up files would then be root's.
    assert picture(root.home) == {}
    root.run("uninstall", "--yes", "--prefix", prefix).ok()
    assert picture(root.home) == {}


def test_what_is_staged_for_a_package_may_be_anywhere(root: Machine) -> None:
    give_away(root.home)
    stage = root.home / "package"
    install(root.set(DESTDIR=str(stage)), "--prefix", "/usr").ok()
    assert Layout(stage / "usr").launcher.is_file()
