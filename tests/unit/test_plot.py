"""Charts are SVG that any viewer takes, and their shapes stay inside."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from benchmarks.plot import WIDTH, Bar, Line, bar_chart, line_chart

SVG = "{http://www.w3.org/2000/svg}"


def texts(chart: str) -> list[str]:
    root = ElementTree.fromstring(chart)  # noqa: S314 - it is our own
    return [text.text or "" for text in root.iter(f"{SVG}text")]


@pytest.mark.parametrize("highest", [0, 0.003, 1, 7, 10, 99, 1_234_567])
def test_lines_fill_the_height_and_no_more(highest: float) -> None:
    chart = line_chart("<Title> & more", [Line("a", [0, highest]), Line("b", [0, 0])], [(1, "end")])
    drawn = re.findall(r'd="M([^"]+)" fill="none" stroke="#\w+" stroke-width="1.6"', chart)
    [(_, begin), (_, end)] = (point.split() for point in drawn[-1].split("L"))
    assert float(begin) == 310
    assert highest == 0 or 66 <= float(end) <= 310 - 0.5 * (310 - 66)
    assert {"<Title> & more", "a", "b", "end", "0"} <= set(texts(chart))


def test_bars_are_as_long_as_their_values() -> None:
    chart = bar_chart("Title", [Bar("a", 1, "1 s"), Bar("b", 4, "4 s")])
    one, four = (float(width) for width in re.findall(r'width="([\d.]+)" height="20"', chart))
    assert four == pytest.approx(4 * one, abs=0.3)
    assert one + four < WIDTH
    assert texts(chart) == ["Title", "a", "1 s", "b", "4 s"]
