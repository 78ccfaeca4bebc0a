"""Tab completion: the lines in start-up files that make the shells read its scripts.

The scripts (``shared_files``) are in the folder ``completions``; ``install.sh`` has them in its
text.
"""

from __future__ import annotations

import os

import telemetry_ping

from .console import Console
from .layout import Layout
from .options import Options
from .shells import BinFolder, Shell, SpelledPath
from .startup_lines import StartupLines, listed, may_change_startup_files


class CompletionSetup:
    """What one run does about the lines that read the scripts."""

    def __init__(self, options: Options, console: Console, layout: Layout) -> None:
        self._console = console
        self._environment = os.environ
        folder = f"{layout.wasp_root}/completions"

        def line_of(shell: Shell) -> str:
            script = SpelledPath(f"{folder}/{shell.completion_script}", os.environ)
            return shell.completion_line(script)

        self._lines = StartupLines(os.environ, line_of, lambda shell: shell.completion_files())
        self._may_change_files = BinFolder(
            f"{layout.prefix}/bin", os.environ
        ).fits and may_change_startup_files(options, os.environ)

    @property
    def _may_add(self) -> bool:
        return self._may_change_files and not telemetry_ping.is_on_ci(self._environment)

    def planned(self) -> str:
        """The files that ``add`` would change, for --dry-run."""
        return listed(self._lines.planned()) if self._may_add else ""

    def add(self) -> str | None:
        """Makes shells that start from now on complete the words of wasp; returns what was done."""
        if not self._may_add:
            return None
        outcome = self._lines.add()
        for refusal in outcome.refusals:
            self._console.warn(
                f"{refusal.file} {refusal.obstacle}, so it was left as it is. "
                f"For tab completion, add this line to it:\n{refusal.line}"
            )
        if not outcome.changed:
            return None
        return f"Added tab completion to {listed(outcome.changed)}, for new terminals."

    def remove(self) -> str | None:
        """Takes out what ``add`` put in; returns what was done."""
        if not self._may_change_files:
            return None
        outcome = self._lines.remove()
        for refusal in outcome.refusals:
            self._console.warn(
                f"{refusal.file} {refusal.obstacle}, so it still has our line for tab completion. "
                f"Remove it:\n{refusal.line}"
            )
        return f"Took tab completion out of {listed(outcome.changed)}" if outcome.changed else None
