"""On a terminal there is colour and a bar; anywhere else there is plain text."""

from __future__ import annotations

import os
import re
from dataclasses import replace

import pytest

from tests.support.archives import DATA_MEMBERS, Member, tiny_package
from tests.support.machines import Machine
from tests.support.releases import Upstream, npm_tarball_path
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
    upstream.server.answer(TARBALL, Drip(release.npm_archive, pieces=20, pause=0.1))


def on_terminal(machine: Machine, *arguments: str, columns: int = 80) -> Terminal:
    argv = machine.front_end.argv(*arguments)
    return Terminal(argv, machine.environment, machine.here, columns)


def lines_shown(text: str) -> list[str]:
    """What a person sees: the last state of every line, without colour."""
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
    return [line.rstrip("\r").rpartition("\r")[2] for line in plain.split("\n")]


def test_nothing_colourful_in_a_pipe(machine: Machine, upstream: Upstream) -> None:
    upstream.publish("0.25.0")
    run = machine.run("install").ok()
    assert ESCAPE not in run.stderr
    assert "\r" not in run.stderr
    assert "%" not in run.stderr


def test_an_error_is_not_colourful_in_a_pipe(machine: Machine) -> None:
    run = machine.run("install", "--version", "0.99.0").failed(5)
    assert ESCAPE not in run.stderr


@pytest.mark.usefixtures("slow_download")
def test_a_bar_on_a_terminal(machine: Machine) -> None:
    terminal = on_terminal(machine, "install")
    assert terminal.finish() == 0
    percentages = [int(number) for number in re.findall(r"(\d+)%", terminal.shown)]
    assert len(set(percentages)) > 2, terminal.shown
    assert percentages == sorted(percentages)
    assert "\r" in terminal.shown.replace("\r\n", "\n")
    assert any("0.25.0" in line for line in lines_shown(terminal.shown))


@pytest.mark.usefixtures("slow_download")
@pytest.mark.parametrize("columns", [20, 40, 200])
def test_a_bar_fits_the_terminal(machine: Machine, columns: int) -> None:
    terminal = on_terminal(machine, "install", columns=columns)
    assert terminal.finish() == 0
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.shown)
    bars = [part for part in re.split(r"[\r\n]", plain) if "%" in part]
    # A very narrow terminal may do without.
    assert bars or columns < 60
    assert max(map(len, bars), default=0) <= columns


@pytest.mark.parametrize(
    ("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")], ids=["NO_COLOR", "dumb"]
)
@pytest.mark.usefixtures("slow_download")
def test_no_colour_and_no_bar_when_unwanted(machine: Machine, name: str, value: str) -> None:
    terminal = on_terminal(machine.set(**{name: value}), "install")
    assert terminal.finish() == 0
    assert ESCAPE not in terminal.shown
    assert "%" not in terminal.shown
    assert "\r" not in terminal.shown.replace("\r\n", "\n")


@pytest.mark.usefixtures("slow_download")
def test_no_bar_when_quiet(machine: Machine) -> None:
    terminal = on_terminal(machine, "install", "--quiet")
    assert terminal.finish() == 0
    assert terminal.shown == ""


def test_an_error_is_colourful_on_a_terminal(machine: Machine) -> None:
    terminal = on_terminal(machine, "install", "--version", "0.99.0")
    assert terminal.finish() == 5
    assert ESCAPE in terminal.shown
    assert any(line.startswith("error: ") for line in lines_shown(terminal.shown))


def test_control_c_on_a_terminal(machine: Machine, upstream: Upstream) -> None:
    machine.toolbox.fake_uname("Linux", "x86_64").fake_glibc("2.36")
    upstream.publish("0.25.0")
    upstream.server.answer(TARBALL, Stall())
    # The key must end it; nothing else would in time.
    machine.set(WASP_HTTP_TIMEOUT="200")
    terminal = on_terminal(machine, "install")
    upstream.server.wait_for(TARBALL)
    terminal.type("\x03")
    assert terminal.finish() == 130
    assert picture(machine.home) == {}
    assert "Terminated" not in terminal.shown


def test_control_c_leaves_the_bar_and_says_so_below_it(
    machine: Machine, upstream: Upstream
) -> None:
    machine.toolbox.fake_uname("Linux", "x86_64").fake_glibc("2.36")
    archive = upstream.publish("0.25.0", package=LARGE).npm_archive
    upstream.server.answer(TARBALL, Drip(archive, pieces=300, pause=0.2))
    terminal = on_terminal(machine, "install")
    terminal.wait_for("Downloading")
    terminal.type("\x03")
    assert terminal.finish() == 130
    [error] = [line for line in lines_shown(terminal.shown) if "interrupted." in line]
    assert error == "error: interrupted."
    assert "Terminated" not in terminal.shown


# --- The question of uninstall -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "gone"), [("y", True), ("yes", True), ("n", False), ("", False)]
)
def test_uninstall_asks_on_a_terminal(machine: Machine, answer: str, gone: bool) -> None:
    machine.layout.plant("0.25.0")
    machine.run("use", "0.25.0").ok()
    terminal = on_terminal(machine, "uninstall")
    terminal.wait_for("?")
    terminal.type(f"{answer}\n")
    code = terminal.finish()
    assert machine.layout.share.exists() is not gone
    assert machine.layout.launcher.exists() is not gone
    if gone:
        assert code == 0


def test_control_c_is_an_answer_too(machine: Machine) -> None:
    machine.layout.plant("0.25.0")
    terminal = on_terminal(machine, "uninstall")
    terminal.wait_for("?")
    terminal.type("\x03")
    assert terminal.finish() == 130
    assert machine.layout.versions() == ["0.25.0"]
    assert "error: interrupted." in lines_shown(terminal.shown)


def test_yes_is_not_asked(machine: Machine) -> None:
    machine.layout.plant("0.25.0")
    terminal = on_terminal(machine, "uninstall", "--yes")
    assert terminal.finish() == 0
    assert not machine.layout.share.exists()


def test_one_version_is_not_asked_for(machine: Machine) -> None:
    machine.layout.plant("0.25.0")
    machine.layout.plant("0.24.0")
    terminal = on_terminal(machine, "uninstall", "0.24.0")
    assert terminal.finish() == 0
    assert machine.layout.versions() == ["0.25.0"]
