"""Staging: where a version is prepared, to be renamed into its place.

A staging name says which process of which machine it belongs to, so that the next run can tell
what a killed one left.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

from wasp_installer.errors import changing
from wasp_installer.signals import ignore_signals
from wasp_installer.texts import pretty

from .receipts import is_installed

_ATTEMPTS: Final = 10


class Staging:
    """One run's staging folder, ``folder``, with ``new`` in it for the version.

    It is in ``share``, the folder of all versions. What has been put in its place stays; the rest
    is gone after the ``with`` block, and so are the empty folders that were made for it.
    """

    def __init__(self, share: Path) -> None:
        self._share = share
        # Known before it is made, so that a signal at that moment leaves nothing.
        name = f".staging-{_host()}-{os.getpid()}-{secrets.token_hex(3)}"
        self.folder = share / name
        self.new = self.folder / "new"
        folders = (share, *share.parents)
        self._missing = [folder for folder in folders if not os.path.lexists(folder)]

    def __enter__(self) -> Staging:
        try:
            self._repeat(self._make)
        except BaseException:
            self.clean_up()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.clean_up()

    def _repeat(self, change: Callable[[], None]) -> None:
        """Makes a change again where another run removes or makes the same folders meanwhile."""
        with changing(f"write to {pretty(self._share)}"):
            for _ in range(_ATTEMPTS - 1):
                with contextlib.suppress(OSError):
                    change()
                    return
            change()

    def _make(self) -> None:
        self._share.mkdir(parents=True, exist_ok=True)
        self.folder.mkdir(mode=0o700)
        self.new.mkdir()

    def place(self, version: str, *, replace: bool) -> None:
        """Renames the staged version to its place.

        A version that another run has put there meanwhile is kept, unless ``replace``.

        Raises:
            InstallerError: a file-system one, when it does not go there.
        """
        place = self._share / version

        def put() -> None:
            if os.path.lexists(place):
                if is_installed(place, version) and not replace:
                    return
                aside = self.folder / "replaced" / version
                aside.parent.mkdir(exist_ok=True)
                remove_tree(aside)
                place.rename(aside)
            self.new.rename(place)

        self._repeat(put)

    def clean_up(self) -> None:
        """Leaves nothing that was not put in its place; may be called again."""
        # What is half cleaned up would be left.
        ignore_signals()
        for aside in self.folder.glob("replaced/*"):
            place = self._share / aside.name
            if not os.path.lexists(place):
                with contextlib.suppress(OSError):
                    aside.rename(place)
        # One that is no longer whole must not be put back by the next run.
        with contextlib.suppress(OSError):
            (self.folder / "replaced").rename(self.folder / "discarded")
        # What cannot be removed now is left to the next run.
        with contextlib.suppress(OSError):
            remove_tree(self.folder)
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


def remove_tree(path: Path) -> None:
    """Removes a file or a folder with all in it, also what nobody may write to.

    Raises:
        OSError: something stays.
    """
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
        return
    try:
        shutil.rmtree(path)
    except (PermissionError, FileNotFoundError):
        # The latter where another run sweeps the same.
        for folder, _, _ in os.walk(path):
            with contextlib.suppress(OSError):
                os.chmod(folder, 0o700)
        shutil.rmtree(path, ignore_errors=True)
