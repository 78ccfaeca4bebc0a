"""PREFIX/bin/wasp: the small script that starts the current version."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass

from .contents import content_of
from .errors import InstallerError
from .interpreter import PythonLookup
from .layout import Layout
from .shells import quoted
from .staging import Staging
from .versions import is_version

_SETTLE_ATTEMPTS = 10
_READ_SIZE = 4096

# On Windows. Wasp's own telemetry stays in charge there.
_CMD = r"""@echo off
rem Starts Wasp. The Wasp installer writes this file anew whenever the current version changes.
setlocal EnableExtensions DisableDelayedExpansion
set "wasp_version=@VERSION@"
set "wasp_dir=%~dp0..\share\wasp-lang\%wasp_version%"
if not exist "%wasp_dir%\wasp-bin.exe" (
    >&2 echo wasp: Wasp %wasp_version% is no longer here. Install it again: python install.py
    exit /b 127
)
set "waspc_datadir=%wasp_dir%\data"
"%wasp_dir%\wasp-bin.exe" %*
"""


@dataclass(frozen=True)
class LauncherState:
    """What is at the launcher's place: ``kind`` is none, ours, foreign or folder.

    ``version`` is the one that it starts, where that can be told.
    """

    kind: str
    version: str | None = None


def inspect(layout: Layout) -> LauncherState:
    """What is at the launcher's place now."""
    path = layout.launcher
    if path.is_symlink():
        return LauncherState("foreign")
    if path.is_dir():
        return LauncherState("folder")
    try:
        with path.open("rb") as file:
            content = file.read(_READ_SIZE)
    except OSError:
        return LauncherState("foreign" if os.path.lexists(path) else "none")
    if b"The Wasp installer writes this file" in content and b"rem distribution:" in content:
        # wasp.cmd, for a Wasp inside WSL.
        return LauncherState("ours")
    start = b"@echo off" if os.name == "nt" else b"#!"
    if not (content.startswith(start) and b"waspc_datadir=" in content):
        return LauncherState("foreign")
    # The older installer wrote the version into its paths only.
    found = re.search(
        rb'^(?:set ")?wasp_version=([0-9A-Za-z.-]+)"?\r?$'
        rb"|/share/wasp-lang/([0-9A-Za-z.-]+)/wasp-bin",
        content,
        re.MULTILINE,
    )
    version = (found[1] or found[2]).decode() if found else ""
    return LauncherState("ours", version if is_version(version) else None)


def content(version: str, wasp_root: str, python: str) -> bytes:
    """The launcher of ``version`` below ``wasp_root``; ``python`` runs telemetry_ping.py, or ""."""
    if os.name == "nt":
        return _CMD.replace("@VERSION@", version).replace("\n", "\r\n").encode("ascii")
    text = content_of("installed/launcher").decode("utf-8")
    # The version without quotes, as ``inspect`` reads it.
    values = {"version": version, "root": quoted(wasp_root), "python": quoted(python)}
    for name, value in values.items():
        text = text.replace(f"\nwasp_{name}=''\n", f"\nwasp_{name}={value}\n")
    return os.fsencode(text)


def stage(layout: Layout, staging: Staging, version: str, python: PythonLookup) -> None:
    """Prepares what makes ``version`` the current one: ``Staging.place_launcher`` does it."""
    staging.stage_launcher(content(version, layout.wasp_root, python.path()))


def write(layout: Layout, staging: Staging, version: str, python: PythonLookup) -> None:
    """Makes ``version`` the current one."""
    stage(layout, staging, version, python)
    staging.place_launcher()


def settle(
    layout: Layout, staging: Staging, python: PythonLookup, *, leaving: str | None = None
) -> LauncherState:
    """Looks, after a change, whether the launcher and its version are there.

    If another run removed one of them meanwhile, or it is the one that is ``leaving``, the launcher
    goes to the newest that is left, or is removed.
    Both that run and this one look after they act, so the last of them sees the whole.
    """
    state = inspect(layout)
    for _ in range(_SETTLE_ATTEMPTS):
        if state.kind != "none":
            if state.version is None:
                break
            if state.version != leaving and layout.has_binary(state.version):
                break
        installed = [version for version in layout.installed() if version != leaving]
        if installed:
            write(layout, staging, installed[0], python)
        elif state.kind == "none":
            break
        else:
            layout.launcher.unlink(missing_ok=True)
        state = inspect(layout)
    return state


def refuse_foreign(state: LauncherState, shown: Callable[[], str], *, force: bool) -> None:
    """Raises "foreign-launcher" for what must not be replaced; ``shown`` is its path in words."""
    if state.kind == "folder":
        raise InstallerError(
            "foreign-launcher", f"{shown()} is a folder.", "Move it away, then run this again."
        )
    if state.kind == "foreign" and not force:
        raise InstallerError(
            "foreign-launcher",
            f"{shown()} is there already, and is not from this installer.",
            "Move it away, or replace it with --force.",
        )
