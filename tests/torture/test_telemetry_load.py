"""A week of use by many machines, and the load that they make; tests/telemetry has the pauses."""

from __future__ import annotations

from collections import Counter

import pytest

from benchmarks import load
from benchmarks.load import HOUR, Kind, Load, Memory
from tests.support.scale import Scale
from tests.torture.conftest import Figure, Tally

pytestmark = pytest.mark.timeout(1800)

AREA = "Telemetry load"
SEED = 1


def test_a_week_of_many_machines(scale: Scale, tally: Tally, figure: Figure) -> None:
    machines = scale.times(3500, most=10_000)
    loads = {scenario.name: Load() for scenario in load.SCENARIOS}
    kinds: Counter[Kind] = Counter()
    uses = 0
    for number in range(machines):
        machine = load.machine(SEED, number)
        kinds[machine.kind] += 1
        for count, life in enumerate(machine.lives()):
            uses += len(life)
            for scenario in load.SCENARIOS:
                made = load.attempts(life, Memory(f"{number} {count}"), scenario)
                loads[scenario.name].add(made, machine.kind)
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
    figure("Telemetry load at a million users", load.table(loads, kinds[Kind.USER]))
    figure("telemetry-load.svg", load.chart(loads, kinds[Kind.USER]))
    tally(AREA, "Machines, each for a week", machines)
    tally(AREA, "Calls of wasp in that week", uses)
    requests = sum(made.requests for made in loads.values())
    tally(AREA, f"Requests in {len(loads)} such weeks, with and without an outage", requests)
