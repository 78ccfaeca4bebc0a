"""Fixtures of the tests of both getters."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from tests.getters.deliveries import take
from tests.support.frontends import FrontEnd
from tests.support.getters import Getters
from tests.support.machines import MachineRoom
from tests.support.proxy import Proxy
from tests.support.server import Server

__all__ = ["both", "take"]


@pytest.fixture
def both(machines: MachineRoom, shell: FrontEnd) -> Getters:
    """Both getters on one fresh machine of a fixed platform."""
    machine = machines.build(shell)
    machine.toolbox.fake_uname("Linux", "x86_64").fake_glibc("2.36")
    return Getters(machine, shell)


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with contextlib.closing(Proxy()) as running:
        yield running


@pytest.fixture
def plain() -> Iterator[Server]:
    """Without TLS: what is asked for is on this very machine."""
    with contextlib.closing(Server(None)) as running:
        yield running
