"""Counts that tests report, added up over all workers, and the page that shows them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timezone
from pathlib import Path

import pytest

from benchmarks.pages import machine_description, markdown_table, replace_figures

RECORD = "tally"
FIGURE = "figure"
Counts = Counter[tuple[str, str]]


#: Adds a number to a line of an area's table in docs/reliability.md, if the test passes.
Tally = Callable[[str, str, int], None]
#: Puts a text into the place of this name, or a picture (NAME.svg) beside the page.
Figure = Callable[[str, str], None]


def figures_of(reports: Iterable[pytest.TestReport]) -> dict[str, str]:
    """The figures of all passed tests, by name."""
    return dict(
        value
        for report in reports
        for name, value in report.user_properties
        if name == FIGURE and isinstance(value, list)
    )


def added_up(reports: Iterable[pytest.TestReport]) -> Counts:
    """The counts of all passed tests, by area and line, in the order of the first mention."""
    counts: Counts = Counter()
    for report in reports:
        for name, value in report.user_properties:
            if name == RECORD and isinstance(value, list):
                area, what, number = value
                counts[str(area), str(what)] += int(number)
    return counts


def write_page(
    page: Path, counts: Counts, figures: Mapping[str, str], tests: int, seconds: float
) -> None:
    """Writes the figures of a run into the page: a table for each area, and the run itself.

    Pictures go beside it. Raises PageError when the page has not the same areas.
    """
    areas: dict[str, list[tuple[str, int]]] = {}
    for (area, what), number in sorted(counts.items()):
        areas.setdefault(area, []).append((what, number))
    factor = os.environ.get("WASP_TORTURE", "") or "1"
    run = (
        f"`make torture WASP_TORTURE={factor}`, {datetime.now(timezone.utc):%Y-%m-%d}: "
        f"{tests} tests passed in {seconds:.0f} s on {machine_description()}."
    )
    tables = {
        area: markdown_table(
            [area, "Count"], [[what, f"{number:,}".replace(",", " ")] for what, number in lines]
        )
        for area, lines in areas.items()
    }
    texts = {name: text for name, text in figures.items() if not name.endswith(".svg")}
    replace_figures(page, {"Run": run, **tables, **texts})
    for name in figures.keys() - texts.keys():
        page.with_name(name).write_text(figures[name], encoding="utf-8")
