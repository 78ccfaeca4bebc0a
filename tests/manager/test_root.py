"""root installs nothing where another user could exchange what it will then run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.manager.homes import archive
from tests.support.filesystems import STRANGER, give_away
from tests.support.functions import call_functions
from tests.support.machines import Machine, Run
from tests.support.skips import need_root
from tests.support.trees import Layout, picture


@pytest.fixture
def root(getter_machine: Machine) -> Machine:
    """A machine on which root works, in the home of another user."""
    need_root("a folder of another user")
    give_away(getter_machine.home)
    return getter_machine


def install(machine: Machine, *options: str) -> Run:
    return machine.install(None, "--from-file", archive(machine), *options)


def refused(run: Run, folder: Path) -> Run:
    run.failed(7, "permission-denied").says(f"{folder} ", "root", "without sudo", "--prefix")
    return run


@pytest.mark.parametrize("command", ["install", "use 0.25.0", "uninstall --yes", "migrate-to-npm"])
def test_the_home_of_another_user(root: Machine, command: str) -> None:
    """As under a sudo that keeps HOME; with nothing and with something in it."""
    refused(root.run(*command.split(), "--json"), root.home)
    assert picture(root.home) == {}
    root.layout.plant("0.25.0")
    before = picture(root.home)
    run = root.run(*command.split(), "--json")
    refused(run, root.home).says(f"belongs to another user (uid {STRANGER})")
    assert picture(root.home) == before
    assert root.run("list", "--json").ok().json["versions"] == ["0.25.0"]


DANGERS = {
    # What is done, the prefix, and what is dangerous then. "theirs" becomes another user's.
    "mkdir theirs": ("theirs/wasp", "theirs"),
    "mkdir -p theirs/a/b": ("theirs/a/b/wasp", "theirs"),
    # Where it leads is theirs, or will be what they want tomorrow.
    "mkdir theirs other && ln -s ../other theirs/link": ("theirs/link/x", "theirs"),
    "mkdir theirs && ln -s theirs link": ("link/wasp", "link"),
    "mkdir -p theirs/roots && ln -s theirs/roots link": ("link", "theirs"),
    "mkdir -p wasp/bin && ln -s wasp/bin theirs": ("wasp", "wasp/bin"),
    "mkdir -p wasp/share && ln -s wasp/share theirs": ("wasp", "wasp/share"),
    "mkdir open && chmod 777 open": ("open/wasp", "open"),
    "mkdir open && chmod 707 open": ("open/wasp", "open"),
    "mkdir open && chmod 2777 open": ("open/wasp", "open"),
    # As on any system: /tmp is sticky, and /usr/local is open to a group such as staff.
    "mkdir open && chmod 1777 open": ("open/wasp", ""),
    "mkdir open && chgrp 50 open && chmod 775 open": ("open/wasp", ""),
    "mkdir open && chgrp 50 open && chmod 2775 open": ("open/wasp", ""),
}


def test_where_root_does_not_work(machine: Machine) -> None:
    need_root("a folder of another user")
    machine.toolbox.link("chgrp", "chown")
    folders = [machine.root / str(number) for number in range(len(DANGERS))]
    calls = []
    for folder, (command, (prefix, _)) in zip(folders, DANGERS.items()):
        folder.mkdir()
        calls.append(
            f"cd {folder} && {command}\n[ ! -e theirs ] || chown {STRANGER} theirs/.\n"
            f"prefix=$PWD/{prefix}\ncheck_arguments\nrefuse_danger_for_root"
        )
    told = call_functions(machine, calls)
    for said, folder, (_, danger) in zip(told, folders, DANGERS.values()):
        assert bool(said) == bool(danger), said
        if danger:
            assert said.startswith(
                "error: root cannot safely work below a folder that others can change"
            )
            assert f"{folder / danger} " in said


def test_a_container_of_ci_is_let_in(root: Machine) -> None:
    """Its home is often a folder of the machine around it. One line says so."""
    run = install(root.set(CI="true")).ok()
    [line] = [line for line in run.stderr.splitlines() if "root installs there" in line]
    assert line.startswith(f"{root.home} ")
    assert root.layout.versions() == ["0.25.0"]


def test_a_home_of_another_user_does_not_matter_elsewhere(root: Machine) -> None:
    """Its start-up files would then be root's. What is staged for a package may be anywhere."""
    prefix = str(root.root / "wasp")
    install(root, "--prefix", prefix).ok()
    root.run("uninstall", "--yes", "--prefix", prefix).ok()
    assert picture(root.home) == {}
    stage = root.home / "package"
    install(root.set(DESTDIR=str(stage)), "--prefix", "/usr").ok()
    assert Layout(stage / "usr").launcher.is_file()
