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

from tests.support.frontends import PYTHON, FrontEnd
from tests.support.machines import MachineRoom, Run
from tests.support.scale import Scale
from tests.support.system_calls import Moment, Tracer
from tests.support.trees import picture
from tests.torture.conftest import Tally
from tests.torture.stages import CASES, Picture, Scenario, Stage, differences

AREA = "Kill"


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

    def __str__(self) -> str:
        return f"{self.number.name} to the {self.target}"


KILL = Strike(signal.SIGKILL, "group")
STRIKES = (
    KILL,
    Strike(signal.SIGKILL, "process in the call"),
    # As a terminal does for Ctrl-C, as `kill` and most supervisors do, and as a terminal that goes.
    Strike(signal.SIGINT, "group"),
    Strike(signal.SIGTERM, "getter"),
    Strike(signal.SIGHUP, "group"),
)


def complaints(
    stage: Stage, goal: Picture, strike: Strike, run: Run, found: Picture
) -> Iterator[str]:
    """What is wrong with what a run left that met a signal."""
    yield from stage.complaints(goal, found)
    if run.code == -signal.SIGKILL:
        return
    left = [name for name in found if "staging" in name]
    if strike.number != signal.SIGKILL:
        # It has done all, or nothing but the first of its two steps.
        left += map(str, [*stage.machine.temporary.iterdir(), *stage.machine.here.iterdir()])
        left += differences(goal, found) if run.code == 0 else stage.changed(goal, found)
        if run.code not in (0, 128 + strike.number):
            yield f"wrong exit code: {run}"
    if left:
        yield f"not right at once: {left}\n{run}"


def chosen_moments(calls: list[str], strike: Strike, scale: Scale, seed: str) -> list[Moment]:
    """Others for each scenario, where they are not all tried; most at what others can see."""
    moments = [Moment(number, after) for number in range(len(calls)) for after in (False, True)]
    random.Random(f"{seed} {strike}").shuffle(moments)
    if strike != KILL:
        return scale.sample(moments, 1)
    seen = [
        moment
        for moment in moments
        if any("staging" not in path for path in calls[moment.number].split()[1:])
    ]
    others = [moment for moment in moments if moment not in seen]
    return [*scale.sample(seen, 3), *scale.sample(others, 1)]


@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("scenario", "front_end"), CASES, ids=str)
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
    assert not problems, "\n".join(problems)
    assert counts
    getter = "install.py" if front_end is PYTHON else "install.sh"
    for strike, count in counts.items():
        tally(AREA, f"{strike}, {getter}", count)
