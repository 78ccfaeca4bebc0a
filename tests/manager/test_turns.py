"""Runs that meet: one at a time changes what is shared, and nothing is lost or torn."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from tests.manager.homes import VERSION, archive, machine_name, set_up, uninstall, with_line
from tests.support.frontends import FULL
from tests.support.functions import call_functions
from tests.support.machines import Background, Machine
from tests.support.processes import sleeping_elsewhere
from tests.support.toolboxes import real_tool
from tests.support.trees import picture

MINE = b"export A=1\nexport B=2"
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


def test_two_uninstalls_beside_an_install_end_in_one_whole_state(machine: Machine) -> None:
    """Wasp is there with all that belongs to it, or nothing of it is."""
    (machine.home / ".bashrc").write_bytes(MINE)
    file = archive(machine)
    for number in range(50 if FULL else 3):
        if number % 2:
            set_up(machine)
        runs = [machine.start("install", "--from-file", file, "--force")]
        # Later each time, so that they meet anywhere.
        time.sleep(number * 0.02)
        runs += [machine.start("uninstall", "--yes") for _ in range(2)]
        _, *uninstalls = [run.result() for run in runs]
        assert [run.code for run in uninstalls] == [0, 0]
        is_there = machine.layout.launcher.exists()
        bashrc = (machine.home / ".bashrc").read_bytes()
        assert bashrc == (with_line(".bashrc", MINE) if is_there else MINE)
        # A version may be in its place already; it is whole, and the next run takes it up.
        if machine.layout.versions():
            if not is_there:
                set_up(machine)
            assert machine.wasp("version").ok().stdout == "0.25.0\n"
        uninstall(machine)
        assert set(picture(machine.home)) == {".bashrc"}
        assert (machine.home / ".bashrc").read_bytes() == MINE
