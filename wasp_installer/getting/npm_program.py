"""npm itself, where it must be asked.

npm runs in a private folder with a package.json of its own, and without looking for a workspace
around it: the folder that the user is in, such as a cloned repository, has no say in where
programs come from.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from wasp_installer.errors import SourceProblem
from wasp_installer.programs import Ended, helper_environment, run
from wasp_installer.texts import plain

#: Such as a download over a slow line.
FETCH_LIMIT_S: Final = 600.0


class Npm:
    """The npm on PATH; ``folder`` is where it runs, and what it fetches lies."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / "package.json").write_text("{}\n", encoding="ascii")

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
        environment = helper_environment(
            # It would leave a cache and a log in the home.
            npm_config_cache=str(self._folder / "cache"),
            npm_config_logs_max="0",
            npm_config_update_notifier="false",
            npm_config_fetch_retries="1",
            npm_config_fetch_retry_mintimeout="1000",
        )
        command = ["npm", *arguments, "--no-workspaces"]
        try:
            return run(command, FETCH_LIMIT_S, environment=environment, folder=self._folder)
        except OSError:
            return Ended(127)


@contextlib.contextmanager
def private_npm() -> Iterator[Npm]:
    """npm, in a folder that is gone after the ``with`` block."""
    folder = tempfile.mkdtemp(prefix="wasp-npm-")
    try:
        yield Npm(Path(folder))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
