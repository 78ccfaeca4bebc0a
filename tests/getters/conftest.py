"""Fixtures of the tests of both getters."""

from __future__ import annotations

import pytest

from tests.getters.deliveries import take
from tests.support.frontends import FrontEnd
from tests.support.getters import Getters
from tests.support.machines import MachineRoom

__all__ = ["both", "take"]


@pytest.fixture
def both(machines: MachineRoom, shell: FrontEnd) -> Getters:
    """Both getters on one fresh machine of a fixed platform."""
    machine = machines.build(shell)
    machine.toolbox.fake_uname("Linux", "x86_64").fake_glibc("2.36")
    return Getters(machine, shell)
