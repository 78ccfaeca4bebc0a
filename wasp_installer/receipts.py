"""Receipts: what an installed version came from, kept beside it."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .errors import changing
from .platforms import Platform

RECEIPT_NAME: Final = ".receipt.json"


@dataclass(frozen=True)
class Release:
    """One version's archive for one platform.

    ``source`` is npm, github or file; ``digest`` is "sha512:" or "sha256:" and lower-case hex, or
    None where none is published; ``node`` is the range of Node.js versions that it runs with.
    """

    version: str
    source: str
    url: str | None
    digest: str | None
    node: str | None


def write(folder: Path, release: Release, platform: Platform) -> None:
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


def is_whole(folder: Path, version: str) -> bool:
    """Whether the receipt in ``folder`` is one of ``version``.

    A disk that failed may have kept a part of it.
    """
    try:
        text = (folder / RECEIPT_NAME).read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return False
    return text.startswith(f'{{"version": "{version}", ') and text.endswith("}\n")


def read(folder: Path, version: str) -> Release:
    """The release that an installed version came from, as far as its receipt can be read."""
    receipt: object = None
    with contextlib.suppress(OSError, ValueError):
        receipt = json.loads((folder / RECEIPT_NAME).read_text(encoding="utf-8"))
    known = receipt if isinstance(receipt, dict) else {}
    return Release(
        version,
        known.get("source", "unknown"),
        known.get("url"),
        known.get("digest"),
        known.get("node"),
    )
