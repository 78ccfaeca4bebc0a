"""Both getters in one world: what they print, report and leave must be the same, byte for byte."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import Any

from tests.support.frontends import PYTHON, FrontEnd
from tests.support.installed import launcher_text
from tests.support.machines import Machine, Run
from tests.support.trees import Entry, picture

#: The sh program knows nothing of these.
_PYTHON_ONLY = ("elapsed_s", "telemetry")
#: What is compared of a failure whose words come from curl, wget or requests.
_CERTAIN = ("status", "code", "error", "hint")
#: What one getter did: its run, its report, and what the home is after it.
_Outcome = tuple[Run, dict[str, Any], dict[str, Entry]]


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
        home, saved = self.machine.home, self.machine.root / "home as it was"
        shutil.copytree(home, saved, symlinks=True)
        python, told, left = self._outcome(self.python, *arguments, **kwargs)
        shutil.rmtree(home)
        saved.rename(home)
        shell, told_by_shell, left_by_shell = self._outcome(self.shell, *arguments, **kwargs)
        if certain_only:
            told, told_by_shell = (
                {key: each.get(key) for key in _CERTAIN} for each in (told, told_by_shell)
            )
        else:
            assert python.stderr == shell.stderr, f"{python}\n{shell}"
        assert told == told_by_shell, f"{python}\n{shell}"
        assert (python.code, left) == (shell.code, left_by_shell)
        return shell

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

    def _outcome(self, getter: FrontEnd, *arguments: str, **kwargs: Any) -> _Outcome:
        self.machine.front_end = getter
        run = self.machine.run(*arguments, "--json", **kwargs)
        report = {key: value for key, value in run.json.items() if key not in _PYTHON_ONLY}
        return run, report, picture(self.machine.home)
