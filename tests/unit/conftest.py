"""What several of the tests in one process need."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from wasp_installer.signals import raise_on_signals


@pytest.fixture
def _signals() -> Iterator[None]:
    """Signals end a run, as in install.py; afterwards they are as before."""
    before = {number: signal.getsignal(number) for number in (2, 15, 1)}
    raise_on_signals()
    yield
    for number, action in before.items():
        signal.signal(number, action)
