"""A Windows with a WSL, on Linux: what a run of install.py does there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.registry_double import RegistryDouble
from tests.support.wsl import FakeWsl
from wasp_installer import Console, InstallerError, Options, Result
from wasp_installer.windows.commands import Run
from wasp_installer.windows.wsl import Wsl

HEADING = "  NAME                   STATE           VERSION\n"
DOCKER = "  docker-desktop         Running         2\n  docker-desktop-data    Running         2\n"
UBUNTU = "* Ubuntu-22.04           Stopped         2\n"
#: What the user's PATH is at first.
PATH = ("C:\\a", RegistryDouble.REG_EXPAND_SZ)


class World:
    """A Windows with this WSL, on Linux; ``cmd`` is the wasp.cmd that a run leaves."""

    def __init__(self, wsl: FakeWsl | None, folder: Path) -> None:
        programs = folder / "System32"
        programs.mkdir(parents=True)
        if wsl is not None:
            wsl.program(programs)
        self.environment = {
            "PATH": str(programs),
            **{name: os.environ[name] for name in os.environ if name.startswith("WASP_")},
        }
        self.prefix = folder / "me" / ".local"
        self.cmd = self.prefix / "bin" / "wasp.cmd"
        self.registry = RegistryDouble(Path=PATH)
        self.console = Console()

    def run(self, *words: str, **options: object) -> Result:
        self.console = Console()
        chosen = {"source": "npm", "no_telemetry": True, "yes": True, **options}
        made = Options(others=words, prefix=str(self.prefix), **chosen)  # type: ignore[arg-type]
        return Run(made, self.console, Wsl(self.environment), self.registry).execute()

    def refuses(
        self, *words: str, code: int = 3, slug: str = "unsupported-platform", **options: object
    ) -> None:
        """A run ends so, and says all of this; nothing is changed."""
        with pytest.raises(InstallerError) as caught:
            self.run(**options)
        assert (caught.value.code, caught.value.slug) == (code, slug)
        said = f"{caught.value.message}\n{caught.value.hint}"
        assert [word for word in words if word not in said] == []
        assert not self.cmd.exists()
        assert self.registry.changes == 0

    def warned(self, words: str) -> bool:
        """Whether the last run warned of this."""
        return any(words in text for text in self.console.warnings)
