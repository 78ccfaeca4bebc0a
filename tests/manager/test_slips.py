"""Slips of the pen: what was probably meant is named, and nothing is done."""

from __future__ import annotations

import pytest

from tests.support.functions import call_functions
from tests.support.machines import Machine
from tests.support.trees import picture

#: What is typed, and what is suggested.
SLIPS = {
    "instal": "install",
    "isntall": "install",
    "uninstal": "uninstall",
    "lst": "list",
    "upate": "update",
    "doctr": "doctor",
    "upgrade": "update",
    "remove": "uninstall",
    "help": "--help",
    "0.25.0": "-v 0.25.0",
    "--verison": "--version",
    "--quite": "--quiet",
    "--dryrun": "--dry-run",
    "--no-modify-pth": "--no-modify-path",
    "-v 0.24": "0.24.3",
    "-v 0": "0.25.0",
    "use 0.24": "0.24.3",
    **dict.fromkeys(["x", "frobnicate", "--frobnicate", "-v 0.26", "-v banana"]),
}


def test_what_was_probably_meant(machine: Machine) -> None:
    for version in ("0.24.0", "0.24.3", "0.25.0"):
        machine.layout.plant(version)
    calls = [f"parse_arguments {typed}\ncheck_arguments\necho went on" for typed in SLIPS]
    for said, (typed, meant) in zip(call_functions(machine, calls), SLIPS.items()):
        assert said.startswith("error: "), typed
        assert "went on" not in said, typed
        assert (f"Did you mean {meant or ''}" in said) is bool(meant), typed


@pytest.mark.parametrize(
    "command", ["list", "use", "update", "uninstall", "migrate-to-npm", "doctor"]
)
def test_help_of_a_command(machine: Machine, command: str) -> None:
    """Of what concerns it, wherever --help stands, and nothing is done."""
    run = machine.run(command, "--help").ok()
    first, empty, what, *rest = run.stdout.splitlines()
    assert (first, empty) == (f"usage: wasp installer {command} [OPTIONS]", "")
    assert what.split()[0] == command
    assert "--from-file" not in run.stdout
    assert ("--remote" in run.stdout) == (command == "list")
    assert any(line.split()[:2] == ["-h,", "--help"] for line in rest)
    assert all(len(line) <= 80 for line in run.stdout.splitlines())
    assert machine.run("-h", command).ok().stdout == run.stdout
    assert picture(machine.home) == {}
