"""The front ends under test: install.py, install.sh, and the sh program in every shell."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.support import program
from tests.support.toolboxes import real_tool

REPOSITORY = program.REPOSITORY
CHECKOUT = program.checkout()
# What is imported in this process knows as little as what is started.
assert "wasp_installer" not in sys.modules
sys.path.insert(0, str(CHECKOUT))
importlib.import_module("wasp_installer")
INSTALL_SH = CHECKOUT / "install.sh"
INSTALL_PY = CHECKOUT / "install.py"
#: WASP_TESTS_FULL=1 runs every case of the sh program in every shell.
FULL = os.environ.get("WASP_TESTS_FULL", "") not in ("", "0")


@dataclass(frozen=True)
class FrontEnd:
    """One way to run the installer; `prefix()` is what comes before its arguments."""

    name: str
    prefix: Callable[[], list[str]]

    @property
    def is_shell(self) -> bool:
        return self.name != "python"

    def argv(self, *arguments: str) -> list[str]:
        return [*self.prefix(), *arguments]

    def interpreter(self) -> list[str]:
        """Without the script: for a script that comes on standard input."""
        return self.prefix()[:-1]

    def __str__(self) -> str:
        return self.name


def _program(shell: str, *options: str) -> FrontEnd:
    script = str(CHECKOUT / "program")
    return FrontEnd(shell, lambda: [str(real_tool(shell)), *options, script])


PYTHON = FrontEnd("python", lambda: [sys.executable, str(INSTALL_PY)])
#: What `curl | sh` runs: the prelude, then the program.
SH = FrontEnd("sh", lambda: [str(real_tool("sh")), str(INSTALL_SH)])
#: The program, in each shell that a /bin/sh may be.
SHELLS = (
    *(_program("dash"), _program("bash", "--posix"), _program("busybox", "sh")),
    *(_program("zsh", "--emulate", "sh"), *map(_program, ("ksh93", "mksh", "yash", "posh"))),
)
BY_NAME = {front_end.name: front_end for front_end in (PYTHON, SH, *SHELLS)}
#: What a case about the sh program meets, and what one about both getters meets.
CHOSEN_SHELLS = SHELLS if FULL else (SH,)
GETTERS = (PYTHON, *CHOSEN_SHELLS)


def of_checkout(front_end: FrontEnd, made: Path) -> tuple[FrontEnd, FrontEnd]:
    """install.py, and the sh program as ``front_end`` runs it, of another checkout."""
    *interpreter, script = front_end.prefix()
    return (
        FrontEnd("python", lambda: [sys.executable, str(made / "install.py")]),
        FrontEnd(front_end.name, lambda: [*interpreter, str(made / Path(script).name)]),
    )
