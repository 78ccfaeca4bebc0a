"""Staging: where a run prepares what it then renames into place.

Nothing is locked. A staging name says which process of which machine it belongs to, so that the
next run can tell what a killed one left.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Final

from .console import Console, pretty
from .errors import InstallerError, changing, file_system_error
from .layout import Layout
from .signals import ignore_signals

FOLDER_PREFIX: Final = ".staging-"
FILE_PREFIX: Final = ".wasp-staging-"
_OTHER_MACHINES_AGE_S: Final = 24 * 60 * 60
#: Other runs may change the same folders at the same time.
_ATTEMPTS: Final = 10
_names_of_this_process: Final[set[str]] = set()


class Staging:
    """One run's staging folder and staged launcher; both are gone after the ``with`` block.

    Unless ``commit`` was called, so are the empty folders that it made for them. A run that only
    removes things, and so ``makes_room``, does without both on a full disk.
    """

    def __init__(self, layout: Layout, console: Console, *, makes_room: bool = False) -> None:
        self._makes_room = makes_room
        self._layout = layout
        self._console = console
        self._made: list[tuple[Path, Path]] = []
        self._committed = False
        # Known before they are made, so that a signal at that moment leaves nothing.
        name = staging_name()
        self.folder = layout.share / f"{FOLDER_PREFIX}{name}"
        self.new = self.folder / "new"
        self._staged_launcher = layout.bin / f"{FILE_PREFIX}{name}"
        self._has_launcher = False
        self._has_placed = False

    def __enter__(self) -> Staging:
        try:
            self._remember_missing(self._layout.share)
            self._remember_missing(self._layout.bin)
            sweep(self._layout, self._console)
            self._make_folders()
        except InstallerError as error:
            if error.slug != "no-space" or not self._makes_room:
                self.clean_up()
                raise
        except BaseException:
            self.clean_up()
            raise
        return self

    def _make_folders(self) -> None:
        _make_inside(self._layout.share, lambda: self.folder.mkdir(mode=0o700))
        with changing(f"write to {pretty(self._layout.share)}"):
            self.new.mkdir()
        # A folder that cannot be written to is better known before the download.
        self._reserve_launcher()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.clean_up()

    def commit(self) -> None:
        """From here on the folders are wanted."""
        self._committed = True

    def _remember_missing(self, folder: Path) -> None:
        missing = None
        for parent in (folder, *folder.parents):
            if os.path.lexists(parent):
                break
            missing = parent
        if missing is not None:
            self._made.append((folder, missing))

    def _reserve_launcher(self) -> None:
        _make_inside(self._layout.bin, lambda: os.close(create_file(self._staged_launcher)))
        self._has_launcher = True

    def stage_launcher(self, content: bytes) -> None:
        """Writes the launcher beside its place."""
        if not self._has_launcher:
            self._reserve_launcher()
        with changing(f"write to {pretty(self._layout.bin)}"):
            self._staged_launcher.write_bytes(content)
            self._staged_launcher.chmod(0o755)

    def place_launcher(self) -> None:
        """Puts the staged launcher in its place, never half written and never through a link."""
        with changing(f"write the launcher {pretty(self._layout.launcher)}"):
            self._staged_launcher.replace(self._layout.launcher)
        self._has_launcher = False

    def stage_file(self, name: str, content: bytes) -> None:
        """Writes a file that all may read."""
        with changing(f"write to {pretty(self.folder)}"):
            (self.folder / name).write_bytes(content)
            (self.folder / name).chmod(0o644)

    def place_file(self, place: Path) -> None:
        """Puts the staged file of that name in its place: whole, and never through a link."""
        staged = self.folder / place.name
        _make_inside(place.parent, lambda: os.replace(staged, place))

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
                if self._layout.is_installed(version) and not replace:
                    return
                with contextlib.suppress(FileNotFoundError):
                    self._move_aside(version, "replaced")
            try:
                self.new.rename(place)
                self._has_placed = True
                return
            except OSError as error:
                failure = error
        raise file_system_error(f"put Wasp {version} into {pretty(place)}", failure)

    def take_back(self, version: str) -> None:
        """Undoes ``place``, if that has put this run's version there."""
        if self._has_placed:
            with contextlib.suppress(OSError):
                self._move_aside(version, "failed")

    def remove(self, version: str) -> None:
        """Takes a version out of its place at once, then removes it bit by bit."""
        # Nothing is made for it, so that it can be done on a full disk.
        removed = self._layout.share / f"{FOLDER_PREFIX}{staging_name()}"
        try:
            self._layout.version_dir(version).rename(removed)
            remove_tree(removed)
        except FileNotFoundError:
            pass
        except OSError as error:
            action = f"remove {pretty(self._layout.version_dir(version))}"
            raise file_system_error(action, error) from error

    def _move_aside(self, version: str, folder_name: str) -> Path:
        aside = self.folder / folder_name / version
        aside.parent.mkdir(exist_ok=True)
        if aside.exists():
            remove_tree(aside)
        return self._layout.version_dir(version).rename(aside)

    def clean_up(self) -> None:
        """Leaves nothing that was not put in its place; may be called again."""
        # What is half cleaned up would be left.
        ignore_signals()
        # Once another version is in its place, it is another run that has removed that.
        _discard(self._layout, self.folder, puts_back=not self._committed)
        with contextlib.suppress(OSError):
            self._staged_launcher.unlink()
        if not self._committed:
            for folder, topmost in reversed(self._made):
                _remove_empty(folder, topmost)


def sweep(layout: Layout, console: Console) -> None:
    """Removes what killed runs left, and puts back a version that one had moved aside."""
    for folder, prefix in ((layout.share, FOLDER_PREFIX), (layout.bin, FILE_PREFIX)):
        for left in folder.glob(f"{prefix}*"):
            if is_abandoned(left, left.name[len(prefix) :]):
                console.say_step(f"Cleaning up after an earlier run: {left}")
                _discard(layout, left)


def _make_inside(folder: Path, make: Callable[[], None]) -> None:
    """Calls ``make``, which makes something in ``folder``.

    The folder is made too, and made again when another run has removed it, having found it empty.
    """
    failure = InstallerError("file-system", f"cannot write to {pretty(folder)}.")
    for _ in range(_ATTEMPTS):
        action = f"make the folder {pretty(folder)}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            action = f"write to {pretty(folder)}"
            make()
            return
        except OSError as error:
            failure = file_system_error(action, error)
    raise failure


def _discard(layout: Layout, staged: Path, *, puts_back: bool = True) -> None:
    """Removes what was staged, but for a version that was moved aside and has no other now."""
    for aside in staged.glob("replaced/*"):
        place = layout.version_dir(aside.name)
        if puts_back and not os.path.lexists(place):
            with contextlib.suppress(OSError):
                aside.rename(place)
    # One that is no longer whole must not be put back.
    with contextlib.suppress(OSError):
        (staged / "replaced").rename(staged / "discarded")
    # What cannot be removed now is left to the next run.
    with contextlib.suppress(OSError):
        remove_tree(staged)


def staging_name() -> str:
    """A new name for what this process stages, after its prefix."""
    name = f"{_host()}-{os.getpid()}-{secrets.token_hex(4)}"
    _names_of_this_process.add(name)
    return name


def create_file(path: Path) -> int:
    """A descriptor of a new file that only this user may read."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)


def _host() -> str:
    if sys.platform == "win32":
        name = os.environ.get("COMPUTERNAME", "")
    else:
        name = os.uname().nodename
        # Containers may share a folder and a name, but have process ids of their own.
        with contextlib.suppress(OSError):
            name += "_" + os.readlink("/proc/self/ns/pid")
    return re.sub("[^A-Za-z0-9]", "_", name)


def _is_running(pid: int) -> bool:
    if sys.platform == "win32":
        import ctypes

        # os.kill would end it, whatever the signal.
        query_limited_information, invalid_parameter = 0x1000, 87
        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        kernel.OpenProcess.restype = ctypes.c_void_p
        handle = kernel.OpenProcess(query_limited_information, False, pid)
        if not handle:
            return ctypes.get_last_error() != invalid_parameter
        still_active, code = 259, ctypes.c_ulong()
        kernel.GetExitCodeProcess(ctypes.c_void_p(handle), ctypes.byref(code))
        kernel.CloseHandle(ctypes.c_void_p(handle))
        return code.value == still_active
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def is_abandoned(path: Path, name: str) -> bool:
    """Whether the process that ``name`` names has ended.

    One of another machine (a shared home) counts as ended after a day. In a container, a run may
    have the number of the one before it.
    """
    if name in _names_of_this_process:
        return False
    host, _, pid = name.rpartition("-")[0].rpartition("-")
    if host != _host() or not pid.isdigit():
        try:
            return time.time() - path.stat().st_mtime > _OTHER_MACHINES_AGE_S
        except FileNotFoundError:
            return False
    return int(pid) == os.getpid() or not _is_running(int(pid))


def remove_tree(path: Path) -> None:
    """Removes a file or a folder with all in it, also what an archive gave no write permission."""
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except PermissionError:
        for folder, _, _ in os.walk(path):
            with contextlib.suppress(OSError):
                os.chmod(folder, 0o700)
        shutil.rmtree(path, ignore_errors=True)
    except FileNotFoundError:
        # Another run sweeps the same.
        shutil.rmtree(path, ignore_errors=True)


def _remove_empty(folder: Path, topmost: Path) -> None:
    with contextlib.suppress(OSError):
        for parent in (folder, *folder.parents):
            # A run that was ended early has not made all of them.
            with contextlib.suppress(FileNotFoundError):
                parent.rmdir()
            if parent == topmost:
                break
