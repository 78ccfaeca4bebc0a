"""install.sh as a script: from a pipe, and without a trace of bashisms."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from tests.support.frontends import INSTALL_SH, SHELLS
from tests.support.machines import Machine
from tests.support.releases import Upstream

# In bytes; with telemetry_ping.py inside, the script is longer.
LONGEST_ARGUMENT = 128 * 1024

# posh knows no -s, so a script on its standard input cannot have arguments.
WITH_ARGUMENTS = pytest.mark.parametrize(
    "shell", [shell for shell in SHELLS if shell.name != "posh"], ids=str
)


def test_from_a_pipe(shell_machine: Machine, upstream: Upstream) -> None:
    """curl … | sh"""
    upstream.publish("0.25.0")
    machine = shell_machine
    argv = [*machine.front_end.interpreter()]
    run = machine.run_program(argv, stdin=INSTALL_SH.read_text()).ok()
    assert run.stdout == ""
    assert machine.wasp("version").stdout == "0.25.0\n"


@WITH_ARGUMENTS
def test_from_a_pipe_with_arguments(shell_machine: Machine, upstream: Upstream) -> None:
    """curl … | sh -s -- --version 0.24.0"""
    upstream.publish("0.24.0", latest=False)
    machine = shell_machine
    argv = [*machine.front_end.interpreter(), "-s", "--", "--version", "0.24.0", "--json"]
    run = machine.run_program(argv, stdin=INSTALL_SH.read_text()).ok()
    assert run.json["version"] == "0.24.0"


def test_as_the_argument_of_a_shell(shell_machine: Machine, upstream: Upstream) -> None:
    """sh -c "$(curl …)", as long as Linux takes an argument of that length; else eval."""
    upstream.publish("0.25.0")
    machine = shell_machine
    script = INSTALL_SH.read_text()
    code = script if len(script.encode()) < LONGEST_ARGUMENT else 'eval "$(cat)"'
    machine.run_program([*machine.front_end.interpreter(), "-c", code], stdin=script).ok()
    assert machine.layout.versions() == ["0.25.0"]


@WITH_ARGUMENTS
def test_an_error_from_a_pipe_has_its_exit_code(shell_machine: Machine) -> None:
    argv = [*shell_machine.front_end.interpreter(), "-s", "--", "--no-such-option"]
    run = shell_machine.run_program(argv, stdin=INSTALL_SH.read_text())
    run.failed(2).says("--no-such-option")


def test_the_whole_script_does_something(shell_machine: Machine, upstream: Upstream) -> None:
    """Without its last line break, which is all of it that may be missing."""
    upstream.publish("0.25.0")
    script = INSTALL_SH.read_text().rstrip()
    shell_machine.run_program(shell_machine.front_end.interpreter(), stdin=script).ok()
    assert upstream.server.connections > 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("IFS", "/"),
        ("CDPATH", "/tmp"),
        ("GREP_OPTIONS", "--color=always"),
        ("TAR_OPTIONS", "--strip-components=9"),
        ("GZIP", "-9"),
        ("POSIXLY_CORRECT", "1"),
        ("LC_ALL", "tr_TR.UTF-8"),
        ("LANG", "ja_JP.UTF-8"),
        ("version", "6.6.6"),
        ("force", "yes"),
        ("json", "yes"),
        ("prefix", "/no/such/place"),
    ],
)
def test_the_callers_variables_do_not_matter(
    shell_machine: Machine, upstream: Upstream, name: str, value: str
) -> None:
    upstream.publish("0.25.0")
    run = shell_machine.set(**{name: value}).run("install").ok()
    assert run.stdout == ""
    assert shell_machine.layout.versions() == ["0.25.0"]
    assert shell_machine.wasp("version").stdout == "0.25.0\n"


def test_no_function_is_there_twice() -> None:
    """The second would replace the first, and no shell or linter says so."""
    names = re.findall(r"^    ([a-z_]+)\(\) \{$", INSTALL_SH.read_text(), re.MULTILINE)
    assert len(names) > 100
    assert [name for name, count in Counter(names).items() if count > 1] == []
