"""What is in the way: npm's Wasp, and a `wasp` that is not ours."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.manager.homes import archive
from tests.support.archives import tiny_package
from tests.support.machines import Machine
from tests.support.toolboxes import real_tool
from tests.support.trees import picture

FOREIGN = "#!/bin/sh\necho 'another program called wasp'\n"


@pytest.fixture
def install(machine: Machine) -> tuple[str, ...]:
    """The options of an install from a file."""
    return ("--from-file", archive(machine))


# --- npm's Wasp ----------------------------------------------------------------------------------


@pytest.fixture
def marked(machine: Machine) -> Machine:
    """A machine whose Wasp is npm's."""
    machine.layout.plant("0.24.0")
    machine.layout.npm_marker.touch()
    return machine


def test_npms_wasp_is_left_alone(marked: Machine, install: tuple[str, ...]) -> None:
    before = picture(marked.home)
    marked.install(None, *install).failed(8, "npm-managed").says("npm install", "--force")
    marked.run("use", "0.24.0", "--json").failed(8, "npm-managed")
    assert picture(marked.home) == before


def test_force_takes_over_from_npm(marked: Machine, install: tuple[str, ...]) -> None:
    marked.install("0.99.0", *install, "--force").failed(6, "wrong-version")
    assert marked.layout.npm_marker.exists()
    marked.install(None, *install, "--force").ok()
    assert not marked.layout.npm_marker.exists()
    assert marked.wasp("version").stdout == "0.25.0\n"
    assert marked.install("0.25.0").ok().json["status"] == "already-installed"


# --- Another wasp --------------------------------------------------------------------------------


def _script(launcher: Path) -> None:
    launcher.write_text(FOREIGN)


def _no_script(launcher: Path) -> None:
    launcher.write_text("waspc_datadir, but no script\n")


def _binary(launcher: Path) -> None:
    launcher.write_bytes(b"\x7fELF" + bytes(range(256)) * 40 + b"waspc_datadir")


def _link_to_file(launcher: Path) -> None:
    target = launcher.parents[2] / "elsewhere"
    target.write_text(FOREIGN)
    launcher.symlink_to(target)


def _dangling_link(launcher: Path) -> None:
    launcher.symlink_to(launcher.parents[2] / "not-there")


def _link_to_folder(launcher: Path) -> None:
    """Into which a rename would go."""
    target = launcher.parents[2] / "elsewhere"
    target.mkdir()
    launcher.symlink_to(target)


def _link_to_our_launcher(launcher: Path) -> None:
    """The target looks like ours, and still a link is not what this installer leaves."""
    target = launcher.parents[2] / "elsewhere"
    target.write_text("#!/bin/sh\nwaspc_datadir=/x\nexec x\n")
    launcher.symlink_to(target)


FOREIGNERS: dict[str, Callable[[Path], None]] = {
    "file": _script,
    "binary": _binary,
    "link": _link_to_file,
    "link-to-folder": _link_to_folder,
    "dangling-link": _dangling_link,
    "link-to-launcher": _link_to_our_launcher,
    "no-script": _no_script,
    "empty": Path.touch,
    "pipe": os.mkfifo,
}


@pytest.mark.parametrize("kind", FOREIGNERS)
def test_a_foreign_wasp_is_left_alone_and_never_written_through(
    shell_machine: Machine, kind: str
) -> None:
    machine = shell_machine
    machine.layout.plant("0.24.0")
    launcher = machine.layout.launcher
    launcher.parent.mkdir()
    FOREIGNERS[kind](launcher)
    before = picture(machine.home)
    run = machine.run("use", "0.24.0", "--json").failed(8, "foreign-launcher")
    run.says(".local/bin/wasp", "--force")
    assert picture(machine.home) == before
    machine.run("use", "0.24.0", "--force").ok()
    assert launcher.is_file()
    assert not launcher.is_symlink()
    assert machine.wasp("version").stdout == "0.24.0\n"
    after = picture(machine.home)
    assert after.get("elsewhere") == before.get("elsewhere")
    assert not {"elsewhere/wasp", "not-there"} & set(after)


@pytest.mark.parametrize("options", [[], ["--force"]], ids=["plain", "force"])
def test_a_folder_in_the_launchers_place_is_never_replaced(
    machine: Machine, install: tuple[str, ...], options: list[str]
) -> None:
    (machine.layout.launcher / "inside").mkdir(parents=True)
    before = picture(machine.home)
    machine.install(None, *install, *options).failed(8, "foreign-launcher")
    assert picture(machine.home) == before


def plant_older(machine: Machine) -> None:
    """Wasp's older installer left no receipts, and its version only in the launcher's paths."""
    old = machine.layout.version_folder("0.15.0")
    (old / "data").mkdir(parents=True)
    (old / "wasp-bin").write_bytes(tiny_package("0.15.0").binary)
    (old / "wasp-bin").chmod(0o755)
    machine.layout.launcher.parent.mkdir(parents=True)
    machine.layout.launcher.write_text(
        f'#!/usr/bin/env bash\nwaspc_datadir={old}/data {old}/wasp-bin "$@"\n'
    )


def test_the_launcher_of_the_older_installer_is_replaced(
    machine: Machine, install: tuple[str, ...]
) -> None:
    plant_older(machine)
    machine.install(None, *install).ok()
    assert machine.wasp("version").stdout == "0.25.0\n"


def test_the_last_version_of_the_older_installer_goes_with_its_launcher(
    shell_machine: Machine,
) -> None:
    plant_older(shell_machine)
    shell_machine.run("uninstall", "0.15.0").ok()
    assert not shell_machine.layout.prefix.exists()


# --- A version's place ---------------------------------------------------------------------------


@pytest.mark.parametrize("of", ["the folder", "the receipt"])
def test_a_link_in_the_place_of_a_version_is_not_written_through(
    machine: Machine, install: tuple[str, ...], of: str
) -> None:
    outside = machine.root / "outside"
    outside.mkdir()
    (outside / "precious").write_text("precious\n")
    before = picture(outside)
    place = machine.layout.version_folder("0.25.0")
    place.parent.mkdir(parents=True)
    if of == "the folder":
        place.symlink_to(outside)
    else:
        place.mkdir()
        machine.layout.receipt_file("0.25.0").symlink_to(outside / "precious")
    machine.install(None, *install).ok()
    assert picture(outside) == before
    assert not place.is_symlink()
    assert machine.layout.receipt("0.25.0")["version"] == "0.25.0"


#: What another program does while a run looks at the machine, and what the run says of it.
MEANWHILE = {
    "another wasp": ("mkdir -p '{bin}' && echo foreign >'{bin}/wasp'", 8, "foreign-launcher"),
    "npm": ("touch '{share}/.uses-npm'", 8, "npm-managed"),
    "no version": ("rm -r '{share}/0.25.0'", 5, "not-installed"),
}


@pytest.mark.parametrize("kind", MEANWHILE)
def test_what_is_done_meanwhile_counts(shell_machine: Machine, kind: str) -> None:
    deed, code, slug = MEANWHILE[kind]
    layout = shell_machine.layout
    layout.plant("0.25.0")
    done = deed.format(bin=layout.launcher.parent, share=layout.share)
    shell_machine.toolbox.script("uname", f'[ "$1" != -s ] || {{ {done}; }}\nexec /bin/uname "$@"')
    shell_machine.run("use", "0.25.0", "--json").failed(code, slug)
    assert not layout.launcher.exists() or layout.launcher.read_text() == "foreign\n"


def test_a_launcher_that_goes_while_it_is_looked_at_is_none(shell_machine: Machine) -> None:
    """An uninstall beside this run has removed it."""
    layout = shell_machine.layout
    layout.plant("0.25.0")
    shell_machine.run("use", "0.25.0").ok()
    awk, launcher = real_tool("awk"), layout.launcher
    gone = f'case $* in *{launcher}) rm -f "{launcher}" ;; esac'
    shell_machine.toolbox.script("awk", f'{gone}\nexec {awk} "$@"')
    shell_machine.run("use", "0.25.0").ok()
    assert layout.launcher.exists()
