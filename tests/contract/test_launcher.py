"""The launcher: the same bytes from every front end, so one is tried here in every shell."""

from __future__ import annotations

import contextlib
import signal
import subprocess

import pytest

from tests.support.frontends import FrontEnd
from tests.support.machines import Machine, MachineRoom
from tests.support.toolboxes import Toolbox, real_tool

DIFFICULT = [
    "",
    " ",
    "two words",
    "'single' \"double\"",
    "$HOME `date` $(date) \\",
    "*",
    "-n",
    "--",
    "line\nbreak",
    "zażółć",
    "tab\there",
]


@pytest.fixture
def wasp(machines: MachineRoom) -> Machine:
    """A machine with 0.25.0 in a home with a difficult name."""
    machine = machines.build("dash")
    machine.move_home('a home\'s "name" $HOME')
    machine.layout.plant("0.25.0")
    machine.run("use", "0.25.0").ok()
    return machine


def test_arguments_arrive_as_they_were(wasp: Machine, shell: FrontEnd) -> None:
    run = wasp.wasp("arguments", *DIFFICULT, shell=shell.interpreter()).ok()
    assert run.stdout == "".join(f"<{argument}>\n" for argument in DIFFICULT)


def test_no_arguments_stay_none(wasp: Machine, shell: FrontEnd) -> None:
    assert wasp.wasp(shell=shell.interpreter()).code == 64


def test_the_data_folder_is_told(wasp: Machine, shell: FrontEnd) -> None:
    run = wasp.wasp("datadir", shell=shell.interpreter()).ok()
    assert run.stdout == f"{wasp.layout.version_folder('0.25.0')}/data\n"


@pytest.mark.parametrize("code", [0, 1, 7, 130, 255])
def test_the_exit_code_is_that_of_wasp(wasp: Machine, code: int) -> None:
    assert wasp.wasp("exit", str(code)).code == code


def test_standard_input_arrives(wasp: Machine) -> None:
    assert wasp.wasp("read", stdin="one\ntwo\n").stdout == "read: one\nread: two\n"


def test_wasp_takes_the_place_of_the_launcher(wasp: Machine, shell: FrontEnd) -> None:
    process = wasp.start_program([*shell.interpreter(), str(wasp.layout.launcher), "whoami"])
    out, _ = process.communicate()
    assert int(out) == process.pid


def test_a_signal_reaches_wasp(wasp: Machine) -> None:
    argv = [str(wasp.layout.launcher), "wait"]
    process = wasp.start_program(argv, stdin=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(signal.SIGTERM)
    assert process.stdin is not None
    # Some shells see to a signal only after the line that they wait for; others are gone by now.
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write(b"\n")
        process.stdin.flush()
    out, _ = process.communicate()
    assert (out, process.returncode) == (b"got TERM\n", 7)


def test_any_current_folder_will_do(wasp: Machine) -> None:
    gone = wasp.root / "gone"
    gone.mkdir()
    script = f'cd "{gone}" && rmdir "{gone}" && exec "$1" version'
    run = wasp.run_program([str(real_tool("sh")), "-c", script, "sh", str(wasp.layout.launcher)])
    assert run.stdout == "0.25.0\n"


def test_a_link_to_the_launcher_works(wasp: Machine) -> None:
    link = wasp.root / "wasp-link"
    link.symlink_to(wasp.layout.launcher)
    assert wasp.run_program([str(link), "version"]).stdout == "0.25.0\n"


def test_an_empty_path_will_do(wasp: Machine) -> None:
    nothing = Toolbox(wasp.root / "no-tools")
    wasp.set(PATH=str(nothing.folder))
    assert wasp.wasp("version").stdout == "0.25.0\n"


@pytest.mark.parametrize("name", ["CDPATH", "ENV", "BASH_ENV", "waspc_datadir", "IFS"])
def test_the_callers_variables_do_not_matter(wasp: Machine, name: str) -> None:
    run = wasp.set(**{name: "/no/such/place"}).wasp("datadir").ok()
    assert run.stdout == f"{wasp.layout.version_folder('0.25.0')}/data\n"


def test_other_variables_arrive(wasp: Machine) -> None:
    wasp.layout.binary("0.25.0").write_text('#!/bin/sh\necho "$GREETING|$PATH"\n')
    run = wasp.set(GREETING="hello there").wasp().ok()
    assert run.stdout == f"hello there|{wasp.toolbox.folder}\n"


def test_a_launcher_whose_wasp_is_gone_says_so(wasp: Machine, shell: FrontEnd) -> None:
    wasp.layout.binary("0.25.0").unlink()
    run = wasp.wasp("version", shell=shell.interpreter())
    assert run.code != 0
    assert "0.25.0" in run.stderr
    assert run.stdout == ""


def test_the_launcher_asks_no_other_program(wasp: Machine) -> None:
    """Every program that a launcher starts costs a millisecond."""
    log = wasp.root / "log"
    for tool in ("dirname", "readlink", "basename", "cat", "sed", "uname", "id", "env", "python3"):
        wasp.toolbox.script(tool, f"echo {tool} >>'{log}'")
    wasp.wasp("version").ok()
    assert not log.exists()
