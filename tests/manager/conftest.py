"""Most of these tests are about the sh program alone."""

from __future__ import annotations

import pytest

from tests.support.frontends import FrontEnd
from tests.support.machines import Machine, MachineRoom


@pytest.fixture
def machine(shell_machine: Machine) -> Machine:
    return shell_machine


@pytest.fixture
def getter_machine(machines: MachineRoom, front_end: FrontEnd) -> Machine:
    """A machine for each getter in turn."""
    return machines.build(front_end)
