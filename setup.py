"""Puts into the package what a checkout has beside it; all else is in pyproject.toml."""

from __future__ import annotations

import os

from setuptools import setup
from setuptools.command.build_py import build_py

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


setup(cmdclass={"build_py": BuildWithFiles})
