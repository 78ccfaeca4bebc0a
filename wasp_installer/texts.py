"""How text is shown: that of other programs and servers, addresses, and paths."""

from __future__ import annotations

import os
import re
from typing import Final

_LONGEST: Final = 200
# But for the one in our own advice on how to write an address.
_LOGIN: Final = re.compile(r"(?<=://)(?!user:password@)[^/\s]*@")


def plain(text: str) -> str:
    """Text from elsewhere, fit for a screen: one line, no control characters, not too long."""
    line = "".join(" " if letter in "\n\t" else letter for letter in text)
    line = without_login("".join(filter(str.isprintable, line)))
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 3]}..."


def without_login(text: str) -> str:
    """``text`` without the user names and passwords of the addresses in it."""
    return _LOGIN.sub("", text)


def pretty(path: str | os.PathLike[str]) -> str:
    """``path`` with ~ for the home folder."""
    text = os.fspath(path)
    home = os.environ.get("HOME", "").rstrip("/")
    return "~" + text[len(home) :] if home and text.startswith(home + "/") else text
