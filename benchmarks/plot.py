"""Small charts as SVG, for pages: readable on white and on black, and with any fonts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

WIDTH = 860
LINE_HEIGHT = 20
# Halfway between white and black, so that it is seen on either.
GREY = "#7d858f"
COLOURS = ("#2f81f7", "#db6d28", "#8250df", "#2da44e")


@dataclass(frozen=True)
class Line:
    """One series of a line chart: its values are at 0, 1, 2 and so on."""

    label: str
    values: Sequence[float]


@dataclass(frozen=True)
class Bar:
    """One bar, and what is written behind it."""

    label: str
    value: float
    text: str


def line_chart(
    title: str,
    lines: Sequence[Line],
    marks: Sequence[tuple[float, str]],
    shaded: tuple[float, float, str] | None = None,
    height: int = 340,
) -> str:
    """Lines over a common axis, which has a text at each of the marks; from 0 upwards."""
    left, right, top, bottom = 56, WIDTH - 12, 66, height - 30
    ticks = _ticks(max(max(line.values) for line in lines) or 1)
    last = max(len(line.values) for line in lines) - 1

    def x(position: float) -> float:
        return left + (right - left) * position / last

    def y(value: float) -> float:
        return bottom - (bottom - top) * value / ticks[-1]

    drawn = [_text(0, 16, title, bold=True)]
    if shaded is not None:
        begin, end, label = shaded
        size = f'width="{x(end) - x(begin):.1f}" height="{bottom - top}"'
        drawn.append(f'<rect x="{x(begin):.1f}" y="{top}" {size} fill="{GREY}" opacity="0.18"/>')
        drawn.append(_text((x(begin) + x(end)) / 2, top + 14, label, "middle"))
    for tick in ticks:
        drawn.append(_stroke(f"M{left} {y(tick):.1f}H{right}", GREY, 0.5, opacity=0.5))
        drawn.append(_text(left - 6, y(tick) + 4, f"{tick:g}", "end"))
    for position, label in marks:
        drawn.append(_stroke(f"M{x(position):.1f} {bottom}v5", GREY, 1))
        drawn.append(_text(x(position), bottom + 20, label, "middle"))
    # The first of them on top.
    for line, colour in reversed(list(zip(lines, COLOURS))):
        points = (f"{x(at):.1f} {y(value):.1f}" for at, value in enumerate(line.values))
        drawn.append(_stroke("M" + "L".join(points), colour, 1.6))
    beside = 0.0
    for line, colour in zip(lines, COLOURS):
        drawn.append(_stroke(f"M{beside:.1f} 36h22", colour, 3))
        drawn.append(_text(beside + 28, 40, line.label))
        beside += 60 + 7 * len(line.label)
    return _svg(title, height, drawn)


def bar_chart(title: str, bars: Sequence[Bar], label_width: int = 250) -> str:
    """Horizontal bars, one below the other, from 0 to the right."""
    longest = max(bar.value for bar in bars) or 1
    text_width = 8 * max(len(bar.text) for bar in bars) + 10
    drawn = [_text(0, 16, title, bold=True)]
    for number, bar in enumerate(bars):
        top = 32 + number * (LINE_HEIGHT + 6)
        width = (WIDTH - label_width - text_width) * bar.value / longest
        size = f'width="{max(1.0, width):.1f}" height="{LINE_HEIGHT}"'
        drawn.append(_text(label_width - 8, top + 15, bar.label, "end"))
        drawn.append(f'<rect x="{label_width}" y="{top}" {size} rx="2" fill="{COLOURS[0]}"/>')
        drawn.append(_text(label_width + width + 6, top + 15, bar.text))
    return _svg(title, 32 + len(bars) * (LINE_HEIGHT + 6), drawn)


def _ticks(highest: float) -> list[float]:
    """From 0 to at least the highest value, in steps of 1, 2 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(highest / 4))
    step = next(power * times for times in (1, 2, 5, 10) if power * times * 5 >= highest)
    return [step * number for number in range(math.ceil(highest / step) + 1)]


def _text(x: float, y: float, text: str, anchor: str = "start", *, bold: bool = False) -> str:
    weight = ' font-weight="600"' if bold else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{weight}>{escape(text)}</text>'


def _stroke(path: str, colour: str, width: float, opacity: float = 1) -> str:
    style = f'stroke="{colour}" stroke-width="{width}" opacity="{opacity}"'
    return f'<path d="{path}" fill="none" {style} stroke-linejoin="round"/>'


def _svg(title: str, height: int, drawn: Sequence[str]) -> str:
    box = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
    font = f'font-family="system-ui, sans-serif" font-size="13" fill="{GREY}"'
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" {box} role="img" {font}'
    return "\n".join([f"{opening} aria-label={quoteattr(title)}>", *drawn, "</svg>", ""])
