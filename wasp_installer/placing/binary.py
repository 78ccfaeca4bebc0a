"""The unpacked wasp-bin: whether it runs on this machine, and which version it is."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import Final

from wasp_installer.errors import InstallerError
from wasp_installer.programs import HELPER_LIMIT_S, Ended, run
from wasp_installer.texts import plain, pretty
from wasp_installer.versions import is_version

from .receipts import BINARY

_NOTHING_DONE: Final = "Nothing was installed."
_MANAGERS: Final = ("apt-get install", "apk add", "dnf install", "pacman -S", "zypper install")


def reported_version(folder: Path, version: str, prefix: str) -> str:
    """The version that the wasp-bin in ``folder`` says it is, by running it once.

    ``version`` is the one that is expected, or ""; ``prefix`` is named in messages.

    Raises:
        InstallerError: "binary-does-not-run", with the reason; "permission-denied" on a file system
            that runs no programs.
    """
    # Its own telemetry and news have no place in a check.
    environment = {
        **os.environ,
        "WASP_TELEMETRY_DISABLE": "1",
        "WASP_AUTO_NEWS_DISABLE": "1",
        "waspc_datadir": str(folder / "data"),
    }
    try:
        ended = run([folder / BINARY, "version"], HELPER_LIMIT_S, environment=environment)
    except PermissionError as error:
        raise InstallerError(
            "permission-denied",
            f"programs cannot run from {pretty(prefix)} (is it mounted noexec?).",
            "Choose another place with --prefix DIR.",
        ) from error
    except OSError as error:
        # 127 and 126 as a shell would report them.
        code = 127 if isinstance(error, FileNotFoundError) else 126
        ended = Ended(code, "", error.strerror or str(error))
    if ended.code != 0:
        said = ended.stdout + ended.stderr
        raise InstallerError(
            "binary-does-not-run",
            f"Wasp{version and f' {version}'} was unpacked but does not run here "
            f"(exit code {ended.code}): {plain(said.strip())}",
            f"{_NOTHING_DONE} {_advice(said)}",
        )
    form = r"^[^0-9\n]*([0-9][0-9.]*[0-9](?:-rc[0-9]*)?)"
    found = re.search(form, ended.stdout, re.MULTILINE)
    if found is None or not is_version(found[1]):
        raise InstallerError(
            "binary-does-not-run",
            "the binary in the archive does not say which version it is.",
            _NOTHING_DONE,
        )
    return found[1]


def _advice(said: str) -> str:
    library = re.search(r"loading shared libraries: ([^:\s]+)", said)
    if library:
        package = library[1]
        if package.startswith("libgmp."):
            # By the name that Debian gives it, and others.
            package = "libgmp10" if shutil.which("apt-get") else "gmp"
        return _how_to_install(package)
    if "Bad CPU type" in said:
        return "Install Rosetta: softwareupdate --install-rosetta"
    return "Please report it: https://github.com/wasp-lang/wasp/issues"


def _how_to_install(package: str) -> str:
    """How the package manager that is here installs ``package``."""
    for command in (*_MANAGERS, "brew install"):
        if shutil.which(command.partition(" ")[0]):
            is_for_all = command != "brew install" and os.geteuid() != 0
            return f"Install it: {'sudo ' if is_for_all else ''}{command} {package}"
    return "Install it with your system's package manager."
