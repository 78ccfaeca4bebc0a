"""What is told of the samples: medians, differences and ratios, in a table and as JSON."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Callable

from benchmarks.measure import Sample
from benchmarks.pages import markdown_table
from benchmarks.plot import Bar, bar_chart

MIB = 1024 * 1024
MB = 1000 * 1000
Metric = Callable[[Sample], float]


def wall_s(sample: Sample) -> float:
    return sample.wall_s


def wall_ms(sample: Sample) -> float:
    return sample.wall_s * 1000


def cpu_s(sample: Sample) -> float:
    return sample.cpu_s


def cpu_ms(sample: Sample) -> float:
    return sample.cpu_s * 1000


def peak_mib(sample: Sample) -> float:
    return sample.peak_bytes / MIB


def peak_mb(sample: Sample) -> float:
    return sample.peak_bytes / MB


@dataclass(frozen=True)
class Column:
    """One figure of every subject: its key in JSON, the head of its column, and how to get it."""

    key: str
    head: str
    figure: Callable[[Report, str], float | None]


@dataclass(frozen=True)
class Target:
    """The most that one figure of a subject should be, by the key of its column."""

    key: str
    limit: float


@dataclass(frozen=True)
class Chart:
    """A picture for a page: its file, its title, and the figure that it shows of each subject."""

    file: str
    title: str
    key: str
    unit: str


@dataclass
class Report:
    """All samples of a benchmark, what they are compared with, and what is told of them."""

    name: str
    title: str
    floor: str
    reference: str
    samples: dict[str, list[Sample]]
    columns: Sequence[Column]
    facts: Mapping[str, str] = field(default_factory=dict)
    targets: Mapping[str, Sequence[Target]] = field(default_factory=dict)
    chart: Chart | None = None


def middle(metric: Metric) -> Callable[[Report, str], float]:
    """Return what gives a subject's median."""
    return lambda report, name: median(map(metric, report.samples[name]))


def least(metric: Metric) -> Callable[[Report, str], float]:
    """Return what gives a subject's minimum."""
    return lambda report, name: min(map(metric, report.samples[name]))


def most(metric: Metric) -> Callable[[Report, str], float]:
    """Return what gives a subject's maximum."""
    return lambda report, name: max(map(metric, report.samples[name]))


def over_floor(metric: Metric) -> Callable[[Report, str], float | None]:
    """Return what gives the median of the round by round differences from the floor."""
    return lambda report, name: paired(report, name, report.floor, metric, operator.sub)


def times_floor(metric: Metric) -> Callable[[Report, str], float | None]:
    """Return what gives the median of the round by round ratios to the floor."""
    return lambda report, name: paired(report, name, report.floor, metric, operator.truediv)


def times_reference(metric: Metric) -> Callable[[Report, str], float | None]:
    """Return what gives the median of the round by round ratios to the reference."""
    return lambda report, name: paired(report, name, report.reference, metric, operator.truediv)


def paired(
    report: Report,
    name: str,
    other: str,
    metric: Metric,
    compare: Callable[[float, float], float],
) -> float | None:
    """Return the median of the round by round comparisons of two subjects."""
    if other not in report.samples:
        return None
    pairs = zip(report.samples[name], report.samples[other])
    return median(compare(metric(sample), metric(base)) for sample, base in pairs)


def figures_of(report: Report, name: str) -> dict[str, float | None]:
    """Return the figures of a subject, by the keys of their columns."""
    figures = {column.key: column.figure(report, name) for column in report.columns}
    return {key: None if value is None else round(value, 4) for key, value in figures.items()}


def verdicts(report: Report, name: str) -> list[str]:
    """Return for each target of a subject what it is and whether it is met."""
    figures = figures_of(report, name)
    heads = {column.key: column.head for column in report.columns}
    found = []
    for target in report.targets.get(name, ()):
        figure = figures[target.key]
        verdict = "-" if figure is None else "met" if figure <= target.limit else "MISSED"
        found.append(f"{heads[target.key]} <= {target.limit:g}: {verdict}")
    return found


def as_table(report: Report) -> str:
    """Return the figures as plain text, one line for each subject."""
    lines = [["", *(column.head for column in report.columns), ""]]
    for name in report.samples:
        figures = figures_of(report, name).values()
        cells = ["-" if figure is None else f"{figure:.2f}" for figure in figures]
        lines.append([name, *cells, ", ".join(verdicts(report, name))])
    widths = [max(map(len, column)) for column in zip(*lines)]
    facts = [f"{key}: {value}" for key, value in report.facts.items()]
    return "\n".join([report.title, *facts, "", *(aligned(line, widths) for line in lines)])


def as_markdown(report: Report) -> str:
    """Return the figures as a table for a page, with what they depend on above it."""
    facts = "; ".join(f"{key}: {value}" for key, value in report.facts.items())
    rows = [
        [
            name,
            *(
                "-" if figure is None else f"{figure:.2f}"
                for figure in figures_of(report, name).values()
            ),
        ]
        for name in report.samples
    ]
    table = markdown_table([report.title, *(column.head for column in report.columns)], rows)
    judged = [
        f"- {name}: {verdict}" for name in report.targets for verdict in verdicts(report, name)
    ]
    return "\n".join([f"{facts}.", "", table, *(["", "Targets:", "", *judged] if judged else [])])


def as_svg(report: Report, chart: Chart) -> str:
    """Return the chart as a picture: a bar for each subject but the one of comparison."""
    figures = {
        name: figures_of(report, name)[chart.key] or 0
        for name in report.samples
        if name != report.floor
    }
    bars = [
        Bar(name, max(0, value), f"{value:.{0 if value >= 100 else 1}f} {chart.unit}")
        for name, value in figures.items()
    ]
    return bar_chart(chart.title, bars)


def aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Return a line of the table: its name, its figures one below the other, its verdict."""
    name, *figures, verdict = cells
    columns = [figure.rjust(width) for figure, width in zip(figures, widths[1:])]
    return "  ".join([name.ljust(widths[0]), *columns, verdict]).rstrip()


def as_json(report: Report) -> dict[str, object]:
    """Return the whole report, each single sample included."""
    return {
        "title": report.title,
        "facts": report.facts,
        "floor": report.floor,
        "reference": report.reference,
        "rows": [{"name": name, **figures_of(report, name)} for name in report.samples],
        "targets": {name: verdicts(report, name) for name in report.targets},
        "samples": {
            name: [vars(sample) for sample in samples] for name, samples in report.samples.items()
        },
    }
