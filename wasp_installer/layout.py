"""Where everything is on disk, and what is installed there."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Final

from .errors import changing
from .platforms import Platform
from .releases import Release
from .versions import is_version, newest_first

RECEIPT_NAME: Final = ".receipt.json"


class Layout:
    """The places below one prefix.

    ``prefix`` is where things will be found, ``destdir`` a folder that stands before it while a
    package is staged (else ""). The texts ``wasp_root`` and ``executable`` are without destdir, as
    the launcher and people need them; the paths are where the files are now.
    """

    def __init__(self, prefix: str, destdir: str = "") -> None:
        self.prefix = prefix
        self.wasp_root = f"{prefix}/share/wasp-lang"
        self.executable = f"{prefix}/bin/wasp"
        self.share = Path(destdir + self.wasp_root)
        self.bin = Path(f"{destdir}{prefix}/bin")
        self.launcher = self.bin / "wasp"
        #: Its presence means that npm manages Wasp.
        self.npm_marker = self.share / ".uses-npm"

    def version_dir(self, version: str) -> Path:
        """The folder of a version."""
        return self.share / version

    def is_installed(self, version: str) -> bool:
        """Whether a version is there as a whole: its receipt was written last."""
        folder = self.version_dir(version)
        return os.access(folder / "wasp-bin", os.X_OK) and _is_whole(folder / RECEIPT_NAME, version)

    def installed(self) -> list[str]:
        """The installed versions, newest first."""
        return [version for version in self.version_folders() if self.is_installed(version)]

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

    def read_receipt(self, version: str) -> Release:
        """The release that an installed version came from, as far as its receipt can be read."""
        receipt: object = None
        try:
            text = (self.version_dir(version) / RECEIPT_NAME).read_text(encoding="utf-8")
            receipt = json.loads(text)
        except (OSError, ValueError):
            pass
        known = receipt if isinstance(receipt, dict) else {}
        return Release(
            version,
            known.get("source", "unknown"),
            known.get("url"),
            known.get("digest"),
            known.get("node"),
        )


def write_receipt(folder: Path, release: Release, platform: Platform) -> None:
    """Writes the receipt of ``release`` into its staged ``folder``, the last of its files."""
    receipt = {
        "version": release.version,
        "source": release.source,
        "url": release.url,
        "digest": release.digest,
        "node": release.node,
        "platform": {"os": platform.os, "arch": platform.arch, "libc": platform.libc},
    }
    with changing(f"write to {folder.parent}"):
        text = json.dumps(receipt, ensure_ascii=False) + "\n"
        (folder / RECEIPT_NAME).write_text(text, encoding="utf-8", errors="surrogateescape")


def _is_whole(receipt: Path, version: str) -> bool:
    """Whether ``receipt`` is one of ``version``; a disk that failed may have kept a part of it."""
    try:
        text = receipt.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return False
    return text.startswith(f'{{"version": "{version}", ') and text.endswith("}\n")
