"""Installs Wasp, the full-stack web framework, and manages its installed versions.

``install.py`` is the command line. Packaging scripts may call it from Python::

    from wasp_installer import Console, InstallerError, Options, Run

    result = Run(Options(prefix="/usr", destdir="build/root"), Console(quiet=True)).execute()
    print(result.version, result.release.digest)

The rooms: ``cli`` (arguments in, exit code out) and ``options``; ``commands`` (what each command
does); ``acquisition`` (a release, checked and unpacked), from ``releases`` (npm and GitHub),
``registry`` (which npm registry) and ``transport`` (HTTPS), through ``archives`` (``tar_reader``
reads them) and ``binary`` (does it run here); ``available`` (which versions there are); ``layout``,
``receipts``, ``staging``, ``launcher`` and ``shared_files`` (what is on disk, and how it changes at
once);
``telemetry`` (the install event) and ``interpreter`` (which Python sends those of an installed
Wasp: telemetry_ping.py, beside this package); ``path_setup`` (makes the person's shells find wasp)
and ``completion_setup`` (makes their tab key complete its words), with ``shells`` (which files each
reads, and the lines for them), ``startup_lines`` (a line in all of them) and ``startup_files`` (how
one is changed, and changed back); ``windows``, with ``wsl`` (the distributions, and what runs in
them) and ``windows_path`` (PATH in the registry); ``platforms``, ``surroundings`` (Node.js, another
wasp), ``versions``; ``console``, ``report`` (--json), ``contents`` (its own files, also where it is
one file), ``errors``, ``signals``.
"""

from __future__ import annotations

from .commands import Run
from .console import Console
from .errors import InstallerError
from .options import Options
from .report import Result

__all__ = ["Console", "InstallerError", "Options", "Result", "Run"]
