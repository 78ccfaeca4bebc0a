r"""The commands on Windows, where Wasp is inside WSL.

The sh program installs and manages it there; here are only PREFIX\bin\wasp.cmd and the entry of
PATH. PREFIX is %USERPROFILE%\.local: a person may write there, and uv and pipx keep their programs
in its bin folder too, so that it is often on PATH already.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from wasp_installer.command_line.console import Console
from wasp_installer.command_line.manager import read_report
from wasp_installer.command_line.options import Options
from wasp_installer.command_line.report import Result
from wasp_installer.contents import content_of
from wasp_installer.errors import InstallerError, InterruptedRunError, changing, explained
from wasp_installer.programs import Ended
from wasp_installer.telemetry import InstallEvent

from .user_path import PathSetup
from .wasp_cmd import distribution_of, wasp_cmd
from .wsl import Distribution, Wsl

_INSIDE_PREFIX: Final = re.compile(r"/[A-Za-z0-9_./+@:-]*")


def execute(options: Options, console: Console) -> Result:
    """Does what the options ask for.

    Raises:
        InstallerError: what went wrong.
    """
    # Only Windows has it.
    registry = importlib.import_module("winreg")
    return Run(options, console, Wsl(os.environ), registry).execute()


class Run:
    """One run on a machine with ``wsl``; its ``registry`` is that of the module winreg."""

    def __init__(self, options: Options, console: Console, wsl: Wsl, registry: Any) -> None:
        self._options = options
        self._console = console
        self._event = InstallEvent(options, console)
        self._wsl = wsl
        #: A place inside WSL is no place on Windows: there the default one is used.
        self._prefix_inside = ""
        prefix = options.prefix
        if prefix.startswith("/") and os.name == "nt":
            self._prefix_inside, prefix = prefix, os.path.join(os.path.expanduser("~"), ".local")
        folder = Path(os.path.normpath(prefix)) / "bin"
        self._cmd = folder / "wasp.cmd"
        changed = None if options.no_modify_path else registry
        self._path = PathSetup(console, folder, wsl.environment, changed)

    def execute(self) -> Result:
        """Does what the options ask for; raises InstallerError."""
        command = self._options.command
        try:
            self._check()
            if self._options.is_install:
                result = self._install()
            elif command in ("uninstall", "migrate-to-npm"):
                result = self._remove()
            else:
                result = self._manage()
        except Exception as caught:  # noqa: BLE001 - whatever it is, it is told in words
            error = explained(caught)
            if isinstance(error, InterruptedRunError):
                self._event.stop()
            error.result = self._seen_from_here(error.result or Result("error"))
            raise error from None
        return self._seen_from_here(result)

    def _seen_from_here(self, result: Result) -> Result:
        return replace(
            result,
            platform={"os": "windows", "arch": result.platform.get("arch")},
            executable=str(self._cmd),
            on_path=self._path.is_done(),
            telemetry=self._event.outcome,
        )

    def _check(self) -> None:
        if self._options.destdir:
            raise InstallerError(
                "usage",
                "--destdir makes a package, and Wasp has no build for Windows to package.",
                "Make packages for Linux inside WSL: python3 install.py --destdir",
            )
        if self._prefix_inside and not _INSIDE_PREFIX.fullmatch(self._prefix_inside):
            raise InstallerError(
                "usage",
                f"--prefix {self._prefix_inside} has characters that wasp.cmd cannot take.",
                "Choose a folder whose name has letters and digits only.",
            )

    def _install(self) -> Result:
        """Installs inside, and makes wasp.cmd."""
        options = self._options
        if os.path.lexists(self._cmd) and not self._entered() and not options.force:
            raise InstallerError(
                "foreign-launcher",
                f"{self._cmd} already exists, and this installer did not make it.",
                "Move it away, or replace it with --force.",
            )
        distribution = self._enter()
        if distribution.version == 1:
            self._console.warn(
                f"{distribution.name} runs on WSL 1. Wasp works there, but is slower.\n"
                f"To convert it: wsl --set-version {distribution.name} 2"
            )
        if not options.dry_run and self._is_new(distribution):
            self._event.announce()
        archive = []
        if options.from_file is not None:
            archive = ["--from-file", self._wsl.path_inside(distribution.name, options.from_file)]
        result = self._inside(distribution, "install", "--no-telemetry", *archive)
        if result.status == "installed":
            self._event.announce()
        if options.dry_run:
            self._console.say(f"  and   {self._cmd}, which enters {distribution.name}")
            return result
        self._write_cmd(distribution)
        self._console.say(f"In PowerShell and cmd: {self._cmd}, which enters {distribution.name}")
        self._path.add()
        return result

    def _is_new(self, distribution: Distribution) -> bool:
        """Whether it is certain, before the network is asked, that something is installed."""
        options, installed = self._options, self._versions(distribution)
        is_exact = options.wanted != "latest" and options.from_file is None
        return options.force or not installed or (is_exact and options.wanted not in installed)

    def _manage(self) -> Result:
        """Another command, or a word that is none."""
        options, distribution = self._options, self._enter()
        if options.command in ("list", "doctor") and not options.json:
            # Their result is for people.
            ended = self._run(distribution, *options.others)
            print(ended.stdout, end="")
            return Result("checked", code=ended.code)
        return self._inside(distribution, *options.others)

    def _remove(self) -> Result:
        """Removes a version, or all: then wasp.cmd and the entry of PATH, too."""
        options = self._options
        distribution = self._enter()
        is_all = len(options.others) == 1
        if is_all and not options.dry_run and not _agrees(options, distribution):
            self._console.say("Nothing was changed.")
            return Result("unchanged")
        result = self._inside(distribution, "--yes", *options.others)
        if options.dry_run or (not is_all and self._versions(distribution)):
            return result
        if self._entered():
            with changing(f"remove {self._cmd}"):
                self._cmd.unlink(missing_ok=True)
        self._path.remove()
        with contextlib.suppress(OSError):
            self._cmd.parent.rmdir()
        return result

    def _enter(self) -> Distribution:
        """The distribution that wasp.cmd enters, as long as it is there, else the one to use."""
        return self._wsl.choose(self._entered())

    def _versions(self, distribution: Distribution) -> Sequence[str]:
        """What is installed inside."""
        return self._inside(distribution, "list", "--quiet").versions

    def _inside(self, distribution: Distribution, *arguments: str) -> Result:
        """Has the sh program do what the arguments say, and report."""
        ended = self._run(distribution, "--porcelain", *arguments)
        return read_report(self._console, ended.code, ended.stdout)

    def _run(self, distribution: Distribution, *arguments: str) -> Ended:
        """Has the sh program do what the arguments say in ``distribution``."""
        place = ["--prefix", self._prefix_inside] if self._prefix_inside else []
        # What follows "--" is no option.
        words = [*place, *self._options.arguments(), *arguments]
        return self._wsl.run_script(distribution.name, content_of("install.sh"), words)

    def _write_cmd(self, distribution: Distribution) -> None:
        executable = f"{self._prefix_inside or '$HOME/.local'}/bin/wasp"
        content = wasp_cmd(distribution.name, executable, self._wsl.program)
        staged = self._cmd.with_name(f".wasp-{os.getpid()}.cmd")
        with changing(f"write {self._cmd}"):
            self._cmd.parent.mkdir(parents=True, exist_ok=True)
            try:
                staged.write_bytes(content)
                staged.replace(self._cmd)
            finally:
                staged.unlink(missing_ok=True)

    def _entered(self) -> str:
        """The distribution that wasp.cmd enters, or "" without one of ours."""
        try:
            return distribution_of(self._cmd.read_text(encoding="utf-8", errors="replace"))
        except OSError:
            return ""


def _agrees(options: Options, distribution: Distribution) -> bool:
    """Whether all of Wasp may be removed, which is asked on a terminal only."""
    if options.yes or not (sys.stderr.isatty() and sys.stdin.isatty()):
        return True
    question = f"Do you want to remove Wasp from {distribution.name}?"
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower().startswith("y")
