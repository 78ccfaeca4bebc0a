"""Makes new terminals of Windows find wasp.cmd, and takes that back."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from telemetry_ping import is_on_ci
from wasp_installer.command_line.console import Console
from wasp_installer.command_line.options import Options

from .user_path import UserPath, places

_SETTINGS: Final = (
    "Put it there: Settings > System > About > Advanced system settings > "
    "Environment variables > Path"
)


class PathSetup:
    """What one run does about PATH; ``folder`` is where wasp.cmd is."""

    def __init__(
        self,
        options: Options,
        console: Console,
        folder: Path,
        environment: Mapping[str, str],
        user_path: UserPath | None,
    ) -> None:
        self._may_change = user_path is not None and not options.no_modify_path
        self._console = console
        self._environment = environment
        self._user_path = user_path
        self._folder = str(folder)
        #: Says that the entry is ours: others need theirs after we are gone.
        self._mark = folder.parent / "share" / "wasp-lang" / ".added-to-path"

    def is_done(self) -> bool:
        """Whether the folder is an entry of PATH."""
        return bool(places(self._environment.get("PATH", ""), self._folder, self._environment))

    def add(self) -> None:
        """Makes new terminals find wasp, and says so; a warning says what was not done."""
        if self.is_done():
            return
        file = self._environment.get("GITHUB_PATH")
        # The registry would read a percent sign as a variable's.
        if set(self._folder) & set(';%"\r\n'):
            self._console.warn(
                f"{self._folder} is not on your PATH, and cannot be, because of a semicolon or a "
                "percent sign in its name.\nChoose another place with --prefix DIR."
            )
        elif self._may_change and file and self._environment.get("GITHUB_ACTIONS"):
            self._add_for_github(Path(file))
        elif not self._may_change or self._user_path is None or is_on_ci(self._environment):
            self._console.warn(f"{self._folder} is not on your PATH. {_SETTINGS}")
        else:
            self._add(self._user_path)

    def _add(self, user_path: UserPath) -> None:
        try:
            is_new = user_path.add(self._folder)
            if is_new:
                self._mark.parent.mkdir(parents=True, exist_ok=True)
                self._mark.touch()
        except OSError as error:
            self._console.warn(
                f"{self._folder} is not on your PATH, which cannot be changed: {error}.\n"
                + _SETTINGS
            )
            return
        done = f"Added {self._folder} to" if is_new else f"{self._folder} is on"
        self._console.say(f"{done} your PATH: open a new terminal to use it.")

    def _add_for_github(self, file: Path) -> None:
        try:
            with file.open("a", encoding="utf-8") as stream:
                stream.write(f"{self._folder}\n")
        except OSError:
            self._console.warn(f"{file} (GITHUB_PATH) cannot be written to.")
        else:
            self._console.say(f"Added {self._folder} to PATH for the next steps of this job.")

    def remove(self) -> None:
        """Takes out what ``add`` put in, and says so."""
        if not self._may_change or self._user_path is None or not self._mark.exists():
            return
        try:
            is_gone = self._user_path.remove(self._folder)
            self._mark.unlink()
        except OSError as error:
            self._console.warn(f"{self._folder} is still on your PATH: {error}.")
            return
        for folder in (self._mark.parent, self._mark.parent.parent):
            with contextlib.suppress(OSError):
                folder.rmdir()
        if is_gone:
            self._console.say(f"Took {self._folder} off your PATH")
