"""A command that begins again and again from the same home, and what must hold whatever befalls it.

A command "install 0.25.0" means the archive of that version.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import ANY

from tests.support.archives import DATA_MEMBERS, Package, tiny_binary
from tests.support.frontends import BY_NAME, PYTHON, FrontEnd
from tests.support.machines import Machine, Run
from tests.support.system_calls import Moment, Tracer, tracing
from tests.support.trees import Entry, expected_version_folder, picture

_, OLDER, OLD, NEW = VERSIONS = ("0.22.0", "0.23.0", "0.24.0", "0.25.0")
NOT_INSTALLED = 5
BASHRC = b"alias ll='ls -l'\nset -o vi # and no line break at the end"
DASH = BY_NAME["dash"]
SHARE = ".local/share/wasp-lang"

Picture = dict[str, Entry]


def small_package(version: str) -> Package:
    """Few files, since each of them is some calls."""
    return Package(version, tiny_binary(version), (DATA_MEMBERS[0], DATA_MEMBERS[5]))


@dataclass(frozen=True)
class Scenario:
    """A command, and what is installed before it; the first is the current version."""

    command: str
    installed: tuple[str, ...] = ()
    #: Whether start-up files have our line before it.
    has_lines: bool = True

    @property
    def installs(self) -> bool:
        return self.command.startswith("install")

    @property
    def removes(self) -> bool:
        return not self.command.startswith(("install", "use"))

    @property
    def is_of_one_version(self) -> bool:
        """It fails where that version is gone already."""
        return self.command.startswith("uninstall 0")

    def __str__(self) -> str:
        lines = "" if self.has_lines else " without lines"
        return f"{self.command} on {' and '.join(self.installed) or 'nothing'}{lines}"


UPGRADE = Scenario(f"install {NEW}", (OLD, OLDER))
SCENARIOS = (
    Scenario(f"install {NEW}"),
    UPGRADE,
    Scenario(f"install {NEW} --force", (NEW, OLD)),
    Scenario(f"install {NEW}", (OLD, NEW)),
    Scenario(f"install {NEW}", (NEW,), has_lines=False),
    Scenario(f"use {OLDER}", (OLD, OLDER)),
    Scenario(f"uninstall {OLD}", (OLD, OLDER)),
    Scenario(f"uninstall {OLDER}", (OLD, OLDER)),
    Scenario(f"uninstall {OLD}", (OLD,)),
    Scenario("uninstall --yes", (OLD, OLDER)),
    Scenario("migrate-to-npm", (OLD, OLDER)),
)
#: install.py only installs by itself.
CASES = [
    (scenario, front_end)
    for scenario in SCENARIOS
    for front_end in (DASH, PYTHON)
    if scenario.installs or front_end is DASH
]


class Stage:
    """A machine with the past of a scenario, which is put back by `reset`."""

    def __init__(self, machine: Machine, scenario: Scenario) -> None:
        self.machine, self.scenario = machine, scenario
        self.layout = machine.layout
        for version in VERSIONS:
            self._archive(version).write_bytes(small_package(version).npm_archive())
        self.argv = self.command_line(machine.front_end, scenario.command)
        (machine.home / ".bashrc").write_bytes(BASHRC)
        for version in scenario.installed:
            self.layout.plant(version, small_package(version))
        if scenario.installed:
            options = [] if scenario.has_lines else ["--no-modify-path"]
            machine.run_program(DASH.argv("use", scenario.installed[0], *options)).ok()
        self._past = machine.root / "past"
        shutil.copytree(machine.home, self._past, symlinks=True)
        self.before = picture(machine.home)

    def _archive(self, version: str) -> Path:
        return self.machine.root / f"wasp-{version}.tgz"

    def command_line(self, front_end: FrontEnd, command: str) -> list[str]:
        words = command.split()
        if words[0] == "install":
            archive = self._archive(words[1])
            digest = hashlib.sha256(archive.read_bytes()).hexdigest()
            words[1:2] = ["--from-file", str(archive), "--sha256", digest]
        return front_end.argv(*words, "--porcelain" if front_end.is_shell else "--json")

    def reset(self) -> None:
        """Puts the past back, also where a file system is mounted in the home."""
        for place in (self.layout.prefix, self.machine.home, self.machine.temporary):
            for entry in os.scandir(place) if place.is_dir() else ():
                if entry.is_dir(follow_symlinks=False) and not os.path.ismount(entry.path):
                    shutil.rmtree(entry.path)
                elif not entry.is_dir(follow_symlinks=False):
                    os.unlink(entry.path)
        shutil.copytree(self._past, self.machine.home, symlinks=True, dirs_exist_ok=True)

    def again(self) -> Run:
        """The same command on what is there."""
        return self.machine.run_program(self.argv)

    def undisturbed(self) -> tuple[Picture, list[str]]:
        """What it leaves when nothing befalls it, and its calls that change something."""
        # The first run also compiles what a later one need not.
        self.again().ok()
        self.reset()
        tracer, run = self.traced()
        run.ok()
        assert tracer.calls, "no call was seen: the test shows nothing"
        return picture(self.machine.home), tracer.calls

    def traced(
        self,
        moment: Moment | None = None,
        strike: Callable[[Tracer, int], None] | None = None,
        error_at: Callable[[int, str], int | None] | None = None,
    ) -> tuple[Tracer, Run]:
        """Follows a run through the calls that change something in the home."""
        process = self.machine.start_program(tracing(self.argv))
        tracer = Tracer(process, self.machine.home, moment, error_at=error_at)
        if strike is not None:
            tracer.strike = lambda thread: strike(tracer, thread)
        tracer.follow()
        out, err = process.communicate()
        return tracer, Run(self.argv, process.returncode, out.decode(), err.decode())

    # --- What must hold ---------------------------------------------------------------------------

    def changed(self, goal: Picture, found: Picture) -> list[str]:
        """What is not as before, but for a version that is in its place and not current yet."""
        new = f"{SHARE}/{NEW}"
        above = (".local", ".local/share", SHARE)
        return [
            name
            for name in differences(self.before, found)
            if not self.scenario.installs
            or not (name in above or (name.startswith(new) and found.get(name) == goal.get(name)))
        ]

    def complaints(
        self, goal: Picture, found: Picture, *, may_be_broken: bool = False
    ) -> Iterator[str]:
        """What is wrong, whatever has happened: what worked before works."""
        for name in {*self.before, *goal, *found}:
            is_ours = name.startswith(".local") or "staging" in name
            if not is_ours and found.get(name) not in (self.before.get(name), goal.get(name)):
                yield f"{name} is neither as before nor as it should be"
        yield from self.whole(may_be_broken=may_be_broken)

    def whole(self, *, may_be_broken: bool = False) -> Iterator[str]:
        """Each version is there as a whole or not at all, and the launcher starts one."""
        # A version that was moved aside may be put back.
        for folder in (*self.layout.share.glob("[0-9]*"), *self.layout.share.glob("*/replaced/*")):
            expected = expected_version_folder(small_package(folder.name))
            receipt = folder / ".receipt.json"
            if picture(folder) != {**expected, receipt.name: ANY} or (
                f'"version": "{folder.name}"' not in receipt.read_text()
            ):
                yield f"a half {folder}"
        if self.layout.launcher.exists():
            started = self.machine.wasp("version")
            works = started.code == 0 and started.stdout.strip() in VERSIONS
            if not (works or (may_be_broken and started.code == 127)):
                yield f"the launcher starts nothing whole: {started}"
        elif self.scenario.installed and not self.scenario.removes:
            yield "the launcher is gone"

    def complaints_of_next_run(
        self, goal: Picture, *, passed_over: Sequence[str] = ()
    ) -> Iterator[str]:
        """The same command once more ends, and leaves all, as if nothing had happened."""
        words = self.scenario.command.split()
        is_gone = (
            self.scenario.is_of_one_version and not self.layout.version_folder(words[1]).exists()
        )
        run = self.again()
        if run.code != 0 and not (is_gone and run.code == NOT_INSTALLED):
            yield f"the next run fails: {run}"
        different = set(differences(goal, picture(self.machine.home))) - {*passed_over}
        if different:
            yield f"after the next run, these are not right: {different}\n{run}"


def differences(expected: Picture, found: Picture) -> list[str]:
    names = sorted(expected.keys() | found.keys())
    return [name for name in names if expected.get(name) != found.get(name)]
