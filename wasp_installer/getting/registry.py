"""Which npm registry is in use here, and npm itself where it must be asked.

npm runs in a private folder with a package.json of its own, and without looking for a workspace
around it: the folder that the user is in, such as a cloned repository, has no say in where
programs come from.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from wasp_installer.command_line.console import Console
from wasp_installer.errors import SourceProblem
from wasp_installer.programs import HELPER_LIMIT_S, Ended, Program, helper_environment
from wasp_installer.versions import FIRST_NPM_VERSION, older_than

#: Such as a download over a slow line.
FETCH_LIMIT_S: Final = 600.0
_QUESTION: Final = ("config", "get", "@wasp.sh:registry", "registry")
_ADDRESS: Final = r"[a-z]+://\S+"


class Npm:
    """The npm of this machine; ``folder`` is where it runs, and what it fetches lies."""

    def __init__(self, program: str, folder: Path, registry: str | None = None) -> None:
        self._program = program
        self.folder = folder
        self.registry = registry
        (folder / "package.json").write_text("{}\n", encoding="ascii")

    def start(self, *arguments: str) -> Program:
        """Starts it; raises OSError, when it cannot be started."""
        registry = []
        if self.registry is not None:
            registry = [f"--registry={self.registry}", f"--@wasp.sh:registry={self.registry}"]
        return Program(
            [self._program, "--no-workspaces", *registry, *arguments],
            environment=helper_environment(
                # It would leave a cache and a log in the home.
                npm_config_cache=str(self.folder / "cache"),
                npm_config_logs_max="0",
                npm_config_loglevel="error",
                npm_config_update_notifier="false",
                npm_config_fetch_retries="1",
            ),
            folder=self.folder,
        )

    def view(self, package: str, *fields: str) -> Mapping[str, Any]:
        """Fields of a package, such as "dist.tarball"; raises ``SourceProblem``."""
        # Of one field that is there, npm prints the value alone; every package has a name.
        ended = self._run("view", "--json", package, "name", *fields)
        try:
            answer: object = json.loads(ended.stdout)
        except ValueError:
            answer = None
        error = answer.get("error") if isinstance(answer, dict) else None
        if isinstance(error, dict) and error.get("code") == "E404":
            raise SourceProblem("not-found", "npm does not find it")
        if ended.code != 0 or not isinstance(answer, dict) or error is not None:
            raise _not_delivered()
        return answer

    def fetch(self, package: str) -> Path:
        """The archive of a package; raises ``SourceProblem``."""
        ended = self._run("pack", "--ignore-scripts", package)
        archives = list(self.folder.glob("*.tgz"))
        if ended.code != 0 or len(archives) != 1:
            raise _not_delivered()
        return archives[0]

    def _run(self, *arguments: str) -> Ended:
        try:
            with self.start(*arguments) as program:
                ended = program.wait(FETCH_LIMIT_S)
        except OSError:
            ended = None
        if ended is None:
            raise _not_delivered()
        return ended


def _not_delivered() -> SourceProblem:
    return SourceProblem("bad-answer", "npm cannot fetch it either")


class RegistryLookup:
    """Finds the registry that npm would use, beside what else a run does first.

    ``url()`` is its address without a slash at its end, or None; ``npm()`` is npm itself, or None.
    """

    def __init__(self, environment: Mapping[str, str], console: Console) -> None:
        self._environment = environment
        self._url = environment.get("WASP_NPM_REGISTRY")
        self._question: Program | None = None
        self._npm: Npm | None = None
        self._folder: Path | None = None
        program = shutil.which("npm")
        if program is None:
            self._url = self._url or environment.get("npm_config_registry")
            return
        self._folder = Path(tempfile.mkdtemp(prefix="wasp-npm-"))
        self._npm = Npm(program, self._folder, self._url)
        if not self._url:
            console.say_step("Asking npm for its registry")
            try:
                self._question = self._npm.start(*_QUESTION)
            except OSError:
                self._npm = None

    def url(self) -> str | None:
        """The address; waits for npm's answer."""
        if self._question is not None:
            ended = self._question.wait(HELPER_LIMIT_S)
            self._question = None
            self._url = self._judged(ended)
        return self._url.rstrip("/") if self._url else None

    def _judged(self, ended: Ended | None) -> str | None:
        if ended is not None and ended.code == 0:
            url = _address_in(ended.stdout)
            # npm 6 answers the first of two questions only.
            if url is None and ended.stdout.strip() == "undefined" and self._npm is not None:
                with self._npm.start("config", "get", "registry") as program:
                    again = program.wait(HELPER_LIMIT_S)
                url = _address_in(again.stdout) if again and again.code == 0 else None
            if url is not None:
                return url
        # Where a login is in the address, npm keeps it to itself; it may still fetch from there.
        if ended is None or "protected" not in ended.stderr:
            self._npm = None
        return self._environment.get("npm_config_registry") if self._npm is None else None

    def npm(self) -> Npm | None:
        """npm, as long as it has not been found to be of no use."""
        return self._npm

    def close(self) -> None:
        """Ends npm, if it still runs, and removes its folder."""
        if self._question is not None:
            self._question.end()
            self._question = None
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


def _address_in(answer: str) -> str | None:
    """The first address in what npm prints: a line "key=value" of each key, or one value alone."""
    lines: Sequence[str] = answer.strip().splitlines()
    values = [re.sub(r"^(@wasp\.sh:)?registry\s*=\s*", "", line).strip() for line in lines]
    if not all(value == "undefined" or re.fullmatch(_ADDRESS, value) for value in values):
        return None
    return next((value for value in values if value != "undefined"), None)


def asks_npm(source: str, wanted: str) -> bool:
    """Whether npm may have the ``wanted`` version and is allowed by ``source``."""
    if source == "auto":
        return wanted == "latest" or not older_than(wanted, FIRST_NPM_VERSION)
    return source == "npm"
