"""The front ends under test: install.py, and install.sh in every shell."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.support.skips import need
from tests.support.toolboxes import real_tool

REPOSITORY = Path(__file__).resolve().parents[2]
# WASP_TESTS_SCRIPTS=dist makes the contract that of what `make dist` has made.
_SCRIPTS = REPOSITORY / os.environ.get("WASP_TESTS_SCRIPTS", "")
INSTALL_SH = _SCRIPTS / "install.sh"
INSTALL_PY = _SCRIPTS / "install.py"


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


def _python() -> list[str]:
    return [sys.executable, str(INSTALL_PY)]


def _shell(program: str, *options: str) -> Callable[[], list[str]]:
    return lambda: [str(real_tool(program)), *options, str(INSTALL_SH)]


FRONT_ENDS = (
    FrontEnd("python", _python),
    FrontEnd("dash", _shell("dash")),
    FrontEnd("bash", _shell("bash")),
    FrontEnd("bash-posix", _shell("bash", "--posix")),
    FrontEnd("busybox", _shell("busybox", "sh")),
    FrontEnd("zsh", _shell("zsh", "--emulate", "sh")),
    FrontEnd("mksh", _shell("mksh")),
    FrontEnd("yash", _shell("yash")),
    FrontEnd("posh", _shell("posh")),
)
SHELLS = tuple(front_end for front_end in FRONT_ENDS if front_end.is_shell)
BY_NAME = {front_end.name: front_end for front_end in FRONT_ENDS}


def existing(front_end: FrontEnd) -> FrontEnd:
    """Itself, when its script is there; the test is skipped otherwise."""
    script = INSTALL_SH if front_end.is_shell else INSTALL_PY
    need(script.exists(), f"{script.name} is not there")
    return front_end
