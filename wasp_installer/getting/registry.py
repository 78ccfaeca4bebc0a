"""Which npm registry is in use here, and npm itself where it must be asked.

npm runs in a private folder with a package.json of its own, and without looking for a workspace
around it: the folder that the user is in, such as a cloned repository, has no say in where
programs come from.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from wasp_installer.command_line.console import Console
from wasp_installer.errors import SourceProblem
from wasp_installer.programs import HELPER_LIMIT_S, Ended, Program, helper_environment
from wasp_installer.texts import plain
from wasp_installer.versions import FIRST_NPM_VERSION, older_than

#: Such as a download over a slow line.
FETCH_LIMIT_S: Final = 600.0
_QUESTION: Final = ("config", "get", "@wasp.sh:registry", "registry")
_LINE: Final = re.compile(
    r"^(?:(@wasp\.sh:registry|registry) *= *)?(https?://\S+)\s*?$", re.MULTILINE
)


class Npm:
    """The npm of this machine; ``folder`` is where it runs, and what it fetches lies."""

    def __init__(self, program: str, folder: Path) -> None:
        self._program = program
        self.folder = folder
        (folder / "package.json").write_text("{}\n", encoding="ascii")

    def start(self, *arguments: str) -> Program:
        """Starts it; raises OSError, when it cannot be started."""
        return Program(
            [self._program, *arguments, "--no-workspaces"],
            environment=helper_environment(
                # It would leave a cache and a log in the home.
                npm_config_cache=str(self.folder / "cache"),
                npm_config_logs_max="0",
                npm_config_update_notifier="false",
                npm_config_fetch_retries="1",
                npm_config_fetch_retry_mintimeout="1000",
            ),
            folder=self.folder,
        )

    def view(self, package: str, *fields: str) -> Mapping[str, Any] | None:
        """Fields of a package, such as "dist.tarball"; None, when npm does not deliver them."""
        # Of one field that is there, npm prints the value alone; every package has a name.
        ended = self._run("view", "--json", package, "name", *fields)
        try:
            answer: object = json.loads(ended.stdout) if ended and ended.code == 0 else None
        except ValueError:
            return None
        return answer if isinstance(answer, dict) else None

    def fetch(self, package: str, version: str) -> Path:
        """The archive of a package; raises ``SourceProblem``."""
        ended = self._run("pack", "--ignore-scripts", f"{package}@{version}")
        archives = list(self.folder.glob("*.tgz"))
        if ended is None or ended.code != 0 or len(archives) != 1:
            said = plain("\n".join(ended.stderr.splitlines()[:3]) if ended else "")
            raise SourceProblem("connection", f"npm could not fetch {package} ({said})")
        return archives[0]

    def _run(self, *arguments: str) -> Ended | None:
        with contextlib.suppress(OSError), self.start(*arguments) as program:
            return program.wait(FETCH_LIMIT_S)
        return None


class RegistryLookup:
    """Finds the registry that npm would use, beside what else a run does first."""

    def __init__(self, environment: Mapping[str, str], console: Console) -> None:
        self._environment = environment
        self._url = environment.get("WASP_NPM_REGISTRY")
        self._question: Program | None = None
        self._npm: Npm | None = None
        self._folder: Path | None = None
        program = None if self._url else shutil.which("npm")
        if program is None:
            self._url = self._url or environment.get("npm_config_registry")
            return
        console.say_step("Asking npm for its registry")
        self._folder = Path(tempfile.mkdtemp(prefix="wasp-npm-"))
        self._npm = Npm(program, self._folder)
        with contextlib.suppress(OSError):
            self._question = self._npm.start(*_QUESTION)

    def find(self) -> tuple[str | None, Npm | None]:
        """The address, without a slash at its end, and npm, if it may fetch from there."""
        url, npm = self._url, None
        if self._npm is not None:
            ended = self._question.wait(HELPER_LIMIT_S) if self._question else None
            self._question = None
            url, npm = self._judged(self._npm, ended)
        return url.rstrip("/") if url else None, npm

    def _judged(self, npm: Npm, ended: Ended | None) -> tuple[str | None, Npm | None]:
        if ended is not None and ended.code == 0:
            url = _address_in(ended.stdout)
            if url is None and ended.stdout.strip() == "undefined":
                # npm 6 answers the first of two questions only.
                with npm.start("config", "get", "registry") as program:
                    again = program.wait(HELPER_LIMIT_S)
                url = _address_in(again.stdout) if again and again.code == 0 else None
            if url is not None:
                return url, npm
        if ended is not None and "protected" in ended.stderr:
            # A login is in the address, which npm keeps to itself.
            return None, npm
        return self._environment.get("npm_config_registry"), None

    def close(self) -> None:
        """Ends npm, if it still runs, and removes its folder."""
        if self._question is not None:
            self._question.end()
            self._question = None
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


def _address_in(answer: str) -> str | None:
    """The address in what npm prints: a line "key=value" of each key, or one value alone."""
    found = dict(_LINE.findall(answer))
    return next((found[key] for key in ("@wasp.sh:registry", "registry", "") if key in found), None)


def asks_npm(source: str, wanted: str) -> bool:
    """Whether npm may have the ``wanted`` version and is allowed by ``source``."""
    if source == "auto":
        return wanted == "latest" or not older_than(wanted, FIRST_NPM_VERSION)
    return source == "npm"
