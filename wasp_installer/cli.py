"""The command line: arguments in, an exit code out."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NoReturn

from .console import Console, pretty
from .errors import InstallerError, file_system_error
from .layout import Layout
from .options import COMMANDS, Options, default_prefix, timeout_from
from .report import Result, to_json
from .signals import ignore_signals, raise_on_signals
from .versions import parse_version
from .windows import run_for

_USAGE: Final = """\
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

exit codes: 0 done, 1 unexpected, 2 usage, 3 platform not supported, 4 network,
  5 no such version, 6 integrity, 7 file system, 8 conflict, 130 interrupted
"""


class _Parser(argparse.ArgumentParser):
    """argparse with our help text, and with errors that are raised."""

    def format_help(self) -> str:
        return _USAGE

    def error(self, message: str) -> NoReturn:
        """As install.sh tells of it."""
        unknown = re.fullmatch("unrecognized arguments: (.*)", message)
        if unknown:
            word = unknown[1].split(" ")[0]
            raise InstallerError(
                "usage", f"there is no option '{word}'.", "See them all with: --help"
            )
        lacking = re.fullmatch("argument (.*): expected one argument", message)
        if lacking:
            raise _needs_a_value(lacking[1].rpartition("/")[2])
        raise InstallerError("usage", f"{message}.", "See them all with: --help")


def _needs_a_value(option: str) -> InstallerError:
    example = {
        "--version": "0.25.0",
        "--prefix": "/opt/wasp",
        "--destdir": "/tmp/package",  # noqa: S108 - for a person to read
        "--source": "npm",
        "--from-file": "wasp-linux-x86_64.tar.gz",
        "--sha256": "9f86d081884c7d65... (64 hex digits)",
    }[option]
    return InstallerError("usage", f"{option} needs a value.", f"For example: {option} {example}")


def _parser() -> _Parser:
    parser = _Parser(allow_abbrev=False)
    parser.add_argument("operands", nargs="*")
    parser.add_argument("-v", "--version", dest="wanted")
    for option in ("--prefix", "--destdir", "--source", "--from-file", "--sha256"):
        parser.add_argument(option)
    for flag in ("--require-checksum", "--force", "--dry-run", "--json", "--verbose"):
        parser.add_argument(flag, action="store_true")
    parser.add_argument("--remote", action="store_true")
    parser.add_argument("--no-telemetry", action="store_true")
    parser.add_argument("--no-modify-path", action="store_true")
    parser.add_argument("-q", "--quiet", action="store_true")
    parser.add_argument("-y", "--yes", action="store_true")
    return parser


def parse_arguments(arguments: Sequence[str]) -> Options:
    """The options that ``arguments`` and the environment ask for.

    Raises:
        InstallerError: "usage" or "bad-version".
    """
    parsed = _parser().parse_intermixed_args(arguments)
    for option in ("wanted", "prefix", "destdir", "source", "from_file", "sha256"):
        if getattr(parsed, option) == "":
            name = {"wanted": "version"}.get(option, option).replace("_", "-")
            raise _needs_a_value(f"--{name}")
    command, operand = _command_and_operand(parsed.operands)
    return Options(
        command=command,
        named_version=operand,
        wanted=parsed.wanted or _version_from(os.environ, command),
        prefix=parsed.prefix or "",
        destdir=parsed.destdir or os.environ.get("DESTDIR", ""),
        source=parsed.source or "auto",
        from_file=parsed.from_file,
        sha256=parsed.sha256,
        require_checksum=parsed.require_checksum,
        force=parsed.force,
        dry_run=parsed.dry_run,
        json=parsed.json,
        quiet=parsed.quiet,
        verbose=parsed.verbose,
        yes=parsed.yes,
        no_telemetry=parsed.no_telemetry,
        no_modify_path=parsed.no_modify_path,
        remote=parsed.remote,
        timeout_s=timeout_from(os.environ),
    )


def _version_from(environment: Mapping[str, str], command: str) -> str:
    named = environment.get("WASP_VERSION") or "latest"
    if command != "install" or named == "latest":
        return "latest"
    try:
        return parse_version(named)
    except InstallerError as error:
        error.message = error.message.replace("' is", "' (in WASP_VERSION) is", 1)
        raise


def _command_and_operand(words: Sequence[str]) -> tuple[str, str | None]:
    commands = [word for word in words if word in COMMANDS]
    operands = [word for word in words if word not in COMMANDS]
    if len(commands) > 1:
        raise InstallerError(
            "usage", f"one command at a time, not also '{commands[1]}'.", "See: --help"
        )
    if len(operands) > 1:
        raise InstallerError(
            "usage", f"do not know what to do with '{operands[1]}'.", "See: --help"
        )
    return (commands or ["install"])[0], operands[0] if operands else None


def main(
    arguments: Sequence[str], prepare: Callable[[Options, Console], None] | None = None
) -> int:
    """Runs the installer; returns the exit code (``errors.EXIT_CODES``).

    ``prepare`` is called when it is known what to do, before anything is done.
    """
    started = time.monotonic()
    for stream in (sys.stdout, sys.stderr):
        # A path may hold bytes that are no text.
        if stream is not None:
            errors = "backslashreplace" if os.name == "nt" else "surrogateescape"
            stream.reconfigure(errors=errors)  # type: ignore[union-attr]
    raise_on_signals()
    console, run, failure = Console(), None, None
    try:
        options = parse_arguments(arguments)
        console = Console(quiet=options.quiet, verbose=options.verbose)
        if prepare is not None:
            prepare(options, console)
        run = run_for(options, console)
        result = run.execute()
        ignore_signals()
    except Exception as error:  # noqa: BLE001 - a person is told in words, whatever it is
        ignore_signals()
        failure = _explained(error)
        console.show_error(failure)
        release = run.release if run else None
        result = Result("error", release.version or None if release else None, release)
    if "--json" in arguments:
        report = to_json(
            result,
            layout=run.layout if run else _default_layout(),
            platform=run.platform if run else None,
            telemetry=run.install_event.outcome if run else "none",
            elapsed_s=time.monotonic() - started,
            warnings=console.warnings,
            error=failure,
        )
        print(json.dumps(report, ensure_ascii=False))
    return failure.code if failure else 0


def _explained(error: Exception) -> InstallerError:
    if isinstance(error, InstallerError):
        return error
    if isinstance(error, OSError):
        return file_system_error(f"use {pretty(error.filename or 'a file')}", error)
    return InstallerError(
        "unexpected",
        f"{type(error).__name__}: {error}.",
        "Please report it: https://github.com/wasp-lang/wasp/issues",
    )


def _default_layout() -> Layout | None:
    try:
        return Layout(default_prefix(os.environ))
    except InstallerError:
        return None
