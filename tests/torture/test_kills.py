"""Ended by a signal at any call that changes a file: what was there works, and nothing is left.

A run without a signal records these calls. Then the same run meets a signal right before or right
after one of them, and one more run without a signal must end as the first did.
"""

from __future__ import annotations

import os
import random
import signal
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.support.frontends import BY_NAME, PYTHON, FrontEnd
from tests.support.machines import MachineRoom, Run
from tests.support.scale import Scale, scale_from_environment
from tests.support.system_calls import Moment, Tracer
from tests.support.trees import picture
from tests.torture.conftest import Tally
from tests.torture.stages import (
    CASES,
    DASH,
    NEW,
    NOT_INSTALLED,
    Picture,
    Scenario,
    Stage,
    differences,
)

AREA = "Kill"
# A shell makes about a hundred calls in an install, so the other shells are for longer runs.
OTHERS = scale_from_environment().sample([DASH, BY_NAME["bash"], BY_NAME["busybox"]], 1)[1:]


@dataclass(frozen=True)
class Strike:
    """A signal, and who gets it: the whole group, the getter alone, or the process in the call."""

    number: signal.Signals
    target: str

    def __call__(self, tracer: Tracer, thread: int) -> None:
        getter = tracer.process.pid
        if self.target == "group":
            os.killpg(getter, self.number)
        else:
            os.kill(getter if self.target == "getter" else thread, self.number)

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
    Strike(signal.SIGTERM, "getter"),
    Strike(signal.SIGHUP, "group"),
]


def complaints(
    stage: Stage, goal: Picture, strike: Strike, run: Run, found: Picture
) -> Iterator[str]:
    """What is wrong with what a run left that met a signal."""
    yield from stage.complaints(goal, found)
    yield from stage.launcher_complaints()
    if run.code == -signal.SIGKILL:
        return
    left = [name for name in found if "staging" in name]
    if left:
        yield f"left at once: {left}"
    if strike.number != signal.SIGKILL:
        yield from neither_before_nor_after(stage, goal, strike, run, found)


def neither_before_nor_after(
    stage: Stage, goal: Picture, strike: Strike, run: Run, found: Picture
) -> Iterator[str]:
    """A run that a signal ends has done nothing but the first of its two steps, or ends well."""
    elsewhere = [*stage.machine.temporary.iterdir(), *stage.machine.here.iterdir()]
    if elsewhere:
        yield f"left elsewhere: {elsewhere}"
    expected = {128 + strike.number: stage.before, 0: goal}.get(run.code)
    if expected is None:
        yield f"wrong exit code: {run}"
    elif found != expected and not (run.code and stage.is_between(goal, found)):
        yield f"exit code {run.code}, and not right: {differences(expected, found)}"


def chosen_moments(calls: list[str], strike: Strike, scale: Scale, seed: str) -> list[Moment]:
    """Others for each scenario, where they are not all tried; most at what others can see."""
    moments = strike.moments(len(calls))
    random.Random(f"{seed} {strike}").shuffle(moments)
    if strike != KILL:
        return scale.sample(moments, 1)
    seen = [moment for moment in moments if is_seen(calls[moment.number])]
    others = [moment for moment in moments if moment not in seen]
    return [*scale.sample(seen, 3), *scale.sample(others, 1)]


def is_seen(call: str) -> bool:
    """It changes more than what is staged."""
    return any("staging" not in path for path in call.split()[1:])


@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    ("scenario", "front_end"),
    [*CASES, *((scenario, other) for other in OTHERS for scenario, dash in CASES if dash is DASH)],
    ids=str,
)
def test_a_signal_at_a_call_that_changes_a_file(
    machines: MachineRoom, scale: Scale, tally: Tally, scenario: Scenario, front_end: FrontEnd
) -> None:
    stage = Stage(machines.build(front_end), scenario)
    goal, calls = stage.undisturbed()
    counts: Counter[Strike] = Counter()
    gone_on_from: set[frozenset[str]] = set()
    problems: list[str] = []
    for strike in STRIKES:
        for moment in chosen_moments(calls, strike, scale, f"{front_end} {scenario}"):
            stage.reset()
            tracer, run = stage.traced(moment, strike)
            # What goes on beside the rest comes at another time in each run.
            if not tracer.struck:
                continue
            counts[strike] += 1
            found = picture(stage.machine.home)
            wrong = [*complaints(stage, goal, strike, run, found)]
            # From where a run has already begun, it need not begin again.
            left = frozenset(map(str, found.items()))
            if left not in gone_on_from:
                gone_on_from.add(left)
                wrong += stage.complaints_of_next_run(goal)
            when = "after" if moment.after else "before"
            call = f"{moment.number}, {tracer.calls[-1]}"
            problems += [f"{strike} {when} call {call}: {text}" for text in wrong]
    stage.reset()
    if problems:
        pytest.fail("\n".join([f"{len(problems)} problems", *problems]), pytrace=False)
    assert counts
    getter = "install.py" if front_end is PYTHON else "install.sh"
    for strike, count in counts.items():
        tally(AREA, f"{strike}, {getter}", count)


@pytest.mark.parametrize("front_end", [DASH, PYTHON], ids=str)
def test_a_version_that_is_half_removed_is_not_put_back(
    machines: MachineRoom, front_end: FrontEnd
) -> None:
    stage = Stage(machines.build(front_end), Scenario(f"install {NEW} --force", (NEW,)))
    _, calls = stage.undisturbed()
    removals = [
        number
        for number, call in enumerate(calls)
        if call.startswith(("unlink", "rmdir")) and f"/{NEW}/" in call
    ]
    stage.reset()
    tracer, _ = stage.traced(Moment(removals[1], after=False), KILL)
    assert tracer.struck
    (stage.layout.version_folder(NEW)).rename(stage.machine.root / "gone")
    assert stage.machine.wasp("version").code == 127
    stage.machine.run_program(DASH.argv("use", NEW)).failed(NOT_INSTALLED)
    assert stage.layout.versions() == []
    stage.reset()
