"""Disks that are full, fill up, break, or are mounted anew, at every moment of every command.

Whatever a disk does, a run ends with exit code 0 and everything in its place, or with 7 and the
cause; then what was there is as it was. No start-up file is ever cut.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.archives import DATA_MEMBERS, Package, tiny_binary
from tests.support.filesystems import remount, small_filesystem
from tests.support.frontends import BY_NAME, SHELLS, FrontEnd
from tests.support.machines import Machine, MachineRoom, Run
from tests.support.releases import Upstream
from tests.support.scale import Scale, scale_from_environment
from tests.support.startup_files import complete, halfway
from tests.support.system_calls import Moment, Tracer, tracing
from tests.support.trees import Entry, expected_version_folder, picture
from tests.torture.tallies import Tally

AREA = "Disk"
MAIN = [BY_NAME["python"], BY_NAME["dash"]]
SCALE = scale_from_environment()
OLDER, OLD, NEW = "0.23.0", "0.24.0", "0.25.0"
PAGE = os.sysconf("SC_PAGE_SIZE")
PLENTY = {"pages": f"size={4 * 1024 * 1024}", "inodes": "nr_inodes=10000"}
NOT_INSTALLED = 5


def package_of(version: str) -> Package:
    """Few files, since each of them is some calls."""
    return Package(version, tiny_binary(version), (DATA_MEMBERS[0], DATA_MEMBERS[5]))


@dataclass(frozen=True)
class Scenario:
    """A command, and what is installed before it; the first is the current version."""

    name: str
    command: str
    installed: tuple[str, ...] = ()

    @property
    def removes(self) -> bool:
        return not self.command.startswith(("install", "use"))

    def __str__(self) -> str:
        return self.name


FIRST = Scenario("first-install", "install --from-file ARCHIVE")
UPGRADE = Scenario("upgrade", "install --from-file ARCHIVE", (OLD, OLDER))
SCENARIOS = [
    FIRST,
    UPGRADE,
    Scenario("install-again", "install --force --from-file ARCHIVE", (NEW, OLD)),
    Scenario("use", f"use {OLDER}", (OLD, OLDER)),
    Scenario("uninstall-current", f"uninstall {OLD}", (OLD, OLDER)),
    Scenario("uninstall-other", f"uninstall {OLDER}", (OLD, OLDER)),
    Scenario("uninstall", "uninstall --yes", (OLD, OLDER)),
    Scenario("migrate-to-npm", "migrate-to-npm", (OLD, OLDER)),
]


class Stage:
    """A machine on which the same command begins again and again from the same home."""

    def __init__(self, machine: Machine, scenario: Scenario) -> None:
        self.machine = machine
        self.layout = machine.layout
        self.scenario = scenario
        archive = machine.root / "wasp.tgz"
        archive.write_bytes(package_of(NEW).npm_archive())
        words = scenario.command.replace("ARCHIVE", str(archive)).split()
        self.argv = machine.front_end.argv(*words, "--json")
        if scenario.installed:
            self._install(str(archive))
        self._past = machine.root / "past"
        shutil.copytree(machine.home, self._past, symlinks=True)
        self.before = picture(machine.home)

    def _install(self, archive: str) -> None:
        """With a front end, so that all beside the versions is what it would be."""
        self.machine.run("install", "--from-file", archive).ok()
        for version in self.scenario.installed:
            self.layout.plant(version, package_of(version))
        self.machine.run("use", self.scenario.installed[0]).ok()
        if NEW not in self.scenario.installed:
            shutil.rmtree(self.layout.version_folder(NEW))

    def reset(self) -> None:
        """Puts the past back, also where a file system is mounted in the home."""
        for place in (self.layout.prefix, self.machine.home):
            for entry in os.scandir(place) if place.is_dir() else ():
                if entry.is_dir(follow_symlinks=False) and not os.path.ismount(entry.path):
                    shutil.rmtree(entry.path)
                elif not entry.is_dir(follow_symlinks=False):
                    os.unlink(entry.path)
        shutil.copytree(self._past, self.machine.home, symlinks=True, dirs_exist_ok=True)

    def run(self) -> Run:
        return self.machine.run_program(self.argv)

    def traced(
        self,
        error_at: Callable[[int, str], int | None] | None = None,
        moment: Moment | None = None,
        strike: Callable[[int], None] | None = None,
    ) -> tuple[list[str], Run]:
        """The calls that changed something in the home, and how the run ended."""
        process = self.machine.start_program(tracing(self.argv))
        tracer = Tracer(process, self.machine.home, moment, strike, error_at=error_at)
        tracer.follow()
        out, err = process.communicate()
        return tracer.calls, Run(self.argv, process.returncode, out.decode(), err.decode())


def half_versions(stage: Stage) -> list[str]:
    """The versions that are neither there as a whole nor gone."""
    layout = stage.layout
    return [
        version
        for version in layout.versions()
        if layout.version_picture(version) != expected_version_folder(package_of(version))
        or layout.receipt(version)["version"] != version
    ]


def differences(expected: dict[str, Entry], found: dict[str, Entry]) -> list[str]:
    names = sorted(expected.keys() | found.keys())
    return [name for name in names if expected.get(name) != found.get(name)]


# --- Full from the start -------------------------------------------------------------------------


class SmallDisk:
    """A tmpfs on which there is only so much room left."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

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


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[SmallDisk]:
    with small_filesystem(folder, f"mode=755,{','.join(PLENTY.values())}"):
        yield SmallDisk(folder)


def assert_all_or_nothing(stage: Stage, goal: dict[str, Entry], run: Run) -> None:
    """It succeeded as a whole, or the full disk is named and all is as it was."""
    found = picture(stage.machine.home)
    if run.code == 0:
        assert differences(goal, found) == [], run
        return
    run.failed(7, "no-space").says("no space left on the device")
    assert differences(stage.before, found) == [], run
    if stage.scenario.installed:
        assert stage.machine.wasp("version").stdout == f"{stage.scenario.installed[0]}\n"


#: How a command ends on disks of all sizes; to remove is how to make room.
ENDINGS = {"uninstall-other": {0}, "uninstall": {0}, "migrate-to-npm": {0}}


@pytest.mark.parametrize(
    ("scenario", "chosen"), SCALE.sample(list(itertools.product(SCENARIOS, MAIN)), 6), ids=str
)
def test_a_disk_with_little_room(
    machines: MachineRoom, scale: Scale, tally: Tally, scenario: Scenario, chosen: FrontEnd
) -> None:
    machine = machines.build(chosen)
    with small_disk(machine.layout.prefix) as disk:
        stage = Stage(machine, scenario)
        stage.run().ok()
        goal = picture(machine.home)
        stage.reset()
        tried = scale.sample(range(48) if "ARCHIVE" in scenario.command else range(6), 3)
        for measure in PLENTY:
            codes = set()
            for free in tried:
                disk.leave(measure, free)
                run = stage.run()
                disk.leave_plenty()
                assert_all_or_nothing(stage, goal, run)
                codes.add(run.code)
                stage.reset()
            assert codes == ENDINGS.get(scenario.name, {0, 7}), measure
            tally(AREA, f"Commands on a disk with room for so many {measure}", len(tried))


def test_a_download_to_a_disk_with_little_room(
    machine: Machine, upstream: Upstream, scale: Scale, tally: Tally
) -> None:
    upstream.publish(NEW, package=package_of(NEW))
    with small_disk(machine.layout.prefix) as disk:
        stage = Stage(machine, UPGRADE)
        stage.argv = machine.front_end.argv("install", "--json")
        tried = scale.sample(range(48), 2)
        for free in tried:
            disk.leave("pages", free)
            run = stage.run()
            disk.leave_plenty()
            found = picture(machine.home)
            if run.code == 0:
                assert half_versions(stage) == []
                assert machine.wasp("version").stdout == f"{NEW}\n"
            else:
                assert_all_or_nothing(stage, found, run)
            stage.reset()
        tally(AREA, "Downloads to a disk with room for so many pages", len(tried))


# --- Full from some moment on --------------------------------------------------------------------


def fill(folder: Path) -> None:
    """As another program does, until neither a byte nor a file more goes there."""
    filler = folder / "filler"
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
        while file.write(bytes(16 * PAGE)):
            pass
    with contextlib.suppress(OSError):
        for number in itertools.count():
            (folder / f"filler-{number}").touch()


@pytest.mark.parametrize(
    ("scenario", "chosen"),
    SCALE.sample(list(itertools.product([UPGRADE, FIRST], MAIN)), 2),
    ids=str,
)
def test_a_disk_that_another_program_fills(
    machines: MachineRoom, scale: Scale, tally: Tally, scenario: Scenario, chosen: FrontEnd
) -> None:
    machine = machines.build(chosen)
    with small_disk(machine.layout.prefix) as disk:
        stage = Stage(machine, scenario)
        calls, run = stage.traced()
        run.ok()
        goal = picture(machine.home)
        tried = scale.sample(range(len(calls)), 3)
        for number in tried:
            stage.reset()
            disk.leave("inodes", 100)
            _, run = stage.traced(moment=Moment(number, False), strike=lambda _: fill(disk.folder))
            for filler in disk.folder.glob("filler*"):
                filler.unlink()
            disk.leave_plenty()
            assert_all_or_nothing(stage, goal, run)
        tally(AREA, "Moments of an install at which another program filled the disk", len(tried))


# --- Start-up files in a full home ---------------------------------------------------------------

MINE = b"# mine\n" * 2000


class FullHome:
    """A small disk as the home, where only a start-up file is changed: Wasp itself is elsewhere."""

    def __init__(self, machine: Machine, disk: SmallDisk) -> None:
        self.machine, self.disk = machine, disk
        self.prefix = str(machine.root / "opt")
        archive = machine.root / "wasp.tgz"
        archive.write_bytes(package_of(NEW).npm_archive())
        place = ("--prefix", self.prefix, "--no-modify-path")
        machine.install(None, "--from-file", str(archive), *place).ok()
        self.without_line = self.begin({})
        self.with_line = self.change("install", "--version", NEW)[1]

    def begin(self, added: Mapping[str, bytes | None]) -> dict[str, bytes | None]:
        """The home before a run, with what another run has added."""
        for entry in os.scandir(self.machine.home):
            shutil.rmtree(entry.path) if entry.is_dir() else os.unlink(entry.path)
        (self.machine.home / ".bashrc").write_bytes(MINE)
        for name, content in added.items():
            path = self.machine.home / name
            if content is None:
                path.mkdir(parents=True, exist_ok=True)
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
        return self.files()

    def files(self) -> dict[str, bytes | None]:
        """All that is there; a folder has no content."""
        home = self.machine.home
        return {
            str(path.relative_to(home)): path.read_bytes() if path.is_file() else None
            for path in home.rglob("*")
        }

    def change(self, *command: str) -> tuple[Run, dict[str, bytes | None]]:
        run = self.machine.run(*command, "--json", "--prefix", self.prefix).ok()
        return run, self.files()

    def _with_whole_lines(self, name: str) -> list[bytes | None]:
        """What the file may hold where only some of the lines could be put in, or taken out."""
        fewer, more = self.without_line.get(name), self.with_line.get(name)
        if more is None:
            return [fewer]
        lines = more.removeprefix(fewer or b"").splitlines(keepends=True)
        fewest = 1 if fewer is None else 0
        subsets = [
            itertools.combinations(lines, number) for number in range(fewest, len(lines) + 1)
        ]
        return [fewer, *((fewer or b"") + b"".join(chosen) for chosen in itertools.chain(*subsets))]

    def try_one(self, command: Sequence[str], measure: str, free: int) -> None:
        """Every file has its old bytes and whole lines more; a warning names what lacks some."""
        adds = command[0] == "install"
        before = self.begin({} if adds else self.with_line)
        goal = self.with_line if adds else self.without_line
        self.disk.leave(measure, free)
        run, found = self.change(*command)
        self.disk.leave_plenty()
        warned = "".join(run.warnings())
        for name in {*before, *goal, *found}:
            if found.get(name) != goal.get(name):
                assert found.get(name) in self._with_whole_lines(name), (name, run)
                assert f"~/{name}" in warned, (name, run)
        for name in found.keys() - before.keys():
            is_empty = not any(other.startswith(f"{name}/") for other in found)
            assert found[name] is not None or not is_empty, (name, run)


@pytest.mark.parametrize(
    ("program", "chosen"),
    SCALE.sample(list(itertools.product(["bash", "fish"], MAIN)), 2),
    ids=str,
)
def test_a_full_home_cuts_no_startup_file(
    machines: MachineRoom, scale: Scale, tally: Tally, program: str, chosen: FrontEnd
) -> None:
    machine = machines.build(chosen).set(SHELL=f"/usr/bin/{program}")
    commands = [["install", "--version", NEW], ["uninstall", "--yes"]]
    with small_disk(machine.home) as disk:
        home = FullHome(machine, disk)
        assert len(home.with_line[".bashrc"] or b"") > len(MINE)
        sizes = [*itertools.product(["pages"], range(7)), *itertools.product(["inodes"], range(7))]
        for command in commands:
            tried = scale.sample(sizes, 3)
            for measure, free in tried:
                home.try_one(command, measure, free)
            tally(AREA, "Changes of start-up files in a full home", len(tried))


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

    def at_opening(self, name: str) -> Callable[[int, str], int | None]:
        """For the calls that open a file of this name for writing."""
        code = getattr(errno, self.error)
        return lambda _, call: code if re.match(rf"open.*/{name}$", call) else None

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
EMPTY_FOLDERS = (".local", ".local/share", ".local/share/wasp-lang", ".local/bin")


def complaints(stage: Stage, goal: dict[str, Entry], fault: Fault, run: Run) -> Iterator[str]:
    """What is wrong with how a run ended that met the fault, and with what it left."""
    found = picture(stage.machine.home)
    if half_versions(stage):
        yield f"half: {half_versions(stage)}"
    for name in STARTUP_FILES:
        # Its two lines come and go one after the other.
        whole = halfway(None, str(stage.machine.home)) if name == ".bashrc" else []
        if found.get(name) not in (stage.before.get(name), goal.get(name), *whole):
            yield f"{name} is neither as before nor as it should be"
    yield from wrong_launcher(stage, run)
    if run.code == 0:
        yield from missing_although_done(goal, found, run)
    elif run.code != 7 or errors_told(run) != 1 or "Traceback" in run.stderr:
        yield f"wrong ending: {run}"
    elif run.json["error"] not in (fault.slug, "file-system"):
        # Some shells and tools do not name the cause.
        yield f"wrong cause: {run}"
    elif not (stage.scenario.removes or fault.lasts):
        changed = [name for name in differences(stage.before, found) if not is_anew(stage, name)]
        if changed:
            yield f"exit code 7, but changed: {changed}"


def is_anew(stage: Stage, name: str) -> bool:
    """It is of the current version, which was installed again and is whole, as was seen."""
    is_current = stage.scenario.installed[:1] == (NEW,)
    return is_current and name.startswith(f".local/share/wasp-lang/{NEW}/")


def errors_told(run: Run) -> int:
    return sum(line.startswith("error: ") for line in run.stderr.splitlines())


def wrong_launcher(stage: Stage, run: Run) -> Iterator[str]:
    scenario, launcher = stage.scenario, stage.layout.launcher
    if not launcher.exists():
        if scenario.installed and not scenario.removes:
            yield "the launcher is gone"
        return
    started = stage.machine.wasp("version")
    # Where the current one was to be removed, and the launcher could not be.
    may_be_gone = scenario.removes and run.code == 7 and started.code == 127
    if not may_be_gone and started.stdout.strip() not in (OLDER, OLD, NEW):
        yield f"the launcher starts nothing: {started}"


def missing_although_done(
    goal: dict[str, Entry], found: dict[str, Entry], run: Run
) -> Iterator[str]:
    """Done is done, but for what the next run sweeps, and start-up files that are warned of."""
    for name in differences(goal, found):
        is_left_over = "staging" in name or name in EMPTY_FOLDERS
        is_warned_of = name in STARTUP_FILES and f"~/{name} " in "".join(run.warnings())
        if not (is_left_over or is_warned_of):
            yield f"exit code 0, but not right: {name}"


def complaints_of_next_run(stage: Stage, goal: dict[str, Entry]) -> Iterator[str]:
    """The disk is whole again, and so is what the same command leaves."""
    was_gone = stage.scenario.command.startswith("uninstall 0") and not (
        stage.layout.version_folder(stage.scenario.command.split()[1]).exists()
    )
    run = stage.run()
    if run.code != 0 and not (was_gone and run.code == NOT_INSTALLED):
        yield f"the next run fails: {run}"
    found = picture(stage.machine.home)
    left = set(differences(goal, found)) - set(EMPTY_FOLDERS)
    if {found.get(".bashrc"), goal.get(".bashrc")} <= {*complete(None, str(stage.machine.home))}:
        left.discard(".bashrc")
    if left and not was_gone:
        yield f"after the next run, these are not right: {sorted(left)}"


def different(calls: list[str]) -> list[int]:
    """The first and the last of those calls that are alike, such as writes to one file."""
    first = {call: number for number, call in reversed(list(enumerate(calls)))}
    last = {call: number for number, call in enumerate(calls)}
    return sorted({*first.values(), *last.values()})


OTHER_SHELLS = [shell for shell in SHELLS if shell not in MAIN]
STAGES = [
    *SCALE.sample(list(itertools.product(SCENARIOS, MAIN)), 3),
    *SCALE.sample(list(itertools.product([UPGRADE], OTHER_SHELLS)), 1),
]


@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("scenario", "chosen"), STAGES, ids=str)
def test_a_call_that_fails(
    machines: MachineRoom, scale: Scale, tally: Tally, scenario: Scenario, chosen: FrontEnd
) -> None:
    stage = Stage(machines.build(chosen), scenario)
    calls, run = stage.traced()
    run.ok()
    goal = picture(stage.machine.home)
    cases = list(itertools.product(FAULTS, different(calls)))
    tried = scale.sample(cases, 5) if chosen in MAIN else scale.sample(cases, 3)[:100]
    wrong = []
    for fault, number in tried:
        stage.reset()
        met, run = stage.traced(fault.at(number))
        if number >= len(met):
            continue
        found = [*complaints(stage, goal, fault, run), *complaints_of_next_run(stage, goal)]
        wrong += [f"{fault}: {met[number]}: {text}" for text in found]
    assert not wrong, "\n\n".join(wrong)
    tally(AREA, "Calls that failed with an error of the disk", len(tried))


@pytest.mark.parametrize("chosen", SCALE.sample(SHELLS, 2), ids=str)
@pytest.mark.parametrize(
    "fault", [Fault("EIO", "file-system"), Fault("EACCES", "permission-denied")], ids=str
)
def test_a_digest_that_cannot_be_kept(
    machines: MachineRoom, tally: Tally, chosen: FrontEnd, fault: Fault
) -> None:
    """What stands for the archive's digest does not pass for a wrong one, nor for none."""
    stage = Stage(machines.build(chosen), UPGRADE)
    calls, run = stage.traced(fault.at_opening("sha256"))
    assert [call for call in calls if call.endswith("/sha256")], "no digest was kept at all"
    run.failed(7, fault.slug)
    assert run.stderr.splitlines()[-2].startswith("error: cannot check the archive"), run
    assert picture(stage.machine.home) == stage.before
    tally(AREA, "Calls that failed with an error of the disk", 1)


# --- Mounted anew --------------------------------------------------------------------------------


def becomes_read_only(folder: Path) -> bool:
    """Whether it does: not while a file is open for writing."""
    try:
        remount(folder, "ro")
    except subprocess.CalledProcessError:
        return False
    return True


def test_a_disk_that_becomes_read_only(machine: Machine, scale: Scale, tally: Tally) -> None:
    """The kernel does that to a disk with errors; the next run finds it in order again."""
    fault = Fault("EROFS", "read-only", lasts=True)
    with small_disk(machine.layout.prefix) as disk:
        stage = Stage(machine, UPGRADE)
        calls, run = stage.traced()
        run.ok()
        goal = picture(machine.home)
        turned: list[bool] = []
        wrong = []
        for number in scale.sample(range(len(calls)), 3):
            stage.reset()
            met, run = stage.traced(
                moment=Moment(number, False),
                strike=lambda _: turned.append(becomes_read_only(disk.folder)),
            )
            remount(disk.folder, "rw")
            found = [*complaints(stage, goal, fault, run), *complaints_of_next_run(stage, goal)]
            wrong += [f"before {met[-1]}: {text}" for text in found]
        assert not wrong, "\n\n".join(wrong)
    assert any(turned)
    tally(AREA, "Moments of an install at which the disk became read-only", sum(turned))


def test_a_disk_that_no_longer_runs_programs(machine: Machine, tally: Tally) -> None:
    """What is there cannot be started there any more, and yet nothing of it is lost."""
    with small_disk(machine.layout.prefix) as disk:
        stage = Stage(machine, UPGRADE)
        remount(disk.folder, "noexec")
        stage.run().failed(7, "permission-denied").says("noexec")
        assert picture(machine.home) == stage.before
        remount(disk.folder, "exec")
        assert machine.wasp("version").stdout == f"{OLD}\n"
        remount(disk.folder, "noexec")
        machine.run("uninstall", "--yes").ok()
        assert not stage.layout.share.exists()
    tally(AREA, "Disks that no longer ran programs", 1)
