"""A Windows with WSL: a machine inside, a wsl.exe that leads there, and a registry."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.machines import Machine, MachineRoom
from tests.support.releases import Upstream
from tests.support.server import Server
from tests.support.wine import Wine, shared_wine
from tests.support.wsl import FakeWsl
from tests.windows.world import World

UBUNTU = "  NAME      STATE           VERSION\n* Ubuntu    Stopped         2\n"


@pytest.fixture
def server() -> Iterator[Server]:
    """Without TLS: a Windows under wine does not know the tests' own authority."""
    with contextlib.closing(Server(None)) as running:
        yield running


@pytest.fixture
def inside(machines: MachineRoom, upstream: Upstream) -> Machine:
    """The Linux in WSL; Wasp 0.25.0 is published."""
    upstream.publish("0.25.0")
    machine = machines.build("dash", "inside")
    # A login shell sets PATH anew (/etc/profile), and then reads this.
    tools = machine.toolbox.link("bash", "setsid").folder
    (machine.home / ".profile").write_text(f"PATH='{tools}'\n")
    return machine


@pytest.fixture
def wsl(inside: Machine) -> Iterator[FakeWsl]:
    """One distribution, Ubuntu, which is stopped."""
    with contextlib.closing(FakeWsl(inside)) as fake:
        yield fake.lists(UBUNTU)


@pytest.fixture
def world(wsl: FakeWsl, tmp_path: Path) -> World:
    return World(wsl, tmp_path / "windows")


@pytest.fixture(scope="session")
def wine(shared_folder: Path, worker_id: str) -> Iterator[Wine]:
    """Windows, as far as wine is it."""
    with shared_wine(shared_folder, worker_id) as made:
        yield made
