"""Receipts: what an installed version came from, kept beside it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from wasp_installer.errors import changing
from wasp_installer.getting.platforms import Platform
from wasp_installer.texts import without_login

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
        (folder / ".receipt.json").write_text(text, encoding="utf-8", errors="surrogateescape")
