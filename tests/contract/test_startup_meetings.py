"""Runs that meet in the same start-up file tear nothing."""

from __future__ import annotations

import pytest

from tests.support.archives import tiny_package
from tests.support.machines import Machine, MachineRoom

MINE = b"export A=1\nexport B=2"
ROUNDS = 25


def assert_whole(content: bytes, with_lines: bytes) -> None:
    """The file as it was, with or without whole lines of ours."""
    assert content.startswith(MINE)
    ours = with_lines[len(MINE) :].split(b"\n")
    rest = content[len(MINE) :]
    assert rest == b"" or rest[:1] == b"\n", rest
    assert all(line in ours for line in rest.split(b"\n")), rest


@pytest.mark.parametrize("mine", [MINE, MINE + b"\n"], ids=["unended", "ended"])
@pytest.mark.parametrize(
    "front_ends",
    [("dash", "dash"), ("bash", "zsh"), ("dash", "python"), ("python", "python")],
    ids="-".join,
)
def test_removals_at_once_leave_the_file_as_it_was(
    machines: MachineRoom, front_ends: tuple[str, str], mine: bytes
) -> None:
    one, other = (machines.build(name, name=f"{at}") for at, name in enumerate(front_ends))
    other.set(HOME=str(one.home))
    file = one.home / ".bashrc"
    file.write_bytes(mine)
    install(one)
    with_lines = file.read_bytes()
    assert with_lines != mine
    for _ in range(ROUNDS):
        file.write_bytes(with_lines)
        runs = [machine.start("uninstall", "--yes") for machine in (one, other)]
        for run in runs:
            run.result().ok()
        assert_whole(file.read_bytes(), with_lines)
    one.run("uninstall", "--yes").ok()
    assert file.read_bytes() == mine


def install(machine: Machine) -> None:
    archive = machine.root / "wasp.tgz"
    archive.write_bytes(tiny_package("0.25.0").npm_archive())
    machine.run("--from-file", str(archive)).ok()
