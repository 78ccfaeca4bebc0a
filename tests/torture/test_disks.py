"""Disks that are full, fill up, break, or are mounted anew, at every moment of every command.

Whatever a disk does, a run ends with exit code 0 and everything in its place, or with 7 and the
cause; then what was there is as it was. No start-up file is ever cut.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from tests.support.filesystems import remount, small_filesystem
from tests.support.frontends import SHELLS, FrontEnd
from tests.support.machines import MachineRoom, Run
from tests.support.scale import Scale, scale_from_environment
from tests.support.system_calls import Moment
from tests.support.trees import picture
from tests.torture.conftest import Tally
from tests.torture.stages import (
    CASES,
    DASH,
    SHARE,
    UPGRADE,
    Picture,
    Scenario,
    Stage,
    differences,
)

pytestmark = pytest.mark.timeout(3600)

AREA = "Disk"
SCALE = scale_from_environment()
PLENTY = "size=4m,nr_inodes=10000"


@dataclass(frozen=True)
class Fault:
    """An error of a call that changes a file, or of it and all that follow."""

    error: str
    slug: str
    lasts: bool = False

    def at(self, number: int) -> Callable[[int, str], int | None]:
        code = getattr(errno, self.error)
        return lambda called, _: (
            code if called == number or (self.lasts and called > number) else None
        )

    def __str__(self) -> str:
        return f"{self.error} {'from then on' if self.lasts else 'once'}"


READ_ONLY = Fault("EROFS", "read-only", lasts=True)
FULL = Fault("ENOSPC", "no-space")
FAULTS = [
    Fault("EIO", "file-system"),
    READ_ONLY,
    FULL,
    Fault("EACCES", "permission-denied"),
    Fault("EIO", "file-system", lasts=True),
    # A quota that is used up.
    Fault("EDQUOT", "no-space"),
    Fault("EROFS", "read-only"),
]
STARTUP_FILES = (".bashrc", ".profile")
LEFT_OVER = (".local", ".local/share", SHARE, ".local/bin")
#: What is beside all versions is that of the newest installer.
BESIDE = tuple(f"{SHARE}/{start}" for start in ("env.", "telemetry_", "wasp-inst", "completions"))


def complaints(stage: Stage, goal: Picture, fault: Fault, run: Run) -> Iterator[str]:
    """What is wrong with how a run ended that met the fault, and with what it and the next left."""
    found = picture(stage.machine.home)
    # Where the current version was to be removed, and the launcher could not be.
    may_be_broken = stage.scenario.removes and run.code == 7
    yield from stage.complaints(goal, found, may_be_broken=may_be_broken)
    errors = sum(line.startswith("error: ") for line in run.stderr.splitlines())
    if run.code == 0:
        # Done is done, but for what the next run sweeps, and start-up files that are warned of.
        for name in differences(goal, found):
            is_warned_of = name in STARTUP_FILES and f"~/{name} " in "".join(run.warnings())
            if not (is_left_over(name) or is_warned_of):
                yield f"exit code 0, but not right: {name}"
    elif run.code != 7 or errors != 1 or "Traceback" in run.stderr:
        yield f"wrong ending: {run}"
    elif run.json["error"] not in (fault.slug, "file-system"):
        # Some shells and tools do not name the cause.
        yield f"wrong cause: {run}"
    elif not (stage.scenario.removes or fault.lasts):
        for name in stage.changed(goal, found):
            if not (is_left_over(name) or name.startswith(BESIDE)):
                yield f"exit code 7, but changed: {name}"
    # Of a version that is gone there is nothing to do, so what was warned of stays.
    warned_of = STARTUP_FILES if stage.scenario.is_of_one_version else ()
    yield from stage.complaints_of_next_run(goal, passed_over=(*LEFT_OVER, *warned_of))


def is_left_over(name: str) -> bool:
    return "staging" in name or name in LEFT_OVER or ".turn" in name


OTHERS = [(UPGRADE, shell) for shell in SHELLS if shell is not DASH]


@pytest.mark.parametrize(
    ("scenario", "front_end"), [*SCALE.sample(CASES, 6), *SCALE.sample(OTHERS, 1)], ids=str
)
def test_a_call_that_fails(
    machines: MachineRoom, scale: Scale, tally: Tally, scenario: Scenario, front_end: FrontEnd
) -> None:
    stage = Stage(machines.build(front_end), scenario)
    goal, calls = stage.undisturbed()
    tried = scale.sample(list(itertools.product(FAULTS, range(len(calls)))), 5)
    wrong = []
    for fault, number in tried:
        stage.reset()
        tracer, run = stage.traced(error_at=fault.at(number))
        if number < len(tracer.calls):
            found = complaints(stage, goal, fault, run)
            wrong += [f"{fault}: {tracer.calls[number]}: {text}" for text in found]
    stage.reset()
    assert not wrong, "\n\n".join(wrong)
    tally(AREA, "Calls that failed with an error of the disk", len(tried))


@pytest.mark.parametrize("fault", [READ_ONLY, FULL], ids=str)
@pytest.mark.parametrize(("scenario", "front_end"), SCALE.sample(CASES, 6), ids=str)
def test_a_disk_that_becomes_read_only_or_full(
    machines: MachineRoom,
    scale: Scale,
    tally: Tally,
    scenario: Scenario,
    front_end: FrontEnd,
    fault: Fault,
) -> None:
    """The kernel does the former to one with errors; the next run finds it in order again."""
    machine = machines.build(front_end)
    with small_filesystem(machine.layout.prefix, f"mode=755,{PLENTY}") as disk:
        stage = Stage(machine, scenario)
        goal, calls = stage.undisturbed()
        turned, codes, wrong = 0, set(), []

        def strike(*_: object) -> None:
            nonlocal turned
            usage = os.statvfs(disk)
            # A size of 0 would be no limit.
            used = max(1, usage.f_blocks - usage.f_bfree) * usage.f_frsize
            full = f"size={used},nr_inodes={usage.f_files - usage.f_ffree}"
            # Not read-only while a file is open for writing.
            with contextlib.suppress(subprocess.CalledProcessError):
                remount(disk, "ro" if fault is READ_ONLY else full)
                turned += 1

        last = len(calls) - 1
        for number in sorted({*scale.sample(range(len(calls)), 2), last}):
            stage.reset()
            tracer, run = stage.traced(Moment(number, False), strike)
            remount(disk, f"rw,{PLENTY}")
            found = complaints(stage, goal, fault, run)
            wrong += [f"before {tracer.calls[-1]}: {text}" for text in found]
            codes.add(run.code)
        stage.reset()
    assert not wrong, "\n\n".join(wrong)
    # To remove is how to make room.
    assert not (scenario.removes and fault is FULL) or 0 in codes
    what = "became read-only" if fault is READ_ONLY else "filled up"
    tally(AREA, f"Moments of a run at which the disk {what}", turned)
