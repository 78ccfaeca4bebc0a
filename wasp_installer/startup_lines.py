"""A line of ours in the start-up files of a person's shells: put in, found again, taken out."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .console import pretty
from .options import Options
from .shells import Shell, shells
from .startup_files import Obstacle, StartupFile


@dataclass(frozen=True)
class Refusal:
    """A file that was left as it is, by the name that people know it by, and why."""

    file: str
    obstacle: Obstacle
    line: str


@dataclass
class Outcome:
    """What became of the line in each file; the files by the names that people know them by."""

    changed: list[str] = field(default_factory=list)
    #: Already as wanted.
    unchanged: list[str] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)


class StartupLines:
    """One line, as each shell spells it, in the files that each shell reads for it."""

    def __init__(
        self,
        environment: Mapping[str, str],
        line_of: Callable[[Shell], str],
        files_of: Callable[[Shell], list[Path]],
    ) -> None:
        self._environment = environment
        self._line_of = line_of
        self._files_of = files_of

    def planned(self) -> list[str]:
        """The files that ``add`` would change."""

        def plan(file: StartupFile, line: str, outcome: Outcome) -> None:
            if not file.has(line):
                file.check()
                outcome.changed.append(pretty(file.path))

        return self._visit(self._files_of, plan).changed

    def add(self) -> Outcome:
        """Puts the line at the end of the files that lack it."""

        def add(file: StartupFile, line: str, outcome: Outcome) -> None:
            if file.has(line):
                outcome.unchanged.append(pretty(file.path))
            else:
                file.add(line)
                outcome.changed.append(pretty(file.path))

        return self._visit(self._files_of, add)

    def remove(self) -> Outcome:
        """Takes the line out wherever it may be."""

        def remove(file: StartupFile, line: str, outcome: Outcome) -> None:
            if file.has(line):
                file.remove(line)
                outcome.changed.append(pretty(file.path))

        return self._visit(lambda shell: shell.possible_files(), remove)

    def _visit(
        self,
        files_of: Callable[[Shell], list[Path]],
        visit: Callable[[StartupFile, str, Outcome], None],
    ) -> Outcome:
        """Each of the files once, with the line that its shell understands."""
        outcome = Outcome()
        seen: set[Path] = set()
        for shell in shells(self._environment):
            for path in files_of(shell):
                if path in seen:
                    continue
                seen.add(path)
                file, line = StartupFile(path, shell.home), self._line_of(shell)
                try:
                    visit(file, line, outcome)
                except Obstacle as obstacle:
                    outcome.refusals.append(Refusal(pretty(path), obstacle, line))
        return outcome


def may_change_startup_files(options: Options, environment: Mapping[str, str]) -> bool:
    """Whether nobody forbade it, and the home is the one of whose shells will start."""
    return (
        not options.no_modify_path
        and not options.destdir
        and os.name == "posix"
        and _owns_home(environment.get("HOME", ""))
    )


def listed(names: list[str]) -> str:
    """As in "a, b and c"."""
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def _owns_home(home: str) -> bool:
    """Under sudo, HOME may be another user's, who could then not change what is written there."""
    try:
        return home.startswith("/") and os.stat(home).st_uid == os.geteuid()
    except OSError:
        return False
