"""Where everything is on disk."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

#: Wasp itself, in the folder of a version.
BINARY: Final = "wasp-bin"


class Layout:
    """The places below one prefix.

    ``prefix`` is where things will be found, ``destdir`` a folder that stands before it while a
    package is staged (else ""). The texts ``wasp_root`` and ``executable`` are without destdir, as
    people need them; the paths are where the files are now.
    """

    def __init__(self, prefix: str, destdir: str = "") -> None:
        self.prefix = prefix
        self.wasp_root = f"{prefix}/share/wasp-lang"
        self.executable = f"{prefix}/bin/wasp"
        self.share = Path(f"{destdir}{self.wasp_root}")
        self.launcher = Path(f"{destdir}{self.executable}")

    def version_dir(self, version: str) -> Path:
        """The folder of a version."""
        return self.share / version

    def is_on_path(self) -> bool:
        """Whether the bin folder is an entry of PATH."""
        folder = os.path.dirname(self.executable)
        entries = os.environ.get("PATH", "").split(os.pathsep)
        return folder in entries or f"{folder}/" in entries
