"""PATH: makes the person's shells find wasp, and takes that back.

Windows keeps PATH in its registry, not in files: see ``windows_path``.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import telemetry_ping

from .console import Console, pretty
from .layout import Layout
from .options import Options
from .platforms import Platform
from .shells import BinFolder, Shell, own_shell, quoted, shells
from .startup_files import content_of
from .startup_lines import StartupLines, listed, may_change_startup_files


class PathSetup:
    """What one run does about PATH, and what it has to say of that."""

    def __init__(
        self, options: Options, console: Console, layout: Layout, platform: Platform | None
    ) -> None:
        self._options = options
        self._console = console
        self._platform = platform
        self._has_files_left = layout.bin.is_dir
        self._environment = os.environ
        self._folder = BinFolder(f"{layout.prefix}/bin", os.environ)
        self._shown = pretty(self._folder.path)
        self._lines = StartupLines(
            os.environ, lambda shell: shell.path_line(self._folder), lambda shell: shell.files()
        )

    @property
    def _may_change_files(self) -> bool:
        return self._folder.fits and may_change_startup_files(self._options, self._environment)

    # --- putting the folder on PATH ---------------------------------------------------------------

    def add(self) -> str | None:
        """Makes the shells find wasp when they next start.

        Returns what was done and what this shell needs; where nothing was done, a warning says what
        the person has to do.
        """
        if not self._folder.fits:
            self._console.warn(
                f"{self._shown} is not on your PATH, and cannot be, because of a colon or a line "
                "break in its name.\nChoose another place with --prefix DIR."
            )
        elif self._is_github_job and not self._options.no_modify_path:
            return self._add_for_github(Path(self._environment["GITHUB_PATH"]))
        elif self._may_change_files and not telemetry_ping.is_on_ci(self._environment):
            return self._add_to_files()
        else:
            self._console.warn(
                f"{self._shown} is not on your PATH. Put it there:\n{self._advice()}"
            )
        return None

    def planned(self) -> str:
        """The files that ``add`` would change, for --dry-run."""
        if (
            not self._may_change_files
            or self._is_github_job
            or telemetry_ping.is_on_ci(self._environment)
        ):
            return ""
        return listed(self._lines.planned())

    def _add_to_files(self) -> str | None:
        outcome = self._lines.add()
        for refusal in outcome.refusals:
            self._console.warn(
                f"{refusal.file} {refusal.obstacle}, so it was left as it is. "
                f"To put {self._shown} on PATH, add this line to it:\n{refusal.line}"
            )
        own = self._own_shell()
        if own is None:
            # What this installer cannot write for.
            self._console.warn(
                f"{self._shown} is not on PATH in {own_shell(self._environment)}. "
                f"Put it there:\n{self._advice()}"
            )
        now = f" In this terminal: {own.path_command(self._folder)}" if own else ""
        if outcome.changed:
            return f"Added {self._shown} to PATH in {listed(outcome.changed)}.{now}"
        if outcome.unchanged:
            return f"{self._shown} is put on PATH in {listed(outcome.unchanged)}.{now}"
        return None

    @property
    def _is_github_job(self) -> bool:
        environment = self._environment
        return bool(environment.get("GITHUB_PATH")) and environment.get(
            "GITHUB_ACTIONS", ""
        ) not in ("", "false", "0")

    def _add_for_github(self, file: Path) -> str | None:
        """Writes to GITHUB_PATH, from which the runner takes PATH of the next steps.

        https://docs.github.com/actions/reference/workflow-commands-for-github-actions
        """
        line = os.fsencode(self._folder.path)
        try:
            content = content_of(file)
            if line not in content.split(b"\n"):
                ended = b"" if not content or content.endswith(b"\n") else b"\n"
                with open(file, "r+b") as stream:
                    stream.seek(0, os.SEEK_END)
                    stream.write(ended + line + b"\n")
        except OSError:
            self._console.warn(
                f"{pretty(file)} (GITHUB_PATH) cannot be written to, so {self._shown} is not on "
                "PATH in the next steps of this job."
            )
            return None
        return (
            f"Added {self._shown} to PATH for the next steps of this job. "
            f"In this step: export PATH={self._folder.before_path}"
        )

    # --- taking it off again ----------------------------------------------------------------------

    def remove(self) -> str | None:
        """Takes out what ``add`` put in; returns what was done."""
        if not self._may_change_files:
            return None
        outcome = self._lines.remove()
        for refusal in outcome.refusals:
            self._console.warn(
                f"{refusal.file} {refusal.obstacle}, so it still puts {self._shown} on PATH. "
                f"Remove this line from it:\n{refusal.line}"
            )
        if not outcome.changed:
            return None
        # Other installers may have found it on PATH, and so added nothing themselves.
        rest = (
            "; add it yourself if you use the other programs in it"
            if self._has_files_left()
            else ""
        )
        return f"Took {self._shown} off PATH in {listed(outcome.changed)}{rest}"

    # --- both -------------------------------------------------------------------------------------

    def _own_shell(self) -> Shell | None:
        own = [shell for shell in shells(self._environment) if shell.is_own]
        return own[0] if own else None

    def _advice(self) -> str:
        """What a person may type, or has to write, to put the folder on PATH."""
        folder, shell = self._folder, own_shell(self._environment)
        if shell == "fish":
            return f"fish_add_path {folder.fish_word}"
        if shell == "nu":
            path = json.dumps(folder.path, ensure_ascii=False)
            return (
                f"$env.PATH = ($env.PATH | prepend {path}) # in the file that $nu.config-path names"
            )
        if shell in ("csh", "tcsh"):
            return f"set path = ( {folder.word} $path ) # in ~/.{shell}rc"
        on_mac = self._platform is not None and self._platform.os == "macos"
        bash_file = ".bash_profile" if on_mac else ".bashrc"
        file = {"zsh": ".zshrc", "bash": bash_file}.get(shell, ".profile")
        command = quoted(f"export PATH={folder.before_path}")
        return f"echo {command} >>~/{file} && . ~/{file}"
