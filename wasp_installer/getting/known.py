"""The digests of the releases that were known when this installer was published."""

from __future__ import annotations

import functools
import json
from typing import Any, Literal

from wasp_installer.contents import content_of

#: Where an archive comes from.
Origin = Literal["npm", "github", "file"]


def known_digest(version: str, origin: Origin, build: str) -> str | None:
    """The digest of a build of ``version`` as ``origin`` names it; None of an unknown release."""
    digest = _releases().get(version, {}).get(origin, {}).get(build)
    return str(digest) if digest else None


def known_digests(version: str) -> set[str]:
    """The digests of all archives of ``version``; none of an unknown release."""
    release = _releases().get(version, {})
    return {str(each) for origin in ("npm", "github") for each in release.get(origin, {}).values()}


def is_published(digests: set[str]) -> bool:
    """Whether a known release has an archive with one of the ``digests``."""
    return any(known_digests(version) & digests for version in _releases())


@functools.lru_cache(maxsize=1)
def _releases() -> dict[str, dict[str, Any]]:
    table = json.loads(content_of("packaging/releases.json"))
    return {release["version"]: release for release in table["releases"]}
