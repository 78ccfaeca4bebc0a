"""Ended by a signal at any call that changes a file: what was there works, and nothing is left.

A run without a signal records these calls. Then, for each of them, the same run meets a signal
right before or right after it, and one more run without a signal must end as the first did.
"""

from __future__ import annotations

import os
import random
import re
import shlex
import shutil
import signal
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest
from wasp_installer.staging import staging_name

from tests.support.archives import DATA_MEMBERS, Package, tiny_binary
from tests.support.machines import Machine, MachineRoom, Run
from tests.support.processes import sleeping_elsewhere
from tests.support.scale import Scale, scale_from_environment
from tests.support.startup_files import complete, halfway
from tests.support.system_calls import Moment, Tracer, tracing
from tests.support.trees import Entry, expected_version_folder, picture
from tests.torture.tallies import Tally
from wasp_installer import Console, Options
from wasp_installer import Run as InstallerRun

AREA = "Kill"
OLD, NEW = "0.24.0", "0.25.0"
NOT_INSTALLED = 5
LIBRARY = ".local/share/wasp-lang"
BASHRC = b"alias ll='ls -l'\nset -o vi # and no line break at the end"

# A shell makes about a hundred calls in an install, so the other shells are for longer runs.
SHELLS = scale_from_environment().sample(["dash", "bash", "busybox"], 1)


@dataclass(frozen=True)
class Scenario:
    """A command, the versions that are installed before it, and which of them is current.

    Their folder is on PATH of this run, or it is in start-up files, or in none.
    """

    name: str
    command: str
    installed: tuple[str, ...] = ()
    current: str | None = None
    path: str = "in files"

    @property
    def removes(self) -> bool:
        return not self.command.startswith(("install", "use"))

    def __str__(self) -> str:
        return self.name


SCENARIOS = [
    Scenario("first-install", "install --from-file ARCHIVE"),
    Scenario("upgrade", "install --from-file ARCHIVE", (OLD,), OLD, "set"),
    Scenario("install-again", "install --force --from-file ARCHIVE", (NEW,), NEW, "set"),
    Scenario("make-current", "install --from-file ARCHIVE", (OLD, NEW), OLD, "set"),
    Scenario("mend-path", "install --from-file ARCHIVE", (NEW,), NEW, "missing"),
    Scenario("dry-run", "install --dry-run --from-file ARCHIVE", (OLD,), OLD, "missing"),
    Scenario("use", f"use {OLD}", (OLD, NEW), NEW, "set"),
    Scenario("uninstall", "uninstall --yes", (OLD, NEW), NEW),
    Scenario("uninstall-current", f"uninstall {OLD}", (OLD, NEW), OLD),
    Scenario("uninstall-last", f"uninstall {OLD}", (OLD,), OLD),
    Scenario("migrate-to-npm", "migrate-to-npm", (OLD,), OLD),
]


def scenario_named(name: str) -> Scenario:
    [found] = [scenario for scenario in SCENARIOS if scenario.name == name]
    return found


@dataclass(frozen=True)
class Strike:
    """A signal, and who gets it: the whole group, the front end, or the process in the call."""

    number: signal.Signals
    target: str

    def send(self, front_end: int, thread: int) -> None:
        if self.target == "group":
            os.killpg(front_end, self.number)
        else:
            os.kill(front_end if self.target == "front end" else thread, self.number)

    def moments(self, calls: int) -> list[Moment]:
        """Before and after each call; where all end at once, after one is before the next."""
        if self == KILL:
            return [*(Moment(number, False) for number in range(calls)), Moment(calls - 1, True)]
        return [Moment(number, after) for number in range(calls) for after in (False, True)]

    def __str__(self) -> str:
        return f"{self.number.name} to the {self.target}"


KILL = Strike(signal.SIGKILL, "group")
KILL_ONE = Strike(signal.SIGKILL, "process in the call")
STRIKES = [
    KILL,
    KILL_ONE,
    # As a terminal does for Ctrl-C, as `kill` and most supervisors do, and as a terminal that goes.
    Strike(signal.SIGINT, "group"),
    Strike(signal.SIGTERM, "front end"),
    Strike(signal.SIGHUP, "group"),
]


def small_package(version: str) -> Package:
    """Few files, since each of them is some calls."""
    return Package(version, tiny_binary(version), (DATA_MEMBERS[0], DATA_MEMBERS[5]))


@dataclass(frozen=True)
class Outcome:
    """What one run has left, and what it said."""

    run: Run
    home: dict[str, Entry]
    elsewhere: dict[str, Entry]

    @property
    def left(self) -> frozenset[tuple[str, Entry]]:
        """All that is there, without the random parts of names."""
        return frozenset(
            (re.sub(r"staging-[^/]*", "staging", name), entry)
            for name, entry in (*self.home.items(), *self.elsewhere.items())
        )


class Stage:
    """A machine on which the same run begins again and again from the same home."""

    def __init__(self, machine: Machine, scenario: Scenario) -> None:
        self.machine = machine
        self.scenario = scenario
        archive = machine.root / "wasp.tgz"
        archive.write_bytes(small_package(NEW).npm_archive())
        self.argv = machine.front_end.argv(
            *scenario.command.replace("ARCHIVE", str(archive)).split()
        )
        if scenario.path == "set":
            machine.set(PATH=f"{machine.environment['PATH']}:{machine.layout.prefix}/bin")
        self._make_past(str(archive))
        self._past = machine.root / "past"
        shutil.copytree(machine.home, self._past, symlinks=True)
        self.before = picture(machine.home)
        # The first run also compiles what a later one need not.
        self.after = self._undisturbed().home
        self.calls = self._record()

    def _make_past(self, archive: str) -> None:
        """With a front end, so that the launcher and the start-up files are what they would be."""
        machine, scenario = self.machine, self.scenario
        (machine.home / ".bashrc").write_bytes(BASHRC)
        if scenario.current is None:
            return
        options = ["--no-modify-path"] if scenario.path == "missing" else []
        machine.run("install", "--from-file", archive, *options).ok()
        for version in scenario.installed:
            machine.layout.plant(version, small_package(version))
        machine.run("use", scenario.current).ok()
        if NEW not in scenario.installed:
            shutil.rmtree(machine.layout.version_folder(NEW))

    def _undisturbed(self) -> Outcome:
        outcome = self.again()
        outcome.run.ok()
        assert outcome.elsewhere == {}
        return outcome

    def _record(self) -> list[str]:
        self.reset()
        tracer = self._trace(None, None)
        assert self._outcome(tracer).home == self.after
        assert tracer.calls, "no call was seen: the test shows nothing"
        return tracer.calls

    def reset(self) -> None:
        machine = self.machine
        for folder in (machine.home, machine.temporary):
            shutil.rmtree(folder)
        machine.temporary.mkdir()
        shutil.copytree(self._past, machine.home, symlinks=True)

    def again(self) -> Outcome:
        """The same run without a signal, on what is there."""
        return self._look(self.machine.run_program(self.argv))

    def struck(self, strike: Strike, moment: Moment) -> tuple[Outcome, str] | None:
        """What is left of a run that met the signal, and where; None when it ended before."""
        self.reset()
        tracer = self._trace(strike, moment)
        outcome = self._outcome(tracer)
        return (outcome, tracer.calls[-1]) if tracer.struck else None

    def _trace(self, strike: Strike | None, moment: Moment | None) -> Tracer:
        process = self.machine.start_program(tracing(self.argv))
        tracer = Tracer(process, self.machine.root, moment)
        if strike is not None:
            tracer.strike = lambda thread: strike.send(process.pid, thread)
        tracer.follow()
        return tracer

    def _outcome(self, tracer: Tracer) -> Outcome:
        out, err = (stream.read().decode() for stream in _streams(tracer))
        return self._look(Run(self.argv, tracer.process.returncode, out, err))

    def _look(self, run: Run) -> Outcome:
        elsewhere = {**picture(self.machine.temporary), **picture(self.machine.here)}
        return Outcome(run, picture(self.machine.home), elsewhere)


def _streams(tracer: Tracer) -> Iterator[IO[bytes]]:
    for stream in (tracer.process.stdout, tracer.process.stderr):
        assert stream is not None
        yield stream


# --- What must hold ------------------------------------------------------------------------------


def complaints(stage: Stage, strike: Strike, struck: Outcome) -> Iterator[str]:
    """What is wrong with what a run left that met a signal."""
    yield from half_versions(stage.machine)
    yield from wrong_startup_files(stage, struck)
    yield from wrong_launcher(stage)
    if struck.run.code == -signal.SIGKILL:
        return
    left = [name for name in (*struck.home, *struck.elsewhere) if "staging" in name]
    if left:
        yield f"left at once: {left}"
    if strike.number != signal.SIGKILL:
        yield from neither_before_nor_after(stage, strike, struck)


def half_versions(machine: Machine) -> Iterator[str]:
    """A version is there as a whole or not at all."""
    layout = machine.layout
    for version in layout.versions():
        if layout.version_picture(version) != expected_version_folder(small_package(version)):
            yield f"a half {version}"
        elif not layout.receipt_file(version).is_file():
            yield f"{version} has no receipt"
        elif layout.receipt(version)["version"] != version:
            yield f"{version} has a wrong receipt"


def wrong_startup_files(stage: Stage, struck: Outcome) -> Iterator[str]:
    """A person's own files have the bytes that they had, or those that they shall have."""
    for name in {*stage.before, *stage.after, *struck.home}:
        if not name.startswith(".local") and "staging" not in name:
            found = struck.home.get(name)
            # Its two lines come and go one after the other.
            whole = halfway(BASHRC, str(stage.machine.home)) if name == ".bashrc" else []
            if found not in (stage.before.get(name), stage.after.get(name), *whole):
                yield f"{name} is {found}"


def wrong_launcher(stage: Stage) -> Iterator[str]:
    """What worked before works, and what is there starts a version."""
    machine, scenario = stage.machine, stage.scenario
    if not machine.layout.launcher.exists():
        if scenario.current is not None and not scenario.removes:
            yield "the launcher is gone"
        return
    started = machine.wasp("version")
    if started.code != 0 or started.stdout.strip() not in (OLD, NEW):
        yield f"the launcher starts nothing whole: {started}"


def neither_before_nor_after(stage: Stage, strike: Strike, struck: Outcome) -> Iterator[str]:
    """A run that a signal ends has done nothing, and one that is too far for that ends well."""
    expected = {128 + strike.number: stage.before, 0: stage.after}.get(struck.run.code)
    if expected is None:
        yield f"wrong exit code: {struck.run}"
    elif struck.home != expected:
        yield f"exit code {struck.run.code}, and {differences(expected, struck.home)}"


def complaints_of_next_run(stage: Stage, struck: Outcome) -> Iterator[str]:
    """The same command once more ends as it does where nothing disturbs it."""
    gone = stage.scenario.command == f"uninstall {OLD}" and f"{LIBRARY}/{OLD}" not in struck.home
    following = stage.again()
    if following.run.code != 0 and not (gone and following.run.code == NOT_INSTALLED):
        yield f"the next run fails: {following.run}"
    if not is_as(stage, stage.after, following.home):
        yield f"after the next run, {differences(stage.after, following.home)}"
    if following.elsewhere:
        yield f"the next run left elsewhere: {sorted(following.elsewhere)}"


def is_as(stage: Stage, expected: dict[str, Entry], found: dict[str, Entry]) -> bool:
    """It is the same, but for the order of the two lines in a start-up file."""
    orders = complete(BASHRC, str(stage.machine.home))
    if {expected.get(".bashrc"), found.get(".bashrc")} <= {*orders}:
        found = {**found, ".bashrc": expected[".bashrc"]}
    return found == expected


def differences(expected: dict[str, Entry], found: dict[str, Entry]) -> str:
    missing = sorted(expected.keys() - found.keys())
    extra = sorted(found.keys() - expected.keys())
    changed = sorted(
        name for name in expected.keys() & found.keys() if expected[name] != found[name]
    )
    return f"missing: {missing}, not expected: {extra}, changed: {changed}"


# --- The runs ------------------------------------------------------------------------------------


def chosen_moments(stage: Stage, strike: Strike, scale: Scale) -> list[Moment]:
    """Others for each scenario, where they are not all tried; most at what others can see."""
    moments = strike.moments(len(stage.calls))
    order = random.Random(f"{stage.machine.front_end} {stage.scenario} {strike}")
    order.shuffle(moments)
    if strike != KILL:
        return scale.sample(moments, 1)
    seen = [moment for moment in moments if is_seen(stage.calls[moment.number])]
    others = [moment for moment in moments if moment not in seen]
    return [*scale.sample(seen, 3), *scale.sample(others, 1)]


def is_seen(call: str) -> bool:
    """It changes more than what is staged."""
    return any("staging" not in path for path in call.split()[1:])


@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    ("scenario", "name"),
    [
        pytest.param(scenario, name, id=f"{scenario}-{name}")
        for scenario in SCENARIOS
        for name in ("python", *SHELLS)
        # To find out what it would do, Python needs no file.
        if (str(scenario), name) != ("dry-run", "python")
    ],
)
def test_a_signal_at_a_call_that_changes_a_file(
    machines: MachineRoom, scale: Scale, tally: Tally, name: str, scenario: Scenario
) -> None:
    stage = Stage(machines.build(name), scenario)
    cases = [
        (strike, moment)
        for strike in STRIKES
        # Python makes all of these calls itself.
        if strike != KILL_ONE or stage.machine.front_end.is_shell
        for moment in chosen_moments(stage, strike, scale)
    ]
    counts: Counter[Strike] = Counter()
    gone_on_from: set[frozenset[tuple[str, Entry]]] = set()
    problems: list[str] = []
    for strike, moment in cases:
        struck = stage.struck(strike, moment)
        # What goes on beside the rest comes at another time in each run.
        if struck is None:
            continue
        counts[strike] += 1
        outcome, call = struck
        found = [*complaints(stage, strike, outcome)]
        # From where a run has already begun, it need not begin again.
        if outcome.left not in gone_on_from:
            gone_on_from.add(outcome.left)
            found += complaints_of_next_run(stage, outcome)
        when = "after" if moment.after else "before"
        problems += [f"{strike} {when} call {moment.number}, {call}: {text}" for text in found]
    stage.reset()
    if problems:
        pytest.fail("\n".join([f"{len(problems)} problems", *problems]), pytrace=False)
    for strike, count in counts.items():
        tally(AREA, f"{strike}, {'install.sh' if name != 'python' else 'install.py'}", count)
    assert sum(counts.values()) >= len(counts)


# --- What a killed run left, made by hand --------------------------------------------------------


@pytest.fixture(params=("python", "dash"))
def machine(request: pytest.FixtureRequest, machines: MachineRoom) -> Machine:
    """A machine with the new version, which is the current one."""
    machine = machines.build(str(request.param))
    machine.layout.plant(NEW)
    machine.run("use", NEW).ok()
    return machine


def staging_of_an_ended_run(machine: Machine) -> Path:
    staging = machine.layout.share / f".staging-{here()}-{sleeping_elsewhere()}-left"
    staging.mkdir()
    return staging


def here() -> str:
    """How names of what is staged begin on this machine."""
    return staging_name().rsplit("-", 2)[0]


def test_a_run_may_have_the_number_of_the_one_that_was_killed(machine: Machine) -> None:
    """As in a container, where the processes are counted anew."""
    beginning = f"{machine.layout.share}/.staging-{here()}"
    script = f'mkdir {shlex.quote(beginning)}-$$-left; exec "$@"'
    argv = machine.front_end.argv("use", NEW)
    machine.run_program(["/bin/sh", "-c", script, "sh", *argv]).ok()
    assert machine.layout.staging() == []


@pytest.mark.parametrize(
    ("command", "left"),
    [
        (f"use {NEW}", [NEW]),
        (f"uninstall {NEW}", []),
        ("uninstall --yes", []),
        ("migrate-to-npm", []),
    ],
)
def test_a_version_that_was_moved_aside_is_found(
    machine: Machine, command: str, left: list[str]
) -> None:
    """A run was killed that had begun to replace it."""
    aside = staging_of_an_ended_run(machine) / "replaced" / NEW
    aside.parent.mkdir()
    machine.layout.version_folder(NEW).rename(aside)
    assert machine.wasp("version").stdout == f"{NEW}\n"
    machine.run(*command.split()).ok()
    assert machine.layout.versions() == left
    assert machine.layout.staging() == []


@pytest.mark.parametrize("name", ["python", "dash"])
def test_a_version_that_is_half_removed_is_not_put_back(machines: MachineRoom, name: str) -> None:
    stage = Stage(machines.build(name), scenario_named("install-again"))
    machine = stage.machine
    removals = [
        number
        for number, call in enumerate(stage.calls)
        if call.startswith(("unlink", "rmdir")) and f"/{NEW}/" in call
    ]
    assert stage.struck(KILL, Moment(removals[1], after=False)) is not None
    shutil.rmtree(machine.layout.version_folder(NEW))
    assert machine.wasp("version").code == 127
    machine.run("use", NEW).failed(NOT_INSTALLED)
    assert machine.layout.versions() == []
    stage.reset()


# --- Signals of others ---------------------------------------------------------------------------


def test_a_program_that_calls_the_installer_keeps_its_signals(tmp_path: Path) -> None:
    archive = tmp_path / "wasp.tgz"
    archive.write_bytes(small_package(NEW).npm_archive())
    options = Options(prefix="/usr", destdir=str(tmp_path / "stage"), from_file=str(archive))
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    InstallerRun(options, Console(quiet=True)).execute()
    assert [signal.getsignal(number) for number in numbers] == before
