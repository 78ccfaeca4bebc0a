"""Where things go: prefix, DESTDIR, homes with difficult names, and those of another user."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.manager.homes import VERSION, install
from tests.support.archives import tiny_package
from tests.support.filesystems import STRANGER, give_away
from tests.support.functions import call_functions
from tests.support.machines import Machine, Run
from tests.support.skips import need_root
from tests.support.trees import Layout, expected_version_folder, picture
from wasp_installer.command_line.options import parse

#: No shell must read these as anything but names.
NAMES = (
    'it\'s  a "home" $HOME ${x} $(touch evil) `touch evil` \\n \\\\ end\\',
    "-rf [a-z]*?{1,2}~!#&|;<> %s %d 100% a=b=c zażółć-ß-東京-🐝 ",
    "two\nlines",
)


@pytest.mark.parametrize("name", NAMES, ids=["quotes", "globs", "line break"])
def test_a_home_of_any_name(machine: Machine, name: str) -> None:
    home = machine.move_home(name)
    install(machine)
    assert machine.wasp("version").stdout == "0.25.0\n"
    assert machine.wasp("datadir").stdout == f"{machine.layout.version_folder(VERSION)}/data\n"
    expected = expected_version_folder(tiny_package(VERSION))
    assert machine.layout.version_picture(VERSION) == expected
    # One line of a start-up file cannot name a folder whose name has two.
    files = [] if "\n" in name else [".bashrc", ".profile"]
    assert {item.name for item in home.iterdir()} == {".local", *files}
    # By the program that stays.
    machine.wasp("installer", "uninstall", "--yes").ok()
    assert picture(home) == {}


PLACES = (
    # An option, WASP_INSTALL_PREFIX, and the prefix then.
    ("--prefix={root}/opt/wasp", "", "{root}/opt/wasp"),
    ("--prefix={root}/opt/wasp//", "", "{root}/opt/wasp"),
    ("--prefix=../opt/wasp", "", "{root}/here/../opt/wasp"),
    ("-q", "{root}/opt/wasp", "{root}/opt/wasp"),
    ("--prefix={root}/opt/wasp", "{root}/not-here", "{root}/opt/wasp"),
    # In a word such as --prefix=~/wasp, or in a variable of a container, no shell puts the home in.
    ("--prefix=~/opt/", "/not-here", "{root}/home/opt"),
    ("-q", "~/opt", "{root}/home/opt"),
    ("--prefix=/", "", ""),
)


@pytest.mark.parametrize("slash", ["", "/"])
def test_where_a_prefix_is(machine: Machine, monkeypatch: pytest.MonkeyPatch, slash: str) -> None:
    """To both getters."""
    machine = machine.set(HOME=f"{machine.home}{slash}")
    (machine.home / "a.tgz").touch()
    monkeypatch.chdir(machine.here)
    monkeypatch.setenv("HOME", machine.environment["HOME"])
    rows = [[text.format(root=machine.root) for text in row] for row in PLACES]
    calls, python = [], []
    for option, variable, _ in rows:
        calls.append(
            f"WASP_INSTALL_PREFIX='{variable}'\nset_defaults\n"
            f"parse_arguments '{option}' '--from-file=~/a.tgz'\ncheck_arguments\n"
            'echo "$prefix $archive_file"'
        )
        monkeypatch.setenv("WASP_INSTALL_PREFIX", variable)
        options = parse([option, "--from-file=~/a.tgz"])
        python.append(f"{options.prefix.rstrip('/')} {options.from_file}")
    assert python == [f"{place} {machine.home}/a.tgz" for *_, place in rows]
    assert call_functions(machine, calls) == python


@pytest.mark.parametrize("place", ["final", "/"])
def test_what_is_staged_is_for_its_place(getter_machine: Machine, place: str) -> None:
    """Such as the root of a small image; nothing of this machine is looked at, or changed."""
    machine = getter_machine
    stage, final = machine.root / "stage", machine.root / place
    machine.set(DESTDIR=str(stage))
    run = install(machine, "--prefix", str(final))
    if place == "/":
        assert Layout(stage).versions() == [VERSION]
        assert Layout(stage).launcher.exists()
        return
    assert run.json["prefix"] == str(final)
    assert run.json["executable"] == f"{final}/bin/wasp"
    assert run.warnings() == []
    assert picture(machine.home) == {}
    assert not final.exists()
    again = machine.install(VERSION, "--prefix", str(final)).ok()
    assert again.json["status"] == "already-installed"
    staged = Path(f"{stage}{final}")
    for file in staged.rglob("*"):
        assert file.is_dir() or str(stage).encode() not in file.read_bytes(), file
    staged.rename(final)
    layout = Layout(final)
    assert layout.version_picture(VERSION) == expected_version_folder(tiny_package(VERSION))
    assert machine.run_program([str(layout.launcher), "version"]).stdout == "0.25.0\n"
    datadir = f"{final}/share/wasp-lang/0.25.0/data\n"
    assert machine.run_program([str(layout.launcher), "datadir"]).stdout == datadir


def test_destdir_is_not_for_people(machine: Machine) -> None:
    """It may be left in the environment of a shell that builds packages."""
    machine.layout.plant(VERSION)
    machine.set(DESTDIR=str(machine.root / "stage")).run("use", VERSION).ok()
    assert machine.layout.launcher.exists()
    assert not (machine.root / "stage").exists()


def test_a_share_folder_that_is_a_link_is_followed(machine: Machine) -> None:
    big_disk = machine.root / "big-disk"
    big_disk.mkdir()
    machine.layout.share.parent.mkdir(parents=True)
    machine.layout.share.symlink_to(big_disk)
    install(machine)
    assert (big_disk / "0.25.0" / "wasp-bin").is_file()
    assert machine.layout.share.is_symlink()
    assert machine.wasp("version").stdout == "0.25.0\n"


# --- Not where another user could exchange what root will then run --------------------------------


@pytest.fixture
def root(getter_machine: Machine) -> Machine:
    """A machine on which root works, in the home of another user."""
    need_root("a folder of another user")
    give_away(getter_machine.home)
    return getter_machine


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
    run = install(root.set(CI="true"))
    [line] = [line for line in run.stderr.splitlines() if "root installs there" in line]
    assert line.startswith(f"{root.home} ")
    assert root.layout.versions() == ["0.25.0"]


def test_a_home_of_another_user_does_not_matter_elsewhere(root: Machine) -> None:
    """Its start-up files would then be root's. What is staged for a package may be anywhere."""
    prefix = str(root.root / "wasp")
    install(root, "--prefix", prefix)
    root.run("uninstall", "--yes", "--prefix", prefix).ok()
    assert picture(root.home) == {}
    stage = root.home / "package"
    install(root.set(DESTDIR=str(stage)), "--prefix", "/usr")
    assert Layout(stage / "usr").launcher.is_file()
