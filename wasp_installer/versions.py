"""Versions of Wasp: which texts are one, and which comes first."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Final

from .errors import InstallerError

#: For people to read.
RELEASES_PAGE: Final = "https://github.com/wasp-lang/wasp/releases"

_NUMBER = r"(?:0|[1-9][0-9]{0,5})"
# Releases before 0.2 had a fourth number. Nothing else may reach a path or a URL.
_VERSION = re.compile(rf"{_NUMBER}(?:\.{_NUMBER}){{2,3}}|{_NUMBER}(?:\.{_NUMBER}){{2}}-rc{_NUMBER}")


def is_version(text: str) -> bool:
    """Whether ``text`` is X.Y.Z, X.Y.Z.W or X.Y.Z-rcN."""
    return _VERSION.fullmatch(text) is not None


def parse_version(text: str) -> str:
    """``text`` without a leading "v".

    Raises:
        InstallerError: "bad-version", when it is not a version.
    """
    version = text.removeprefix("v")
    if not is_version(version):
        raise InstallerError(
            "bad-version",
            f"'{version}' is not a Wasp version.",
            f"A version is X.Y.Z (0.25.0), X.Y.Z-rcN, or latest: {RELEASES_PAGE}",
        )
    return version


def sort_key(version: str) -> tuple[list[int], float]:
    """Orders versions of up to four numbers; a release candidate comes before its release."""
    base, _, candidate = version.partition("-rc")
    numbers = [int(number) for number in re.findall(r"\d+", base)]
    return numbers + [0] * (4 - len(numbers)), int(candidate) if candidate else math.inf


def newest_first(versions: Iterable[str]) -> list[str]:
    """The ``versions``, sorted."""
    return sorted(versions, key=sort_key, reverse=True)


def older_than(version: str, other: str) -> bool:
    """Whether ``version`` comes before ``other``."""
    return sort_key(version) < sort_key(other)
