"""The installer's own files: in a checkout, in an installed package, or all inside one file."""

from __future__ import annotations

import os
from typing import Any, Final

_PACKAGE: Final = os.path.dirname(__file__)
_LOADER: Final[Any] = __spec__.loader


def content_of(file: str) -> bytes:
    """``file`` as it is, named from the folder that this package is in: ``telemetry_ping.py``."""
    # What pip has installed has such files in the package itself (packaging/build_backend.py).
    inside = os.path.join(_PACKAGE, os.path.basename(file))
    place = inside if os.path.exists(inside) else os.path.join(os.path.dirname(_PACKAGE), file)
    content: bytes = _LOADER.get_data(place)
    return content
