"""How hard the torture tests try, and how what they counted gets into docs/reliability.md."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.scale import Scale, scale_from_environment
from tests.torture.tallies import FIGURE, RECORD, Figure, Tally, added_up, figures_of, write_page

BEGUN = pytest.StashKey[float]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--page", type=Path, help="put what was counted into this page, if every test passed"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.stash[BEGUN] = time.monotonic()


@pytest.fixture(scope="session")
def scale() -> Scale:
    return scale_from_environment()


@pytest.fixture
def tally(record_property: Callable[[str, Any], None]) -> Tally:
    """Counts for the page: `tally("Kill", "SIGKILL before a system call", 120)`."""
    return lambda *counted: record_property(RECORD, [*counted])


@pytest.fixture
def figure(record_property: Callable[[str, Any], None]) -> Figure:
    """More for the page: `figure("Load", "| table |")`, or `figure("load.svg", "<svg …>")`."""
    return lambda *shown: record_property(FIGURE, [*shown])


def pytest_terminal_summary(terminalreporter: Any, exitstatus: int, config: pytest.Config) -> None:
    page = config.getoption("page", None)
    if page is None or exitstatus != pytest.ExitCode.OK:
        return
    passed = terminalreporter.stats.get("passed", [])
    seconds = time.monotonic() - config.stash[BEGUN]
    write_page(page, added_up(passed), figures_of(passed), len(passed), seconds)
    terminalreporter.write_line(f"Written: {page}")
