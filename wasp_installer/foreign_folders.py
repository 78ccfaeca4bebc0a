"""Folders in which another user could exchange what root installs, and will then run."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import telemetry_ping

from .console import Console
from .errors import InstallerError
from .layout import Layout
from .shells import quoted

# Root, and nobody: whom a container does not know, it does not let in.
_HARMLESS: Final = (0, 65534)


def refuse_foreign_folders(
    layout: Layout, console: Console, environment: Mapping[str, str]
) -> None:
    """Looks at every folder on the way to where root is about to install.

    Raises:
        InstallerError: "permission-denied", where another user has a hand in one of them.
    """
    if os.name != "posix" or os.geteuid() != 0:
        return
    for folder in (*_way_to(layout.share), *_way_to(layout.bin)):
        try:
            info = os.stat(folder)
        except OSError:
            continue  # what cannot be looked at is for the install itself to meet
        if info.st_uid not in _HARMLESS:
            name = _user_name(info.st_uid)
            reason, hint = f"belongs to {name}", _hint_to_own(name, layout)
        elif info.st_mode & stat.S_IWOTH and not info.st_mode & stat.S_ISVTX:
            reason = "may be written to by all users"
            hint = (
                f"Close it: chmod o-w {quoted(folder)}\nOr choose another place with --prefix DIR."
            )
        else:
            continue
        if telemetry_ping.is_on_ci(environment):
            console.say(f"Installing as root below {folder}, which {reason} (allowed on CI)")
            return
        raise InstallerError(
            "permission-denied",
            f"{folder} {reason}, who could exchange what root installs below it.",
            hint,
        )


def _hint_to_own(name: str, layout: Layout) -> str:
    again = "Run this again without sudo"
    # Root has installed there before.
    with contextlib.suppress(OSError):
        if layout.share.lstat().st_uid == 0:
            again += f", after: sudo chown -R {name} {quoted(layout.prefix)}"
    return f"{again}\nOr choose a place of root's own, for example: --prefix /usr/local"


def _way_to(place: Path) -> Iterator[str]:
    """The folders that are there, from the root down: by the names in the path, then past links."""
    existing = next(folder for folder in (place, *place.parents) if os.path.isdir(folder))
    for path in (existing, Path(os.path.realpath(existing))):
        yield from map(str, (*reversed(path.parents), path))


def _user_name(number: int) -> str:
    import pwd  # not on Windows

    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)
