"""Staging: where a run prepares what it then renames into place.

Nothing is locked. A staging name says which process of which machine it belongs to, so that the
next run can tell what a killed one left.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Final

from .console import Console, pretty
from .errors import changing, file_system_error
from .layout import Layout

FOLDER_PREFIX: Final = ".staging-"
FILE_PREFIX: Final = ".wasp-staging-"
_OTHER_MACHINES_AGE_S: Final = 24 * 60 * 60
_RENAME_ATTEMPTS: Final = 10


class Staging:
    """One run's staging folder and staged launcher; both are gone after the ``with`` block.

    Unless ``commit`` was called, so are the empty folders that it made for them.
    """

    def __init__(self, layout: Layout, console: Console) -> None:
        self._layout = layout
        self._console = console
        self._made: list[tuple[Path, Path]] = []
        self._committed = False
        self._launcher: Path | None = None
        self._owner = staging_owner()

    def __enter__(self) -> Staging:
        try:
            self._make_folder(self._layout.share)
            self._make_folder(self._layout.bin)
            self._sweep()
            with changing(f"write to {pretty(self._layout.share)}"):
                made = tempfile.mkdtemp(prefix=FOLDER_PREFIX + self._owner, dir=self._layout.share)
            self.folder = Path(made)
            # A folder that cannot be written to is better known before the download.
            self._reserve_launcher()
        except BaseException:
            self._clean_up()
            raise
        self.new = self.folder / "new"
        self.new.mkdir()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._clean_up()

    def commit(self) -> None:
        """From here on the folders are wanted."""
        self._committed = True

    def _make_folder(self, folder: Path) -> None:
        missing = None
        for parent in (folder, *folder.parents):
            if os.path.lexists(parent):
                break
            missing = parent
        if missing is not None:
            self._made.append((folder, missing))
        with changing(f"make the folder {pretty(folder)}"):
            folder.mkdir(parents=True, exist_ok=True)

    def _reserve_launcher(self) -> Path:
        with changing(f"write to {pretty(self._layout.bin)}"):
            descriptor, path = tempfile.mkstemp(
                prefix=FILE_PREFIX + self._owner, dir=self._layout.bin
            )
            os.close(descriptor)
        self._launcher = Path(path)
        return self._launcher

    def write_launcher(self, content: bytes) -> None:
        """Puts the launcher in place, never half written and never through a link."""
        staged = self._launcher or self._reserve_launcher()
        with changing(f"write the launcher {pretty(self._layout.launcher)}"):
            staged.write_bytes(content)
            staged.chmod(0o755)
            staged.replace(self._layout.launcher)
        self._launcher = None

    def place_file(self, place: Path, content: bytes) -> None:
        """Puts a file, readable by all, in its place: whole, and never through a link."""
        staged = self.folder / place.name
        with changing(f"write to {pretty(place.parent)}"):
            place.parent.mkdir(parents=True, exist_ok=True)
            staged.write_bytes(content)
            staged.chmod(0o644)
            staged.replace(place)

    def place(self, version: str, *, replace: bool) -> None:
        """Renames the staged version to its place.

        A version that another run has put there meanwhile is kept, unless ``replace``.

        Raises:
            InstallerError: a file-system one, when it does not go there.
        """
        place = self._layout.version_dir(version)
        failure = OSError("other runs keep changing it")
        for _ in range(_RENAME_ATTEMPTS):
            if os.path.lexists(place):
                if self._layout.is_installed(version) and not replace:
                    return
                with contextlib.suppress(FileNotFoundError):
                    self._move_aside(version, "replaced")
            try:
                self.new.rename(place)
                return
            except OSError as error:
                failure = error
        raise file_system_error(f"put Wasp {version} into {pretty(place)}", failure)

    def remove(self, version: str) -> None:
        """Takes a version out of its place at once, then removes it bit by bit."""
        try:
            remove_tree(self._move_aside(version, "removed"))
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

    def _sweep(self) -> None:
        """Removes what killed runs left, and puts back a version that one had moved aside."""
        for folder, prefix in (
            (self._layout.share, FOLDER_PREFIX),
            (self._layout.bin, FILE_PREFIX),
        ):
            for left in folder.glob(f"{prefix}*"):
                if is_abandoned(left, left.name[len(prefix) :]):
                    self._console.say_step(f"Cleaning up after an earlier run: {left}")
                    self._put_back(left)
                    remove_tree(left)

    def _put_back(self, staging: Path) -> None:
        for aside in staging.glob("replaced/*"):
            place = self._layout.version_dir(aside.name)
            if not os.path.lexists(place):
                with contextlib.suppress(OSError):
                    aside.rename(place)

    def _clean_up(self) -> None:
        folder = getattr(self, "folder", None)
        if folder is not None:
            self._put_back(folder)
            remove_tree(folder)
        if self._launcher is not None:
            self._launcher.unlink(missing_ok=True)
        if not self._committed:
            for folder, topmost in reversed(self._made):
                _remove_empty(folder, topmost)


def staging_owner() -> str:
    """What the name of everything that this process stages begins with, after its prefix."""
    return f"{_host()}-{os.getpid()}-"


def _host() -> str:
    if sys.platform == "win32":
        name = os.environ.get("COMPUTERNAME", "")
    else:
        name = os.uname().nodename
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

    One of another machine (a shared home) counts as ended after a day.
    """
    host, _, pid = name.rpartition("-")[0].rpartition("-")
    if host != _host() or not pid.isdigit():
        try:
            return time.time() - path.stat().st_mtime > _OTHER_MACHINES_AGE_S
        except FileNotFoundError:
            return False
    return not _is_running(int(pid))


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
        folder.rmdir()
        while folder != topmost:
            folder = folder.parent
            folder.rmdir()
