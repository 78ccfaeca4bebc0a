"""Which npm registry is in use here."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from .console import Console
from .versions import FIRST_NPM_VERSION, older_than

_SCOPED_KEY: Final = "@wasp.sh:registry"
#: Nothing is left in the home, or asked of the network.
_QUIET: Final = {"npm_config_logs_max": "0", "npm_config_update_notifier": "false"}
#: npm refuses these together with --no-workspaces.
_WORKSPACES: Final = ("npm_config_workspace", "npm_config_workspaces")


class RegistryLookup:
    """Finds npm's registry as npm would.

    Starting npm costs a fifth of a second, so it is asked in the background.
    """

    def __init__(self, environment: Mapping[str, str], console: Console) -> None:
        self._known = environment.get("WASP_NPM_REGISTRY")
        self._environment = environment
        self._npm: subprocess.Popen[bytes] | None = None
        self._folder: str | None = None
        self._program = None if self._known else shutil.which("npm")
        if self._program:
            console.say_step("Asking npm for its registry")
            self._ask(_SCOPED_KEY, "registry")
        elif not self._known:
            self._known = environment.get("npm_config_registry")

    def _ask(self, *keys: str) -> None:
        """Starts npm, in a folder that is a project of its own.

        A project that somebody has cloned must not choose, by its .npmrc, where programs come from.
        """
        if self._folder is None:
            self._folder = tempfile.mkdtemp(prefix="wasp-npm-")
            Path(self._folder, "package.json").write_text("{}\n", encoding="ascii")
        environment = {**self._environment, **_QUIET, "npm_config_cache": f"{self._folder}/cache"}
        for name in _WORKSPACES:
            environment.pop(name, None)
        # One that is named from the current folder is not there any more.
        if self._program is not None and os.path.isabs(self._program):
            self._npm = subprocess.Popen(
                [self._program, "config", "get", "--no-workspaces", *keys],
                env=environment,
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )

    def result(self) -> str | None:
        """The address, without a slash at its end; None where no registry is known."""
        if self._folder is not None and self._known is None:
            said = self._answer()
            if said == "undefined":
                # npm 6 answers the first question only.
                self._ask("registry")
                said = self._answer()
            self._known = "" if said == "undefined" else said
        return self._known.rstrip("/") if self._known else None

    def _answer(self) -> str:
        """What npm says, "" where it fails."""
        if self._npm is None:
            return ""
        said = self._npm.communicate()[0].decode(errors="replace")
        failed, self._npm = self._npm.returncode != 0, None
        return "" if failed else _registry_of(said.splitlines())

    def close(self) -> None:
        """Ends npm, if it still runs."""
        if self._npm is not None:
            self._npm.kill()
            self._npm.communicate()
            self._npm = None
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


def _registry_of(lines: list[str]) -> str:
    """Of what npm says, the scope's own comes first: lines of "KEY=VALUE", or one value."""
    registry = ""
    for line in lines:
        key, _, value = line.partition("=")
        if key == _SCOPED_KEY:
            if value != "undefined":
                return value
        elif key == "registry":
            registry = value
        else:
            registry = registry or line
    return registry


def asks_npm(source: str, wanted: str) -> bool:
    """Whether npm may have the ``wanted`` version and is allowed by ``source``."""
    if source == "auto":
        return wanted == "latest" or not older_than(wanted, FIRST_NPM_VERSION)
    return source == "npm"
