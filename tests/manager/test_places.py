"""Where things go: prefix, DESTDIR, and homes with difficult names."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.manager.homes import VERSION, archive, install
from tests.support.archives import tiny_package
from tests.support.machines import Machine
from tests.support.trees import Layout, expected_version_folder, picture

NAMES = {
    "quotes and expansions": 'it\'s  a "home" $HOME ${x} $(touch evil) `touch evil` \\n \\\\ end\\',
    "newline": "two\nlines",
    "globs and letters": "-rf [a-z]*?{1,2}~!#&|;<> %s %d 100% a=b=c zażółć-ß-東京-🐝 ",
}


@pytest.mark.parametrize("name", NAMES)
def test_a_home_of_any_name(machine: Machine, name: str) -> None:
    home = machine.move_home(NAMES[name])
    install(machine)
    assert machine.wasp("version").stdout == "0.25.0\n"
    datadir = machine.layout.version_folder(VERSION) / "data"
    assert machine.wasp("datadir").stdout == f"{datadir}\n"
    expected = expected_version_folder(tiny_package(VERSION))
    assert machine.layout.version_picture(VERSION) == expected
    # One line of a start-up file cannot name a folder whose name has two.
    files = [] if name == "newline" else [".bashrc", ".profile"]
    assert {item.name for item in home.iterdir()} == {".local", *files}
    for file in files:
        found = machine.run_program(["/bin/sh", "-c", f'. "$HOME/{file}"; wasp version'])
        assert found.stdout == "0.25.0\n"
    # By the program that stays.
    machine.wasp("installer", "uninstall", "--yes").ok()
    assert picture(home) == {}


WAYS = {
    "option": ("--prefix={root}/opt/wasp", {}),
    "slash": ("--prefix={root}/opt/wasp//", {}),
    "relative": ("--prefix=../opt/wasp", {}),
    "environment": ("", {"WASP_INSTALL_PREFIX": "{root}/opt/wasp"}),
    "both": ("--prefix={root}/opt/wasp", {"WASP_INSTALL_PREFIX": "{root}/not-here"}),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_prefix(shell_machine: Machine, way: str) -> None:
    machine = shell_machine
    option, variables = WAYS[way]
    machine.set(**{name: value.format(root=machine.root) for name, value in variables.items()})
    elsewhere = machine.root / "elsewhere"
    elsewhere.mkdir()
    prefix = machine.root / "opt" / "wasp"
    options = [option.format(root=machine.root)] if option else []
    told = install(machine, *options, cwd=elsewhere).json
    places = {"relative": elsewhere / ".." / "opt" / "wasp"}
    assert told["prefix"] == str(places.get(way, prefix))
    assert told["executable"] == f"{told['prefix']}/bin/wasp"
    assert set(picture(machine.home)) == {".bashrc", ".profile"}
    assert Layout(prefix).versions() == [VERSION]
    run = machine.run_program([str(prefix / "bin" / "wasp"), "version"], cwd=Path("/"))
    assert run.stdout == "0.25.0\n"
    assert not (machine.root / "not-here").exists()


def test_the_root_is_a_prefix(machine: Machine) -> None:
    """Such as of a small image, which is staged."""
    stage = machine.root / "stage"
    install(machine.set(DESTDIR=str(stage)), "--prefix", "/")
    assert Layout(stage).versions() == [VERSION]
    assert Layout(stage).launcher.exists()
    assert picture(machine.home) == {}


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_home_that_the_shell_did_not_put_in(machine: Machine, slash: str) -> None:
    """In a word such as --prefix=~/wasp, or in a variable of a container."""
    machine.set(HOME=f"{machine.home}{slash}", WASP_INSTALL_PREFIX="~/opt")
    Path(archive(machine)).rename(machine.home / "a.tgz")
    told = machine.install(None, "--from-file=~/a.tgz").ok().json
    assert told["prefix"] == f"{machine.home}/opt"
    assert Layout(machine.home / "opt").versions() == [VERSION]
    told = machine.install(None, "--from-file=~/a.tgz", "--prefix=~/other/", "--dry-run").ok().json
    assert told["prefix"] == f"{machine.home}/other"


def test_two_prefixes_do_not_meet(machine: Machine) -> None:
    install(machine)
    other = Layout(machine.root / "other")
    install(machine, "--prefix", str(other.prefix), version="0.24.0")
    assert machine.wasp("version").stdout == "0.25.0\n"
    assert machine.run_program([str(other.launcher), "version"]).stdout == "0.24.0\n"
    assert (machine.layout.versions(), other.versions()) == (["0.25.0"], ["0.24.0"])


def test_what_is_staged_is_for_its_place(machine: Machine) -> None:
    stage, final = machine.root / "stage", machine.root / "final"
    machine.set(DESTDIR=str(stage))
    run = install(machine, "--prefix", str(final))
    told = run.json
    assert told["prefix"] == str(final)
    assert told["executable"] == f"{final}/bin/wasp"
    assert told["wasp_dir"] == f"{final}/share/wasp-lang/0.25.0"
    # Nothing of this machine is looked at, or changed.
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


def test_destdir_is_not_for_people(shell_machine: Machine) -> None:
    """It may be left in the environment of a shell that builds packages."""
    shell_machine.layout.plant(VERSION)
    shell_machine.set(DESTDIR=str(shell_machine.root / "stage")).run("use", VERSION).ok()
    assert shell_machine.layout.launcher.exists()
    assert not (shell_machine.root / "stage").exists()


def test_a_share_folder_that_is_a_link_is_followed(machine: Machine) -> None:
    big_disk = machine.root / "big-disk"
    big_disk.mkdir()
    machine.layout.share.parent.mkdir(parents=True)
    machine.layout.share.symlink_to(big_disk)
    install(machine)
    assert (big_disk / "0.25.0" / "wasp-bin").is_file()
    assert machine.layout.share.is_symlink()
    assert machine.wasp("version").stdout == "0.25.0\n"
