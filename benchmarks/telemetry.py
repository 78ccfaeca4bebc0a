"""What telemetry costs: the command that somebody waits for, and what goes on behind it.

`wasp version` is measured as the launcher runs it, as the binary with its own telemetry, and as npm
installs it; then the background process alone, beside PostHog's own library.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Callable

import telemetry_ping
from benchmarks.install import NPM
from benchmarks.measure import Options, Subject, chosen, interleave, run_once
from benchmarks.report import (
    Chart,
    Column,
    Report,
    Target,
    cpu_ms,
    least,
    middle,
    most,
    over_floor,
    peak_mb,
    times_floor,
    times_reference,
    wall_ms,
    wall_s,
)
from benchmarks.world import World, forgetting, remembered, world_in

# What is measured takes milliseconds.
ROUNDS = 40
FLOOR = "wasp-bin, opted out"
NPM_WASP = f"{NPM}'s wasp, opted out"
ONE_VERSION = "launcher, one version"
BARE_PYTHON = "python -I -S -c pass"
POSTHOG = "posthog-python, sending"
POSTHOG_IN_VAIN = "posthog-python, dead network"

FOREGROUND_COLUMNS = (
    Column("wall_ms", "wall ms", middle(wall_ms)),
    Column("wall_min_ms", "min", least(wall_ms)),
    Column("wall_max_ms", "max", most(wall_ms)),
    Column("over_floor_ms", "over floor ms", over_floor(wall_ms)),
    Column("times_floor", "x floor", times_floor(wall_ms)),
    Column("times_reference", f"x {NPM}", times_reference(wall_ms)),
)
BACKGROUND_COLUMNS = (
    Column("cpu_ms", "CPU ms", middle(cpu_ms)),
    Column("cpu_min_ms", "min", least(cpu_ms)),
    Column("cpu_max_ms", "max", most(cpu_ms)),
    Column("over_floor_ms", "over floor ms", over_floor(cpu_ms)),
    Column("times_reference", "x posthog", times_reference(cpu_ms)),
    Column("wall_ms", "wall ms", middle(wall_ms)),
    Column("peak_mb", "peak MB", most(peak_mb)),
)
IN_VAIN_COLUMNS = (
    Column("wall_s", "wall s", middle(wall_s)),
    Column("times_reference", "x posthog", times_reference(wall_s)),
    Column("cpu_ms", "CPU ms", middle(cpu_ms)),
    Column("peak_mb", "peak MB", most(peak_mb)),
)
LAUNCHER_TARGETS = (Target("over_floor_ms", 2),)
CHOICE_TARGETS = (Target("over_floor_ms", 1),)
LAUNCHER_CHART = Chart(
    "launcher-time.svg", "Time that is added to the binary alone", "over_floor_ms", "ms"
)
PAUSED_TARGETS = (Target("over_floor_ms", 1.5), Target("peak_mb", 20))
SENDING_TARGETS = (Target("over_floor_ms", 30), Target("peak_mb", 20))

OPTED_OUT = {"WASP_TELEMETRY_DISABLE": "1"}
# How a CLI written in Python would send the same event. Where nothing answers, it tries again and
# again, so it is ended after a while.
POSTHOG_SCRIPT = """\
import json, os, signal, sys
from posthog import Posthog
signal.signal(signal.SIGALRM, lambda *_: os._exit(0))
signal.alarm(90)
event = json.loads(sys.argv[2])
client = Posthog(event["api_key"], host=sys.argv[1])
client.capture(event["event"], distinct_id=event["distinct_id"], properties=event["properties"])
client.shutdown()
"""


@dataclass(frozen=True)
class Sender:
    """A program with telemetry, and the variables with which it meets a network or a dead one.

    `sent` waits for what it sends in the former.
    """

    name: str
    arguments: Sequence[str]
    live: Mapping[str, str]
    dead: Mapping[str, str]
    sent: Callable[[], None]


@dataclass(frozen=True)
class Part:
    """Subjects that are compared with each other, and how. A slow part is measured once."""

    name: str
    title: str
    floor: str
    reference: str
    subjects: Sequence[Subject]
    columns: Sequence[Column]
    targets: Mapping[str, Sequence[Target]] = field(default_factory=dict)
    is_slow: bool = False
    chart: Chart | None = None


def run(options: Options, folder: Path) -> Iterator[Report]:
    """Measure what telemetry costs, or the rows named."""
    with world_in(folder, direct=options.direct) as world:
        parts = [
            foreground(world),
            choosing_a_version(world),
            background(world),
            without_network(world),
        ]
        wanted = chosen([subject for part in parts for subject in part.subjects], options.only)
        for part in parts:
            subjects = [subject for subject in part.subjects if subject in wanted]
            if subjects:
                yield measured(replace(part, subjects=subjects), options.rounds or ROUNDS, world)


def measured(part: Part, rounds: int, world: World) -> Report:
    """Measure the subjects of a part, then hold what was sent against what was to be sent."""
    rounds = 1 if part.is_slow else rounds
    samples = interleave(part.subjects, rounds, world.folder, warm_up=not part.is_slow)
    world.check()
    title = f"{part.title}, Wasp {world.launcher.version}: medians of {rounds} rounds"
    return Report(
        name=part.name,
        title=title,
        floor=part.floor,
        reference=part.reference,
        samples=samples,
        columns=part.columns,
        facts=world.facts,
        targets=part.targets,
        chart=part.chart,
    )


# --- the command that somebody waits for ----------------------------------------------------------


def foreground(world: World) -> Part:
    """Compare `wasp version` in a project: by the launcher, by the binary itself, by npm's."""
    binary = [str(world.launcher.binary), "version"]
    launcher = launching(world)
    launched_ones = [
        *three_states(world, launcher),
        opted_out(world, f"{launcher.name}, opted out", launcher.arguments),
    ]
    return Part(
        name="telemetry in the foreground",
        title="`wasp version` in a project",
        floor=FLOOR,
        reference=NPM_WASP,
        subjects=[
            opted_out(world, FLOOR, binary),
            *launched_ones,
            *three_states(world, sending_itself(world, binary)),
            opted_out(world, NPM_WASP, [str(world.npm_wasp), "version"]),
        ],
        columns=FOREGROUND_COLUMNS,
        targets=dict.fromkeys((subject.name for subject in launched_ones), LAUNCHER_TARGETS),
        chart=LAUNCHER_CHART,
    )


def launching(world: World) -> Sender:
    """Let the launcher run the binary, and beside it what sends an event and gets messages."""
    return replace(
        with_messages(ping(world), world),
        name="launcher",
        arguments=[str(world.launcher.path), "version"],
    )


def sending_itself(world: World, arguments: Sequence[str]) -> Sender:
    """Let the binary send its own event, which only a proxy keeps here."""
    return Sender(
        name="wasp-bin",
        arguments=arguments,
        live=proxied(world.collector.proxy),
        dead=proxied(world.dead.url),
        sent=world.collector.expect_tunnelled,
    )


def proxied(proxy: str) -> dict[str, str]:
    """Return the variables that send all to a proxy."""
    return dict.fromkeys(("HTTPS_PROXY", "https_proxy", "ALL_PROXY"), proxy)


# --- a project's own version ----------------------------------------------------------------------


def choosing_a_version(world: World) -> Part:
    """Compare the launcher of one version with that of two, where it reads what a project wants."""
    one = opted_out(world, ONE_VERSION, [str(world.launcher.path), "version"])
    several = [str(world.launcher_of_two), "version"]
    subjects = [
        one,
        opted_out(world, "two versions, no word in the project", several),
        *(
            opted_out(world, f"two versions, wanted in line {line}", several, project)
            for line, project in world.wanting_projects.items()
        ),
    ]
    return Part(
        name="version per project",
        title="`wasp version` where a project wants a version, opted out",
        floor=ONE_VERSION,
        reference=ONE_VERSION,
        subjects=subjects,
        columns=[column for column in FOREGROUND_COLUMNS if column.key != "times_reference"],
        targets={subject.name: CHOICE_TARGETS for subject in subjects[1:3]},
    )


# --- what goes on behind it -----------------------------------------------------------------------


def background(world: World) -> Part:
    """Compare what the launcher runs in the background with PostHog's own library."""
    senders = ping_everywhere(world)
    resting = paused(world, senders[0])
    sending_ones = [sending(world, sender) for sender in senders]
    bare = world.command([world.launcher.python, "-I", "-S", "-c", "pass"], {})
    return Part(
        name="telemetry in the background",
        title="The background process",
        floor=BARE_PYTHON,
        reference=POSTHOG,
        subjects=[
            Subject(BARE_PYTHON, lambda _: bare),
            resting,
            *sending_ones,
            posthog(world, POSTHOG, world.collector.origin, world.collector.events.expect),
        ],
        columns=BACKGROUND_COLUMNS,
        targets={
            resting.name: PAUSED_TARGETS,
            **dict.fromkeys((subject.name for subject in sending_ones), SENDING_TARGETS),
        },
    )


def without_network(world: World) -> Part:
    """Compare the same where nothing answers."""
    return Part(
        name="telemetry without a network",
        title="The background process in a dead network",
        floor=BARE_PYTHON,
        reference=POSTHOG_IN_VAIN,
        subjects=[
            in_vain(world, ping(world)),
            posthog(world, POSTHOG_IN_VAIN, world.dead.url, world.dead.let_go),
        ],
        columns=IN_VAIN_COLUMNS,
        is_slow=True,
    )


def ping(world: World) -> Sender:
    """Run what the launcher runs in the background; messages are not looked for."""
    return Sender(
        name="ping",
        arguments=world.launcher.ping,
        live={"SSL_CERT_FILE": str(world.authorities.alone), "WASP_AUTO_NEWS_DISABLE": "1"},
        dead={
            "WASP_AUTO_NEWS_DISABLE": "1",
            "WASP_NEWS_SERVER_URL": world.dead.url,
            "WASP_TELEMETRY_URL": world.dead.url,
        },
        sent=world.collector.events.expect,
    )


def with_messages(sender: Sender, world: World) -> Sender:
    """Look for messages, too."""
    return replace(
        sender,
        name=f"{sender.name} and messages",
        live=without(sender.live, "WASP_AUTO_NEWS_DISABLE"),
        dead=without(sender.dead, "WASP_AUTO_NEWS_DISABLE"),
        sent=world.collector.expect_with_lookups,
    )


def ping_everywhere(world: World) -> list[Sender]:
    """Run the ping with all ways to keep authorities, each without and with messages."""
    alone, among_all = ping(world), {"SSL_CERT_FILE": str(world.authorities.among_all)}
    # Without the file, OpenSSL would read its default one, too.
    folder = {"SSL_CERT_DIR": str(world.authorities.hashed), "SSL_CERT_FILE": os.devnull}
    ways = [
        alone,
        replace(alone, name="ping, all of Mozilla's", live={**alone.live, **among_all}),
        replace(alone, name="ping, hashed folder", live={**alone.live, **folder}),
    ]
    return [*ways, *(with_messages(sender, world) for sender in ways)]


def without(variables: Mapping[str, str], name: str) -> dict[str, str]:
    """Return the variables but one."""
    return {other: value for other, value in variables.items() if other != name}


def posthog(world: World, name: str, host: str, after: Callable[[], None]) -> Subject:
    """Send the same event with PostHog's library, which always trusts all of Mozilla's list."""
    event = telemetry_ping.cli_event(
        distinct_id=str(uuid.uuid4()),
        project_hash="6d7e561d62b955d1",
        is_build=False,
        deploy_cmd_args="",
        wasp_version=world.launcher.version,
    )
    command = world.command(
        [str(world.posthog), "-I", "-c", POSTHOG_SCRIPT, host, json.dumps(event)],
        {"REQUESTS_CA_BUNDLE": str(world.authorities.among_all)},
    )
    return Subject(name, lambda _: command, before=world.dead.fall_silent, after=after)


# --- states of telemetry --------------------------------------------------------------------------


def three_states(world: World, sender: Sender) -> list[Subject]:
    """Return a sender while it pauses, while it sends, and where nothing answers."""
    return [paused(world, sender), sending(world, sender), in_vain(world, sender)]


def paused(world: World, sender: Sender) -> Subject:
    """Run a sender that has sent before, which it does itself before the first round."""
    name = f"{sender.name}, paused"
    command = world.command(sender.arguments, sender.live, name)

    def send_once() -> None:
        if not remembered(world.cache(name)):
            run_once(command, world.folder / "first.log", sender.sent)

    return Subject(name, lambda _: command, before=send_once)


def sending(world: World, sender: Sender) -> Subject:
    """Run a sender that has not sent anything about this project."""
    name = f"{sender.name}, sending"
    command = world.command(sender.arguments, sender.live, name)
    return Subject(name, lambda _: command, before=forgetting(world.cache(name)), after=sender.sent)


def in_vain(world: World, sender: Sender) -> Subject:
    """Run the same where nothing answers."""
    name = f"{sender.name}, dead network"
    command = world.command(sender.arguments, sender.dead, name)
    forget = forgetting(world.cache(name))

    def prepare() -> None:
        forget()
        world.dead.fall_silent()

    return Subject(name, lambda _: command, before=prepare, after=world.dead.let_go)


def opted_out(
    world: World, name: str, arguments: Sequence[str], project: Path | None = None
) -> Subject:
    """Run a program without its telemetry."""
    command = world.command(arguments, OPTED_OUT)
    command = replace(command, folder=project or command.folder)
    return Subject(name, lambda _: command)
