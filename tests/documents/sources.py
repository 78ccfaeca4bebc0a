"""What the code says, as text to search: its messages, its variables, its error words."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.support.frontends import REPOSITORY

_SHELL: Final = ("sh/*.sh", "installed/launcher", "installed/*.sh")
_PYTHON: Final = ("install.py", "telemetry_ping.py", "installed/*.py", "wasp_installer/**/*.py")


def _files(patterns: tuple[str, ...]) -> Iterator[Path]:
    for pattern in patterns:
        yield from sorted(REPOSITORY.glob(pattern))


@functools.cache
def shell_text() -> str:
    """The sh program and what it installs."""
    return "\n".join(path.read_text(encoding="utf-8") for path in _files(_SHELL))


@functools.cache
def python_text() -> str:
    """The strings of the Python code, with `…` for what is put into them, one a line."""
    found = []
    for path in _files(_PYTHON):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(node.value)
            elif isinstance(node, ast.JoinedStr):
                found.append("".join(map(_part, node.values)))
    return "\n".join(found)


def _part(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else "…"


def variables() -> set[str]:
    """The variables of Wasp that the code reads."""
    in_shell = re.findall(r"\$\{?(WASP_[A-Z_]+)", shell_text())
    in_python = re.findall(r"^(WASP_[A-Z_]+)$", python_text(), re.MULTILINE)
    # From install.py to itself, in the environment that it makes.
    return {*in_shell, *in_python} - {"WASP_INSTALLER_ENVIRONMENT"}


def errors_of_shell() -> dict[str, int]:
    """The exit code of each error word, as the calls of `die` have them; each has one."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in _files(("sh/*.sh",)))
    found = {*re.findall(r"\bdie (\d) ([a-z-]+)", text)}
    found |= {("4", slug) for slug in re.findall(r"(?:\bset_problem |\bproblem=)([a-z-]+)", text)}
    found |= {("7", slug) for slug in re.findall(r"\b_slug=([a-z-]+)", text)}
    # A source that lacks something is asked for nothing more, and is no error by itself.
    found -= {("4", "not-found"), ("4", "no-build")}
    codes = {slug: int(code) for code, slug in found}
    assert len(codes) == len(found), "a word has two exit codes"
    return codes


def says(fragment: str) -> bool:
    """Whether a message has these words, in a row."""
    return fragment in shell_text() or fragment in python_text()
