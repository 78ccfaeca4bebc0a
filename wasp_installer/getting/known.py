"""The digests of the releases that were published before this installer."""

from __future__ import annotations

import json
from typing import Any, Literal

from wasp_installer.contents import content_of


def known_digest(version: str, source: Literal["npm", "github"], build: str) -> str | None:
    """The digest of a build of ``version`` as ``source`` names it; None of an unknown one.

    Of a SHA-512 the first 66 digits, which is what install.sh has room for.
    """
    digest = _releases().get(version, {}).get(source, {}).get(build)
    return str(digest)[: len("sha512:") + 66] if digest else None


def versions_of(digests: set[str]) -> set[str]:
    """The versions that have an archive with one of the ``digests``."""
    return {
        version
        for version, release in _releases().items()
        for source in ("npm", "github")
        if digests.intersection(release.get(source, {}).values())
    }


def _releases() -> dict[str, dict[str, Any]]:
    table = json.loads(content_of("packaging/releases.json"))
    return {release["version"]: release for release in table["releases"]}
