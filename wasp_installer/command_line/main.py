"""The command line: arguments in, an exit code out."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Sequence

from wasp_installer import __version__
from wasp_installer.errors import explained, file_system_error
from wasp_installer.signals import ignore_signals, raise_on_signals

from .console import Console, give_up, open_standard_streams
from .manager import hand_over, manage
from .options import Options, parse, usage, without_ours
from .report import Result, result_before, to_json

#: Goes on where the libraries are, unless they are here; or also if they are, and are of no use.
Prepare = Callable[[Console, bool], None]


def main(arguments: Sequence[str], prepare: Prepare | None = None) -> int:
    """Runs the installer; returns the exit code (``errors.EXIT_CODES``).

    ``prepare`` sees to the libraries, where they are needed.
    """
    open_standard_streams()
    raise_on_signals()
    try:
        code = _run(arguments, prepare)
        sys.stdout.flush()
    except OSError as caught:
        error = file_system_error("write to the standard output", caught)
        Console().show_error(error)
        give_up(sys.stdout)
        code = error.code
    return code


def _run(arguments: Sequence[str], prepare: Prepare | None) -> int:
    """Raises OSError, when its result cannot be printed."""
    started = time.monotonic()
    console, result, error, shown = Console(), Result("error"), None, ""
    try:
        options = parse(arguments)
        console = Console(quiet=options.quiet, verbose=options.verbose)
        if options.is_install and options.prefix:
            result = result_before(options)
        if options.shows and (options.shows == "-V" or options.is_install or os.name == "nt"):
            shown = f"Wasp installer {__version__}\n" if options.shows == "-V" else usage()
        else:
            result = _execute(options, arguments, console, prepare)
        ignore_signals()
    except Exception as caught:  # noqa: BLE001 - a person is told in words, whatever it is
        ignore_signals()
        error = explained(caught)
        console.show_error(error)
        result = error.result or result
    if shown:
        print(shown, end="")
    elif "--json" in arguments:
        elapsed_s = time.monotonic() - started
        told = to_json(result, elapsed_s=elapsed_s, warnings=console.warnings, error=error)
        print(json.dumps(told))
    return error.code if error else result.code


def _execute(
    options: Options, arguments: Sequence[str], console: Console, prepare: Prepare | None
) -> Result:
    if os.name == "nt":
        from wasp_installer.windows.commands import execute

        return execute(options, console)
    if not options.is_install:
        return _manage(options, without_ours(arguments), console)
    if prepare is not None:
        prepare(console, False)
    from wasp_installer.installing import install

    try:
        return install(options, console)
    except ImportError:
        if prepare is not None:
            prepare(console, True)
        raise


def _manage(options: Options, arguments: Sequence[str], console: Console) -> Result:
    if not options.json and not options.destdir:
        hand_over(arguments)
    result = manage(console, arguments, options.destdir)
    if options.command == "list" and not options.json:
        for version in result.remote or result.versions:
            print(version)
    return result
