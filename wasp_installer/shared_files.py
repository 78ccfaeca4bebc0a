"""What belongs to no single version, and is there as long as one is.

That is the ping module, which the launcher runs beside Wasp, and the scripts for tab completion.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

from .console import pretty
from .contents import content_of
from .errors import InstallerError, changing
from .layout import Layout
from .staging import Staging

#: zsh finds a function in the file of its name, if somebody puts the folder into fpath.
COMPLETION_SCRIPTS: Final = ("wasp.bash", "_wasp", "wasp.fish")
_SETTLE_ATTEMPTS: Final = 10


def _places(layout: Layout) -> list[Path]:
    return [layout.ping_module, *(layout.completions / name for name in COMPLETION_SCRIPTS)]


def stage(staging: Staging) -> None:
    """Writes them where they may still be taken back."""
    staging.stage_file("telemetry_ping.py", content_of("telemetry_ping.py"))
    for name in COMPLETION_SCRIPTS:
        staging.stage_file(name, content_of(f"wasp_installer/completions/{name}"))


def place(layout: Layout, staging: Staging) -> None:
    """Puts them where the launcher, the lines in start-up files and packages' links expect them."""
    for file in _places(layout):
        staging.place_file(file)


def remove(layout: Layout) -> None:
    """Removes them, with what Python has compiled of the module.

    Raises:
        InstallerError: a file-system one, when something stays.
    """
    with changing(f"remove from {pretty(layout.share)}"):
        layout.ping_module.unlink(missing_ok=True)
        for folder in _folders(layout):
            with contextlib.suppress(FileNotFoundError):
                shutil.rmtree(folder)


def _folders(layout: Layout) -> list[Path]:
    return [layout.share / "__pycache__", layout.completions]


def settle(
    layout: Layout, make_staging: Callable[[], contextlib.AbstractContextManager[Staging]]
) -> None:
    """Looks, after a change, whether they are there as long as a version is, and no longer.

    Another run may have removed, or installed, the last version meanwhile. Both that run and this
    one look after they act, so the last of them sees the whole.

    Raises:
        InstallerError: a file-system one, when they cannot be put there, or be removed.
    """
    for left in reversed(range(_SETTLE_ATTEMPTS)):
        if _are_right(layout):
            return
        try:
            if layout.installed():
                with make_staging() as staging:
                    stage(staging)
                    place(layout, staging)
            else:
                remove(layout)
        except InstallerError:
            if left == 0:
                raise


def _are_right(layout: Layout) -> bool:
    if layout.installed():
        return all(file.is_file() for file in _places(layout))
    # A version of an older installer has none.
    if layout.version_folders():
        return True
    return not any(map(os.path.lexists, [layout.ping_module, *_folders(layout)]))
