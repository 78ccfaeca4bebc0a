"""The terms of all that is inside the artefacts, in one text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from .wheels import Wheel

_HEAD: Final = """\
The Wasp installer is under the MIT licence, which comes first. Inside install.py, unchanged, are:

{libraries}

Their licences follow in this order. install.sh has none of them inside.
"""
_RULE: Final = "-" * 100


def collect(own: str, wheels: Sequence[Wheel]) -> str:
    """The project's own licence, then those of the libraries; a text that several share once."""
    holders: dict[str, list[str]] = {}
    for wheel in wheels:
        for name, text in wheel.licence_texts.items():
            holders.setdefault(_trimmed(text), []).append(f"{wheel.requirement} ({name})")
    listed = "\n".join(f"    {wheel.requirement}: {wheel.licence}" for wheel in wheels)
    parts = [_HEAD.format(libraries=listed), _section("The Wasp installer", _trimmed(own))]
    parts += [_section(", ".join(names), text) for text, names in holders.items()]
    return "\n".join(parts)


def _section(title: str, text: str) -> str:
    return f"{_RULE}\n{title}\n{_RULE}\n\n{text}\n"


def _trimmed(text: str) -> str:
    """Without what differs between editors: ends of lines, and blanks there."""
    return "\n".join(line.rstrip() for line in text.strip("\ufeff\r\n ").splitlines())
