"""Staging: where a version is prepared, to be renamed into its place by the sh program.

A staging name says which process of which machine it belongs to, so that the next run can tell
what a killed one left (sh/versions.sh).
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
from pathlib import Path
from typing import Final

from wasp_installer.errors import changing
from wasp_installer.signals import ignore_signals
from wasp_installer.texts import pretty

_ATTEMPTS: Final = 10


class Staging:
    """One run's staging folder, ``folder``, with ``new`` in it for the version.

    It is in ``share``, the folder of all versions. After the ``with`` block it is gone, and so are
    the empty folders that were made for it.
    """

    def __init__(self, share: Path) -> None:
        self._share = share
        # Known before it is made, so that a signal at that moment leaves nothing.
        self.folder = share / f".staging-{_host()}-{os.getpid()}-{secrets.token_hex(3)}"
        self.new = self.folder / "new"
        folders = (share, *share.parents)
        self._missing = [folder for folder in folders if not os.path.lexists(folder)]

    def __enter__(self) -> Staging:
        try:
            with changing(f"write to {pretty(self._share)}"):
                for _ in range(_ATTEMPTS):
                    # Another run may make, or remove, the same folders meanwhile.
                    with contextlib.suppress(OSError):
                        self.new.mkdir(parents=True)
                        return self
                self.new.mkdir(parents=True)
        except BaseException:
            self.clean_up()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.clean_up()

    def clean_up(self) -> None:
        """Removes it; may be called again."""
        # What is half cleaned up would be left.
        ignore_signals()
        shutil.rmtree(self.folder, ignore_errors=True)
        for folder in self._missing:
            # Stays when something was placed; a run that was ended early has not made all of them.
            with contextlib.suppress(OSError):
                folder.rmdir()


def _host() -> str:
    name = os.uname().nodename + "_"  # type: ignore[attr-defined,unused-ignore]
    # Containers may share a folder and a name, but have process ids of their own.
    with contextlib.suppress(OSError):
        name += os.readlink("/proc/self/ns/pid")
    return re.sub("[^A-Za-z0-9]", "_", name)
