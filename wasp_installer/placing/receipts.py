"""Receipts: what an installed version came from, kept beside it."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from wasp_installer.errors import changing
from wasp_installer.getting.platforms import Platform
from wasp_installer.texts import without_login

RECEIPT_NAME: Final = ".receipt.json"
#: Wasp itself, in the folder of a version.
BINARY: Final = "wasp-bin"


@dataclass(frozen=True)
class Release:
    """One version's archive for one platform; a version or source that is not known is "".

    ``digest`` is "sha512:" or "sha256:" and lower-case hex, or None where none is known; ``node``
    is the range of Node.js versions that it runs with. ``no_digest`` says why the digest could not
    be asked for, where one is usually published.
    """

    version: str
    source: Literal["npm", "github", "file", ""]
    url: str | None = None
    digest: str | None = None
    node: str | None = None
    no_digest: str | None = None


def write(folder: Path, release: Release, platform: Platform) -> None:
    """Writes the receipt of ``release`` into its staged ``folder``, the last of its files."""
    receipt = {
        "version": release.version,
        "source": release.source,
        "url": without_login(release.url) if release.url else None,
        "digest": release.digest,
        "node": release.node,
        "platform": {"os": platform.os, "arch": platform.arch, "libc": platform.libc},
    }
    with changing(f"write to {folder.parent}"):
        text = json.dumps(receipt, ensure_ascii=False) + "\n"
        (folder / RECEIPT_NAME).write_text(text, encoding="utf-8", errors="surrogateescape")


def is_installed(folder: Path, version: str) -> bool:
    """Whether ``version`` is in its folder as a whole: its receipt was written last.

    A disk that failed may have kept a part of the receipt.
    """
    try:
        text = (folder / RECEIPT_NAME).read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return False
    is_whole = text.startswith(f'{{"version": "{version}", ') and text.endswith("}\n")
    return is_whole and os.access(folder / BINARY, os.X_OK)
