"""How pip builds the package: as setuptools does, and with what a checkout has beside it."""

from __future__ import annotations

import os

from setuptools.build_meta import *  # noqa: F403 - all that a build backend has
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

#: As wasp_installer.contents looks for them.
CARRIED = ("install.sh", "packaging/releases.json")


class BuildWithFiles(build_py):
    """The modules, and those files; not for an editable install, which has the checkout."""

    def run(self) -> None:
        """Copies them beside the modules."""
        super().run()
        if not self.editable_mode:
            for file in CARRIED:
                self.copy_file(file, os.path.join(self.build_lib, "wasp_installer"))


class SourcesWithFiles(sdist):
    """All that it takes to build from the sources."""

    def make_release_tree(self, base_dir: str, files: list[str]) -> None:
        """Adds what belongs to no package."""
        own = os.path.relpath(__file__)
        super().make_release_tree(
            base_dir, [*files, "install.py", "requirements.lock", own, *CARRIED]
        )
