"""The queries of docs/telemetry-team.md, as they stand there, on events whose numbers are known.

A made-up population works for some weeks. Its commands go through telemetry_ping, which decides
what is sent, or send what wasp-bin 0.25.0 sends by itself; what is true is counted beside that,
from the commands themselves.
"""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import json
import os
import random
import re
import sys
import types
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar
from unittest import mock

import duckdb
import pytest

import telemetry_ping

DOCUMENT: Final = Path(__file__, "../../../docs/telemetry-team.md").resolve().read_text("utf-8")
QUERIES: Final[dict[str, str]] = dict(
    re.findall(r"^#+ ([^\n]+)\n+```sql\n(.*?)^```", DOCUMENT, re.DOTALL | re.MULTILINE)
)
#: A comparison that could be left out.
CONDITION: Final = re.compile(
    r"NOT match\(.*'\)|(?<!NOT )(?<=AND )match\(.*'\)$|event = '[^']+'|notEmpty\([^)]+\)"
    r"|event IN \([^)]+\)|toString\(properties\.is_build\) IN \('true', '1'\)"
    r"|toDate\(timestamp\) > [^)]*\)\) - INTERVAL \d+ DAY|(?<=WHERE )toStartOfWeek.*DAY",
    re.MULTILINE,
)
PAGE: Final = Path(__file__, "../../../docs/telemetry.md").resolve().read_text("utf-8")

Day = datetime.date
Rows = list[tuple[Any, ...]]
Database = duckdb.DuckDBPyConnection
K = TypeVar("K")
V = TypeVar("V")

NOW: Final = datetime.datetime.fromisoformat("2026-03-18 15:00:00")
TODAY: Final = NOW.date()
FIRST_DAY: Final = Day(2026, 1, 19)
DAYS: Final = [
    FIRST_DAY + datetime.timedelta(days=number) for number in range((TODAY - FIRST_DAY).days + 1)
]
THURSDAY: Final = 3

# Of one weekend, for the small worlds.
MONDAY_BEFORE, FRIDAY, SATURDAY, MONDAY_AFTER = (Day(2026, 3, day) for day in (2, 6, 7, 9))

# --- a database that understands the queries -----------------------------------------------------

# What ClickHouse has and DuckDB has not, or has with another meaning.
MACROS: Final = f"""
CREATE MACRO now() AS TIMESTAMP '{NOW}';
CREATE MACRO toDate(t) AS CAST(t AS DATE);
CREATE MACRO toStartOfMonth(t) AS CAST(date_trunc('month', t) AS DATE);
-- Odd modes begin on Monday, even ones, and so the default 0, on Sunday.
CREATE MACRO toStartOfWeek
    (t) AS CAST(date_trunc('week', t + INTERVAL 1 DAY) - INTERVAL 1 DAY AS DATE),
    (t, mode) AS CASE WHEN mode % 2 = 1 THEN CAST(date_trunc('week', t) AS DATE)
        ELSE CAST(date_trunc('week', t + INTERVAL 1 DAY) - INTERVAL 1 DAY AS DATE) END;
CREATE MACRO toStartOfInterval(t, length) AS time_bucket(length, t);
CREATE MACRO dateDiff(unit, a, b) AS date_diff(unit, a, b);
CREATE MACRO uniq(x) AS count(DISTINCT x);
CREATE MACRO uniqIf(x, condition) AS count(DISTINCT CASE WHEN condition THEN x END);
CREATE MACRO argMax(x, y) AS arg_max(x, y);
CREATE MACRO match(text, pattern) AS regexp_matches(text, pattern);
CREATE MACRO toString(x) AS CAST(x AS VARCHAR);
CREATE MACRO countIf(condition) AS count(CASE WHEN condition THEN 1 END);
CREATE MACRO notEmpty(text) AS text <> '';
CREATE MACRO splitByChar(separator, text) AS string_split(text, separator);
CREATE MACRO arrayJoin(list) AS unnest(list);
"""

TABLE: Final = """
CREATE TABLE events AS FROM read_json($file, format = 'newline_delimited', columns = {
    event: 'VARCHAR',
    distinct_id: 'VARCHAR',
    timestamp: 'TIMESTAMP',
    properties: 'STRUCT(
        os VARCHAR,
        project_hash VARCHAR,
        is_build KIND,
        deploy_cmd_args VARCHAR,
        wasp_version VARCHAR,
        context VARCHAR
    )'
})
"""


@dataclass(frozen=True)
class Typing:
    """What PostHog may make of the properties: of empty ones, and of those that are true or false.

    The latter depends on what somebody has chosen for the property in its settings.
    """

    blank: str | None = ""
    kind: str = "BOOLEAN"
    truth: tuple[Any, Any] = (False, True)

    def of(self, value: Any) -> Any:
        if isinstance(value, bool):
            return self.truth[value]
        return self.blank if value == "" else value


TYPINGS: Final = {
    "empty-boolean": Typing(),
    "null-text": Typing(None, "VARCHAR", ("false", "true")),
    "empty-number": Typing("", "UTINYINT", (0, 1)),
}


@dataclass
class Collector:
    """Keeps what it is sent as PostHog does: with the time at which it came."""

    events: list[dict[str, Any]] = field(default_factory=list)

    def receive(self, at: datetime.datetime, body: bytes) -> None:
        event = json.loads(body)
        properties = event["properties"]
        distinct_id = event.get("distinct_id") or properties.pop("distinct_id")
        kept = {"event": event["event"], "distinct_id": distinct_id, "properties": properties}
        self.events.append({**kept, "timestamp": at.isoformat(" ")})

    def database(self, folder: Path, typing: Typing = TYPINGS["empty-boolean"]) -> Database:
        """All events."""
        file = folder / f"events-{typing.kind}.jsonl"
        with file.open("w", encoding="utf-8") as output:
            for event in self.events:
                properties = {name: typing.of(value) for name, value in event["properties"].items()}
                print(json.dumps({**event, "properties": properties}), file=output)
        connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
        connection.execute(TABLE.replace("KIND", typing.kind), {"file": str(file)})
        connection.execute(MACROS)
        return connection


# --- people and their commands -------------------------------------------------------------------


@dataclass(frozen=True)
class Command:
    """What somebody typed in a project, and what is true of it."""

    arguments: tuple[str, ...]
    builds: bool = False
    keywords: str = ""


BUILD: Final = Command(("build",), builds=True)
BUILDS: Final = (BUILD, Command(("build", "--verbose"), builds=True))
OTHERS: Final = (
    Command(("start",)),
    Command(("build", "start")),
    Command(("db", "migrate-dev", "--name", "deploy")),
    Command(("version",)),
    Command(()),
)
FLY_DEPLOY: Final = Command(("deploy", "fly", "deploy"), keywords="fly;deploy")
FLY_SETUP: Final = Command(("deploy", "fly", "setup", "my-app", "mia"), keywords="fly;setup")
DEPLOYS: Final = (
    FLY_DEPLOY,
    FLY_SETUP,
    Command(("deploy", "fly", "launch", "my-app", "mia"), keywords="fly"),
    Command(("deploy", "fly", "create-db", "mia"), keywords="fly;create-db"),
    Command(("deploy", "fly", "cmd", "secrets", "list"), keywords="fly;cmd"),
    Command(("deploy", "railway", "deploy", "my-app"), keywords="deploy"),
    Command(("deploy", "railway", "launch", "my-app")),
)
CI_RUNS: Final = (
    (BUILD,),
    (Command(("version",)), BUILD),
    (FLY_DEPLOY,),
    (BUILD, FLY_SETUP),
    (Command(("version",)), FLY_DEPLOY),
)


@dataclass(frozen=True)
class Place:
    """Where somebody works: what the variables say, and what is true of it."""

    variables: tuple[tuple[str, str], ...] = ()
    context: str = ""
    is_ci: bool = False


NOWHERE_SPECIAL: Final = Place()
NAMED_LIKE_CI: Final = Place((("WASP_TELEMETRY_CONTEXT", "NO_CI"),), "NO_CI")
PLACES: Final = (
    *[NOWHERE_SPECIAL] * 9,
    Place((("CI", "false"),)),
    Place((("WASP_TELEMETRY_CONTEXT", "gitpod"),), "gitpod"),
    Place((("WASP_TELEMETRY_CONTEXT", "CI lab"),), "CI lab"),
    NAMED_LIKE_CI,
)
#: Of who has no Python, so that wasp-bin sends its own events: what it calls the place.
BARE_PLACES: Final = (
    NOWHERE_SPECIAL,
    Place(context="NON_INTERACTIVE_SHELL"),
    Place(context="gitpod NON_INTERACTIVE_SHELL"),
)
BARE_CI_PLACES: Final = (
    Place(context="CI", is_ci=True),
    Place(context="CI NON_INTERACTIVE_SHELL", is_ci=True),
    Place(context="gitpod CI NON_INTERACTIVE_SHELL", is_ci=True),
)
CI_PLACES: Final = (
    Place((("CI", "true"),), "CI", is_ci=True),
    Place((("GITHUB_ACTIONS", "true"), ("BUILD_ID", "7")), "CI", is_ci=True),
    Place((("WASP_TELEMETRY_CONTEXT", "gitpod"), ("CI", "1")), "gitpod CI", is_ci=True),
)


@dataclass(frozen=True)
class Done:
    """A command that was called: when, by whom, where."""

    at: datetime.datetime
    command: Command
    user: str
    machine: Machine
    project: str
    version: str
    is_lost: bool

    @property
    def day(self) -> Day:
        return self.at.date()


class Machine:
    """A computer with its cache; with ``user_id``, one of several that its user works on."""

    def __init__(
        self,
        world: World,
        user: str,
        place: Place = NOWHERE_SPECIAL,
        user_id: str = "",
    ) -> None:
        self.user = user
        self.place = place
        #: Whose projects are the same on all machines of one user id, and else on none.
        self._owner = user if user_id else str(len(world.machines))
        self._world = world
        self._variables = dict(place.variables) | ({USER_ID: user_id} if user_id else {})
        with mock.patch.dict(os.environ, self._variables):
            folder = world.folder / "caches" / str(len(world.machines))
            self._store = telemetry_ping.Store(str(folder / "telemetry"))
            self._store.make()
        world.machines.append(self)

    def call(
        self,
        at: datetime.datetime,
        command: Command,
        *,
        project: str = "/home/me/app",
        version: str = "0.25.0",
        is_lost: bool = False,
    ) -> None:
        """Calls ``wasp``; if ``is_lost``, no event can get through."""
        self._count(at, command, project, version, is_lost)
        whose = f"{project} of {self._owner}"
        self._world.done.append(Done(at, command, self.user, self, whose, version, is_lost))

    def _count(
        self, at: datetime.datetime, command: Command, project: str, version: str, is_lost: bool
    ) -> None:
        def ask(_url: str, body: str, when_connected: Callable[[], None]) -> tuple[int, bytes]:
            if is_lost and self._world.random.random() < 0.5:
                raise OSError("offline")
            when_connected()
            if is_lost:
                return 503, b""
            self._world.collector.receive(at, body.encode())
            return 200, b""

        now = int(at.replace(tzinfo=datetime.timezone.utc).timestamp())
        with mock.patch.dict(os.environ, self._variables), contextlib.suppress(OSError):
            invocation = telemetry_ping.Invocation(command.arguments, version, project, self._store)
            if invocation.is_due(now):
                invocation.send(lambda: now, ask)


USER_ID: Final = "WASP_TELEMETRY_USER_ID"


class BareMachine(Machine):
    """One without Python. Nobody calls wasp twice a day there, so no pause has to be remembered."""

    def _count(
        self, at: datetime.datetime, command: Command, project: str, version: str, _: bool
    ) -> None:
        properties = {
            "distinct_id": str(uuid.uuid5(uuid.NAMESPACE_OID, self.user)),
            # Of the path alone: the same for two users with the same path.
            "project_hash": hashlib.sha256(f"{project}/".encode()).hexdigest()[:16],
            "is_build": command.builds,
            "deploy_cmd_args": command.keywords,
            "wasp_version": version,
            "os": "linux",
            "context": self.place.context,
        }
        event = {"api_key": "key", "event": "cli", "properties": properties}
        self._world.collector.receive(at, json.dumps(event).encode())


class World:
    """All that happens, as it is (``done``, ``installs``) and as it is seen (``collector``)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.random = random.Random(2026)
        self.collector = Collector()
        self.machines: list[Machine] = []
        self.done: list[Done] = []
        self.installs: list[tuple[datetime.datetime, str]] = []
        self.installs_by_npm: list[tuple[datetime.datetime, str]] = []

    def install(self, at: datetime.datetime, os_name: str) -> None:
        self.installs.append((at, os_name))
        event = {**telemetry_ping.install_event(), "properties": {"os": os_name}}
        self.collector.receive(at, json.dumps(event).encode())

    def install_by_npm(self, at: datetime.datetime, os_name: str) -> None:
        """What the package of npm sends."""
        self.installs_by_npm.append((at, os_name))
        properties = {"os": os_name, "context": self.random.choice(["", " CI", "gitpod"])}
        event = {
            "event": "npm-package:postinstall",
            "distinct_id": f"{self.random.randrange(32768)}{at.timestamp() * 1000:.0f}",
            "properties": properties,
        }
        self.collector.receive(at, json.dumps(event).encode())

    def receive_something_else(self, at: datetime.datetime) -> None:
        """PostHog may be sent other events, too, with properties of the same names."""
        event = telemetry_ping.cli_event(
            distinct_id=str(self.random.random()),
            project_hash=str(self.random.random()),
            is_build=True,
            deploy_cmd_args="fly;deploy",
            wasp_version="0.25.0",
        )
        event["properties"]["context"] = self.random.choice(["", "CI"])
        self.collector.receive(at, json.dumps({**event, "event": "$pageview"}).encode())


def times(world: World, day: Day, count: int) -> list[datetime.datetime]:
    """Between 8 and 20 o'clock, so that the pauses of one day are over when the next one begins."""
    end = NOW.hour if day == TODAY else 20
    seconds = sorted(world.random.sample(range(8 * 3600, end * 3600), count))
    return [at_time(day, 0) + datetime.timedelta(seconds=number) for number in seconds]


def at_time(day: Day, hour: int) -> datetime.datetime:
    return datetime.datetime.combine(day, datetime.time(hour))


@dataclass
class Person:
    """Works on some days of some weeks, on some projects, and updates Wasp some time after others.

    What the queries cannot see, nobody does here (the tests at the end do): work at night, deploy
    twice within a pause, or deploy and not come back in the same week.
    """

    world: World
    machines: list[Machine]
    first: Day
    last: Day
    diligence: float
    days_to_update: int
    #: With the days on which they begin.
    projects: dict[str, Day]
    #: Where a deploy waits for the next event.
    waiting: set[tuple[Machine, str]] = field(default_factory=set)

    def live(self) -> None:
        for day in DAYS:
            for machine in self.machines:
                for project in self.projects:
                    if (machine, project) in self.waiting or self.has_time_for(project, day):
                        self.work(machine, project, day)

    def has_time_for(self, project: str, day: Day) -> bool:
        begin = self.projects[project]
        is_there = begin <= day <= self.last
        return day == begin or (is_there and self.world.random.random() < self.diligence)

    def work(self, machine: Machine, project: str, day: Day) -> None:
        choice = self.world.random
        age = (day - FIRST_DAY).days - self.days_to_update
        version = "0.24.0" if age < 21 else "0.25.0" if age < 42 else "0.26.0-rc1"
        was_waiting = (machine, project) in self.waiting
        self.waiting.discard((machine, project))
        if choice.random() < 0.1:
            command = choice.choice([BUILD, *OTHERS])
            early, late = times(self.world, day, 2)
            early = min(early, late - datetime.timedelta(seconds=7201))
            machine.call(early, command, project=project, version=version, is_lost=True)
            machine.call(late, command, project=project, version=version)
            return
        commands = [choice.choice(OTHERS) for _ in range(choice.randint(1, 3))]
        commands += [choice.choice(BUILDS) for _ in range(choice.choice([0, 0, 0, 1, 2]))]
        choice.shuffle(commands)
        if day.weekday() <= THURSDAY and day < TODAY and choice.random() < 0.15:
            deploy = choice.choice(DEPLOYS)
            if was_waiting or choice.random() < 0.7:
                commands.append(deploy)
                self.waiting.add((machine, project))
            else:
                commands.insert(0, deploy)
        for at, command in zip(times(self.world, day, len(commands)), commands):
            machine.call(at, command, project=project, version=version)


def populate(world: World) -> None:
    choice = world.random
    for number in range(30):
        name, place = f"person {number}", PLACES[number % len(PLACES)]
        user_id = f"id of {name}" if number % 10 == 0 else ""
        machines = [Machine(world, name, place, user_id) for _ in range(2 if user_id else 1)]
        first = choice.choice(DAYS[:-10])
        last = min(first + datetime.timedelta(days=choice.choice([0, 5, 20, 99])), DAYS[-2])
        projects = {"/home/me/app": first}
        for project in ("/home/me/blog", "/home/me/shop")[: choice.randrange(3)]:
            projects[project] = choice.choice([day for day in DAYS if first <= day <= last])
        diligence, days_to_update = choice.uniform(0.05, 0.5), choice.randrange(15)
        Person(world, machines, first, last, diligence, days_to_update, projects).live()
    populate_edges(world)
    populate_bare(world)
    lasting = Machine(world, "lasting runner", CI_PLACES[0])
    for day in DAYS:
        run_on_ci(world, day, lasting)
        for _ in range(choice.randrange(3)):
            name = f"runner {len(world.machines)}"
            run_on_ci(world, day, Machine(world, name, choice.choice(CI_PLACES)))
        for at in times(world, day, choice.randint(1, 4)):
            world.install(at, choice.choice(["linux", "linux", "osx", "windows", "Unknown"]))
        for at in times(world, day, choice.randint(1, 3)):
            world.install_by_npm(at, choice.choice(["linux", "osx"]))
        for at in times(world, day, 2):
            world.receive_something_else(at)


def populate_edges(world: World) -> None:
    """Those whom one day more or less in a query loses, or takes in."""
    for age in range(26, 33):
        machine = Machine(world, f"guest of {age} days ago", NAMED_LIKE_CI)
        for hour, command in ((10, FLY_DEPLOY), (11, BUILD)):
            machine.call(at_time(days_before_today(age), hour), command, version="0.23.0")
    for days in (6, 7, 13, 14):
        machine = Machine(world, f"back after {days} days")
        machine.call(at_time(FIRST_DAY, 9), OTHERS[0])
        machine.call(at_time(FIRST_DAY + datetime.timedelta(days), 9), OTHERS[0])


def populate_bare(world: World) -> None:
    commands = [*OTHERS, *BUILDS, *DEPLOYS]
    for number in range(9):
        machine = BareMachine(world, f"bare {number}", BARE_PLACES[number % len(BARE_PLACES)])
        for day in DAYS[number::3]:
            [at] = times(world, day, 1)
            machine.call(at, world.random.choice(commands), version="0.24.1")
    for number, day in enumerate(DAYS):
        place = BARE_CI_PLACES[number % len(BARE_CI_PLACES)]
        machine = BareMachine(world, f"bare runner {number}", place)
        [at] = times(world, day, 1)
        machine.call(at, world.random.choice([BUILD, FLY_DEPLOY, OTHERS[0]]))


def days_before_today(days: int) -> Day:
    return TODAY - datetime.timedelta(days)


def run_on_ci(world: World, day: Day, machine: Machine) -> None:
    commands = world.random.choice(CI_RUNS[:2] if machine.user == "lasting runner" else CI_RUNS)
    for at, command in zip(times(world, day, len(commands)), commands):
        machine.call(at, command, project="/build/app")


# --- what is true --------------------------------------------------------------------------------


class Truth:
    """The numbers, from what was done, without a look at what was sent."""

    def __init__(self, world: World) -> None:
        self.all = world.done
        self.people = [done for done in world.done if not done.machine.place.is_ci]
        self.installs = world.installs
        self.installs_by_npm = world.installs_by_npm

    def installs_per_day(self) -> Rows:
        ours, npms = (
            Counter(at.date() for at, _ in installs if in_last(30, at.date()))
            for installs in (self.installs, self.installs_by_npm)
        )
        return newest_first({day: (ours[day], npms[day]) for day in {*ours, *npms}})

    def installs_per_os(self) -> Rows:
        installs = [*self.installs, *self.installs_by_npm]
        return largest_first(Counter(name for at, name in installs if in_last(30, at.date())))

    def users_per_day(self) -> Rows:
        recent = [done for done in self.people if in_last(30, done.day)]
        return newest_first(count(users, by(lambda done: done.day, recent)))

    def users_per_week(self) -> Rows:
        return newest_first(count(users, by(week_of, self.people)))

    def users_per_month(self) -> Rows:
        return newest_first(count(users, by(lambda done: done.day.replace(day=1), self.people)))

    def new_and_returning(self) -> Rows:
        new: Counter[Day] = Counter()
        returning: Counter[Day] = Counter()
        for done_by_one in by(lambda done: done.user, self.people).values():
            first, *others = sorted({week_of(done) for done in done_by_one})
            new[first] += 1
            returning.update(others)
        return newest_first({week: (new[week], returning[week]) for week in {*new, *returning}})

    def second_week(self) -> Rows:
        begun: Counter[Day] = Counter()
        came_back: Counter[Day] = Counter()
        for done_by_one in by(lambda done: done.user, self.people).values():
            ages = days_since_first(done_by_one)
            week = min(week_of(done) for done in done_by_one)
            begun[week] += 1
            came_back[week] += any(age in range(7, 14) for age in ages)
        # For who began on the Sunday, the second week ends on the 19th day after the Monday.
        return newest_first(
            {
                week: (begun[week], came_back[week])
                for week in begun
                if week <= days_before_today(20)
            }
        )

    def active_days(self) -> Rows:
        recent = [done for done in self.people if in_last(28, done.day)]
        days = [
            len({done.day for done in done_by_one})
            for done_by_one in by(lambda done: done.user, recent).values()
        ]
        return sorted(Counter(days).items())

    def half_days(self) -> Rows:
        halves: dict[str, set[tuple[Day, bool]]] = defaultdict(set)
        for first in self.firsts_of_a_day(self.people):
            if in_last(28, first.day):
                halves[first.project].add((first.day, first.at.hour < 12))
        return sorted(Counter(len(of_one) for of_one in halves.values()).items())

    def versions(self) -> Rows:
        recent = sorted((done.at, done.user, done.version) for done in self.people)
        last = {user: version for at, user, version in recent if in_last(30, at.date())}
        return largest_first(Counter(last.values()))

    def share_of_ci(self) -> Rows:
        total: Counter[Day] = Counter()
        from_ci: Counter[Day] = Counter()
        for first in self.firsts_of_a_day(self.all):
            total[week_of(first)] += 1
            from_ci[week_of(first)] += first.machine.place.is_ci
        return newest_first(
            {week: (from_ci[week], total[week], from_ci[week] / total[week]) for week in total}
        )

    def contexts(self) -> Rows:
        recent = [done for done in self.all if in_last(30, done.day)]
        return largest_first(count(users, by(lambda done: done.machine.place.context, recent)))

    def built(self) -> Rows:
        builds = self.builds()
        return [(users(self.people), users(builds), projects(self.people), projects(builds))]

    def built_per_week(self) -> Rows:
        return newest_first(count(users_and_projects, by(week_of, self.builds())))

    def deployed(self) -> Rows:
        return [users_and_projects(self.deploys())]

    def keywords(self) -> Rows:
        with_keyword: dict[str, list[Done]] = defaultdict(list)
        for done in self.deploys():
            for keyword in done.command.keywords.split(";"):
                with_keyword[keyword].append(done)
        return largest_first(count(users_and_projects, with_keyword))

    def deployed_per_week(self) -> Rows:
        return newest_first(count(users_and_projects, by(week_of, self.deploys())))

    def deployed_from_ci(self) -> Rows:
        firsts = self.firsts_of_a_day(done for done in self.all if done.machine.place.is_ci)
        deploys = [first for first in firsts if first.command.keywords]
        return newest_first(count(len, by(week_of, deploys)))

    def all_projects(self) -> Rows:
        recent = [done for done in self.people if in_last(30, done.day)]
        return [(projects(self.people), projects(recent))]

    def new_projects(self) -> Rows:
        by_project = by(lambda done: done.project, self.people).values()
        return newest_first(Counter(min(map(week_of, done_in_one)) for done_in_one in by_project))

    def builds(self) -> list[Done]:
        return [done for done in self.people if done.command.builds]

    def deploys(self) -> list[Done]:
        return [done for done in self.people if done.command.keywords]

    @staticmethod
    def firsts_of_a_day(commands: Iterable[Done]) -> list[Done]:
        """All of which there can be an event: a second one of its kind would be in the pause."""
        firsts: dict[tuple[Machine, str, bool, Day], Done] = {}
        for done in commands:
            if not done.is_lost:
                kind = (done.machine, done.project, done.command.builds, done.day)
                firsts.setdefault(kind, done)
        return list(firsts.values())


def in_last(days: int, day: Day) -> bool:
    return (TODAY - day).days < days


def week_of(done: Done) -> Day:
    return done.day - datetime.timedelta(days=done.day.weekday())


def days_since_first(commands: Iterable[Done]) -> list[int]:
    days = [done.day for done in commands]
    return [(day - min(days)).days for day in days]


def users(commands: Iterable[Done]) -> int:
    return len({done.user for done in commands})


def projects(commands: Iterable[Done]) -> int:
    return len({done.project for done in commands})


def users_and_projects(commands: list[Done]) -> tuple[int, int]:
    return users(commands), projects(commands)


def by(key: Callable[[Done], K], commands: Iterable[Done]) -> dict[K, list[Done]]:
    groups: dict[K, list[Done]] = defaultdict(list)
    for done in commands:
        groups[key(done)].append(done)
    return groups


def count(how: Callable[[list[Done]], V], groups: Mapping[K, list[Done]]) -> dict[K, V]:
    return {key: how(commands) for key, commands in groups.items()}


def as_row(key: object, value: object) -> tuple[Any, ...]:
    return (key, *value) if isinstance(value, tuple) else (key, value)


def newest_first(values: Mapping[Day, object]) -> Rows:
    return [as_row(day, values[day]) for day in sorted(values, reverse=True)]


def largest_first(values: Mapping[str, object]) -> Rows:
    rows = [as_row(name, value) for name, value in values.items()]
    return sorted(rows, key=lambda row: (-row[1], row[0]))


EXPECTED: Final[dict[str, Callable[[Truth], Rows]]] = {
    "How many tried to install Wasp, per day?": Truth.installs_per_day,
    "How many tried to install Wasp, per operating system?": Truth.installs_per_os,
    "How many people use Wasp, per day?": Truth.users_per_day,
    "How many people use Wasp, per week?": Truth.users_per_week,
    "How many people use Wasp, per month?": Truth.users_per_month,
    "How many of them are new, and how many return, per week?": Truth.new_and_returning,
    "How many new users come back in their second week?": Truth.second_week,
    "On how many days do people use Wasp?": Truth.active_days,
    "In how many half days is a project worked on?": Truth.half_days,
    "Which versions are in use?": Truth.versions,
    "How much of it is continuous integration?": Truth.share_of_ci,
    "In which places is Wasp used?": Truth.contexts,
    "How many users and projects have built?": Truth.built,
    "How many build, per week?": Truth.built_per_week,
    "How many users and projects have deployed?": Truth.deployed,
    "With which provider, and which steps?": Truth.keywords,
    "How many deploy, per week?": Truth.deployed_per_week,
    "How much is deployed from continuous integration?": Truth.deployed_from_ci,
    "How many projects are there?": Truth.all_projects,
    "How many projects are new, per week?": Truth.new_projects,
}

# --- tests ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    populated = World(tmp_path_factory.mktemp("world"))
    populate(populated)
    return populated


@pytest.fixture(scope="module")
def truth(world: World) -> Truth:
    return Truth(world)


@pytest.fixture(scope="module", params=TYPINGS)
def database(world: World, request: pytest.FixtureRequest) -> Iterator[Database]:
    """With properties as they were sent, and as PostHog may make them."""
    with world.collector.database(world.folder, TYPINGS[request.param]) as connection:
        yield connection


@pytest.fixture
def small_world(tmp_path: Path) -> World:
    return World(tmp_path)


def answer(world: World, question: str) -> Rows:
    with world.collector.database(world.folder) as connection:
        return connection.execute(QUERIES[question]).fetchall()


def test_every_question_has_its_query_and_every_query_its_truth() -> None:
    assert DOCUMENT.count("```sql") == len(QUERIES)
    assert set(QUERIES) == set(EXPECTED)


@pytest.mark.parametrize("question", EXPECTED)
def test_a_query_finds_the_truth(database: Database, truth: Truth, question: str) -> None:
    rows = database.execute(QUERIES[question]).fetchall()
    assert rows == EXPECTED[question](truth)
    assert rows
    assert all(any(column) for column in zip(*rows)), "a column of nothing proves nothing"


@pytest.mark.parametrize("question", EXPECTED)
def test_every_condition_of_a_query_matters(
    database: Database, truth: Truth, question: str
) -> None:
    conditions = CONDITION.findall(QUERIES[question])
    assert conditions
    for condition in conditions:
        without = QUERIES[question].replace(condition, "true")
        rows = database.execute(without).fetchall()
        assert rows != EXPECTED[question](truth), condition


@pytest.fixture
def hogql(monkeypatch: pytest.MonkeyPatch) -> Any:
    """PostHog's own parser, which looks for its exceptions in PostHog itself."""
    for name in ("posthog", "posthog.hogql", "posthog.hogql.errors"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    errors = vars(sys.modules["posthog.hogql.errors"])
    errors.update({f"{kind}Error": Exception for kind in ("BaseHogQL", "Syntax", "NotImplemented")})
    return pytest.importorskip("hogql_parser")


@pytest.mark.parametrize("question", EXPECTED)
def test_posthog_can_read_the_query(hogql: Any, question: str) -> None:
    parsed = json.loads(hogql.parse_select_json(QUERIES[question]))
    assert "error" not in parsed, parsed
    assert parsed["node"] == "SelectQuery"
    assert "error" in json.loads(hogql.parse_select_json(f"{QUERIES[question]} no query"))


def test_the_examples_are_what_is_sent() -> None:
    install, cli = map(json.loads, re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL))
    sent = {**telemetry_ping.install_event(), "distinct_id": install["distinct_id"]}
    assert json.dumps(install) == json.dumps(sent)
    context = {"WASP_TELEMETRY_CONTEXT": "gitpod", "CI": "1"}
    with mock.patch.dict(os.environ, context, clear=True):
        sent = telemetry_ping.cli_event(
            distinct_id=cli["distinct_id"],
            project_hash=cli["properties"]["project_hash"],
            is_build=False,
            deploy_cmd_args="fly;deploy",
            wasp_version="0.25.0",
        )
    assert json.dumps(cli) == json.dumps(sent)


def test_the_macros_mean_what_clickhouse_means(database: Database) -> None:
    friday = "TIMESTAMP '2023-04-21 10:20:30'"
    for expression, value in [
        (f"toStartOfWeek({friday})", Day(2023, 4, 16)),
        (f"toStartOfWeek({friday}, 0)", Day(2023, 4, 16)),
        (f"toStartOfWeek({friday}, 1)", Day(2023, 4, 17)),
        ("toStartOfWeek(DATE '2023-04-16')", Day(2023, 4, 16)),
        ("toStartOfWeek(DATE '2023-04-16', 1)", Day(2023, 4, 10)),
        (f"toStartOfInterval({friday}, INTERVAL 12 HOUR)", at_time(Day(2023, 4, 21), 0)),
        (f"dateDiff('day', {friday}, TIMESTAMP '2023-04-22 00:00:00')", 1),
        ("splitByChar(';', 'a;;b')", ["a", "", "b"]),
        ("match('on CI', '(^| )CI$')", True),
        ("notEmpty('')", False),
        ("notEmpty(NULL)", None),
        ("now()", NOW),
        ("toString(true)", "true"),
    ]:
        assert database.execute(f"SELECT {expression}").fetchall() == [(value,)], expression


def test_no_install_can_be_joined_to_a_user_or_to_another_install(database: Database) -> None:
    sql = "SELECT distinct_id FROM events WHERE event = ?"
    installs = database.execute(sql, ["install-script:run"]).fetchall()
    user_ids = database.execute(sql, ["cli"]).fetchall()
    assert len(set(installs)) == len(installs)
    assert not set(installs) & set(user_ids)


def test_a_second_machine_is_a_second_user_unless_an_id_says_who_it_is(small_world: World) -> None:
    for user_id in ("", "", "me", "me"):
        Machine(small_world, "me", user_id=user_id).call(at_time(FRIDAY, 9), BUILD)
    assert answer(small_world, "How many people use Wasp, per week?") == [(MONDAY_BEFORE, 3)]


def test_work_around_midnight_can_lose_a_day(small_world: World) -> None:
    question = "How many people use Wasp, per day?"
    machine = Machine(small_world, "owl")
    machine.call(at_time(FRIDAY, 20), OTHERS[0])
    machine.call(at_time(SATURDAY, 8), OTHERS[0])
    assert answer(small_world, question) == [(FRIDAY, 1)]
    machine.call(at_time(SATURDAY, 9), OTHERS[0])
    assert answer(small_world, question) == [(SATURDAY, 1), (FRIDAY, 1)]


def test_a_deploy_shows_with_the_next_event(small_world: World) -> None:
    machine = Machine(small_world, "me")
    machine.call(at_time(FRIDAY, 9), OTHERS[0])
    machine.call(at_time(FRIDAY, 15), FLY_DEPLOY)
    assert answer(small_world, "How many deploy, per week?") == []
    machine.call(at_time(MONDAY_AFTER, 9), BUILD)
    assert answer(small_world, "How many deploy, per week?") == [(MONDAY_AFTER, 1, 1)]


def test_of_several_deploys_in_a_pause_the_last_one_shows(small_world: World) -> None:
    machine = Machine(small_world, "me")
    for hour, command in enumerate([OTHERS[0], FLY_SETUP, FLY_DEPLOY]):
        machine.call(at_time(FRIDAY, 9 + hour), command)
    machine.call(at_time(SATURDAY, 9), OTHERS[0])
    rows = answer(small_world, "With which provider, and which steps?")
    assert rows == [("deploy", 1, 1), ("fly", 1, 1)]


def test_work_from_nine_to_six_is_half_a_day_and_a_build_in_it_another(small_world: World) -> None:
    machine = Machine(small_world, "me")
    for hour in range(9, 18):
        machine.call(at_time(FRIDAY, hour), OTHERS[0])
    assert answer(small_world, "In how many half days is a project worked on?") == [(1, 1)]
    machine.call(at_time(FRIDAY, 18), BUILD)
    assert answer(small_world, "In how many half days is a project worked on?") == [(2, 1)]
