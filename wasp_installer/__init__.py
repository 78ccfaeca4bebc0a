"""Gets Wasp, the full-stack web framework; the sh program (install.sh) does the rest.

``install.py`` is the command line. Packaging scripts may call this package from Python::

    from wasp_installer import Console, InstallerError, Options, install

    result = install(Options(prefix="/usr", destdir="build/root"), Console(quiet=True))
    print(result.version, result.digest)

``installing`` has the steps of an install, in order, ``command_line.main`` those of a command;
CONTRIBUTING.md has the map.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .command_line.console import Console
from .command_line.options import Options
from .command_line.report import Result
from .errors import InstallerError

if TYPE_CHECKING:
    from .installing import install

__version__: Final = "0.2.0"
__all__ = ["Console", "InstallerError", "Options", "Result", "install"]


def __getattr__(name: str) -> Any:
    """Imports what needs the libraries only when it is asked for."""
    if name != "install":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .installing import install

    return install
