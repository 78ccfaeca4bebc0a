"""On a terminal there is colour and a bar; anywhere else there is plain text."""

from __future__ import annotations

import os
import re
import sys
import time
from dataclasses import replace

import pytest

from tests.support.archives import DATA_MEMBERS, Member, tiny_package
from tests.support.frontends import PYTHON
from tests.support.machines import Machine, MachineRoom
from tests.support.releases import Upstream, npm_cli_path, npm_tarball_path
from tests.support.replies import Drip, Stall
from tests.support.terminals import Terminal
from tests.support.trees import picture

ESCAPE = "\x1b"
TARBALL = npm_tarball_path("0.25.0", "linux-x64-glibc")
LARGE = replace(
    tiny_package("0.25.0"),
    data=(*DATA_MEMBERS, Member("data/large", os.urandom(2_000_000))),
)


@pytest.fixture
def slow_download(machine: Machine, upstream: Upstream) -> None:
    """An archive large and slow enough for a bar to be worth it."""
    machine.toolbox.fake_uname("Linux", "x86_64").fake_glibc("2.36")
    release = upstream.publish("0.25.0", package=LARGE)
    upstream.server.answer(TARBALL, Drip(release.npm_archive, pieces=6, pause=0.12))


def on_terminal(machine: Machine, *arguments: str, columns: int = 80) -> Terminal:
    argv = machine.front_end.argv(*arguments)
    return Terminal(argv, machine.environment, machine.here, columns)


def lines_shown(text: str) -> list[str]:
    """What a person sees: the last state of every line, without colour."""
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
    return [line.rstrip("\r").rpartition("\r")[2] for line in plain.split("\n")]


#: As behind "2>&1 | head", once that has ended.
WITHOUT_READER = """
import os, signal, sys
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
reads, writes = os.pipe()
os.close(reads)
os.dup2(writes, 2)
os.close(writes)
os.execv(sys.argv[1], sys.argv[1:])
"""


@pytest.mark.parametrize("stderr", ["2>&-", "2>/dev/full", "a pipe"])
def test_a_stderr_that_takes_nothing_stops_nothing(
    machines: MachineRoom, shell_machine: Machine, upstream: Upstream, stderr: str
) -> None:
    """For the first two of install.py, tests/unit/test_streams.py."""
    upstream.publish("0.25.0")
    wrapper = ["/bin/sh", "-c", f'exec "$@" {stderr}', "sh"]
    which = [shell_machine]
    if stderr == "a pipe":
        wrapper = [sys.executable, "-c", WITHOUT_READER]
        which.append(machines.build(PYTHON, "python"))
    for machine in which:
        machine.wrapper = wrapper
        assert machine.install(None, "--verbose").ok().json["status"] == "installed"


@pytest.mark.usefixtures("slow_download")
@pytest.mark.parametrize("columns", [20, 80])
def test_a_bar_fits_the_terminal(machine: Machine, columns: int) -> None:
    terminal = on_terminal(machine, columns=columns)
    assert terminal.finish() == 0
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.shown)
    bars = [part for part in re.split(r"[\r\n]", plain) if "%" in part]
    # A very narrow terminal may do without.
    assert len(bars) > 1 or columns < 60
    assert max(map(len, bars), default=0) <= columns
    assert columns < 60 or all(re.match(r"Downloading [0-9]+% of [0-9]", bar) for bar in bars)
    percentages = [int(number) for bar in bars for number in re.findall(r"(\d+)%", bar)]
    assert percentages == sorted(percentages)
    assert any("Installed Wasp 0.25.0" in line for line in lines_shown(terminal.shown))
    assert not [line for line in lines_shown(terminal.shown) if "Downloading" in line]


def test_a_bar_without_a_known_end_says_how_much_has_come(
    machine: Machine, upstream: Upstream
) -> None:
    machine.toolbox.fake_uname("Linux", "x86_64").fake_glibc("2.36")
    archive = upstream.publish("0.25.0", package=LARGE).npm_archive
    upstream.server.answer(TARBALL, Drip(archive, pieces=6, pause=0.12, says_length=False))
    terminal = on_terminal(machine)
    assert terminal.finish() == 0
    assert re.search(r"Downloading [1-9][0-9.]* ?M?B", terminal.shown)
    assert "%" not in terminal.shown


@pytest.mark.usefixtures("slow_download")
@pytest.mark.parametrize("unwanted", ["NO_COLOR", "TERM", "--quiet"])
def test_no_colour_and_no_bar_when_unwanted(machine: Machine, unwanted: str) -> None:
    arguments = [unwanted] if unwanted == "--quiet" else []
    if not arguments:
        machine.set(**{unwanted: "dumb"})
    terminal = on_terminal(machine, *arguments)
    assert terminal.finish() == 0
    assert ESCAPE not in terminal.shown
    assert "%" not in terminal.shown
    assert "\r" not in terminal.shown.replace("\r\n", "\n")
    assert (terminal.shown == "") is (unwanted == "--quiet")


def test_an_error_is_colourful_on_a_terminal(machine: Machine) -> None:
    terminal = on_terminal(machine, "install", "--version", "0.99.0")
    assert terminal.finish() == 5
    assert ESCAPE in terminal.shown
    assert any(line.startswith("error: ") for line in lines_shown(terminal.shown))


@pytest.mark.parametrize("bar", [True, False], ids=["bar", "before the bar"])
def test_control_c_says_so_on_a_line_of_its_own(
    machine: Machine, upstream: Upstream, bar: bool
) -> None:
    machine.toolbox.fake_uname("Linux", "x86_64").fake_glibc("2.36")
    archive = upstream.publish("0.25.0", package=LARGE).npm_archive
    upstream.server.answer(TARBALL, Drip(archive, pieces=300, pause=0.2) if bar else Stall())
    # The key must end it; nothing else would in time.
    terminal = on_terminal(machine.set(WASP_HTTP_TIMEOUT="200"), "install")
    if bar:
        terminal.wait_for("Downloading")
    else:
        upstream.server.wait_for(TARBALL)
    is_interrupted(machine, terminal)


def is_interrupted(machine: Machine, terminal: Terminal) -> None:
    terminal.type("\x03")
    assert terminal.finish() == 130
    assert picture(machine.home) == {}
    [error] = [line for line in lines_shown(terminal.shown) if "interrupted." in line]
    assert error == "error: interrupted."
    assert "Terminated" not in terminal.shown


def test_control_c_is_answered_in_every_shell(
    every_shell_machine: Machine, upstream: Upstream
) -> None:
    """While the run waits for another program."""
    newest = npm_cli_path("latest")
    upstream.server.answer(newest, Stall())
    machine = every_shell_machine.set(WASP_HTTP_TIMEOUT="200")
    terminal = on_terminal(machine, "install", "--source", "npm")
    upstream.server.wait_for(newest)
    is_interrupted(machine, terminal)


# --- The question of uninstall -------------------------------------------------------------------


#: What is typed, if one is asked, and the versions that are left then.
ANSWERS: dict[str, dict[str, list[str]]] = {
    "uninstall": {"y\n": [], "yes\n": [], "\n": ["0.24.0", "0.25.0"]},
    "uninstall --yes": {"": []},
    "uninstall 0.24.0": {"": ["0.25.0"]},
    "migrate-to-npm": {"n\n": ["0.24.0", "0.25.0"]},
}


@pytest.mark.parametrize(
    ("command", "answer"), [(command, key) for command in ANSWERS for key in ANSWERS[command]]
)
def test_what_takes_all_away_asks(shell_machine: Machine, command: str, answer: str) -> None:
    layout = shell_machine.layout
    for version in ("0.24.0", "0.25.0"):
        layout.plant(version)
    before = picture(shell_machine.home)
    terminal = on_terminal(shell_machine, *command.split(), "--porcelain")
    if answer:
        terminal.wait_for("leave it to npm?" if command == "migrate-to-npm" else "?")
        terminal.type(answer)
    assert terminal.finish() == 0
    left = ANSWERS[command][answer]
    assert layout.versions() == left
    is_unchanged = len(left) == 2
    assert (picture(shell_machine.home) == before) is is_unchanged
    for words in ("Nothing was changed.", "status=unchanged"):
        assert (words in terminal.shown) is is_unchanged


def test_control_c_is_an_answer_too(machine: Machine) -> None:
    machine.layout.plant("0.25.0")
    terminal = on_terminal(machine, "uninstall")
    terminal.wait_for("?")
    # The shell itself answers Ctrl-C only when what it waits for has ended.
    while not [command for command in machine.processes().values() if command.startswith("head")]:
        time.sleep(0.01)
    terminal.type("\x03")
    assert terminal.finish() == 130
    assert machine.layout.versions() == ["0.25.0"]
    assert "error: interrupted." in lines_shown(terminal.shown)
