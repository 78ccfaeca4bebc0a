"""A made-up population that works for some weeks, and what of its commands is sent.

Its commands go through telemetry_ping, which decides what is sent, or send what wasp-bin 0.25.0
sends by itself.
"""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import json
import os
import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from unittest import mock

import telemetry_ping
from tests.telemetry.warehouse import NOW, Collector

Day = datetime.date
Rows = list[tuple[Any, ...]]

TODAY: Final = NOW.date()
FIRST_DAY: Final = Day(2026, 1, 19)
DAYS: Final = [
    FIRST_DAY + datetime.timedelta(days=number) for number in range((TODAY - FIRST_DAY).days + 1)
]
THURSDAY: Final = 3

# Of one weekend, for the small worlds.
MONDAY_BEFORE, FRIDAY, SATURDAY, MONDAY_AFTER = (Day(2026, 3, day) for day in (2, 6, 7, 9))


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
