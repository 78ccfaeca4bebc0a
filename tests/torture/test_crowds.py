"""Many runs at once, of both front ends, and two runs that meet at every moment.

No run waits for another, and yet every one of them ends as documented, what is left is whole, the
launcher starts a version that is there, and nothing else is left.
"""

from __future__ import annotations

import itertools
import random
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.archives import DATA_MEMBERS, Package, tiny_binary
from tests.support.frontends import BY_NAME, SHELLS, FrontEnd
from tests.support.machines import Background, Machine, MachineRoom, Run
from tests.support.scale import Scale, scale_from_environment
from tests.support.skips import need, need_root
from tests.support.startup_files import with_lines
from tests.support.system_calls import Moment, Tracer, tracing
from tests.support.toolboxes import real_tool
from tests.support.trees import expected_version_folder, picture
from tests.torture.tallies import Tally

pytestmark = pytest.mark.timeout(3600)

AREA = "Crowds"
CROWD = 16
VERSIONS = ["0.22.0", "0.23.0", "0.24.0", "0.25.0"]
BASHRC = b"alias ll='ls -l' # and no line break at the end"
NOT_INSTALLED = 5
PYTHON, DASH = BY_NAME["python"], BY_NAME["dash"]


def package_of(version: str) -> Package:
    """Few files, since each of them is some calls."""
    return Package(version, tiny_binary(version), DATA_MEMBERS[:3])


class World:
    """A machine that both front ends use at the same time, with an archive of each version."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.layout = machine.layout
        self._past = machine.root / "past"
        for version in VERSIONS:
            self._archive(version).write_bytes(package_of(version).npm_archive())
        (machine.home / ".bashrc").write_bytes(BASHRC)
        self.run("install 0.25.0").ok()
        share = self.layout.share
        self.shared_files = [share / "telemetry_ping.py", *(share / "completions").iterdir()]
        assert len(self.shared_files) == 4
        self.bashrc = (machine.home / ".bashrc").read_bytes()
        assert self.bashrc.startswith(BASHRC + b"\n")

    def _archive(self, version: str) -> Path:
        return self.machine.root / f"wasp-{version}.tgz"

    def argv(self, front_end: FrontEnd, command: str) -> list[str]:
        """The command line for "install 0.25.0", which means its archive, or another command."""
        words = command.split()
        if words[0] == "install":
            words[1:2] = ["--from-file", str(self._archive(words[1]))]
        return front_end.argv(*words)

    def run(self, command: str) -> Run:
        return self.machine.run_program(self.argv(self.machine.front_end, command))

    def at_once(self, commands: Sequence[str]) -> list[tuple[str, Run]]:
        """Starts all of them before one of them has ended, with both front ends in turn."""
        front_ends = itertools.cycle([PYTHON, self.machine.front_end])
        running = []
        for command, front_end in zip(commands, front_ends):
            argv = self.argv(front_end, command)
            running.append((command, Background(argv, self.machine.start_program(argv))))
        return [(command, started.result()) for command, started in running]

    def begin_with(self, installed: Sequence[str]) -> None:
        """The past of `again`: the first of the installed versions is the current one."""
        if installed:
            for version in installed:
                self.layout.plant(version, package_of(version))
            self.run(f"use {installed[0]}").ok()
        if "0.25.0" not in installed:
            self.run("uninstall 0.25.0").ok()
        shutil.copytree(self.machine.home, self._past, symlinks=True)

    def again(self) -> None:
        shutil.rmtree(self.machine.home)
        shutil.copytree(self._past, self.machine.home, symlinks=True)


# --- What must hold ------------------------------------------------------------------------------


def complaints(world: World, runs: Sequence[tuple[str, Run]]) -> Iterator[str]:
    """What is wrong with how these commands ended, and with what they left together."""
    for command, run in runs:
        if run.code not in documented(command) or (run.code == 0 and "error:" in run.stderr):
            yield f"{command}: {run}"
    layout, home = world.layout, world.machine.home
    for version in layout.versions():
        if layout.version_picture(version) != expected_version_folder(package_of(version)):
            yield f"{version} is not whole"
        elif layout.receipt(version)["version"] != version:
            yield f"{version} has a wrong receipt"
    unfinished = [*layout.staging(), *home.glob(".wasp-staging-*")]
    if unfinished:
        yield f"unfinished: {unfinished}"
    # A file is replaced as a whole, so of two that change it at the same moment one may win.
    numbers = range(3) if any(command.startswith("uninstall") for command, _ in runs) else (0, 2)
    whole = [text for number in numbers for text in with_lines(BASHRC, str(home), number)]
    if (home / ".bashrc").read_bytes() not in whole:
        yield f".bashrc is {(home / '.bashrc').read_bytes()!r}"
    yield from strange_launcher(world)
    yield from missing_shared_files(world)


def documented(command: str) -> set[int]:
    """The exit codes that a command may have while others remove versions."""
    names_an_installed_one = command.startswith(("use ", "uninstall 0"))
    return {0, NOT_INSTALLED} if names_an_installed_one else {0}


def strange_launcher(world: World) -> Iterator[str]:
    """It starts one of the versions; where there is none, no file is there at all."""
    layout = world.layout
    if not layout.versions():
        files = {name for name, entry in picture(layout.prefix).items() if entry.kind != "folder"}
        if files:
            yield f"no version is there, but {sorted(files)}"
    elif not layout.launcher.exists():
        yield f"there are {layout.versions()}, and no launcher"
    else:
        started = world.machine.wasp("version")
        if started.code != 0 or started.stdout.strip() not in layout.versions():
            yield f"the launcher starts nothing that is there: {started}"


def missing_shared_files(world: World) -> Iterator[str]:
    """What belongs to no single version is there as long as one is."""
    for file in world.shared_files if world.layout.versions() else ():
        if not file.is_file():
            yield f"there are {world.layout.versions()}, and no {file.name}"


# --- Crowds --------------------------------------------------------------------------------------


def installers_of_one_version(_: random.Random) -> list[str]:
    return ["install 0.25.0"] * CROWD


def installers_of_four_versions(_: random.Random) -> list[str]:
    return [f"install {version}" for version in VERSIONS] * (CROWD // len(VERSIONS))


def runs_of_any_command(chance: random.Random) -> list[str]:
    def one() -> str:
        version = chance.choice(VERSIONS)
        commands = [f"install {version}", f"use {version}", f"uninstall {version}"]
        return chance.choice([*commands, "uninstall --yes", "list"])

    return [one() for _ in range(CROWD)]


@pytest.mark.parametrize(
    ("crowd", "most"),
    [
        (installers_of_one_version, 20),
        (installers_of_four_versions, 20),
        (runs_of_any_command, 60),
    ],
)
def test_a_crowd(
    machines: MachineRoom,
    scale: Scale,
    tally: Tally,
    crowd: Callable[[random.Random], list[str]],
    most: int,
) -> None:
    rounds = scale.times(1, most=most)
    world = World(machines.build(DASH))
    world.begin_with(())
    for number in range(rounds):
        world.machine.front_end = SHELLS[number % len(SHELLS)]
        commands = crowd(random.Random(number))
        found = list(complaints(world, world.at_once(commands)))
        assert not found, "\n\n".join([*commands, *found])
        if crowd is not runs_of_any_command:
            assert world.layout.versions() == sorted({words.split()[1] for words in commands})
            assert (world.machine.home / ".bashrc").read_bytes() == world.bashrc
        world.again()
    tally(AREA, f"Crowds of {CROWD} {crowd.__name__.replace('_', ' ')}", rounds)


# --- Two runs that meet --------------------------------------------------------------------------


@dataclass(frozen=True)
class Interrupted:
    """A command that stands still before one of its calls while another run goes from start to end.

    The first of the installed versions is the current one.
    """

    front_end: FrontEnd
    installed: tuple[str, ...]
    command: str

    def __str__(self) -> str:
        there = "-".join(self.installed) or "nothing"
        return f"{self.front_end}: {self.command} on {there}"


INTERRUPTED = [
    Interrupted(front_end, installed, command)
    for installed, command in [
        ((), "install 0.25.0"),
        (("0.24.0",), "install 0.25.0"),
        (("0.24.0", "0.25.0"), "install 0.25.0"),
        (("0.25.0", "0.24.0"), "install 0.25.0 --force"),
        (("0.24.0", "0.25.0"), "use 0.25.0"),
        (("0.25.0", "0.24.0"), "uninstall 0.25.0"),
        (("0.25.0",), "uninstall 0.25.0"),
        (("0.25.0", "0.24.0"), "uninstall --yes"),
    ]
    for front_end in (PYTHON, DASH)
]
MEANWHILE = [
    "uninstall --yes",
    "install 0.25.0",
    "install 0.25.0 --force",
    "install 0.23.0",
    "use 0.24.0",
    "uninstall 0.25.0",
    "uninstall 0.24.0",
    "list",
]


class Stage(World):
    """A world in which a run is stopped at a call, again and again from the same past.

    What comes before the command lines of the one that stops, and of the other, may put them into
    containers.
    """

    def __init__(
        self,
        machine: Machine,
        interrupted: Interrupted,
        before_stopped: Sequence[str] = (),
        before_other: Sequence[str] = (),
    ) -> None:
        super().__init__(machine)
        self.begin_with(interrupted.installed)
        self._stopped = interrupted
        self._before_stopped, self._before_other = before_stopped, before_other
        self._other = DASH if interrupted.front_end is PYTHON else PYTHON
        self.calls = self._follow(None, None)[0].calls

    def meet(self, meanwhile: str, number: int) -> tuple[str, list[tuple[str, Run]]]:
        """The call before which it was stopped, and how both ended."""
        self.again()
        ended: list[tuple[str, Run]] = []

        def strike(_: int) -> None:
            argv = [*self._before_other, *self.argv(self._other, meanwhile)]
            ended.append((meanwhile, self.machine.run_program(argv)))

        tracer, run = self._follow(Moment(number, False), strike)
        return tracer.calls[-1], [*ended, (self._stopped.command, run)]

    def _follow(
        self, moment: Moment | None, strike: Callable[[int], None] | None
    ) -> tuple[Tracer, Run]:
        command = self.argv(self._stopped.front_end, self._stopped.command)
        argv = [*self._before_stopped, *command]
        process = self.machine.start_program(tracing(argv))
        tracer = Tracer(process, self.machine.home, moment, strike)
        tracer.follow()
        out, err = process.communicate()
        return tracer, Run(argv, process.returncode, out.decode(), err.decode())


def shared_moments(calls: list[str]) -> list[int]:
    """The calls that other runs can tell of, and the first of those in between, in its staging."""
    own = [
        ("/.staging/" in call or ".wasp-staging" in call) and not call.startswith("rename")
        for call in calls
    ]
    return [
        number for number in range(len(calls)) if not (number and own[number - 1] and own[number])
    ]


@pytest.mark.parametrize("interrupted", scale_from_environment().sample(INTERRUPTED, 4), ids=str)
def test_two_runs_that_meet(
    machines: MachineRoom, scale: Scale, tally: Tally, interrupted: Interrupted
) -> None:
    stage = Stage(machines.build(DASH), interrupted)
    meetings = list(itertools.product(MEANWHILE, shared_moments(stage.calls)))
    tried = scale.sample(meetings, 3)
    found = []
    for meanwhile, number in tried:
        call, runs = stage.meet(meanwhile, number)
        found += [f"{meanwhile} before {call}: {text}" for text in complaints(stage, runs)]
    assert not found, "\n\n".join(found)
    tally(AREA, "Moments of one run at which another ran from start to end", len(tried))


# --- Containers ----------------------------------------------------------------------------------


def container() -> list[str]:
    """What comes before a command line so that it runs as the first process of a container.

    With the files and the name of this machine, but with process ids of its own.
    """
    need_root("a container")
    command = [str(real_tool("unshare")), "--pid", "--fork", "--mount-proc"]
    tried = subprocess.run([*command, "true"], capture_output=True, text=True, check=False)
    need(tried.returncode == 0, f"no containers here: {tried.stderr.strip()}")
    return command


@pytest.mark.parametrize(
    ("stopped", "both"),
    scale_from_environment().sample(list(itertools.product([PYTHON, DASH], [False, True])), 2),
    ids=str,
)
def test_containers_that_share_a_folder(
    machines: MachineRoom, scale: Scale, tally: Tally, stopped: FrontEnd, both: bool
) -> None:
    """Neither takes what the other is about to install for left behind by a run that was killed."""
    interrupted = Interrupted(stopped, ("0.24.0",), "install 0.25.0")
    stage = Stage(machines.build(DASH), interrupted, container() if both else (), container())
    tried = scale.sample(range(len(stage.calls)), 2)
    found = []
    for number in tried:
        call, runs = stage.meet("install 0.23.0", number)
        found += [f"before {call}: {text}" for text in complaints(stage, runs)]
        assert {"0.23.0", "0.24.0", "0.25.0"} <= set(stage.layout.versions())
    assert not found, "\n\n".join(found)
    tally(AREA, "Moments of a run at which another ran in another container", len(tried))
