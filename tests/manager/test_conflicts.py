"""What is in the way: npm's Wasp, a `wasp` that is not ours, and another run that goes on."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from tests.manager.homes import VERSION, archive, in_home, machine_name
from tests.support.functions import call_functions
from tests.support.machines import Background, Machine
from tests.support.processes import sleeping_elsewhere
from tests.support.toolboxes import real_tool
from tests.support.trees import picture

SCRIPT = r"'#!/bin/sh\necho another\n'"
LAUNCHER = r"'#!/bin/sh\nwaspc_datadir=/x\nexec x\n'"
OLDER = "'#!/bin/bash\\nwaspc_datadir=/x /x/share/wasp-lang/0.15.0/wasp-bin \"$@\"\\n'"
LAUNCHERS = {
    # What is done in the folder of the launcher, and what that is taken for.
    ":": "none",
    "mkdir wasp": "folder",
    # Wasp's older installer left its version only in the paths.
    f"printf {OLDER} >wasp": "ours 0.15.0",
    f"printf {LAUNCHER} >wasp": "ours",
    f"printf {SCRIPT} >wasp": "foreign",
    "printf '\\177ELF waspc_datadir=/x' >wasp": "foreign",
    "echo 'waspc_datadir=/x, but no script' >wasp": "foreign",
    "touch wasp": "foreign",
    "mkfifo wasp": "foreign",
    f"printf {SCRIPT} >../elsewhere && ln -s ../elsewhere wasp": "foreign",
    # Into which a rename would go.
    "mkdir ../elsewhere && ln -s ../elsewhere wasp": "foreign",
    "ln -s ../not-there wasp": "foreign",
    # It looks like ours, and still a link is not what this installer leaves.
    f"printf {LAUNCHER} >../elsewhere && ln -s ../elsewhere wasp": "foreign",
}


def test_what_a_launcher_is_taken_for_and_that_nothing_is_written_through_it(
    every_shell_machine: Machine,
) -> None:
    folders = [every_shell_machine.root / str(number) / "bin" for number in range(len(LAUNCHERS))]
    calls = []
    for folder, command in zip(folders, LAUNCHERS):
        folder.mkdir(parents=True)
        calls.append(
            f"bin_dir='{folder}' staged_launcher='{folder}/staged'\ncd '{folder}' && {command}\n"
            'inspect_launcher\necho "$launcher $current"\n'
            "echo new >staged\n[ $launcher = folder ] || place_launcher"
        )
    told = [said.strip() for said in call_functions(every_shell_machine, calls)]
    assert told == list(LAUNCHERS.values())
    for folder, kind in zip(folders, told):
        assert kind == "folder" or (folder / "wasp").read_text() == "new\n"
        assert not (folder / "wasp").is_symlink()
        elsewhere = folder.parent / "elsewhere"
        assert not elsewhere.is_file() or elsewhere.read_text() != "new\n"
        assert not list(elsewhere.glob("*"))
        assert not (folder.parent / "not-there").exists()


#: What is done in the home, how it is refused, and whether --force takes over.
CONFLICTS = {
    "touch .local/share/wasp-lang/.uses-npm": ("npm-managed", True),
    "mkdir elsewhere && ln -s ../../elsewhere .local/bin/wasp": ("foreign-launcher", True),
    "mkdir -p .local/bin/wasp/inside": ("foreign-launcher", False),
}


@pytest.mark.parametrize("deed", CONFLICTS)
def test_what_is_there_is_left_alone_but_for_force(machine: Machine, deed: str) -> None:
    slug, gives_way = CONFLICTS[deed]
    machine.layout.plant("0.24.0")
    in_home(machine, f"mkdir .local/bin && {deed}")
    before = picture(machine.home)
    machine.run("use", "0.24.0", "--json").failed(8, slug)
    # As long as nothing else is there that works.
    file = ("--from-file", archive(machine))
    machine.install("0.99.0", *file, "--force").failed(8 if not gives_way else 6)
    assert picture(machine.home) == before
    run = machine.run("use", "0.24.0", "--force", "--json")
    if gives_way:
        run.ok()
        assert machine.wasp("version").stdout == "0.24.0\n"
        assert not machine.layout.npm_marker.exists()
        assert not list((machine.home / "elsewhere").glob("*"))
    else:
        run.failed(8, slug)
        assert picture(machine.home) == before


@pytest.mark.parametrize("command", ["use 0.25.0", "uninstall 0.15.0"])
def test_a_wasp_of_the_older_installer(machine: Machine, command: str) -> None:
    """It left no receipts; its last version goes with its launcher."""
    share = ".local/share/wasp-lang"
    in_home(machine, f"mkdir -p {share}/0.15.0 .local/bin && printf {OLDER} >.local/bin/wasp")
    if command == "use 0.25.0":
        machine.layout.plant("0.25.0")
    machine.run(*command.split()).ok()
    if command == "use 0.25.0":
        assert machine.wasp("version").stdout == "0.25.0\n"
    else:
        assert not machine.layout.prefix.exists()


def test_a_link_in_the_place_of_a_version_is_not_written_through(getter_machine: Machine) -> None:
    outside = getter_machine.root / "outside"
    outside.mkdir()
    (outside / "precious").write_text("precious\n")
    before = picture(outside)
    place = getter_machine.layout.version_folder("0.25.0")
    place.parent.mkdir(parents=True)
    place.symlink_to(outside)
    getter_machine.install(None, "--from-file", archive(getter_machine)).ok()
    assert picture(outside) == before
    assert not place.is_symlink()
    assert getter_machine.layout.receipt("0.25.0")["version"] == "0.25.0"


#: What another program does while a run looks at the machine, and what the run says of it.
MEANWHILE = {
    "echo foreign >.local/bin/wasp": (8, "foreign-launcher"),
    "touch .local/share/wasp-lang/.uses-npm": (8, "npm-managed"),
    "rm -r .local/share/wasp-lang/0.25.0": (5, "not-installed"),
}


@pytest.mark.parametrize("deed", MEANWHILE)
def test_what_is_done_meanwhile_counts(machine: Machine, deed: str) -> None:
    layout = machine.layout
    layout.plant("0.25.0")
    in_home(machine, "mkdir .local/bin")
    done = f"cd '{machine.home}' && {deed}"
    mkdir = f'exec {real_tool("mkdir")} "$@"'
    machine.toolbox.script("mkdir", f"case $* in *.staging-*) ({done}) ;; esac\n{mkdir}")
    machine.run("use", "0.25.0", "--json").failed(*MEANWHILE[deed])
    assert not layout.launcher.exists() or layout.launcher.read_text() == "foreign\n"


# --- One run at a time changes what is shared ----------------------------------------------------

#: Longer than any run is given to hold its turn.
LONG_AGO = 3600


def hold(share: Path, holder: str, age: float = 0) -> Path:
    """Makes the link by which a run holds its turn."""
    share.mkdir(parents=True, exist_ok=True)
    turn = share / ".turn"
    turn.symlink_to(holder)
    os.utime(turn, (time.time() - age,) * 2, follow_symlinks=False)
    return turn


def test_the_turn_of_a_run_that_is_gone_is_taken_over(every_shell_machine: Machine) -> None:
    """It has ended, or it has held its turn for more than a minute."""
    here = machine_name()
    shares = [every_shell_machine.root / str(number) for number in range(5)]
    hold(shares[0], f"{here}-{sleeping_elsewhere()}")
    for share, holder in zip(shares[1:], (f"{here}-{os.getpid()}", "elsewhere-1", "nonsense", "x")):
        hold(share, holder, LONG_AGO)
    # By a run that was killed while it took another's.
    (shares[4] / ".turn.breaking").mkdir()
    os.utime(shares[4] / ".turn.breaking", (time.time() - LONG_AGO,) * 2)
    take = """
    name_owner
    take_turn
    [ "$(readlink "$turn")" = "$owner_name" ] && echo taken
    end_turn
    """
    calls = [f"share_dir='{share}'\n{take}" for share in shares]
    assert call_functions(every_shell_machine, calls) == ["taken"] * len(shares)
    assert [list(share.iterdir()) for share in shares] == [[]] * len(shares)


def test_a_turn_that_cannot_be_taken_is_not_tried_for_ever(machine: Machine) -> None:
    machine.layout.plant(VERSION)
    machine.toolbox.script("ln", "echo 'ln: Input/output error' >&2; exit 1")
    machine.run("migrate-to-npm", "--yes", "--json").failed(7, "file-system")
    assert machine.layout.versions() == [VERSION]


def test_only_the_turn_that_was_looked_at_is_taken_over(machine: Machine) -> None:
    """Another run may have taken it over first, and hold it now."""
    machine.layout.plant(VERSION)
    turn = hold(machine.layout.share, f"{machine_name()}-{sleeping_elsewhere()}")
    holder = f"{machine_name()}-{os.getpid()}"
    mkdir = real_tool("mkdir")
    here = f"ln -sfn '{holder}' '{turn}'"
    machine.toolbox.script("mkdir", f'case $* in *.breaking) {here} ;; esac\nexec {mkdir} "$@"')
    machine.toolbox.link("ln")
    run = machine.start("use", VERSION, "--verbose")
    wait_for_word(run, b"Waiting for another run")
    assert os.readlink(turn) == holder
    turn.unlink()
    run.result().ok()


@pytest.mark.parametrize("holder", ["alive", "elsewhere"])
@pytest.mark.parametrize("end", [None, signal.SIGINT, signal.SIGTERM])
def test_a_turn_is_waited_for(machine: Machine, holder: str, end: signal.Signals | None) -> None:
    """Until it is given back, or the run that waits is ended."""
    machine.layout.plant(VERSION)
    name = f"{machine_name()}-{os.getpid()}" if holder == "alive" else "elsewhere-1"
    turn = hold(machine.layout.share, name)
    before = picture(machine.home)
    run = machine.start("use", VERSION, "--verbose")
    wait_for_word(run, b"Waiting for another run")
    assert not machine.layout.launcher.exists()
    if end is None:
        turn.unlink()
        run.result().ok()
        assert machine.wasp("version").stdout == "0.25.0\n"
    else:
        run.interrupt_group(end)
        assert run.result().code == 128 + end
        assert picture(machine.home) == before


def wait_for_word(run: Background, word: bytes) -> None:
    assert run.process.stderr is not None
    while word not in (line := run.process.stderr.readline()):
        assert line, "it ended without the word"
