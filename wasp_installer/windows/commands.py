r"""The commands on Windows, where Wasp is inside WSL.

The sh program installs and manages it there; here are only PREFIX\bin\wasp.cmd and the entry of
PATH. PREFIX is %USERPROFILE%\.local: a person may write there, and uv and pipx keep their programs
in its bin folder too, so that it is often on PATH already.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from wasp_installer.command_line.console import Console
from wasp_installer.command_line.manager import (
    Reported,
    arguments_of_install,
    manage,
    shared_arguments,
)
from wasp_installer.command_line.options import Options
from wasp_installer.command_line.report import Result, print_versions, result_of
from wasp_installer.contents import content_of
from wasp_installer.errors import InstallerError, changing
from wasp_installer.placing.staging import remove_tree
from wasp_installer.telemetry import InstallEvent

from .path_setup import PathSetup
from .user_path import UserPath, this_user_path
from .wasp_cmd import MARK, distribution_of, wasp_cmd
from .wsl import Distribution, Wsl

_INSIDE_PREFIX: Final = re.compile(r"/[A-Za-z0-9_./+@:-]*")


@dataclass(frozen=True)
class Windows:
    """A Windows machine as this module sees it."""

    wsl: Wsl
    user_path: UserPath | None
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)


def this_windows() -> Windows:
    """The one that this runs on."""
    return Windows(Wsl(os.environ), this_user_path(os.environ))


def execute(
    options: Options, console: Console, event: InstallEvent, windows: Windows | None = None
) -> Result:
    """Does what the options ask for.

    Raises:
        InstallerError: what went wrong.
    """
    run = _Run(options, console, event, windows or this_windows())
    removals = ("uninstall", "migrate-to-npm")
    command = run.remove if options.command in removals else run.manage
    result = run.install() if options.is_install else command()
    platform = {"os": "windows", "arch": result.platform.get("arch"), "libc": None}
    on_path = run.path.is_done()
    return replace(result, platform=platform, executable=str(run.cmd), on_path=on_path)


class _Run:
    """One run."""

    def __init__(
        self, options: Options, console: Console, event: InstallEvent, windows: Windows
    ) -> None:
        self._options = options
        self._console = console
        self._event = event
        self._environment = windows.environment
        self._wsl = windows.wsl
        #: A place inside WSL is no place on Windows: there the default one is used.
        self._prefix_inside = ""
        prefix = options.prefix
        if prefix.startswith("/") and os.name == "nt":
            self._prefix_inside, prefix = prefix, os.path.join(os.path.expanduser("~"), ".local")
        folder = Path(os.path.normpath(prefix)) / "bin"
        self.cmd = folder / "wasp.cmd"
        self.path = PathSetup(options, console, folder, windows.environment, windows.user_path)
        self._check()

    def _check(self) -> None:
        if self._options.destdir:
            raise InstallerError(
                "usage",
                "--destdir makes a package, and there is no build of Wasp for Windows to put in.",
                "Make packages for Linux inside WSL: python3 install.py --destdir",
            )
        if self._prefix_inside and not _INSIDE_PREFIX.fullmatch(self._prefix_inside):
            raise InstallerError(
                "usage",
                f"{self._prefix_inside} cannot be named in wasp.cmd.",
                "Choose a folder with letters and digits only.",
            )

    def install(self) -> Result:
        """Installs inside, and makes wasp.cmd."""
        self._refuse_foreign()
        distribution = self._enter()
        if distribution.version == 1:
            self._console.warn(
                f"{distribution.name} runs on WSL 1. Wasp works there, but is slower.\n"
                f"To convert it: wsl --set-version {distribution.name} 2"
            )
        if not self._options.dry_run and self._is_new(distribution):
            self._event.announce()
        arguments = arguments_of_install(self._options) + self._archive(distribution)
        told = self._inside(distribution, "install", "--no-telemetry", *arguments)
        result = result_of(told)
        if result.status == "installed":
            self._event.announce()
        if self._options.dry_run:
            self._console.say(f"  and   {self.cmd}, which enters {distribution.name}")
            return result
        self._write_cmd(distribution)
        self._console.say(f"In PowerShell and cmd: {self.cmd}, which enters {distribution.name}")
        self._say_if_any(self.path.add())
        return result

    def _is_new(self, distribution: Distribution) -> bool:
        """Whether it is certain, before the network is asked, that something is installed."""
        options, installed = self._options, self._versions(distribution)
        if options.force or not installed:
            return True
        is_exact = options.wanted != "latest" and options.from_file is None
        return is_exact and options.wanted not in installed

    def _archive(self, distribution: Distribution) -> list[str]:
        """The archive, by the path that it has inside."""
        file = self._options.from_file
        if file is None:
            return []
        return ["--from-file", self._wsl.path_inside(distribution.name, file)]

    def manage(self) -> Result:
        """Another command, or a word that is none."""
        source = ["--source", self._options.source]
        result = result_of(self._inside(self._enter(), *self._options.others, *source))
        if result.status == "listed" and not self._options.json:
            print_versions(result)
        return result

    def remove(self) -> Result:
        """Removes a version, or all: then wasp.cmd and the entry of PATH, too."""
        options = self._options
        distribution = self._enter()
        is_all = len(options.others) == 1
        if options.command == "uninstall" and is_all and not options.dry_run:
            _confirm(options, f"Remove Wasp from {distribution.name}?")
        result = result_of(self._inside(distribution, *options.others, "--yes"))
        if options.dry_run or (not is_all and self._versions(distribution)):
            return result
        if MARK in (self._content_of_cmd() or ""):
            with changing(f"remove {self.cmd}"):
                self.cmd.unlink(missing_ok=True)
        self._say_if_any(self.path.remove())
        with contextlib.suppress(OSError):
            self.cmd.parent.rmdir()
        if is_all and (cache := self._environment.get("LOCALAPPDATA")):
            # Where an older install.py kept its libraries.
            with contextlib.suppress(OSError):
                remove_tree(Path(cache) / "wasp" / "installer")
        return result

    def _enter(self) -> Distribution:
        """The distribution that wasp.cmd enters, as long as it is there, else the one to use."""
        return self._wsl.choose(distribution_of(self._content_of_cmd() or ""))

    def _versions(self, distribution: Distribution) -> Sequence[str]:
        """What is installed inside."""
        return self._inside(distribution, "list", quiet=True).words("versions")

    def _inside(self, distribution: Distribution, *arguments: str, quiet: bool = False) -> Reported:
        """Has the sh program do what the arguments say in ``distribution``."""

        def run(given: Sequence[str]) -> tuple[int, str]:
            return self._wsl.run_script(distribution.name, content_of("install.sh"), given)

        options = replace(self._options, quiet=self._options.quiet or quiet)
        place = ["--prefix", self._prefix_inside] if self._prefix_inside else []
        shared = shared_arguments(options)
        return manage(run, self._console, [*arguments, *place, *shared])

    # --- wasp.cmd ---------------------------------------------------------------------------------

    def _write_cmd(self, distribution: Distribution) -> None:
        executable = f"{self._prefix_inside or '$HOME/.local'}/bin/wasp"
        assert self._wsl.program is not None, "a distribution was found with it"
        root = self._environment.get("SystemRoot", "")
        content = wasp_cmd(distribution.name, executable, self._wsl.program, root)
        staged = self.cmd.with_name(f".wasp-{os.getpid()}.cmd")
        with changing(f"write {self.cmd}"):
            self.cmd.parent.mkdir(parents=True, exist_ok=True)
            try:
                staged.write_bytes(content)
                staged.replace(self.cmd)
            finally:
                staged.unlink(missing_ok=True)

    def _content_of_cmd(self) -> str | None:
        try:
            return self.cmd.read_text(encoding="utf-8", errors="replace")
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError:
            return ""

    def _refuse_foreign(self) -> None:
        content = self._content_of_cmd()
        if content is not None and MARK not in content and not self._options.force:
            raise InstallerError(
                "foreign-launcher",
                f"{self.cmd} already exists, and this installer did not make it.",
                "Move it away, or replace it with --force.",
            )

    def _say_if_any(self, line: str | None) -> None:
        if line:
            self._console.say(line)


def _confirm(options: Options, question: str) -> None:
    """Asks on a terminal; raises "interrupted" when the answer is not yes."""
    if options.yes or not (sys.stderr.isatty() and sys.stdin.isatty()):
        return
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise InstallerError("interrupted", "nothing was removed.")
