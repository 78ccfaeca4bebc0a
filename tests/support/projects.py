"""A machine with Wasp installed, used inside a project."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.support.machines import Machine, Run


class Project(Machine):
    """Calls the installed launcher in the folder of a Wasp project."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.folder = self.home / "my app"
        self.folder.mkdir()
        (self.folder / ".wasproot").touch()

    def used(self, *arguments: str, folder: Path | None = None) -> Run:
        """Runs `wasp` in the project, and returns when its background process has ended."""
        run = self.called(*arguments, folder=folder)
        self.wait_for_background()
        return run

    def called(self, *arguments: str, folder: Path | None = None) -> Run:
        return self.run_program([str(self.layout.launcher), *arguments], cwd=folder or self.folder)

    @property
    def cache(self) -> Path:
        return self.home / ".cache" / "wasp" / "telemetry"

    @property
    def state_file(self) -> Path:
        [file] = self.cache.glob("project-*.json")
        return file

    @property
    def state(self) -> dict[str, Any]:
        value = json.loads(self.state_file.read_text())
        assert isinstance(value, dict)
        return value

    def age(self, seconds: int) -> None:
        """Moves all that is remembered into the past; less than nothing, into the future."""
        moved = {
            name: value - seconds if name.endswith("_at") and value else value
            for name, value in self.state.items()
        }
        self.state_file.write_text(json.dumps(moved) + "\n")
