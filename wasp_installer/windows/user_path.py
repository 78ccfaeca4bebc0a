"""PATH on Windows: one value in the user's part of the registry, from which new terminals take it.

``setx`` is no way to change it: it cuts what is longer than 1024 characters, and writes the
machine's entries into the user's.
"""

from __future__ import annotations

import ntpath
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from telemetry_ping import is_on_ci
from wasp_installer.command_line.console import Console

_SETTINGS: Final = (
    "To add it: Settings > System > About > Advanced system settings > Environment variables > Path"
)
_KEY: Final = "Environment"
_VALUE: Final = "Path"
#: No variable can be longer, and of a longer one programs see nothing.
_LONGEST: Final = 32_766


def change(registry: Any, folder: str, first: list[str], environment: Mapping[str, str]) -> bool:
    """Puts ``first``, in place of ``folder``, before the other entries of the user's own PATH.

    These stay as they are written. ``registry`` is the standard library's ``winreg``, which only
    Windows has. Returns whether anything had to be changed.

    Raises:
        OSError: the registry does not let us, or the value would be too long.
    """
    access = registry.KEY_READ | registry.KEY_WRITE
    with registry.CreateKeyEx(registry.HKEY_CURRENT_USER, _KEY, 0, access) as key:
        try:
            value, kind = registry.QueryValueEx(key, _VALUE)
        except FileNotFoundError:
            # A new one may name other variables.
            value, kind = "", registry.REG_EXPAND_SZ
        if kind not in (registry.REG_SZ, registry.REG_EXPAND_SZ):
            raise OSError("PATH in the registry is not a text")
        if is_on(value, folder, environment) == bool(first):
            return False
        entries = value.split(";") if value else []
        others = [entry for entry in entries if not is_on(entry, folder, environment)]
        changed = ";".join(first + others)
        if len(changed) > _LONGEST:
            raise OSError("PATH would be too long")
        if changed:
            registry.SetValueEx(key, _VALUE, 0, kind, changed)
        else:
            registry.DeleteValue(key, _VALUE)
    announce_change()
    return True


def is_on(path: str, folder: str, environment: Mapping[str, str]) -> bool:
    """Whether an entry of a PATH stands for ``folder``, however it is written there."""
    wanted = _plain(folder, environment)
    return any(_plain(entry, environment) == wanted for entry in path.split(";"))


def _plain(entry: str, environment: Mapping[str, str]) -> str:
    """An entry as Windows compares it: without quotes, variables, case and a slash at its end."""
    upper = {name.upper(): value for name, value in environment.items()}
    text = re.sub(r"%([^%]+)%", lambda name: upper.get(name[1].upper(), name[0]), entry.strip(' "'))
    return ntpath.normpath(text).lower() if text else ""


def announce_change() -> None:
    """Tells the running programs that PATH has changed."""
    # https://learn.microsoft.com/windows/win32/winmsg/wm-settingchange
    if sys.platform == "win32":
        import ctypes

        # A handle is as long as a pointer, and ctypes would take a number for an int.
        everybody = ctypes.c_void_p(0xFFFF)
        setting_change, unless_hung, longest_ms = 0x001A, 0x0002, 5000
        send = ctypes.windll.user32.SendMessageTimeoutW
        send(everybody, setting_change, None, _KEY, unless_hung, longest_ms, None)


@dataclass(frozen=True)
class PathSetup:
    """What one run does about PATH; ``folder`` is where wasp.cmd is.

    ``registry`` is None where it may not be changed.
    """

    console: Console
    folder: Path
    environment: Mapping[str, str]
    registry: Any

    @property
    def _mark(self) -> Path:
        """Says that the entry is ours: others need theirs after we are gone."""
        return self.folder / ".added-to-path-by-wasp"

    def _change(self, first: list[str]) -> bool:
        return change(self.registry, str(self.folder), first, self.environment)

    def is_done(self) -> bool:
        """Whether the folder is an entry of PATH."""
        return is_on(self.environment.get("PATH", ""), str(self.folder), self.environment)

    def add(self) -> None:
        """Makes new terminals find wasp, and says so; a warning says what was not done."""
        if self.is_done():
            return
        file = self.environment.get("GITHUB_PATH")
        # The registry would read a percent sign as a variable's.
        if set(str(self.folder)) & set(';%"\r\n'):
            self.console.warn(
                f"{self.folder} cannot be on PATH: its name has a semicolon, a percent sign or a "
                "quote.\nChoose another place with --prefix DIR."
            )
        elif self.registry and file and self.environment.get("GITHUB_ACTIONS"):
            self._add_for_github(Path(file))
        elif self.registry is None or is_on_ci(self.environment):
            self.console.warn(f"{self.folder} is not on your PATH. {_SETTINGS}")
        else:
            self._add()

    def _add(self) -> None:
        try:
            is_new = self._change([str(self.folder)])
            if is_new:
                self._mark.touch()
        except OSError as error:
            self.console.warn(
                f"{self.folder} is not on your PATH, and cannot be added to it: {error}.\n"
                + _SETTINGS
            )
            return
        done = f"Added {self.folder} to" if is_new else f"{self.folder} is on"
        self.console.say(f"{done} your PATH: open a new terminal to use it.")

    def _add_for_github(self, file: Path) -> None:
        try:
            with file.open("a", encoding="utf-8") as stream:
                stream.write(f"{self.folder}\n")
        except OSError:
            self.console.warn(f"{file} (GITHUB_PATH) cannot be written to.")
        else:
            self.console.say(f"Added {self.folder} to PATH for the next steps of this job.")

    def remove(self) -> None:
        """Takes out what ``add`` put in, and says so."""
        if self.registry is None or not self._mark.exists():
            return
        try:
            is_gone = self._change([])
            self._mark.unlink()
        except OSError as error:
            self.console.warn(f"{self.folder} is still on your PATH: {error}.")
            return
        if is_gone:
            self.console.say(f"Removed {self.folder} from your PATH")
