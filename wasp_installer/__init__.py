"""Gets Wasp, the full-stack web framework; the sh program (install.sh) does the rest.

``install.py`` is the command line. Packaging scripts may call this package from Python::

    from wasp_installer import Console, InstallerError, Options, install

    result = install(Options(prefix="/usr", destdir="build/root"), Console(quiet=True))
    print(result.version, result.digest)

Which file to open:

    installing             the steps of an install, in order; ``delivering``: those of one archive
    getting                platforms (which build), sources (npm or GitHub, and what a failure of
                           both means), npm, github, registry (which one, and npm itself), documents
                           (what is read of JSON), known (digests inside this program), transport
                           (retries, limits), connections (TLS, proxies, redirects), addresses,
                           problems (what an error of the network means)
    placing                layout (where everything is), staging, archives (hashed and decompressed
                           as they arrive), tar_reader, unpacking, binary (does it run), receipts
    command_line           main, arguments, options, console, progress, report (--json), manager
                           (runs the sh program, and reads what it reports)
    windows                commands, wsl (finding and entering it), wasp_cmd, user_path
    telemetry, background  the install event; starting what sends it
    errors, programs, signals, texts, versions, contents
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
