"""The installer's own files, wherever they are: in a folder, or all inside one file."""

from __future__ import annotations

import os
from importlib.machinery import SourceFileLoader
from typing import Any, Final

_ROOT: Final = os.path.dirname(os.path.dirname(__file__))
_LOADER: Final[Any] = __spec__.loader


def content_of(file: str) -> bytes:
    """``file`` as it is, named from the folder that this package is in: ``telemetry_ping.py``."""
    content: bytes = _LOADER.get_data(os.path.join(_ROOT, *file.split("/")))
    return content


def path_of(file: str) -> str | None:
    """Where ``file`` is; None where it is inside this program."""
    is_a_folder = isinstance(_LOADER, SourceFileLoader)
    return os.path.join(_ROOT, *file.split("/")) if is_a_folder else None
