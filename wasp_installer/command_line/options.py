"""What a run was asked to do."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wasp_installer.errors import InstallerError
from wasp_installer.versions import is_version, parse_version

#: But for the first, they are the sh program's (``manager``).
COMMANDS: Final = ("install", "list", "use", "uninstall", "migrate-to-npm")
SOURCES: Final = ("auto", "npm", "github")
DEFAULT_TIMEOUT_S: Final = 30


@dataclass(frozen=True)
class Options:
    """The options of one run, checked; the defaults are those of the command line.

    ``prefix`` and ``destdir`` are absolute and have no slash at the end. ``named_version`` is the
    operand of ``use`` and ``uninstall``; ``wanted`` is what ``install`` installs. ``remote`` is
    for ``list``. ``timeout_s`` is how many seconds without progress end a connection.

    Raises:
        InstallerError: "usage" or "bad-version", for what cannot be meant.
    """

    command: str = "install"
    named_version: str | None = None
    wanted: str = "latest"
    prefix: str = ""
    destdir: str = ""
    source: str = "auto"
    from_file: str | None = None
    sha256: str | None = None
    require_checksum: bool = False
    force: bool = False
    dry_run: bool = False
    json: bool = False
    quiet: bool = False
    verbose: bool = False
    yes: bool = False
    no_telemetry: bool = False
    no_modify_path: bool = False
    remote: bool = False
    timeout_s: int = DEFAULT_TIMEOUT_S

    def __post_init__(self) -> None:
        """Refuses what cannot be meant, and brings the rest into one form."""
        self._check_operand()
        if self.remote and self.command != "list":
            raise InstallerError(
                "usage", "--remote belongs to the command list.", "For example: list --remote"
            )
        if self.source not in SOURCES:
            raise InstallerError(
                "usage", f"there is no source '{self.source}'.", "Choose auto, npm or github."
            )
        if self.sha256 is not None:
            self._set("sha256", _checked_sha256(self.sha256))
        if self.wanted != "latest":
            self._set("wanted", parse_version(self.wanted))
        if self.named_version is not None:
            self._set("named_version", _named(self.named_version))
        self._set("prefix", _absolute(self.prefix or default_prefix(os.environ)))
        if self.destdir:
            self._set("destdir", _absolute(self.destdir))
        if self.from_file is not None:
            self._set("from_file", _readable(self.from_file))

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def _check_operand(self) -> None:
        if self.command == "use" and self.named_version is None:
            raise InstallerError("usage", "'use' needs a version.", "See what is installed: list")
        if self.command not in ("use", "uninstall") and self.named_version is not None:
            raise _unknown_word(self.named_version)


def _unknown_word(word: str) -> InstallerError:
    hint = f"The commands are {', '.join(COMMANDS[:-1])} and {COMMANDS[-1]}. See: --help"
    if is_version(word.removeprefix("v")):
        hint = f"To install a version: -v {word}"
    if word in ("upgrade", "update"):
        hint = "To move to the newest version: run this without a command."
    return InstallerError("usage", f"do not know what to do with '{word}'.", hint)


def _named(text: str) -> str:
    version = text.removeprefix("v")
    if not is_version(version):
        raise InstallerError(
            "bad-version",
            f"'{version}' is not a version of Wasp.",
            "It is X.Y.Z (0.25.0) or X.Y.Z-rcN. See what is installed: list",
        )
    return version


def default_prefix(environment: Mapping[str, str]) -> str:
    """``WASP_INSTALL_PREFIX``, else ~/.local.

    Raises:
        InstallerError: "usage", when there is no home either.
    """
    prefix = environment.get("WASP_INSTALL_PREFIX")
    if prefix:
        return prefix
    # On Windows, a shell of another system's making may set HOME to a place of its own.
    home = os.path.expanduser("~") if os.name == "nt" else environment.get("HOME")
    if not home:
        raise InstallerError(
            "usage",
            "HOME is not set, so there is no default place to install to.",
            "Say where: --prefix DIR",
        )
    return home.rstrip("/") + "/.local"


def timeout_from(environment: Mapping[str, str]) -> int:
    """``WASP_HTTP_TIMEOUT`` in seconds, else the default.

    Raises:
        InstallerError: "usage", when it is not a number of seconds.
    """
    text = environment.get("WASP_HTTP_TIMEOUT") or str(DEFAULT_TIMEOUT_S)
    if not re.fullmatch(r"[1-9][0-9]{0,4}", text):
        raise InstallerError(
            "usage",
            f"WASP_HTTP_TIMEOUT is '{text}', not a number of seconds.",
            "For example: 30",
        )
    return int(text)


def _checked_sha256(text: str) -> str:
    if not re.fullmatch(r"[0-9a-fA-F]{64}", text):
        raise InstallerError(
            "usage", f"'{text}' is not a SHA-256.", "It has 64 hexadecimal digits."
        )
    return text.lower()


def _absolute(path: str) -> str:
    """Like the shell: from the folder that one is in by name, links in it left as they are."""
    if not os.path.isabs(path):
        path = f"{_current_folder()}/{path}"
    return path.rstrip("/")


def _current_folder() -> str:
    named = os.environ.get("PWD", "")
    try:
        if named and os.path.samefile(named, "."):
            return named
    except OSError:
        pass
    return os.getcwd()


def _readable(path: str) -> str:
    if not (Path(path).is_file() and os.access(path, os.R_OK)):
        raise InstallerError(
            "file-system",
            f"cannot read the archive '{path}'.",
            "Give the path of a downloaded release.",
        )
    return _absolute(path)
