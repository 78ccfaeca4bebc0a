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
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from wasp_installer.errors import InstallerError, changing, file_system_error
from wasp_installer.signals import ignore_signals
from wasp_installer.texts import pretty

from .layout import Layout
from .receipts import is_installed

#: Other runs may change the same folders at the same time.
_ATTEMPTS: Final = 10


class Staging:
    """One run's staging folder, ``folder``, with ``new`` in it for the version.

    What has been put in its place stays; the rest is gone after the ``with`` block, and so are the
    empty folders that were made for it.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        # Known before it is made, so that a signal at that moment leaves nothing.
        name = f".staging-{_host()}-{os.getpid()}-{secrets.token_hex(3)}"
        self.folder = layout.share / name
        self.new = self.folder / "new"
        self._missing = [
            folder for folder in _and_parents(layout.share) if not os.path.lexists(folder)
        ]

    def __enter__(self) -> Staging:
        try:
            self._make()
        except BaseException:
            self.clean_up()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.clean_up()

    def _make(self) -> None:
        """Makes the folders, again where another run removes them, having found them empty."""
        share = self._layout.share
        failure = InstallerError("file-system", f"cannot write to {pretty(share)}.")
        for _ in range(_ATTEMPTS):
            try:
                share.mkdir(parents=True, exist_ok=True)
                self.folder.mkdir(mode=0o700)
                self.new.mkdir()
                return
            except OSError as error:
                failure = file_system_error(f"write to {pretty(share)}", error)
        raise failure

    def place(self, version: str, *, replace: bool) -> None:
        """Renames the staged version to its place.

        A version that another run has put there meanwhile is kept, unless ``replace``.

        Raises:
            InstallerError: a file-system one, when it does not go there.
        """
        place = self._layout.version_dir(version)
        failure = OSError("other runs keep changing it")
        for _ in range(_ATTEMPTS):
            if os.path.lexists(place):
                if is_installed(place, version) and not replace:
                    return
                with contextlib.suppress(FileNotFoundError):
                    self._move_aside(version)
            try:
                self.new.rename(place)
                return
            except OSError as error:
                failure = error
        raise file_system_error(f"write to {pretty(self._layout.share)}", failure)

    def _move_aside(self, version: str) -> None:
        aside = self.folder / "replaced" / version
        with changing(f"write to {pretty(self.folder)}"):
            aside.parent.mkdir(exist_ok=True)
            if aside.exists():
                remove_tree(aside)
        with contextlib.suppress(FileNotFoundError), changing(f"replace Wasp {version}"):
            self._layout.version_dir(version).rename(aside)

    def clean_up(self) -> None:
        """Leaves nothing that was not put in its place; may be called again."""
        # What is half cleaned up would be left.
        ignore_signals()
        for aside in self.folder.glob("replaced/*"):
            place = self._layout.version_dir(aside.name)
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


def _and_parents(folder: Path) -> Iterator[Path]:
    yield folder
    yield from folder.parents


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
    except PermissionError:
        for folder, _, _ in os.walk(path):
            with contextlib.suppress(OSError):
                os.chmod(folder, 0o700)
        shutil.rmtree(path, ignore_errors=True)
    except FileNotFoundError:
        # Another run sweeps the same.
        shutil.rmtree(path, ignore_errors=True)
