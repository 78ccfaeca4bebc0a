"""A week of use by many machines: what is promised of events, and the load that they make."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Sequence

import pytest

import telemetry_ping as ping
from benchmarks import load
from benchmarks.load import HOUR, Attempt, Kind, Load, Memory, Outcome, Use
from tests.support.scale import Scale
from tests.torture.tallies import Figure, Tally

pytestmark = pytest.mark.timeout(1800)

AREA = "Telemetry load"
SEED = 1


def check_promise(made: Sequence[Attempt]) -> None:
    """In any 12 hours at most one event of each kind from a project, and so two in all."""
    last: dict[tuple[str, bool], Attempt] = {}
    arrived: defaultdict[str, list[int]] = defaultdict(list)
    for attempt in made:
        event = attempt.use.project, attempt.is_build
        before = last.get(event)
        if before is not None:
            failed = before.outcome in (Outcome.REFUSED, Outcome.OFFLINE)
            assert attempt.use.at - before.use.at > (1 if failed else 12) * HOUR
        last[event] = attempt
        if attempt.outcome in (Outcome.TAKEN, Outcome.SILENCE):
            arrived[attempt.use.project].append(attempt.use.at)
    for times in arrived.values():
        assert all(third - first > 12 * HOUR for first, third in zip(times, times[2:]))


def check_deploys(life: Sequence[Use], made: Sequence[Attempt], store: Memory) -> int:
    """The keywords of each deploy are in the project's next event; how many there were."""
    count = 0
    waiting: defaultdict[str, str] = defaultdict(str)
    by_use = {id(attempt.use): attempt for attempt in made}
    for use in life:
        keywords = ping.deploy_keywords(use.arguments)
        count += bool(keywords)
        waiting[use.project] = keywords or waiting[use.project]
        attempt = by_use.get(id(use))
        if attempt is not None:
            told = json.loads(attempt.body)["properties"]["deploy_cmd_args"]
            assert told == waiting[use.project]
            if attempt.outcome in (Outcome.TAKEN, Outcome.SILENCE):
                waiting[use.project] = ""
    for project, keywords in waiting.items():
        assert ping.Invocation([], "", project, store).state().deploy == keywords
    return count


def test_a_week_of_many_machines(scale: Scale, tally: Tally, figure: Figure) -> None:
    machines = scale.times(3500, most=10_000)
    loads = {scenario.name: Load() for scenario in load.SCENARIOS}
    kinds: Counter[Kind] = Counter()
    uses = deploys = 0
    for number in range(machines):
        machine = load.machine(SEED, number)
        kinds[machine.kind] += 1
        for count, life in enumerate(machine.lives()):
            uses += len(life)
            for scenario in load.SCENARIOS:
                store = Memory(f"{number} {count}")
                made = load.attempts(life, store, scenario)
                check_promise(made)
                deploys += check_deploys(life, made, store)
                loads[scenario.name].add(made, machine.kind)
    check_load(loads)
    figure("Telemetry load at a million users", load.table(loads, kinds[Kind.USER]))
    figure("telemetry-load.svg", load.chart(loads, kinds[Kind.USER]))
    events = sum(made.requests for made in loads.values())
    tally(AREA, "Machines, each for a week", machines)
    tally(AREA, "Calls of wasp in that week", uses)
    tally(AREA, f"Requests in {len(loads)} such weeks, with and without an outage", events)
    tally(AREA, "Deploys whose keywords were followed to the event that tells of them", deploys)


def check_load(loads: dict[str, Load]) -> None:
    usual, outage, abrupt, silence = loads.values()
    # In an outage each project tries again every hour or two, and so not without end.
    assert usual.requests < outage.requests < abrupt.requests < 2 * usual.requests
    assert max(outage.hourly()) < max(abrupt.hourly()) < 4 * max(usual.hourly())
    # Two hours after it, nothing of it is left.
    after = slice(load.OUTAGE.stop // HOUR + 2, load.OUTAGE.stop // HOUR + 24)
    assert sum(outage.hourly()[after]) < 1.1 * sum(usual.hourly()[after])
    # What is certainly not delivered is told later; what may have been is not told twice.
    assert outage.lost < silence.lost
    assert silence.requests <= usual.requests
