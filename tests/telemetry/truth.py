"""What is true of a population: counted from its commands, without a look at what was sent."""

from __future__ import annotations

import datetime
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeVar

from tests.telemetry.population import TODAY, Day, Done, Machine, Rows, World, days_before_today

K = TypeVar("K")
V = TypeVar("V")


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
