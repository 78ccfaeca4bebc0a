"""Many runs at once, of both getters, and two runs that meet at every moment.

What is shared is changed by one run at a time. Every one of them ends as documented, what is left
is whole, the launcher starts a version that is there, and nothing else is left.
"""

from __future__ import annotations

import itertools
import random
import subprocess
from collections.abc import Iterator, Sequence

import pytest

from tests.manager.homes import with_line
from tests.support.frontends import PYTHON, SHELLS, FrontEnd
from tests.support.machines import Background, MachineRoom, Run
from tests.support.scale import Scale, scale_from_environment
from tests.support.system_calls import Moment
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
)

pytestmark = pytest.mark.timeout(3600)

AREA = "Crowds"
CROWD = 16
SCALE = scale_from_environment()
WITH_LINE = with_line(".bashrc", BASHRC)


def complaints(stage: Stage, runs: Sequence[tuple[str, Run]]) -> Iterator[str]:
    """What is wrong with how these commands ended, and with what they left together."""
    layout, home = stage.layout, stage.machine.home
    for command, run in runs:
        # Others may remove versions meanwhile.
        allowed = (0,) if command in ("list", "uninstall --yes") else (0, NOT_INSTALLED)
        if run.code not in allowed or (run.code == 0 and "error:" in run.stderr):
            yield f"{command}: {run}"
    left = [*layout.staging(), *home.glob(".wasp-staging-*"), *layout.share.glob(".turn*")]
    if left:
        yield f"left: {left}"
    bashrc = (home / ".bashrc").read_bytes()
    if bashrc not in (BASHRC, WITH_LINE):
        yield f".bashrc is {bashrc!r}"
    if layout.versions():
        yield from stage.whole()
        beside = ("env.sh", "telemetry_ping.py", "wasp-installer.sh", "completions/_wasp")
        files = [layout.launcher, *(layout.share / name for name in beside)]
        yield from (f"no {file}" for file in files if not file.is_file())
    else:
        files = [path for path in layout.prefix.rglob("*") if not path.is_dir()]
        if files:
            yield f"no version is there, but {files}"


# --- Crowds --------------------------------------------------------------------------------------


def test_a_crowd(machines: MachineRoom, scale: Scale, tally: Tally) -> None:
    """All of them start before one of them has ended, of both getters in turn."""
    rounds = scale.times(1, most=60)
    stage = Stage(machines.build(DASH), Scenario("list"))
    verbs = ("install", "install", "use", "uninstall")
    commands = [f"{verb} {version}" for verb in verbs for version in VERSIONS]
    commands += ["uninstall --yes"] * 2 + ["list"] * 2
    for number in range(rounds):
        crowd = random.Random(number).sample(commands, CROWD)
        running = []
        getters = itertools.cycle([PYTHON, SHELLS[number % len(SHELLS)]])
        for command, front_end in zip(crowd, getters):
            argv = stage.command_line(front_end, command)
            running.append((command, Background(argv, stage.machine.start_program(argv))))
        found = list(complaints(stage, [(command, run.result()) for command, run in running]))
        assert not found, "\n\n".join([*crowd, *found])
        stage.reset()
    tally(AREA, f"Crowds of {CROWD} runs of any command", rounds)


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
#: How long a run is waited for that may be waiting itself.
PATIENCE_S = 5.0


def meeting(stage: Stage, moment: int, meanwhile: str) -> Iterator[str]:
    """A run stands still before one of its calls while another goes from start to end.

    Tells what is wrong after both have ended, the other of them first where it can.
    """
    stage.reset()
    front_end = DASH if stage.machine.front_end is PYTHON else PYTHON
    argv = stage.command_line(front_end, meanwhile)
    started: list[Background] = []

    def strike(*_: object) -> None:
        process = stage.machine.start_program(argv)
        started.append(Background(argv, process))
        # It waits for its turn where the stopped one has it.
        try:
            process.wait(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            return

    tracer, run = stage.traced(Moment(moment, False), strike)
    runs = [(stage.scenario.command, run), *((meanwhile, one.result()) for one in started)]
    found = complaints(stage, runs)
    return (f"{meanwhile} before {tracer.calls[-1]}: {text}" for text in found)


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
    stage = Stage(machines.build(front_end), scenario)
    moments = shared_moments(stage.traced()[0].calls)
    tried = scale.sample(list(itertools.product(MEANWHILE, moments)), 3)
    for meanwhile, moment in tried:
        found = list(meeting(stage, moment, meanwhile))
        assert not found, "\n\n".join(found)
    tally(AREA, "Moments of one run at which another ran", len(tried))
