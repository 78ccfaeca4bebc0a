"""Both getters in one world: what they print, report and leave must be the same, byte for byte."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from tests.support.frontends import PYTHON, FrontEnd
from tests.support.installed import launcher_text
from tests.support.machines import Machine, Run
from tests.support.trees import Entry, picture

_Done = TypeVar("_Done")
#: The sh program knows nothing of these.
_PYTHON_ONLY = ("elapsed_s", "telemetry")
#: What is compared of a failure whose words come from curl, wget or requests.
_CERTAIN = ("status", "code", "error", "hint")


@dataclass(frozen=True)
class _Outcome:
    """What one getter did."""

    run: Run
    report: dict[str, Any]
    left: dict[str, Entry]


@dataclass
class Getters:
    """install.py and the sh program on one machine, each from the same state of its home.

    After a run the home is as the sh program has left it.
    """

    machine: Machine
    shell: FrontEnd
    python: FrontEnd = PYTHON

    def install(self, version: str | None = None, *options: str, **kwargs: Any) -> Run:
        """Runs `install` by both, with their reports; returns the run of the sh program."""
        chosen = [] if version is None else ["--version", version]
        return self.run("install", *chosen, *options, **kwargs)

    def run(self, *arguments: str, certain_only: bool = False, **kwargs: Any) -> Run:
        """Runs this by both; with `certain_only`, the words of an error may differ."""
        python, shell = self._each(lambda: self._outcome(*arguments, **kwargs))
        if certain_only:
            for key in _CERTAIN:
                assert python.report.get(key) == shell.report.get(key), f"{python}\n{shell}"
        else:
            assert python.report == shell.report, f"{python.run}\n{shell.run}"
            assert python.run.stderr == shell.run.stderr, f"{python.run}\n{shell.run}"
        assert python.run.code == shell.run.code
        assert python.left == shell.left
        return shell.run

    def file(self, archive: bytes) -> tuple[str, str]:
        """The option for an archive with these bytes."""
        path = self.machine.root / "wasp.tgz"
        path.write_bytes(archive)
        return "--from-file", str(path)

    def has_current(self, version: str, *others: str) -> None:
        """Puts versions there, of which the first is the current one."""
        layout = self.machine.layout
        for each in (version, *others):
            layout.plant(each)
        layout.launcher.parent.mkdir(parents=True)
        layout.launcher.write_bytes(launcher_text(version, layout.share, ""))
        layout.launcher.chmod(0o755)

    def _outcome(self, *arguments: str, **kwargs: Any) -> _Outcome:
        run = self.machine.run(*arguments, "--json", **kwargs)
        report = {key: value for key, value in run.json.items() if key not in _PYTHON_ONLY}
        return _Outcome(run, report, picture(self.machine.home))

    def _each(self, act: Callable[[], _Done]) -> tuple[_Done, _Done]:
        home, saved = self.machine.home, self.machine.root / "home as it was"
        _copy(home, saved)
        self.machine.front_end = self.python
        python = act()
        shutil.rmtree(home)
        _copy(saved, home)
        shutil.rmtree(saved)
        self.machine.front_end = self.shell
        return python, act()


def _copy(source: Path, target: Path) -> None:
    shutil.copytree(source, target, symlinks=True)
