"""Where everything is on disk, and what is installed there."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from . import receipts
from .versions import is_version, newest_first

#: Wasp itself, in the folder of a version.
BINARY = "wasp-bin.exe" if os.name == "nt" else "wasp-bin"
LAUNCHER = "wasp.cmd" if os.name == "nt" else "wasp"


class Layout:
    """The places below one prefix.

    ``prefix`` is where things will be found, ``destdir`` a folder that stands before it while a
    package is staged (else ""). The texts ``wasp_root`` and ``executable`` are without destdir, as
    the launcher and people need them; the paths are where the files are now.
    """

    def __init__(self, prefix: str, destdir: str = "") -> None:
        self.prefix = prefix
        self.wasp_root = f"{prefix}/share/wasp-lang"
        self.executable = f"{prefix}/bin/{LAUNCHER}"
        staged = destdir + (os.path.splitdrive(prefix)[1] if destdir else prefix)
        self.share = Path(f"{staged}/share/wasp-lang")
        self.bin = Path(f"{staged}/bin")
        self.launcher = self.bin / LAUNCHER
        #: What the launcher runs beside Wasp.
        self.ping_module = self.share / "telemetry_ping.py"
        #: What shells read to complete the words of wasp.
        self.completions = self.share / "completions"
        #: Its presence means that npm manages Wasp.
        self.npm_marker = self.share / ".uses-npm"

    def version_dir(self, version: str) -> Path:
        """The folder of a version."""
        return self.share / version

    def is_installed(self, version: str) -> bool:
        """Whether a version is there as a whole: its receipt was written last."""
        return self.has_binary(version) and receipts.is_whole(self.version_dir(version), version)

    def has_binary(self, version: str) -> bool:
        """Whether a version can be started; an older installer's too, which wrote no receipts."""
        return os.access(self.version_dir(version) / BINARY, os.X_OK)

    def installed(self) -> list[str]:
        """The installed versions, newest first."""
        return [version for version in self.version_folders() if self.is_installed(version)]

    def remove_empty_folders(self, home: str) -> None:
        """Removes the folders of the prefix that have nothing in them, but not the home."""
        root = self.share.parent.parent
        folders = [self.bin, self.share, self.share.parent]
        if self.prefix != home:
            folders.append(root)
        for folder in folders:
            with contextlib.suppress(OSError):
                folder.rmdir()

    def version_folders(self) -> list[str]:
        """All version folders, newest first; an older installer's too, which wrote no receipts."""
        try:
            entries = list(os.scandir(self.share))
        except FileNotFoundError:
            return []
        return newest_first(
            entry.name
            for entry in entries
            if is_version(entry.name) and entry.is_dir(follow_symlinks=False)
        )
