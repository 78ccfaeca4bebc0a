"""On a terminal there is colour and a bar; anywhere else there is plain text."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.archives import DATA_MEMBERS, Member, tiny_package
from tests.support.frontends import INSTALL_PY, PYTHON, SHELLS
from tests.support.machines import Machine
from tests.support.releases import NPM_PACKAGE_PATH, Upstream, npm_tarball_path
from tests.support.replies import Drip, Stall
from tests.support.terminals import Terminal
from tests.support.trees import Layout, expected_version_folder, picture

TARBALL = npm_tarball_path("0.25.0", "linux-x64-glibc")
LARGE = replace(
    tiny_package("0.25.0"), data=(*DATA_MEMBERS, Member("data/large", os.urandom(2_000_000)))
)


@pytest.fixture
def archive(machine: Machine, upstream: Upstream) -> bytes:
    """That of a release, large enough for a bar to be worth it."""
    machine.toolbox.fake_uname("Linux", "x86_64").fake_glibc("2.36")
    return upstream.publish("0.25.0", package=LARGE).npm_archive


def on_terminal(machine: Machine, *arguments: str, columns: int = 80) -> Terminal:
    argv = machine.front_end.argv(*arguments)
    return Terminal(argv, machine.environment, machine.here, columns)


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


def lines_shown(text: str) -> list[str]:
    """What a person sees: the last state of every line, without colour."""
    return [line.rstrip("\r").rpartition("\r")[2] for line in plain(text).split("\n")]


@pytest.mark.parametrize(("columns", "says_length"), [(20, True), (80, True), (80, False)])
def test_a_bar_fits_the_terminal(
    machine: Machine, upstream: Upstream, archive: bytes, columns: int, says_length: bool
) -> None:
    """Without a known end, it says how much has come; a very narrow terminal may do without."""
    reply = Drip(archive, pieces=6, pause=0.12, says_length=says_length)
    upstream.server.answer(TARBALL, reply)
    terminal = on_terminal(machine, columns=columns)
    assert terminal.finish() == 0
    bars = [part for part in re.split(r"[\r\n]", plain(terminal.shown)) if "Downloading" in part]
    assert max(map(len, bars), default=0) <= columns
    if columns == 80:
        form = r"Downloading [0-9]+% of [0-9]" if says_length else r"Downloading [0-9.]+ ?[kM]?B"
        assert len(bars) > 1
        assert all(re.match(form, bar) for bar in bars), bars
    percentages = [int(number) for bar in bars for number in re.findall(r"(\d+)%", bar)]
    assert percentages == sorted(percentages)
    assert says_length or not percentages
    assert any("Installed Wasp 0.25.0" in line for line in lines_shown(terminal.shown))
    assert not [line for line in lines_shown(terminal.shown) if "Downloading" in line]


@pytest.mark.parametrize("unwanted", ["NO_COLOR", "TERM", "--quiet"])
def test_no_colour_and_no_bar_when_unwanted(
    machine: Machine, upstream: Upstream, archive: bytes, unwanted: str
) -> None:
    upstream.server.answer(TARBALL, Drip(archive, pieces=6, pause=0.12))
    arguments = [unwanted] if unwanted == "--quiet" else []
    if not arguments:
        machine.set(**{unwanted: "dumb"})
    terminal = on_terminal(machine, *arguments)
    assert terminal.finish() == 0
    assert not re.search("[\x1b%]|\r(?!\n)", terminal.shown)
    assert (terminal.shown == "") is (unwanted == "--quiet")


def test_an_error_is_colourful_on_a_terminal(machine: Machine) -> None:
    terminal = on_terminal(machine, "install", "--version", "0.99.0")
    assert terminal.finish() == 5
    assert "\x1b" in terminal.shown
    assert any(line.startswith("error: ") for line in lines_shown(terminal.shown))


def is_interrupted(machine: Machine, terminal: Terminal) -> None:
    """And says so on a line of its own."""
    terminal.type("\x03")
    assert terminal.finish() == 130
    assert picture(machine.home) == {}
    [error] = [line for line in lines_shown(terminal.shown) if "interrupted." in line]
    assert error == "error: interrupted."
    assert "Terminated" not in terminal.shown


def test_control_c_beside_the_bar(machine: Machine, upstream: Upstream, archive: bytes) -> None:
    upstream.server.answer(TARBALL, Drip(archive, pieces=300, pause=0.2))
    # The key must end it; nothing else would in time.
    terminal = on_terminal(machine.set(WASP_HTTP_TIMEOUT="200"), "install")
    terminal.wait_for("Downloading")
    is_interrupted(machine, terminal)


@pytest.mark.parametrize("front_end", [PYTHON, *SHELLS], ids=str)
@pytest.mark.parametrize("silent", [TARBALL, f"{NPM_PACKAGE_PATH}/latest"])
@pytest.mark.usefixtures("archive")
def test_control_c_before_the_bar_in_every_shell(
    machine: Machine, upstream: Upstream, silent: str
) -> None:
    """While the run waits for another program."""
    upstream.server.answer(silent, Stall())
    terminal = on_terminal(machine.set(WASP_HTTP_TIMEOUT="200"), "install")
    upstream.server.wait_for(silent)
    is_interrupted(machine, terminal)


BOTH = ["0.24.0", "0.25.0"]


@pytest.mark.parametrize(
    ("command", "answer", "left"),
    [
        ("uninstall", "y\n", []),
        ("uninstall", "yes\n", []),
        ("uninstall", "\n", BOTH),
        ("uninstall --yes", "", []),
        ("uninstall 0.24.0", "", ["0.25.0"]),
        ("migrate-to-npm", "n\n", BOTH),
    ],
)
def test_a_removal_asks(shell_machine: Machine, command: str, answer: str, left: list[str]) -> None:
    for version in BOTH:
        shell_machine.layout.plant(version)
    before = picture(shell_machine.home)
    terminal = on_terminal(shell_machine, *command.split(), "--porcelain")
    if answer:
        terminal.wait_for("leave it to npm?" if command == "migrate-to-npm" else "?")
        terminal.type(answer)
    assert terminal.finish() == 0
    assert shell_machine.layout.versions() == left
    assert (picture(shell_machine.home) == before) is (left == BOTH)
    for words in ("Nothing was changed.", "status=unchanged"):
        assert (words in terminal.shown) is (left == BOTH)


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


def run(redirection: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """install.py, by a shell that redirects its streams, on a terminal that knows few letters."""
    command = [sys.executable, str(INSTALL_PY), *arguments]
    environment = {**os.environ, "HOME": "/nowhere", "PYTHONIOENCODING": "ascii"}
    by_shell = ["/bin/sh", "-c", f'exec "$@" {redirection}', "sh", *command]
    return subprocess.run(by_shell, capture_output=True, text=True, env=environment)


@pytest.mark.parametrize("arguments", ["-V", "--help", "list --json", "--frob --json"])
def test_a_result_that_cannot_be_printed_is_an_error(arguments: str) -> None:
    done = run(">/dev/full", *arguments.split())
    assert done.returncode == 7
    assert "error: cannot write to the standard output: no space left" in done.stderr
    assert "Exception" not in done.stderr
    assert run(">/dev/full 2>/dev/full", *arguments.split()).returncode == 7


def test_no_file_takes_the_place_of_a_closed_stream(tmp_path: Path) -> None:
    archive, closed = tmp_path / "wasp.tgz", "<&- >&- 2>&-"
    archive.write_bytes(tiny_package("0.25.0").npm_archive())
    arguments = ["--from-file", str(archive), "--prefix", "/usr", "--destdir", str(tmp_path / "x")]
    assert run(closed, *arguments).returncode == run(closed, "list").returncode == 0
    there = Layout(tmp_path / "x" / "usr").version_picture("0.25.0")
    assert there == expected_version_folder(tiny_package("0.25.0"))


@pytest.mark.parametrize("name", [b"caf\xc3\xa9", b"caf\xff"])
def test_a_path_of_odd_letters_and_bytes(tmp_path: Path, name: bytes) -> None:
    prefix = str(tmp_path / os.fsdecode(name))
    done = run("", "--dry-run", "--prefix", prefix, "--from-file", str(INSTALL_PY))
    assert done.returncode == 0
    assert f"{tmp_path}/caf\\" in done.stderr
    report = run("", "list", "--json", "--prefix", "/caf\xe9").stdout
    assert report.isascii()
    assert json.loads(report)["prefix"] == "/caf\xe9"


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


@pytest.mark.parametrize("stderr", ["2>&-", "<&- 2>&-", "2>/dev/full", "a pipe"])
def test_nobody_has_to_listen(machine: Machine, upstream: Upstream, stderr: str) -> None:
    upstream.publish("0.25.0")
    machine.wrapper = ["/bin/sh", "-c", f'exec "$@" {stderr}', "sh"]
    if stderr == "a pipe":
        machine.wrapper = [sys.executable, "-c", WITHOUT_READER]
    assert machine.install(None, "--verbose").ok().json["status"] == "installed"
