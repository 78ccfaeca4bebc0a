"""root installs nothing where another user could exchange what it will then run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.manager.homes import archive
from tests.support.filesystems import STRANGER, give_away
from tests.support.frontends import PYTHON
from tests.support.functions import call_functions
from tests.support.machines import Machine, MachineRoom, Run
from tests.support.skips import need_root
from tests.support.trees import Layout, picture

COMMANDS = (["install"], ["use", "0.25.0"], ["uninstall", "--yes"], ["migrate-to-npm"])


@pytest.fixture
def root(machine: Machine) -> Machine:
    """A machine on which root works."""
    need_root("a folder of another user")
    return machine


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


DANGERS = {
    # What is done, the prefix, and what is dangerous then. "theirs" becomes another user's.
    "theirs": ("mkdir theirs", "theirs/wasp", "theirs"),
    "far below": ("mkdir -p theirs/a/b", "theirs/a/b/wasp", "theirs"),
    # Where it leads is theirs, or will be what they want tomorrow.
    "a link in it": ("mkdir theirs other && ln -s ../other theirs/link", "theirs/link/x", "theirs"),
    "a link to it": ("mkdir theirs && ln -s theirs link", "link/wasp", "link"),
    "a link through it": ("mkdir -p theirs/roots && ln -s theirs/roots link", "link", "theirs"),
    "its bin": ("mkdir -p wasp/bin && ln -s wasp/bin theirs", "wasp", "wasp/bin"),
    "its share": ("mkdir -p wasp/share && ln -s wasp/share theirs", "wasp", "wasp/share"),
    "open to all": ("mkdir open && chmod 777 open", "open/wasp", "open"),
    "open to others": ("mkdir open && chmod 707 open", "open/wasp", "open"),
    "open, of a group": ("mkdir open && chmod 2777 open", "open/wasp", "open"),
    # As on any system: /tmp is sticky, and /usr/local is open to a group such as staff.
    "sticky": ("mkdir open && chmod 1777 open", "open/wasp", ""),
    "of staff": ("mkdir open && chgrp 50 open && chmod 775 open", "open/wasp", ""),
    "of staff, inherited": ("mkdir open && chgrp 50 open && chmod 2775 open", "open/wasp", ""),
}


def test_where_root_does_not_work(root: Machine) -> None:
    root.toolbox.link("chgrp", "chown")
    folders = [root.root / str(number) for number in range(len(DANGERS))]
    calls = []
    for folder, (command, prefix, _) in zip(folders, DANGERS.values()):
        folder.mkdir()
        calls.append(
            f"cd {folder} && {command}\n[ ! -e theirs ] || chown {STRANGER} theirs/.\n"
            f"prefix=$PWD/{prefix}\ncheck_arguments\nrefuse_danger_for_root"
        )
    told = call_functions(root, calls)
    for said, folder, (_, _, danger) in zip(told, folders, DANGERS.values()):
        if danger:
            assert said.startswith(
                "error: root cannot safely work below a folder that others can change"
            )
            assert f"{folder / danger} " in said
            for words in ("without sudo", "--prefix"):
                assert words in said
        else:
            assert said == ""


def test_a_container_of_ci_is_let_in(root: Machine) -> None:
    """Its home is often a folder of the machine around it. One line says so."""
    give_away(root.home)
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
