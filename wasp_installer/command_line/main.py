"""The command line: arguments in, an exit code out."""

from __future__ import annotations

import functools
import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from wasp_installer import __version__
from wasp_installer.errors import InstallerError, InterruptedRunError, file_system_error
from wasp_installer.placing.layout import Layout
from wasp_installer.signals import ignore_signals, raise_on_signals
from wasp_installer.texts import pretty

from .console import Console, open_standard_streams
from .manager import ReportedError, hand_over, manage, run_here
from .options import Options, parse, usage, without_ours
from .report import Result, print_versions, result_for, result_of, to_json

if TYPE_CHECKING:
    from wasp_installer.getting.platforms import Platform
    from wasp_installer.telemetry import InstallEvent


def main(arguments: Sequence[str], prepare: Callable[[Console], None] | None = None) -> int:
    """Runs the installer; returns the exit code (``errors.EXIT_CODES``).

    ``prepare`` sees to the libraries, where they are needed.
    """
    started = time.monotonic()
    open_standard_streams()
    raise_on_signals()
    if {"-h", "--help"} & set(arguments):
        print(usage(), end="")
        return 0
    if "-V" in arguments:
        print(f"Wasp installer {__version__}")
        return 0
    run, error = _Run(), None
    try:
        result = run.execute(arguments, prepare)
        ignore_signals()
    except Exception as caught:  # noqa: BLE001 - a person is told in words, whatever it is
        ignore_signals()
        error = _explained(caught)
        run.console.show_error(error)
        result = run.failed(error)
    if "--json" in arguments:
        report = to_json(
            result,
            telemetry=run.event.outcome if run.event else "none",
            elapsed_s=time.monotonic() - started,
            warnings=run.console.warnings,
            error=error,
        )
        print(json.dumps(report, ensure_ascii=False))
    return error.code if error else 0


class _Run:
    """One run, with what a report also tells when it fails."""

    def __init__(self) -> None:
        self.console = Console()
        self.event: InstallEvent | None = None
        self._layout: Layout | None = None
        self._platform: Platform | None = None

    def execute(
        self, arguments: Sequence[str], prepare: Callable[[Console], None] | None
    ) -> Result:
        """Does what the arguments ask for."""
        options = parse(arguments)
        self.console = Console(quiet=options.quiet, verbose=options.verbose)
        if os.name == "nt":
            return self._execute_on_windows(options)
        if not options.is_install:
            return self._manage(options, arguments)
        self._layout = Layout(options.prefix, options.destdir) if options.prefix else None
        if prepare is not None:
            prepare(self.console)
        return self._install(options)

    def failed(self, error: InstallerError) -> Result:
        """The result of a run that ended with ``error``."""
        if isinstance(error, InterruptedRunError) and self.event is not None:
            self.event.stop()
        if isinstance(error, ReportedError) and error.release is None:
            return replace(result_of(error.told), status="error")
        return result_for("error", self._layout, self._platform, error.release)

    def _install(self, options: Options) -> Result:
        # Imported late: the libraries take long to import, and may have been missing.
        from wasp_installer.getting.platforms import identify
        from wasp_installer.installing import install
        from wasp_installer.telemetry import InstallEvent

        self._platform = identify()
        self.console.say_step(f"Platform: {self._platform.in_full()}")
        self.event = InstallEvent(options, self.console)
        return install(options, self.console, event=self.event, platform=self._platform)

    def _manage(self, options: Options, arguments: Sequence[str]) -> Result:
        # Also where it stands in the place of a value, which is told in a report.
        wants_json = "--json" in arguments
        known = without_ours(arguments)
        if not wants_json and not options.destdir:
            hand_over(known)
        run = functools.partial(run_here, destdir=options.destdir)
        result = result_of(manage(run, self.console, known))
        if options.command == "list" and not wants_json:
            print_versions(result)
        return result

    def _execute_on_windows(self, options: Options) -> Result:
        from wasp_installer.telemetry import InstallEvent
        from wasp_installer.windows.commands import execute

        self.event = InstallEvent(options, self.console)
        return execute(options, self.console, self.event)


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
