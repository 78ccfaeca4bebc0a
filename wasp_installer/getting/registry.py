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
_LINE: Final = re.compile(
    r"^(?:(@wasp\.sh:registry|registry) *= *)?(https?://\S+)\s*?$", re.MULTILINE
)


class Npm:
    """The npm of this machine; ``folder`` is where it runs, and what it fetches lies."""

    def __init__(self, program: str, folder: Path) -> None:
        self._program = program
        self._folder = folder
        (folder / "package.json").write_text("{}\n", encoding="ascii")

    def start(self, *arguments: str) -> Program:
        """Starts it; raises OSError, when it cannot be started."""
        return Program(
            [self._program, *arguments, "--no-workspaces"],
            environment=helper_environment(
                # It would leave a cache and a log in the home.
                npm_config_cache=str(self._folder / "cache"),
                npm_config_logs_max="0",
                npm_config_update_notifier="false",
                npm_config_fetch_retries="1",
                npm_config_fetch_retry_mintimeout="1000",
            ),
            folder=self._folder,
        )

    def view(self, package: str, *fields: str) -> Mapping[str, Any] | None:
        """Fields of a package, such as "dist.tarball"; None, when npm does not deliver them."""
        # Of one field that is there, npm prints the value alone; every package has a name.
        ended = self._run("view", "--json", package, "name", *fields)
        try:
            answer: object = json.loads(ended.stdout) if ended.code == 0 else None
        except (ValueError, RecursionError):
            return None
        return answer if isinstance(answer, dict) else None

    def fetch(self, package: str, version: str) -> Path:
        """The archive of a package; raises ``SourceProblem``."""
        ended = self._run("pack", "--ignore-scripts", f"{package}@{version}")
        archives = list(self._folder.glob("*.tgz"))
        if ended.code != 0 or len(archives) != 1:
            said = plain("\n".join(ended.stderr.splitlines()[:3]))
            raise SourceProblem("connection", f"npm could not fetch {package} ({said})")
        return archives[0]

    def _run(self, *arguments: str) -> Ended:
        with contextlib.suppress(OSError), self.start(*arguments) as program:
            return program.wait(FETCH_LIMIT_S)
        return Ended(127)


class RegistryLookup:
    """Finds the registry that npm would use, beside what else a run does first."""

    def __init__(self, environment: Mapping[str, str], console: Console) -> None:
        self._named = environment.get("WASP_NPM_REGISTRY")
        self._without_npm = environment.get("npm_config_registry")
        self._running = contextlib.ExitStack()
        self._npm: Npm | None = None
        program = None if self._named else shutil.which("npm")
        if program is not None:
            console.say_step("Asking npm for its registry")
            folder = tempfile.mkdtemp(prefix="wasp-npm-")
            self._running.callback(shutil.rmtree, folder, ignore_errors=True)
            self._npm = Npm(program, Path(folder))
            self._question = self._ask(self._npm, "@wasp.sh:registry", "registry")

    def _ask(self, npm: Npm, *keys: str) -> Program | None:
        """Starts npm, which is ended by ``close`` at the latest."""
        with contextlib.suppress(OSError):
            return self._running.enter_context(npm.start("config", "get", *keys))
        return None

    def find(self) -> tuple[str | None, Npm | None]:
        """The address, without a slash at its end, and npm, if it may fetch from there."""
        url, npm = self._named or self._without_npm, None
        if self._npm is not None:
            ended = _end_of(self._question)
            if ended.code == 0 and ended.stdout.strip() == "undefined":
                # npm 6 answers the first of two questions only.
                ended = _end_of(self._ask(self._npm, "registry"))
            answer = _address_in(ended.stdout) if ended.code == 0 else None
            # A login in an address is what npm keeps to itself.
            if answer is not None or "protected" in ended.stderr:
                url, npm = answer, self._npm
        return url.rstrip("/") if url else None, npm

    def close(self) -> None:
        """Ends npm, if it still runs, and removes its folder."""
        self._running.close()


def _end_of(question: Program | None) -> Ended:
    return question.wait(HELPER_LIMIT_S) if question is not None else Ended(127)


def _address_in(answer: str) -> str | None:
    """The address in what npm prints: a line "key=value" of each key, or one value alone."""
    found = dict(_LINE.findall(answer))
    return next((found[key] for key in ("@wasp.sh:registry", "registry", "") if key in found), None)


def asks_npm(source: str, wanted: str) -> bool:
    """Whether npm may have the ``wanted`` version and is allowed by ``source``."""
    if source == "auto":
        return wanted == "latest" or not older_than(wanted, FIRST_NPM_VERSION)
    return source == "npm"
