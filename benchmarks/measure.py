"""Measures whole commands against each other: in turn, many rounds."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from tests.support.processes import MARK, marked

SPAWN = Path(__file__).with_name("spawn.py")
# Some twenty times what the slowest command takes: one that is still running is stuck.
COMMAND_TIMEOUT_S = 120
# What a command leaves running has so long to end.
OFFSPRING_TIMEOUT_S = 30
POLL_S = 0.002


class BenchmarkError(Exception):
    """A benchmark that cannot go on; the text says why."""


@dataclass(frozen=True)
class Options:
    """What the command line says. `only` names subjects; empty, it means all of them.

    Without `rounds`, each benchmark has as many as it needs.
    """

    rounds: int | None
    only: Sequence[str]
    direct: bool


@dataclass(frozen=True)
class Command:
    """One program run: its arguments, the first of them a path, its whole environment, its folder.

    Without `folder`, that is the folder of the benchmark itself.
    """

    arguments: Sequence[str]
    environment: Mapping[str, str]
    folder: Path | None = None


def nothing() -> None:
    """Do nothing."""


@dataclass(frozen=True)
class Subject:
    """One of the things compared.

    `command` is asked for a new command each round, in an empty folder of its own;
    `proof` gives a command that must succeed there afterwards, outside the measured time. Outside
    it are also `before`, which comes first, and `after`, while what the command has left running
    still goes on.
    """

    name: str
    command: Callable[[Path], Command]
    proof: Callable[[Path], Command] | None = None
    before: Callable[[], None] = nothing
    after: Callable[[], None] = nothing


@dataclass(frozen=True)
class Sample:
    """What one run took."""

    wall_s: float
    cpu_s: float
    peak_bytes: int


def run_once(command: Command, log: Path, after: Callable[[], None] = nothing) -> Sample:
    """Run a command until it and all that it started have ended; return what itself took.

    Raise when it fails. Once itself has ended, `after` is called.
    """
    with started(
        [sys.executable, "-I", "-S", str(SPAWN), str(log), *command.arguments],
        {**command.environment, MARK: str(log)},
        folder=command.folder,
    ) as process:
        try:
            output, _ = process.communicate(timeout=COMMAND_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            output = ""
        counted = json.loads(output) if output else {"exit_code": "no end in time"}
        if counted.pop("exit_code") != 0:
            said = log.read_text(errors="replace").strip() if log.exists() else ""
            raise BenchmarkError(f"{' '.join(command.arguments)} failed:\n{said}")
        after()
        wait_until_gone(str(log))
    return Sample(**counted)


def wait_until_gone(mark: str) -> None:
    """Wait for the end of all processes with this mark, so that the next sample runs alone."""
    deadline = time.monotonic() + OFFSPRING_TIMEOUT_S
    while left := marked(mark):
        if time.monotonic() > deadline:
            raise BenchmarkError(f"still running: {', '.join(left.values())}")
        time.sleep(POLL_S)


@contextlib.contextmanager
def started(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    *,
    folder: Path | None = None,
    fds: Sequence[int] = (),
) -> Iterator[subprocess.Popen[str]]:
    """Give a running process, and end it with all that it started when the block is left."""
    process = subprocess.Popen(
        arguments,
        env=environment,
        cwd=folder,
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
        subject.before()
        sample = run_once(subject.command(folder), folder / "log", subject.after)
        if subject.proof is not None:
            run_once(subject.proof(folder), folder / "proof.log")
    finally:
        shutil.rmtree(folder)
    return sample


def chosen(subjects: Sequence[Subject], only: Sequence[str]) -> list[Subject]:
    """Return the subjects named, or all."""
    unknown = set(only) - {subject.name for subject in subjects}
    if unknown:
        names = ", ".join(f"'{subject.name}'" for subject in subjects)
        raise BenchmarkError(f"nothing is named {unknown.pop()!r}; there are {names}")
    return [subject for subject in subjects if not only or subject.name in only]


def interleave(
    subjects: Sequence[Subject], rounds: int, parent: Path, *, warm_up: bool = True
) -> dict[str, list[Sample]]:
    """Measure the subjects in turn, so that a machine that changes its speed changes it for all.

    The round before the first warms the file cache up and is not counted. Each round begins with
    another subject: none always runs behind the same one.
    """
    samples: dict[str, list[Sample]] = {subject.name: [] for subject in subjects}
    for number in range(0 if warm_up else 1, rounds + 1):
        print(f"round {number} of {rounds}", file=sys.stderr)
        first = number % len(subjects)
        for subject in [*subjects[first:], *subjects[:first]]:
            try:
                sample = measure_in_folder(subject, parent)
            except BenchmarkError as error:
                raise BenchmarkError(f"{subject.name}: {error}") from error
            if number > 0:
                samples[subject.name].append(sample)
    return samples
