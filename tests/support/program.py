"""The sh program as a file of its own, as the prelude of install.sh writes it."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from tests.support.frontends import INSTALL_SH

VARIABLE = "WASP_TESTS_PROGRAM"


def provide_program(config: pytest.Config) -> None:
    """Keeps the program of install.sh in a temporary folder for as long as the tests run."""
    if VARIABLE in os.environ or not INSTALL_SH.exists():
        return
    folder = Path(tempfile.mkdtemp(prefix="wasp-tests-program-"))
    (folder / "program").write_text(program_in(INSTALL_SH.read_text(encoding="utf-8")))
    os.environ[VARIABLE] = str(folder / "program")

    def remove() -> None:
        del os.environ[VARIABLE]
        shutil.rmtree(folder)

    config.add_cleanup(remove)


def program_in(install_sh: str) -> str:
    """The here-document of the prelude."""
    _, _, rest = install_sh.partition("<<'WASP_INSTALLER'\n")
    program, end, _ = rest.partition("\nWASP_INSTALLER\n")
    assert end, "install.sh has no program"
    return program + "\n"
