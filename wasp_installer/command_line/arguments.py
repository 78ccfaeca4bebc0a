"""The arguments: how they are written, and what they and the environment ask for."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal

from wasp_installer.errors import InstallerError
from wasp_installer.versions import parse_version

from .options import COMMANDS, Options, timeout_from

USAGE: Final = """\
Installs Wasp (https://wasp.sh) and manages the installed versions.

usage: install.py [COMMAND] [OPTIONS]

commands:
  install                  install a version, make it the current one (default)
  list                     print the installed versions, or with --remote all
  use VERSION              make an installed version the current one
  uninstall [VERSION]      remove one version, or Wasp as a whole
  migrate-to-npm           remove all of it, so that npm can take over

options:
  -v, --version VERSION    X.Y.Z[-rcN] or latest (default; env WASP_VERSION)
      --prefix DIR         default ~/.local (env WASP_INSTALL_PREFIX)
      --destdir DIR        for packagers: files go below it (env DESTDIR)
      --source SOURCE      auto (default), npm or github
      --from-file ARCHIVE  install from a downloaded archive, offline
      --sha256 HEX         refuse the archive unless it has this SHA-256
      --require-checksum   refuse an archive that has no known checksum
      --remote             with list: the versions that can be installed
      --no-modify-path     leave the shell's start-up files alone
      --no-telemetry       send no install event
      --force              install again; take over from npm or another wasp
      --dry-run            say what would be done, and do nothing
      --json               print one JSON object on stdout
  -q, --quiet              print errors only
      --verbose            print each step
  -y, --yes                ask nothing
  -h, --help               print this
  -V                       print the installer's own version

exit codes: 0 done, 1 unexpected, 2 usage, 3 platform not supported, 4 network,
  5 no such version, 6 integrity, 7 file system, 8 conflict, 130 interrupted
"""
#: Options with a value: which field of ``Options`` it is, and an example.
_VALUES: Final[dict[str, tuple[str, str]]] = {
    "-v": ("wanted", "0.25.0"),
    "--version": ("wanted", "0.25.0"),
    "--prefix": ("prefix", "/opt/wasp"),
    "--destdir": ("destdir", "/tmp/package"),  # noqa: S108 - for a person to read
    "--source": ("source", "npm"),
    "--from-file": ("from_file", "wasp-linux-x86_64.tar.gz"),
    "--sha256": ("sha256", "9f86d081884c7d65... (64 hex digits)"),
}
_FLAGS: Final[dict[str, str]] = {
    "--require-checksum": "require_checksum",
    "--no-telemetry": "no_telemetry",
    "--no-modify-path": "no_modify_path",
    "--remote": "remote",
    "--force": "force",
    "--dry-run": "dry_run",
    "--json": "json",
    "-q": "quiet",
    "--quiet": "quiet",
    "--verbose": "verbose",
    "-y": "yes",
    "--yes": "yes",
    "-h": "help",
    "--help": "help",
    "-V": "version",
}
Kind = Literal["option", "word", "operand"]
_EXPLAINED: Final = "See them all with: --help"


class OnlyPrintError(Exception):
    """The arguments ask for no more than the text of ``--help`` (``word``: "help"), or of -V."""

    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word


def parse_arguments(arguments: Sequence[str]) -> Options:
    """The options that ``arguments`` and the environment ask for.

    Raises:
        InstallerError: "usage" or "bad-version".
        OnlyPrintError: ``--help`` or ``-V``.
    """
    chosen: dict[str, Any] = {}
    operands: list[str] = []
    words = _spelled_out(arguments)
    for word, kind in words:
        if kind != "option":
            _take_word(word, kind, chosen, operands)
        elif word in _VALUES:
            name, example = _VALUES[word]
            value, kind_of_value = next(words, ("", "option"))
            if kind_of_value == "option" or not value:
                raise InstallerError(
                    "usage", f"{word} needs a value.", f"For example: {word} {example}"
                )
            chosen[name] = value
        elif word in _FLAGS:
            if _FLAGS[word] in ("help", "version"):
                raise OnlyPrintError(_FLAGS[word])
            chosen[_FLAGS[word]] = True
        else:
            raise InstallerError("usage", f"there is no option '{word}'.", _EXPLAINED)
    command = chosen.get("command", "install")
    chosen.setdefault("wanted", _version_from(os.environ, command))
    chosen.setdefault("destdir", os.environ.get("DESTDIR", ""))
    operand = operands[0] if operands else None
    return Options(named_version=operand, timeout_s=timeout_from(os.environ), **chosen)


def _spelled_out(arguments: Sequence[str]) -> Iterator[tuple[str, Kind]]:
    """The words, and what each may be: -vX, -qy and --option=X are two words each."""
    rest = iter(arguments)
    for argument in rest:
        option, equals, value = argument.partition("=")
        if argument == "--":
            yield from ((operand, "operand") for operand in rest)
        elif equals and option in _VALUES and option.startswith("--"):
            yield option, "option"
            yield value, "word"
        elif re.match("-v.", argument):
            yield "-v", "option"
            yield argument[2:], "word"
        elif re.match("-[qyhV].", argument):
            yield argument[:2], "option"
            yield from _spelled_out([f"-{argument[2:]}"])
        else:
            yield argument, "option" if argument.startswith("-") else "word"


def _take_word(word: str, kind: Kind, chosen: dict[str, Any], operands: list[str]) -> None:
    """A command, or the version that belongs to one."""
    if not word:
        raise InstallerError("usage", "one of the arguments is empty.", "Is a variable not set?")
    if word in COMMANDS and kind == "word":
        if "command" in chosen:
            raise InstallerError(
                "usage", f"one command at a time, not also '{word}'.", "See: --help"
            )
        chosen["command"] = word
        return
    operands.append(word)
    if len(operands) > 1:
        raise InstallerError("usage", f"do not know what to do with '{word}'.", "See: --help")


def _version_from(environment: Mapping[str, str], command: str) -> str:
    named = environment.get("WASP_VERSION") or "latest"
    if command != "install" or named == "latest":
        return "latest"
    try:
        return parse_version(named)
    except InstallerError as error:
        error.message = error.message.replace("' is", "' (in WASP_VERSION) is", 1)
        raise
