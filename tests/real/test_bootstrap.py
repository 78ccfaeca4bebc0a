"""install.py on a fresh machine: a Python without the libraries that it needs."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from tests.real.conftest import go_online
from tests.support.archives import tiny_package
from tests.support.frontends import INSTALL_PY
from tests.support.machines import Background, Machine, MachineRoom
from tests.support.trees import picture

pytestmark = pytest.mark.real

CACHE = ".cache/wasp/installer"


@pytest.fixture
def machine(machines: MachineRoom, registry: str) -> Machine:
    return go_online(machines.build("python"), registry)


@pytest.fixture
def command(bare_python: Path) -> list[str]:
    """install.py by such a Python."""
    return [str(bare_python), str(INSTALL_PY)]


def test_it_makes_an_environment_of_its_own_once(machine: Machine, command: list[str]) -> None:
    first = machine.run_program([*command, "--dry-run", "--json"]).ok()
    assert first.json["status"] == "planned"
    assert len([line for line in first.stderr.splitlines() if "libraries" in line]) == 1
    [environment] = (machine.home / CACHE).iterdir()
    assert environment.name.startswith("venv-")
    archive = machine.root / "wasp.tgz"
    archive.write_bytes(tiny_package("0.25.0").npm_archive())
    second = machine.run_program([*command, "--from-file", str(archive), "--json"]).ok()
    assert second.json["status"] == "installed"
    assert "libraries" not in second.stderr
    assert machine.wasp("version").stdout == "0.25.0\n"


def test_what_needs_no_network_needs_no_libraries(machine: Machine, command: list[str]) -> None:
    machine.run_program([*command, "--vers", "--json"]).failed(2, "usage")
    assert picture(machine.home) == {}
    machine.layout.plant("0.25.0")
    assert machine.run_program([*command, "list"]).ok().stdout == "  0.25.0\n"
    machine.run_program([*command, "use", "0.25.0"]).ok()
    assert machine.wasp("version").stdout == "0.25.0\n"
    assert not (machine.home / CACHE).exists()
    (machine.home / ".cache").touch()
    machine.run_program([*command, "--json"]).failed(7, "file-system").says(".cache")


def test_ctrl_c_while_the_libraries_are_set_up(machine: Machine, command: list[str]) -> None:
    argv = [*command, "--json"]
    running = Background(argv, machine.start_program(argv))
    while not list((machine.home / CACHE).glob(".venv-*")):
        time.sleep(0.01)
    running.interrupt_group(signal.SIGINT)
    running.result().failed(130, "interrupted")
    assert picture(machine.home) == {}
