"""Wasp in a home of its own, with telemetry on and a collector to send to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.certificates import Authority
from tests.support.collector import Collector
from tests.support.installed import SHELLS, Installed

# How long an example takes says more of the machine than of the code.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture
def wasp(tmp_path: Path, authority: Authority, collector: Collector) -> Iterator[Installed]:
    installed = Installed(tmp_path, authority, collector)
    yield installed
    installed.stop()


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest) -> str:
    """The name of every shell that /bin/sh may be, in turn."""
    return str(request.param)
