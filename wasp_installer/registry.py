"""Which npm registry is in use here."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from .console import Console
from .versions import FIRST_NPM_VERSION, older_than


class RegistryLookup:
    """Finds npm's registry as npm would.

    Starting npm costs a fifth of a second, so it is asked last, and in the background.
    """

    def __init__(self, environment: Mapping[str, str], console: Console) -> None:
        self._known = environment.get("WASP_NPM_REGISTRY") or environment.get("npm_config_registry")
        if not self._known:
            self._known = _registry_of_npmrc(Path(environment.get("HOME", "")) / ".npmrc")
        self._npm: subprocess.Popen[bytes] | None = None
        npm = None if self._known else shutil.which("npm")
        self._cache: str | None = None
        if npm:
            console.say_step("Asking npm for its registry")
            # It would leave a log in the home.
            self._cache = tempfile.mkdtemp(prefix="wasp-npm-")
            self._npm = subprocess.Popen(
                [npm, "config", "get", "registry"],
                env={**environment, "npm_config_cache": self._cache},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )

    def result(self) -> str | None:
        """The address, without a slash at its end; None where no registry is known."""
        if self._npm is not None:
            said = self._npm.communicate()[0].decode(errors="replace").partition("\n")[0].strip()
            self._npm = None
            self._known = None if said == "undefined" else said
        return self._known.rstrip("/") if self._known else None

    def close(self) -> None:
        """Ends npm, if it still runs."""
        if self._npm is not None:
            self._npm.kill()
            self._npm.communicate()
            self._npm = None
        if self._cache is not None:
            shutil.rmtree(self._cache, ignore_errors=True)


def _registry_of_npmrc(path: Path) -> str | None:
    """https://docs.npmjs.com/cli/configuring-npm/npmrc, as far as it is plain text."""
    registry = None
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    for line in lines:
        key, _, value = (part.strip(' \t\r"') for part in line.partition("="))
        # A value with a variable in it is left to npm.
        if key == "registry" and value and "$" not in value:
            registry = value
    return registry


def asks_npm(source: str, wanted: str) -> bool:
    """Whether npm may have the ``wanted`` version and is allowed by ``source``."""
    if source == "auto":
        return wanted == "latest" or not older_than(wanted, FIRST_NPM_VERSION)
    return source == "npm"
