"""A week of use by many machines, and the load that it brings to the collector.

Clock and network are made up; what decides is telemetry_ping itself, for each command anew. The
habits of people are assumptions, all of them in this file; no number here was taken from users.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import itertools
import random
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from statistics import median
from typing import IO, Any, Callable, Generic, NamedTuple, TypeVar

import telemetry_ping as ping
from benchmarks.pages import markdown_table
from benchmarks.plot import Line, line_chart

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WEEK = 7 * DAY
MILLION = 1_000_000
# A Monday, 00:00 UTC: 2026-11-02.
BEGIN = 1_793_577_600

Choice = TypeVar("Choice")


class Weighted(Generic[Choice]):
    """Choices, each as likely as its weight says."""

    def __init__(self, weights: Mapping[Choice, float]) -> None:
        self._choices = list(weights)
        self._sums = list(itertools.accumulate(weights.values()))

    def drawn(self, chance: random.Random) -> Choice:
        return chance.choices(self._choices, cum_weights=self._sums)[0]


# Of all machines. The others are of people, and so the users.
RUNNERS_SHARE = 0.03
PIPELINES_SHARE = 0.12

# Hours that local clocks are ahead of UTC, and how many live by them.
ZONES = Weighted({-8: 10, -5: 20, -3: 8, 0: 10, 1: 22, 2: 7, 5.5: 11, 8: 12})
WORKS_ON_WEEKDAY = 0.6
WORKS_ON_WEEKEND = 0.2
STARTS_AT, STARTS_SPREAD = 9.5 * HOUR, 1.5 * HOUR
SESSIONS = (1, 2, 2, 3)
BURSTS_IN_SESSION = 8
BURST = (1, 2, 3, 4, 8)
BETWEEN_BURSTS = 10 * MINUTE
OFFLINE = 0.04
COMMANDS = Weighted[tuple[str, ...]](
    {
        ("start",): 40,
        ("compile",): 15,
        ("db", "migrate-dev"): 14,
        ("test",): 8,
        ("version",): 6,
        ("clean",): 6,
        ("build",): 7,
        ("build", "start"): 1,
        ("deploy", "fly", "deploy"): 2,
        ("deploy", "railway", "launch"): 1,
    }
)

PUSHES_A_DAY = 3
NIGHTLY_SHARE = 0.35
HOURLY_SHARE = 0.05
NIGHTLY_HOURS = Weighted({0: 5, 1: 1, 2: 2, 3: 2, 4: 1, 6: 1})
CI_RUN: tuple[tuple[str, ...], ...] = (("version",), ("compile",), ("build",))
CI_DEPLOYS = 0.2


class Use(NamedTuple):
    """One call of `wasp`."""

    at: int
    project: str
    arguments: tuple[str, ...]
    online: bool = True


class Outcome(Enum):
    """What comes of an attempt to send an event."""

    TAKEN = "taken"
    REFUSED = "refused"
    #: The connection stands, and then nothing more comes.
    SILENCE = "silence"
    OFFLINE = "offline"


class Attempt(NamedTuple):
    use: Use
    body: bytes
    outcome: Outcome

    @property
    def is_build(self) -> bool:
        return ping.is_build(self.use.arguments)


@dataclass(frozen=True)
class Scenario:
    """A week in which the collector takes all events, but for an outage that has this outcome.

    Unless `spreads`, who failed may come back after the same time in all projects.
    """

    name: str
    outage: range = range(0)
    outcome: Outcome = Outcome.REFUSED
    spreads: bool = True

    def outcome_of(self, use: Use) -> Outcome:
        if not use.online:
            return Outcome.OFFLINE
        return self.outcome if use.at in self.outage else Outcome.TAKEN


# From the afternoon of Tuesday to that of Wednesday, as its end is then met by the most users.
OUTAGE = range(DAY + 15 * HOUR, 2 * DAY + 15 * HOUR)
SILENCE = Scenario("a day of silence", OUTAGE, Outcome.SILENCE)
SCENARIOS = (
    Scenario("as usual"),
    Scenario("a day's outage", OUTAGE),
    Scenario("the same, without the spread", OUTAGE, spreads=False),
    SILENCE,
)


# --- who uses Wasp, and when ----------------------------------------------------------------------


class Kind(Enum):
    USER = "user"
    #: A machine of somebody's own for continuous integration, which keeps its cache.
    RUNNER = "runner"
    #: Continuous integration in a new container for each run, which has none.
    PIPELINE = "pipeline"


@dataclass(frozen=True)
class Machine:
    """All uses of a machine in a week; with the same seed and number always the same."""

    kind: Kind
    chance: random.Random

    def lives(self) -> Iterator[list[Use]]:
        """The uses between which what is kept on the machine lasts, in order of time."""
        if self.kind is Kind.USER:
            yield sorted(self._use_of_person())
            return
        runs = sorted(self._starts_of_runs())
        if self.kind is Kind.PIPELINE:
            yield from (self._run(start, "/build/app") for start in runs)
        else:
            choices = ["/srv/one", "/srv/two", "/srv/three"]
            yield sorted(
                use for start in runs for use in self._run(start, self.chance.choice(choices))
            )

    def _use_of_person(self) -> Iterator[Use]:
        chance = self.chance
        zone = ZONES.drawn(chance)
        projects = [f"/home/me/{name}" for name in range(1 + min(4, int(chance.expovariate(1.2))))]
        for day in range(-1, 8):
            works = WORKS_ON_WEEKDAY if day % 7 < 5 else WORKS_ON_WEEKEND
            if chance.random() > works:
                continue
            at = day * DAY - zone * HOUR + chance.gauss(STARTS_AT, STARTS_SPREAD)
            for _ in range(chance.choice(SESSIONS)):
                project = projects[min(int(chance.expovariate(1)), len(projects) - 1)]
                online = chance.random() > OFFLINE
                for _ in range(1 + int(chance.expovariate(1 / BURSTS_IN_SESSION))):
                    at += chance.expovariate(1 / BETWEEN_BURSTS)
                    for _ in range(chance.choice(BURST)):
                        at += chance.uniform(1, 60)
                        if 0 <= at < WEEK:
                            yield Use(int(at), project, COMMANDS.drawn(chance), online)
                at += chance.uniform(0.5, 3) * HOUR

    def _starts_of_runs(self) -> Iterator[float]:
        chance = self.chance
        zone = ZONES.drawn(chance)
        for day in range(-1, 8):
            pushes = PUSHES_A_DAY if day % 7 < 5 else PUSHES_A_DAY / 5
            for _ in range(int(chance.expovariate(1 / pushes))):
                yield day * DAY - zone * HOUR + chance.gauss(14 * HOUR, 3 * HOUR)
        schedule = chance.random()
        if schedule < HOURLY_SHARE:
            yield from range(0, WEEK, HOUR)
        elif schedule < HOURLY_SHARE + NIGHTLY_SHARE:
            yield from range(NIGHTLY_HOURS.drawn(chance) * HOUR, WEEK, DAY)

    def _run(self, start: float, project: str) -> list[Use]:
        """The commands of a run, once its machine is there and has what it needs."""
        commands = list(CI_RUN)
        if self.chance.random() < CI_DEPLOYS:
            commands.append(("deploy", "fly", "deploy"))
        at = start + 15 + self.chance.expovariate(1 / 40)
        found = []
        for command in commands:
            at += self.chance.uniform(1, 40)
            if 0 <= at < WEEK:
                found.append(Use(int(at), project, command))
        return found


def machine(seed: int, number: int) -> Machine:
    """The machine of this number in the population of this seed."""
    chance = random.Random(f"{seed} {number}")  # noqa: S311 - to be the same each time
    drawn = chance.random()
    if drawn < RUNNERS_SHARE:
        return Machine(Kind.RUNNER, chance)
    return Machine(Kind.PIPELINE if drawn < RUNNERS_SHARE + PIPELINES_SHARE else Kind.USER, chance)


# --- what telemetry does of it --------------------------------------------------------------------


class Memory(ping.Store):
    """What is kept on a machine of this name, without a disk; nobody else is there."""

    def __init__(self, name: str) -> None:
        super().__init__("")
        secret = hashlib.sha256(name.encode()).digest()
        self._files = {"secret": secret, "signature": str(uuid.UUID(bytes=secret[:16])).encode()}
        self._hashes: dict[str, str] = {}

    def project_hash(self, project: str) -> str:
        if project not in self._hashes:
            self._hashes[project] = super().project_hash(project)
        return self._hashes[project]

    def lock(self, *_: Any, **__: Any) -> IO[bytes]:
        return io.BytesIO()

    def read(self, name: str, limit: int = 1024) -> bytes:
        return self._files.get(name, b"")[:limit]

    def write(self, name: str, content: bytes) -> None:
        self._files[name] = content


class Invocation(ping.Invocation):
    """One call of `wasp`; unless it `spreads`, all projects that failed wait equally long."""

    def __init__(self, use: Use, store: ping.Store, spreads: bool) -> None:
        super().__init__(use.arguments, "0.25.0", use.project, store)
        self._spreads = spreads

    def state(self) -> ping.State:
        state = super().state()
        if not self._spreads:
            state.spread = 0
        return state


def attempts(life: Sequence[Use], store: ping.Store, scenario: Scenario) -> list[Attempt]:
    """What the calls of `wasp` in one life of a machine send."""
    made = (_attempt(use, store, scenario) for use in life)
    return [attempt for attempt in made if attempt is not None]


def _attempt(use: Use, store: ping.Store, scenario: Scenario) -> Attempt | None:
    invocation = Invocation(use, store, scenario.spreads)
    now = BEGIN + use.at
    if not invocation.is_due(now):
        return None
    outcome = scenario.outcome_of(use)
    bodies: list[bytes] = []

    def ask(_url: str, body: str, when_connected: Callable[[], None]) -> tuple[int, bytes]:
        bodies.append(body.encode("ascii"))
        if outcome is Outcome.OFFLINE:
            raise OSError("no network")
        when_connected()
        if outcome is Outcome.SILENCE:
            raise TimeoutError("no answer")
        return (200 if outcome is Outcome.TAKEN else 503), b""

    with contextlib.suppress(OSError):
        invocation.send(lambda: now, ask)
    return Attempt(use, bodies[0], outcome) if bodies else None


# --- what that makes ------------------------------------------------------------------------------


@dataclass
class Load:
    """What arrives at the collector in a week, and what becomes of the events."""

    #: By minute.
    arrivals: list[int] = field(default_factory=lambda: [0] * (WEEK // MINUTE))
    body_bytes: int = 0
    taken: int = 0
    #: Of events that came, but not at the first attempt: after how many seconds.
    delays: list[int] = field(default_factory=list)
    lost: int = 0
    #: Events whose attempts have all failed, on machines that will try again.
    waiting: int = 0

    def add(self, made: Sequence[Attempt], kind: Kind) -> None:
        """All attempts of one life of a machine, in order of time."""
        failing: dict[tuple[str, bool], int] = {}
        for attempt in made:
            at, event = attempt.use.at, (attempt.use.project, attempt.is_build)
            if attempt.outcome is not Outcome.OFFLINE:
                self.arrivals[at // MINUTE] += 1
                self.body_bytes += len(attempt.body)
            if attempt.outcome is Outcome.TAKEN:
                self.taken += 1
                if event in failing:
                    self.delays.append(at - failing.pop(event))
            elif attempt.outcome is Outcome.SILENCE:
                self.lost += 1
                failing.pop(event, None)
            else:
                failing.setdefault(event, at)
        if kind is Kind.PIPELINE:
            self.lost += len(failing)
        else:
            self.waiting += len(failing)

    @property
    def requests(self) -> int:
        return sum(self.arrivals)

    def hourly(self) -> list[int]:
        return [sum(self.arrivals[at : at + 60]) for at in range(0, len(self.arrivals), 60)]

    def hour_over_mean(self) -> float:
        return max(self.hourly()) * len(self.hourly()) / self.requests

    def minute_over_mean(self) -> float:
        return max(self.arrivals) * len(self.arrivals) / self.requests


def chart(loads: Mapping[str, Load], users: int) -> str:
    """The requests of a week by the hour, at the scale of a million users."""
    scale = MILLION / users / HOUR
    lines = [
        Line(name, [count * scale for count in load.hourly()])
        for name, load in loads.items()
        # Silence changes nothing of what arrives.
        if name != SILENCE.name
    ]
    days = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
    marks = [(number * 24 + 12, day) for number, day in enumerate(days)]
    outage = (OUTAGE.start / HOUR, OUTAGE.stop / HOUR, "outage")
    title = "Requests a second at a million users, mean of each hour (UTC)"
    return line_chart(title, lines, marks, outage)


def table(loads: Mapping[str, Load], users: int) -> str:
    """The figures of a simulation, at the scale of a million users."""
    scale = MILLION / users
    rows: list[tuple[str, Callable[[Load], str]]] = [
        ("Requests a second, mean", lambda load: f"{load.requests / WEEK * scale:.0f}"),
        ("… in the busiest hour", lambda load: f"{max(load.hourly()) / HOUR * scale:.0f}"),
        ("… in the busiest minute", lambda load: f"{max(load.arrivals) / MINUTE * scale:.0f}"),
        ("Busiest hour over mean", lambda load: f"{load.hour_over_mean():.1f}"),
        ("Busiest minute over mean", lambda load: f"{load.minute_over_mean():.1f}"),
        ("Bytes of an event", lambda load: f"{load.body_bytes / load.requests:.0f}"),
        ("Events that came, in thousands", lambda load: f"{load.taken * scale / 1000:.0f}"),
        ("… of them late", lambda load: f"{len(load.delays) * scale / 1000:.0f}"),
        (
            "… late by so many hours, median",
            lambda load: f"{median(load.delays or [0]) / HOUR:.1f}",
        ),
        ("Events lost, in thousands", lambda load: f"{load.lost * scale / 1000:.0f}"),
        ("Events still to come, in thousands", lambda load: f"{load.waiting * scale / 1000:.0f}"),
    ]
    return markdown_table(
        ["A million users, one week", *loads],
        [[name, *map(figure, loads.values())] for name, figure in rows],
    )
