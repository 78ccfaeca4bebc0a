"""Many runs at once, of both getters, and two runs that meet at every moment.

What is shared is changed by one run at a time. Every one of them ends as documented, what is left
is whole, the launcher starts a version that is there, and nothing else is left.
"""

from __future__ import annotations

import itertools
import random
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import pytest

from tests.support.frontends import PYTHON, SHELLS, FrontEnd
from tests.support.machines import Background, MachineRoom, Run
from tests.support.scale import Scale, scale_from_environment
from tests.support.skips import need, need_root
from tests.support.system_calls import Moment
from tests.support.toolboxes import real_tool
from tests.support.trees import picture
from tests.torture.conftest import Tally
from tests.torture.stages import (
    BASHRC,
    DASH,
    NEW,
    NOT_INSTALLED,
    OLD,
    OLDER,
    VERSIONS,
    Scenario,
    Stage,
    half_versions,
)

pytestmark = pytest.mark.timeout(3600)

AREA = "Crowds"
CROWD = 16
SCALE = scale_from_environment()
Ended = tuple[str, Run]


def complaints(stage: Stage, runs: Sequence[Ended]) -> Iterator[str]:
    """What is wrong with how these commands ended, and with what they left together."""
    layout, home = stage.layout, stage.machine.home
    for command, run in runs:
        if run.code not in documented(command) or (run.code == 0 and "error:" in run.stderr):
            yield f"{command}: {run}"
    yield from half_versions(stage.machine)
    left = [*layout.staging(), *home.glob(".wasp-staging-*"), *layout.share.glob(".turn*")]
    if left:
        yield f"left: {left}"
    bashrc = (home / ".bashrc").read_bytes()
    if bashrc not in (BASHRC, WITH_LINE):
        yield f".bashrc is {bashrc!r}"
    if layout.versions():
        yield from stage.launcher_complaints()
        beside = ("env.sh", "telemetry_ping.py", "wasp-installer.sh", "completions/_wasp")
        yield from (f"no {name}" for name in beside if not (layout.share / name).is_file())
        if not layout.launcher.exists():
            yield f"there are {layout.versions()}, and no launcher"
    else:
        files = {name for name, entry in picture(layout.prefix).items() if entry.kind != "folder"}
        if files:
            yield f"no version is there, but {sorted(files)}"


_ENV = '"$HOME/.local/share/wasp-lang/env.sh"'
WITH_LINE = (
    BASHRC
    + f"\nif [ -f {_ENV} ] && [ -r {_ENV} ]; then . {_ENV}; fi".encode()
    + b" # added by the Wasp installer, with the line break before it\n"
)


def documented(command: str) -> set[int]:
    """The exit codes that a command may have while others remove versions."""
    return {0} if command in ("list", "uninstall --yes") else {0, NOT_INSTALLED}


# --- Crowds --------------------------------------------------------------------------------------


def installers_of_one_version(_: random.Random) -> list[str]:
    return [f"install {NEW}"] * CROWD


def installers_of_four_versions(_: random.Random) -> list[str]:
    return [f"install {version}" for version in VERSIONS] * (CROWD // len(VERSIONS))


def runs_of_any_command(chance: random.Random) -> list[str]:
    def one() -> str:
        version = chance.choice(VERSIONS)
        commands = [f"install {version}", f"use {version}", f"uninstall {version}"]
        return chance.choice([*commands, "uninstall --yes", "list"])

    return [one() for _ in range(CROWD)]


def at_once(stage: Stage, commands: Sequence[str], shell: FrontEnd) -> list[Ended]:
    """Starts all of them before one of them has ended, with both getters in turn."""
    running = []
    for command, front_end in zip(commands, itertools.cycle([PYTHON, shell])):
        argv = stage.command_line(front_end, command)
        running.append((command, Background(argv, stage.machine.start_program(argv))))
    return [(command, started.result()) for command, started in running]


@pytest.mark.parametrize(
    ("crowd", "most"),
    [(installers_of_one_version, 20), (installers_of_four_versions, 20), (runs_of_any_command, 60)],
)
def test_a_crowd(
    machines: MachineRoom,
    scale: Scale,
    tally: Tally,
    crowd: Callable[[random.Random], list[str]],
    most: int,
) -> None:
    rounds = scale.times(1, most=most)
    stage = Stage(machines.build(DASH), Scenario("list"))
    for number in range(rounds):
        commands = crowd(random.Random(number))
        runs = at_once(stage, commands, SHELLS[number % len(SHELLS)])
        found = list(complaints(stage, runs))
        assert not found, "\n\n".join([*commands, *found])
        if crowd is not runs_of_any_command:
            assert all(run.code == 0 for _, run in runs)
            assert stage.layout.versions() == sorted({words.split()[1] for words in commands})
            assert (stage.machine.home / ".bashrc").read_bytes() == WITH_LINE
        stage.reset()
    tally(AREA, f"Crowds of {CROWD} {crowd.__name__.replace('_', ' ')}", rounds)


# --- Two runs that meet --------------------------------------------------------------------------

INTERRUPTED = [
    (Scenario(command, installed), front_end)
    for installed, command in [
        ((), f"install {NEW}"),
        ((OLD,), f"install {NEW}"),
        ((OLD, NEW), f"install {NEW}"),
        ((NEW, OLD), f"install {NEW} --force"),
        ((OLD, NEW), f"use {NEW}"),
        ((NEW, OLD), f"uninstall {NEW}"),
        ((NEW,), f"uninstall {NEW}"),
        ((NEW, OLD), "uninstall --yes"),
    ]
    for front_end in (PYTHON, DASH)
    if front_end is DASH or command.startswith("install")
]
MEANWHILE = [
    "uninstall --yes",
    f"install {NEW}",
    f"install {NEW} --force",
    f"install {OLDER}",
    f"use {OLD}",
    f"uninstall {NEW}",
    f"uninstall {OLD}",
    "list",
]


@dataclass(frozen=True)
class Meeting:
    """A run that stands still before one of its calls while another goes from start to end.

    What comes before their command lines may put them into containers.
    """

    stage: Stage
    before_stopped: Sequence[str] = ()
    before_other: Sequence[str] = ()

    def calls(self) -> list[str]:
        argv = [*self.before_stopped, *self.stage.argv]
        return self.stage.traced(argv=argv)[0].calls

    def at(self, number: int, meanwhile: str) -> Iterator[str]:
        """What is wrong after both have ended, the other of them first where it can."""
        stage, front_end = self.stage, self.stage.machine.front_end
        stage.reset()
        command = stage.command_line(DASH if front_end is PYTHON else PYTHON, meanwhile)
        other = [*self.before_other, *command]
        started: list[Background] = []

        def strike(*_: object) -> None:
            process = stage.machine.start_program(other)
            started.append(Background(other, process))
            # It waits for its turn where the stopped one has it.
            try:
                process.wait(timeout=PATIENCE_S)
            except subprocess.TimeoutExpired:
                return

        argv = [*self.before_stopped, *stage.argv]
        tracer, run = stage.traced(Moment(number, False), strike, argv=argv)
        runs = [(stage.scenario.command, run), *((meanwhile, one.result()) for one in started)]
        found = complaints(stage, runs)
        return (f"{meanwhile} before {tracer.calls[-1]}: {text}" for text in found)


#: How long a run is waited for that may be waiting itself.
PATIENCE_S = 5.0


def shared_moments(calls: list[str]) -> list[int]:
    """The calls that other runs can tell of, and the first of those in between, in its staging."""
    own = [".staging/" in call and not call.startswith("rename") for call in calls]
    return [
        number for number in range(len(calls)) if not (number and own[number - 1] and own[number])
    ]


@pytest.mark.parametrize(("scenario", "front_end"), SCALE.sample(INTERRUPTED, 4), ids=str)
def test_two_runs_that_meet(
    machines: MachineRoom, scale: Scale, tally: Tally, scenario: Scenario, front_end: FrontEnd
) -> None:
    meeting = Meeting(Stage(machines.build(front_end), scenario))
    meetings = list(itertools.product(MEANWHILE, shared_moments(meeting.calls())))
    tried = scale.sample(meetings, 3)
    found = [text for meanwhile, number in tried for text in meeting.at(number, meanwhile)]
    assert not found, "\n\n".join(found)
    tally(AREA, "Moments of one run at which another ran", len(tried))


def container() -> list[str]:
    """What comes before a command line so that it runs as the first process of a container.

    With the files and the name of this machine, but with process ids of its own.
    """
    need_root("a container")
    command = [str(real_tool("unshare")), "--pid", "--fork", "--mount-proc"]
    tried = subprocess.run([*command, "true"], capture_output=True, text=True, check=False)
    need(tried.returncode == 0, f"no containers here: {tried.stderr.strip()}")
    return command


@pytest.mark.parametrize(
    ("front_end", "both"),
    SCALE.sample(list(itertools.product([PYTHON, DASH], [False, True])), 2),
    ids=str,
)
def test_containers_that_share_a_folder(
    machines: MachineRoom, scale: Scale, tally: Tally, front_end: FrontEnd, both: bool
) -> None:
    """Neither takes what the other is about to install for left behind by a run that was killed."""
    stage = Stage(machines.build(front_end), Scenario(f"install {NEW}", (OLD,)))
    meeting = Meeting(stage, container() if both else (), container())
    tried = scale.sample(range(len(meeting.calls())), 2)
    for number in tried:
        found = list(meeting.at(number, f"install {OLDER}"))
        assert not found, "\n\n".join(found)
        assert {OLDER, OLD, NEW} <= set(stage.layout.versions())
    tally(AREA, "Moments of a run at which another ran in another container", len(tried))
