"""Measures whole commands against each other: in turn, many rounds, medians and ratios."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Callable

SPAWN = Path(__file__).with_name("spawn.py")
MIB = 1024 * 1024
# Some twenty times what the slowest command takes: one that is still running is stuck.
COMMAND_TIMEOUT_S = 120


class BenchmarkError(Exception):
    """A benchmark that cannot go on; the text says why."""


@dataclass(frozen=True)
class Options:
    """What the command line says. `only` names subjects; empty, it means all of them."""

    rounds: int
    only: Sequence[str]
    direct: bool


@dataclass(frozen=True)
class Command:
    """One program run: its arguments, the first of them a path, and its whole environment."""

    arguments: Sequence[str]
    environment: Mapping[str, str]


@dataclass(frozen=True)
class Subject:
    """One of the things compared.

    `command` is asked for a new command each round, in an empty folder of its own;
    `proof` gives a command that must succeed there afterwards, outside the measured time.
    """

    name: str
    command: Callable[[Path], Command]
    proof: Callable[[Path], Command]


@dataclass(frozen=True)
class Sample:
    """What one run took."""

    wall_s: float
    cpu_s: float
    peak_bytes: int


@dataclass
class Report:
    """All samples of a benchmark, and what they are compared with."""

    title: str
    floor: str
    reference: str
    samples: dict[str, list[Sample]]
    facts: dict[str, str] = field(default_factory=dict)


def run_once(command: Command, log: Path) -> Sample:
    """Run a command to its end and return what it took; raise when it fails."""
    with started(
        [sys.executable, "-I", "-S", str(SPAWN), str(log), *command.arguments], command.environment
    ) as process:
        try:
            output, _ = process.communicate(timeout=COMMAND_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            output = ""
    counted = json.loads(output) if output else {"exit_code": "no end in time"}
    if counted.pop("exit_code") != 0:
        said = log.read_text(errors="replace").strip() if log.exists() else ""
        raise BenchmarkError(f"{' '.join(command.arguments)} failed:\n{said}")
    return Sample(**counted)


@contextlib.contextmanager
def started(
    arguments: Sequence[str], environment: Mapping[str, str], fds: Sequence[int] = ()
) -> Iterator[subprocess.Popen[str]]:
    """Give a running process, and end it with all that it started when the block is left."""
    process = subprocess.Popen(
        arguments,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        pass_fds=fds,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def measure_in_folder(subject: Subject, parent: Path) -> Sample:
    """Measure a subject once, in a fresh folder that is removed afterwards."""
    folder = Path(tempfile.mkdtemp(dir=parent))
    try:
        sample = run_once(subject.command(folder), folder / "log")
        run_once(subject.proof(folder), folder / "proof.log")
    finally:
        shutil.rmtree(folder)
    return sample


def interleave(subjects: Sequence[Subject], rounds: int, parent: Path) -> dict[str, list[Sample]]:
    """Measure the subjects in turn, so that a machine that changes its speed changes it for all.

    The round before the first warms the file cache up and is not counted. Each round begins with
    another subject: none always runs behind the same one.
    """
    samples: dict[str, list[Sample]] = {subject.name: [] for subject in subjects}
    for number in range(rounds + 1):
        print(f"round {number} of {rounds}", file=sys.stderr)
        first = number % len(subjects)
        for subject in [*subjects[first:], *subjects[:first]]:
            sample = measure_in_folder(subject, parent)
            if number > 0:
                samples[subject.name].append(sample)
    return samples


def ratio(report: Report, name: str, other: str) -> float | None:
    """Return the median of the round by round ratios of two subjects' times."""
    if other not in report.samples:
        return None
    pairs = zip(report.samples[name], report.samples[other])
    return median(sample.wall_s / base.wall_s for sample, base in pairs)


def as_rows(report: Report) -> list[dict[str, object]]:
    """Return one dictionary of figures for each subject, fit for JSON."""
    rows: list[dict[str, object]] = []
    for name, samples in report.samples.items():
        wall = [sample.wall_s for sample in samples]
        rows.append(
            {
                "name": name,
                "wall_s": round(median(wall), 4),
                "wall_min_s": round(min(wall), 4),
                "wall_max_s": round(max(wall), 4),
                "times_floor": rounded(ratio(report, name, report.floor)),
                "times_reference": rounded(ratio(report, name, report.reference)),
                "cpu_s": round(median(sample.cpu_s for sample in samples), 4),
                "peak_mib": round(max(sample.peak_bytes for sample in samples) / MIB, 1),
            }
        )
    return rows


def rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def as_table(report: Report) -> str:
    """Return the figures as plain text, one line for each subject."""
    head = ["", "wall s", "min", "max", "x floor", f"x {report.reference}", "CPU s", "peak MiB"]
    lines = [head]
    for row in as_rows(report):
        figures = list(row.values())[1:]
        lines.append([str(row["name"]), *("-" if f is None else f"{f:.2f}" for f in figures)])
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    table = [
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths))
        )
        for line in lines
    ]
    facts = [f"{key}: {value}" for key, value in report.facts.items()]
    return "\n".join([report.title, *facts, "", *table])


def as_json(report: Report) -> dict[str, object]:
    """Return the whole report, each single sample included."""
    return {
        "title": report.title,
        "facts": report.facts,
        "floor": report.floor,
        "reference": report.reference,
        "rows": as_rows(report),
        "samples": {
            name: [vars(sample) for sample in samples] for name, samples in report.samples.items()
        },
    }
