"""Addresses: which may be asked."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from wasp_installer.errors import SourceProblem
from wasp_installer.texts import plain

_URL: Final = re.compile(r"[A-Za-z0-9._~:/?#@!$&'()*+,;=%\[\]-]+")
_OCTET: Final = r"(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])"
_LOOPBACK: Final = re.compile(rf"localhost|::1|127(\.{_OCTET}){{3}}")


def check_url(url: str) -> None:
    """Lets https pass, and plain http on this very machine.

    Raises:
        SourceProblem: "insecure-url", or "bad-answer" for what is no URL.
    """
    if not _URL.fullmatch(url):
        raise SourceProblem("bad-answer", "the download address is not valid")
    secure = url.startswith("https://") and host_of(url) != ""
    if not (secure or (url.startswith("http://") and is_loopback(url))):
        raise SourceProblem("insecure-url", f"{plain(url)} is not an https address")


def is_loopback(url: str) -> bool:
    """Whether ``url`` is on this very machine."""
    return _LOOPBACK.fullmatch(host_of(url)) is not None


def host_of(url: str) -> str:
    """The host name in ``url``, or "" without one."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
