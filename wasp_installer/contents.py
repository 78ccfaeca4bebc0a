"""The installer's own files, wherever they are: in a folder, or all inside one file."""

from __future__ import annotations

import os


def content_of(file: str) -> bytes:
    """``file`` as it is, named from the folder that this package is in: ``telemetry_ping.py``."""
    assert __spec__ is not None, "an imported module has a specification"
    root = os.path.dirname(os.path.dirname(__file__))
    content: bytes = __spec__.loader.get_data(  # type: ignore[union-attr]
        os.path.join(root, *file.split("/"))
    )
    return content
