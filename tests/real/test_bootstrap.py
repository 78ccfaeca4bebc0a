"""install.py on a fresh machine: a Python without the libraries that it needs."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.archives import tiny_package
from tests.support.frontends import INSTALL_PY
from tests.support.machines import Background, Machine, MachineRoom
from tests.support.registries import connection
from tests.support.trees import picture

pytestmark = pytest.mark.real


@pytest.fixture
def bare(machines: MachineRoom, registry: str, tmp_path: Path) -> tuple[Machine, list[str]]:
    """A machine, and install.py by a Python that has nothing but its standard library."""
    folder = tmp_path / "bare-python"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    machine = machines.build("python")
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        machine.environment.pop(name)
    machine.set(**connection(), WASP_NPM_REGISTRY=registry)
    return machine, [str(folder / "bin" / "python"), str(INSTALL_PY)]


def cache_of(machine: Machine) -> Path:
    return machine.home / ".cache" / "wasp" / "installer"


def test_it_makes_an_environment_of_its_own_once(bare: tuple[Machine, list[str]]) -> None:
    machine, command = bare
    cache = cache_of(machine)
    first = machine.run_program([*command, "--dry-run", "--json"]).ok()
    assert first.json["status"] == "planned"
    assert len([line for line in first.stderr.splitlines() if "libraries" in line]) == 1
    [environment] = cache.iterdir()
    assert environment.name.startswith("venv-")
    archive = machine.root / "wasp.tgz"
    archive.write_bytes(tiny_package("0.25.0").npm_archive())
    second = machine.run_program([*command, "--from-file", str(archive), "--json"]).ok()
    assert second.json["status"] == "installed"
    assert "libraries" not in second.stderr
    assert machine.wasp("version").stdout == "0.25.0\n"


def test_what_needs_no_network_needs_no_libraries(bare: tuple[Machine, list[str]]) -> None:
    machine, command = bare
    machine.layout.plant("0.25.0")
    assert machine.run_program([*command, "list"]).ok().stdout == "  0.25.0\n"
    machine.run_program([*command, "use", "0.25.0"]).ok()
    assert machine.wasp("version").stdout == "0.25.0\n"
    assert not cache_of(machine).exists()


def test_libraries_that_cannot_be_had_are_an_error_with_a_way_out(
    bare: tuple[Machine, list[str]],
) -> None:
    machine, command = bare
    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"):
        machine.environment.pop(name, None)
    machine.set(PIP_CONFIG_FILE="/dev/null", PIP_INDEX_URL="https://127.0.0.1:1/", PIP_RETRIES="0")
    # A relative path in it is to be ignored.
    machine.set(XDG_CACHE_HOME="relative")
    run = machine.run_program([*command, "--dry-run", "--json"]).failed(4, "connection")
    run.says("install.sh")
    assert picture(machine.home) == picture(machine.here) == {}


def test_a_mistake_needs_no_libraries(bare: tuple[Machine, list[str]]) -> None:
    machine, command = bare
    machine.run_program([*command, "--vers", "--json"]).failed(2, "usage")
    machine.run_program([*command, "-v", "1.x", "--json"]).failed(2, "bad-version")
    assert picture(machine.home) == {}


def test_a_cache_that_cannot_be_written_to(bare: tuple[Machine, list[str]]) -> None:
    machine, command = bare
    (machine.home / ".cache").touch()
    machine.run_program([*command, "--json"]).failed(7, "file-system").says(".cache")


def test_ctrl_c_while_the_libraries_are_set_up(bare: tuple[Machine, list[str]]) -> None:
    machine, command = bare
    argv = [*command, "--json"]
    running = Background(argv, machine.start_program(argv))
    while not list(cache_of(machine).glob(".venv-*")):
        time.sleep(0.01)
    running.interrupt_group(signal.SIGINT)
    running.result().failed(130, "interrupted")
    assert picture(machine.home) == {}
