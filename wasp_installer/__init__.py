"""Gets Wasp, the full-stack web framework; the sh program (install.sh) does the rest.

``install.py`` is the command line. Packaging scripts may call this package from Python::

    from wasp_installer import Console, InstallerError, Options, install

    result = install(Options(prefix="/usr", destdir="build/root"), Console(quiet=True))
    print(result.version, result.digest)

``installing`` has the steps of an install, in order, ``command_line.main`` those of a command;
CONTRIBUTING.md has the map.
"""

from __future__ import annotations

from typing import Final

from .command_line.console import Console
from .command_line.options import Options
from .command_line.report import Result
from .errors import InstallerError

__version__: Final = "0.2.0"
__all__ = ["Console", "InstallerError", "Options", "Result", "install"]


def install(options: Options, console: Console) -> Result:
    """Installs what the options ask for; see ``installing.install``."""
    # Imported late, as no other command needs it.
    from .installing import install as run

    return run(options, console)
