"""How hard the torture tests try, and how what they counted gets into docs/reliability.md."""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from benchmarks.pages import machine_description, markdown_table, replace_figures
from tests.support.scale import Scale, scale_from_environment

BEGUN = pytest.StashKey[float]()
#: Adds a number to a line of an area's table in docs/reliability.md, if the test passes.
Tally = Callable[[str, str, int], None]
#: Puts a text into the place of this name, or a picture (NAME.svg) beside the page.
Figure = Callable[[str, str], None]


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
    return lambda *counted: record_property("tally", [*counted])


@pytest.fixture
def figure(record_property: Callable[[str, Any], None]) -> Figure:
    return lambda *shown: record_property("figure", [*shown])


def pytest_terminal_summary(terminalreporter: Any, exitstatus: int, config: pytest.Config) -> None:
    page = config.getoption("page", None)
    if page is None or exitstatus != pytest.ExitCode.OK:
        return
    passed: list[pytest.TestReport] = terminalreporter.stats.get("passed", [])
    noted = [noted for report in passed for noted in report.user_properties]
    figures = dict(shown for name, shown in noted if name == "figure" and isinstance(shown, list))
    tables: defaultdict[str, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    for name, counted in noted:
        if name == "tally" and isinstance(counted, list):
            tables[counted[0]][counted[1]] += counted[2]
    for area, counts in tables.items():
        rows = [[what, f"{number:,}".replace(",", " ")] for what, number in sorted(counts.items())]
        figures[area] = markdown_table([area, "Count"], rows)
    figures["Run"] = (
        f"`make torture WASP_TORTURE={os.environ.get('WASP_TORTURE', '') or '1'}`, "
        f"{datetime.now(timezone.utc):%Y-%m-%d}: {len(passed)} tests passed in "
        f"{time.monotonic() - config.stash[BEGUN]:.0f} s on {machine_description()}."
    )
    for name in [name for name in figures if name.endswith(".svg")]:
        page.with_name(name).write_text(figures.pop(name), encoding="utf-8")
    replace_figures(page, figures)
    terminalreporter.write_line(f"Written: {page}")
