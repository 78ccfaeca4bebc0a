"""Who used Wasp in some weeks, and what of it is sent.

Commands go through telemetry_ping, which decides what is sent, or send what wasp-bin 0.25.0 sends
by itself.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import random
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final
from unittest import mock

import telemetry_ping
from tests.telemetry.warehouse import NOW, Collector

USER_ID: Final = "WASP_TELEMETRY_USER_ID"
CONTEXT: Final = "WASP_TELEMETRY_CONTEXT"
#: The variables of each machine on which this telemetry counts.
MACHINES: Final[dict[str, dict[str, str]]] = {
    "ann": {},
    "ben's": {USER_ID: "ben"},
    "ben's-other": {USER_ID: "ben"},
    "cleo": {CONTEXT: "CI lab"},
    "nick": {CONTEXT: "NO_CI"},
    "gita": {CONTEXT: "gitpod", "CI": "false"},
    "runner": {"CI": "true"},
    "gitpod-runner": {CONTEXT: "gitpod", "GITHUB_ACTIONS": "1"},
}
#: The context of those without Python, where wasp-bin counts.
BARE_MACHINES: Final = {
    "dan": "",
    "eve": "NON_INTERACTIVE_SHELL",
    "hal": "gitpod NON_INTERACTIVE_SHELL",
    "bare-runner": "CI NON_INTERACTIVE_SHELL",
}
#: Day, hour, machine, project, version, and the command. The last 30 days begin on 02-17, the last
#: 28 on 02-19, and weeks on 02-02, 02-09 and so on.
CALLS: Final = """
02-02 09 ann app 0.23.0 start
02-02 11 ann app 0.23.0 start
02-02 11 dan app 0.24.1 start
02-09 09 ann app 0.23.0 build
02-09 10 runner app 0.25.0 build
02-09 12 nick app 0.23.0 deploy fly deploy
02-16 09 dan app 0.24.1 build
02-16 10 cleo app 0.24.0 start
02-17 10 eve app 0.24.1 build start
02-17 10 runner app 0.25.0 start
02-18 10 ben's app 0.24.0 build --verbose
02-19 10 ben's-other app 0.24.0 start
02-23 09 gita app 0.24.0 db migrate-dev --name deploy
03-01 09 gita app 0.24.0 start
03-01 10 cleo app 0.24.0 start
03-02 10 hal app 0.24.1 start
03-09 09 ann app 0.25.0 deploy fly deploy
03-09 11 runner app 0.25.0 deploy fly deploy
03-10 09 ann blog 0.25.0 deploy fly setup my-app
03-10 09 gitpod-runner app 0.25.0 deploy fly launch
03-11 10 dan app 0.24.1 deploy fly cmd
03-16 10 eve app 0.24.1 deploy railway deploy
03-17 10 ann app 0.26.0-rc1 build
03-17 10 bare-runner app 0.24.1 build
03-18 09 ben's app 0.25.0 start
03-18 10 ben's app 0.25.0 start
03-18 13 ben's app 0.25.0 build
"""
INSTALLS: Final = "02-16 linux, 02-17 linux, 03-17 osx, 03-18 windows, 03-18 linux"
INSTALLS_BY_NPM: Final = "02-16 osx, 02-17 linux, 03-18 osx"


def at_time(day: str, hour: int) -> datetime.datetime:
    return datetime.datetime.fromisoformat(f"{NOW.year}-{day} {hour:02}:00:00")


class World:
    """All machines, and what the collector is sent."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.collector = Collector()
        self.random = random.Random(2026)
        self.machines = 0

    def receive(self, at: datetime.datetime, event: Mapping[str, Any]) -> None:
        self.collector.receive(at, json.dumps(event).encode())


class Machine:
    """A computer with its cache, and its variables."""

    def __init__(self, world: World, variables: Mapping[str, str]) -> None:
        self._world, self._variables = world, variables
        world.machines += 1
        with mock.patch.dict(os.environ, variables):
            self._store = telemetry_ping.Store(str(world.folder / f"cache-{world.machines}"))
            self._store.make()

    def call(
        self, at: datetime.datetime, *words: str, project: str = "app", version: str = "0.25.0"
    ) -> None:
        """Calls ``wasp`` with these words."""

        def ask(_url: str, body: str, when_connected: Callable[[], None]) -> tuple[int, bytes]:
            when_connected()
            self._world.collector.receive(at, body.encode())
            return 200, b""

        now = int(at.replace(tzinfo=datetime.timezone.utc).timestamp())
        with mock.patch.dict(os.environ, self._variables):
            invocation = telemetry_ping.Invocation(
                words, version, f"/home/me/{project}", self._store
            )
            if invocation.is_due(now):
                invocation.send(lambda: now, ask)


class BareMachine(Machine):
    """One without Python. Nobody calls wasp twice a day there, so no pause has to be remembered."""

    def __init__(self, world: World, user: str, context: str) -> None:
        super().__init__(world, {})
        self._user, self._context = user, context

    def call(
        self, at: datetime.datetime, *words: str, project: str = "app", version: str = "0.25.0"
    ) -> None:
        properties = {
            "distinct_id": str(uuid.uuid5(uuid.NAMESPACE_OID, self._user)),
            # Of the path alone: the same for two users with the same path.
            "project_hash": hashlib.sha256(f"/home/me/{project}/".encode()).hexdigest()[:16],
            "is_build": telemetry_ping.is_build(words),
            "deploy_cmd_args": telemetry_ping.deploy_keywords(words),
            "wasp_version": version,
            "os": "linux",
            "context": self._context,
        }
        self._world.receive(at, {"api_key": "key", "event": "cli", "properties": properties})


def populate(world: World) -> None:
    machines = {name: Machine(world, variables) for name, variables in MACHINES.items()}
    for name, context in BARE_MACHINES.items():
        machines[name] = BareMachine(world, name, context)
    for line in CALLS.strip().splitlines():
        day, hour, who, project, version, *words = line.split()
        machines[who].call(at_time(day, int(hour)), *words, project=project, version=version)
    for install in INSTALLS.split(", "):
        day, os_name = install.split()
        event = {**telemetry_ping.install_event(), "properties": {"os": os_name}}
        world.receive(at_time(day, 12), event)
    for install in INSTALLS_BY_NPM.split(", "):
        day, os_name = install.split()
        identity = {"event": "npm-package:postinstall", "distinct_id": str(world.random.random())}
        properties = {"os": os_name, "context": world.random.choice(["", " CI", "gitpod"])}
        world.receive(at_time(day, 12), {**identity, "properties": properties})
    for day in ("02-09", "03-17"):
        for context in ("", "CI"):
            receive_something_else(world, at_time(day, 12), context)


def receive_something_else(world: World, at: datetime.datetime, context: str) -> None:
    """PostHog may be sent other events, too, with properties of the same names."""
    event = telemetry_ping.cli_event(
        distinct_id=str(world.random.random()),
        project_hash=str(world.random.random()),
        is_build=True,
        deploy_cmd_args="fly;deploy",
        wasp_version="0.25.0",
    )
    event["properties"]["context"] = context
    world.receive(at, {**event, "event": "$pageview"})
