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
from pathlib import Path

import pytest

from tests.support.filesystems import remount, small_filesystem
from tests.support.frontends import PYTHON, SHELLS, FrontEnd
from tests.support.machines import Machine, MachineRoom, Run
from tests.support.scale import Scale, scale_from_environment
from tests.support.system_calls import Moment
from tests.support.trees import Layout, picture
from tests.torture.conftest import Tally
from tests.torture.stages import (
    CASES,
    DASH,
    NEW,
    UPGRADE,
    Picture,
    Scenario,
    Stage,
    differences,
    small_package,
)

AREA = "Disk"
SCALE = scale_from_environment()
PAGE = os.sysconf("SC_PAGE_SIZE")
PLENTY = {"pages": f"size={4 * 1024 * 1024}", "inodes": "nr_inodes=10000"}
#: More than any command takes.
ENOUGH = 200


@dataclass(frozen=True)
class SmallDisk:
    """A tmpfs on which there is only so much room left."""

    folder: Path

    def leave(self, measure: str, free: int) -> None:
        """Room for so many pages, or inodes, more."""
        usage = os.statvfs(self.folder)
        if measure == "pages":
            used = (usage.f_blocks - usage.f_bfree) * usage.f_frsize
            # A size of 0 would be no limit.
            remount(self.folder, f"size={max(used + free * PAGE, PAGE)}")
        else:
            remount(self.folder, f"nr_inodes={usage.f_files - usage.f_ffree + free}")

    def leave_plenty(self) -> None:
        remount(self.folder, ",".join(PLENTY.values()))

    def fill(self) -> None:
        """As another program does, until neither a byte nor a file more goes there."""
        with contextlib.suppress(OSError), (self.folder / "filler").open("wb", 0) as file:
            while file.write(bytes(16 * PAGE)):
                pass
        with contextlib.suppress(OSError):
            for number in itertools.count():
                (self.folder / f"filler-{number}").touch()

    def empty(self) -> None:
        for filler in self.folder.glob("filler*"):
            filler.unlink()
        self.leave_plenty()


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[SmallDisk]:
    with small_filesystem(folder, f"mode=755,{','.join(PLENTY.values())}"):
        yield SmallDisk(folder)


def assert_all_or_nothing(stage: Stage, goal: Picture, run: Run) -> None:
    """It succeeded, or the full disk is named and all is as it was but for the new version."""
    found = picture(stage.machine.home)
    if run.code == 0:
        assert differences(goal, found) == [], run
        return
    run.failed(7, "no-space").says("no space left on the device")
    assert found == stage.before or stage.is_between(goal, found), run
    assert not list(stage.launcher_complaints())


@pytest.mark.parametrize(("scenario", "front_end"), SCALE.sample(CASES, 6), ids=str)
def test_a_disk_with_little_room(
    machines: MachineRoom, scale: Scale, tally: Tally, scenario: Scenario, front_end: FrontEnd
) -> None:
    machine = machines.build(front_end)
    with small_disk(machine.layout.prefix) as disk:
        stage = Stage(machine, scenario)
        goal, _ = stage.undisturbed()
        tried = scale.sample(range(ENOUGH), 4)
        for measure in PLENTY:
            codes = set()
            for free in tried:
                stage.reset()
                disk.leave(measure, free)
                run = stage.again()
                disk.leave_plenty()
                assert_all_or_nothing(stage, goal, run)
                codes.add(run.code)
            # To remove is how to make room.
            assert codes == {0, 7} if scenario.installs else 0 in codes, measure
            tally(AREA, f"Commands on a disk with room for so many {measure}", len(tried))
        stage.reset()


@pytest.mark.parametrize("front_end", [DASH, PYTHON], ids=str)
def test_a_disk_that_another_program_fills(
    machines: MachineRoom, scale: Scale, tally: Tally, front_end: FrontEnd
) -> None:
    machine = machines.build(front_end)
    with small_disk(machine.layout.prefix) as disk:
        stage = Stage(machine, UPGRADE)
        goal, calls = stage.undisturbed()
        tried = scale.sample(range(len(calls)), 3)
        for number in tried:
            stage.reset()
            disk.leave("inodes", 200)
            _, run = stage.traced(Moment(number, False), lambda *_: disk.fill())
            disk.empty()
            assert_all_or_nothing(stage, goal, run)
        stage.reset()
        tally(AREA, "Moments of an install at which another program filled the disk", len(tried))


# --- Start-up files in a full home ---------------------------------------------------------------


@pytest.mark.parametrize("command", [f"use {NEW}", "uninstall --yes"])
@pytest.mark.parametrize("program", ["bash", "fish"])
def test_a_full_home_cuts_no_startup_file(
    machines: MachineRoom, scale: Scale, tally: Tally, program: str, command: str
) -> None:
    """Every file has its old bytes and the whole line more, or a warning names it."""
    machine = machines.build(DASH).set(SHELL=f"/usr/bin/{program}")
    layout = Layout(machine.root / "opt")
    options = ["--porcelain", "--prefix", str(layout.prefix)]
    mine = {".bashrc": b"# mine\n" * 2000}
    with small_disk(machine.home) as disk:
        layout.plant(NEW, small_package(NEW))
        begin(machine, mine)
        machine.run("use", NEW, *options).ok()
        with_line = files(machine)
        before, goal = (mine, with_line) if command == f"use {NEW}" else (with_line, mine)
        tried = scale.sample([*itertools.product(PLENTY, range(7))], 4)
        for measure, free in tried:
            layout.plant(NEW, small_package(NEW))
            begin(machine, before)
            disk.leave(measure, free)
            run = machine.run(*command.split(), *options).ok()
            disk.leave_plenty()
            found, warned = files(machine), "".join(run.warnings())
            for name in {*before, *goal, *found}:
                if found.get(name) != goal.get(name):
                    assert found.get(name) == before.get(name), (name, run)
                    assert f"~/{name}" in warned, (name, run)
        tally(AREA, "Changes of start-up files in a full home", len(tried))


def begin(machine: Machine, content: dict[str, bytes]) -> None:
    """The home has these files and no others."""
    for path in sorted(machine.home.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    for name, text in content.items():
        (machine.home / name).parent.mkdir(parents=True, exist_ok=True)
        (machine.home / name).write_bytes(text)


def files(machine: Machine) -> dict[str, bytes]:
    """All files of the home, below which there is no empty folder."""
    home = machine.home
    found = {str(p.relative_to(home)): p.read_bytes() for p in home.rglob("*") if p.is_file()}
    folders = {str(path.relative_to(home)) for path in home.rglob("*") if path.is_dir()}
    assert all(any(name.startswith(f"{folder}/") for name in found) for folder in folders)
    return found


# --- A call that fails ---------------------------------------------------------------------------


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


FAULTS = [
    Fault("EIO", "file-system"),
    Fault("EROFS", "read-only", lasts=True),
    Fault("ENOSPC", "no-space"),
    Fault("EACCES", "permission-denied"),
    Fault("EIO", "file-system", lasts=True),
    # A quota that is used up.
    Fault("EDQUOT", "no-space"),
    Fault("EROFS", "read-only"),
]
STARTUP_FILES = (".bashrc", ".profile")
LEFT_OVER = (".local", ".local/share", ".local/share/wasp-lang", ".local/bin")


def complaints(stage: Stage, goal: Picture, fault: Fault, run: Run) -> Iterator[str]:
    """What is wrong with how a run ended that met the fault, and with what it left."""
    found = picture(stage.machine.home)
    yield from stage.complaints(goal, found)
    # Where the current version was to be removed, and the launcher could not be.
    yield from stage.launcher_complaints(may_be_broken=stage.scenario.removes and run.code == 7)
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
    elif not (stage.scenario.removes or fault.lasts or is_as_before(stage, goal, found)):
        yield f"exit code 7, but changed: {differences(stage.before, found)}"


def is_left_over(name: str) -> bool:
    return "staging" in name or name in LEFT_OVER or ".turn" in name


def is_as_before(stage: Stage, goal: Picture, found: Picture) -> bool:
    """But for what is beside all versions, which is that of the newest installer."""
    shared = ("env.", "telemetry_", "wasp-installer", "completions")
    kept = {
        name: entry
        for name, entry in found.items()
        if not (name.removeprefix(".local/share/wasp-lang/").startswith(shared))
        and not is_left_over(name)
    }
    new = f".local/share/wasp-lang/{NEW}"
    return all(
        entry == kept.get(name) == stage.before.get(name)
        or (entry == goal.get(name) and name.startswith(new))
        for name, entry in kept.items()
    )


def different(calls: list[str]) -> list[int]:
    """The first and the last of those calls that are alike, such as writes to one file."""
    first = {call: number for number, call in reversed(list(enumerate(calls)))}
    last = {call: number for number, call in enumerate(calls)}
    return sorted({*first.values(), *last.values()})


OTHERS = [(UPGRADE, shell) for shell in SHELLS if shell is not DASH]


@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    ("scenario", "front_end"), [*SCALE.sample(CASES, 6), *SCALE.sample(OTHERS, 1)], ids=str
)
def test_a_call_that_fails(
    machines: MachineRoom, scale: Scale, tally: Tally, scenario: Scenario, front_end: FrontEnd
) -> None:
    stage = Stage(machines.build(front_end), scenario)
    goal, calls = stage.undisturbed()
    tried = scale.sample(list(itertools.product(FAULTS, different(calls))), 5)
    wrong = []
    for fault, number in tried:
        stage.reset()
        tracer, run = stage.traced(error_at=fault.at(number))
        if number >= len(tracer.calls):
            continue
        found = [*complaints(stage, goal, fault, run), *healed(stage, goal)]
        wrong += [f"{fault}: {tracer.calls[number]}: {text}" for text in found]
    stage.reset()
    assert not wrong, "\n\n".join(wrong)
    tally(AREA, "Calls that failed with an error of the disk", len(tried))


def healed(stage: Stage, goal: Picture) -> Iterator[str]:
    """The disk is whole again, and so is what the same command leaves."""
    # Of a version that is gone there is nothing to do, so what was warned of stays.
    warned_of = STARTUP_FILES if stage.scenario.is_of_one_version else ()
    yield from stage.complaints_of_next_run(goal, passed_over=(*LEFT_OVER, *warned_of))


def test_a_disk_that_becomes_read_only(machine: Machine, scale: Scale, tally: Tally) -> None:
    """The kernel does that to a disk with errors; the next run finds it in order again."""
    fault = Fault("EROFS", "read-only", lasts=True)
    with small_disk(machine.layout.prefix) as disk:
        stage = Stage(machine, UPGRADE)
        goal, calls = stage.undisturbed()
        turned: list[bool] = []

        def strike(*_: object) -> None:
            # Not while a file is open for writing.
            with contextlib.suppress(subprocess.CalledProcessError):
                remount(disk.folder, "ro")
                turned.append(True)

        wrong = []
        for number in scale.sample(range(len(calls)), 3):
            stage.reset()
            tracer, run = stage.traced(Moment(number, False), strike)
            remount(disk.folder, "rw")
            found = [*complaints(stage, goal, fault, run), *healed(stage, goal)]
            wrong += [f"before {tracer.calls[-1]}: {text}" for text in found]
        stage.reset()
        assert not wrong, "\n\n".join(wrong)
    assert turned
    tally(AREA, "Moments of an install at which the disk became read-only", len(turned))
