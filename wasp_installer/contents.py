"""The installer's own files: in a checkout, in an installed package, or all inside one file."""

from __future__ import annotations

import os
from importlib.machinery import SourceFileLoader
from typing import Any, Final

_PACKAGE: Final = os.path.dirname(__file__)
_LOADER: Final[Any] = __spec__.loader


def content_of(file: str) -> bytes:
    """``file`` as it is, named from the folder that this package is in: ``telemetry_ping.py``."""
    content: bytes = _LOADER.get_data(_place(file))
    return content


def path_of(file: str) -> str | None:
    """Where ``file`` is; None where it is inside this program."""
    return _place(file) if isinstance(_LOADER, SourceFileLoader) else None


def _place(file: str) -> str:
    # What pip has installed has such files in the package itself (packaging/build_backend.py).
    inside = os.path.join(_PACKAGE, os.path.basename(file))
    return inside if os.path.exists(inside) else os.path.join(os.path.dirname(_PACKAGE), file)
