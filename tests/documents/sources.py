"""What the code says, as text to search."""

from __future__ import annotations

import ast
import functools

from tests.support.frontends import REPOSITORY

_SHELL = ("sh/*.sh", "installed/launcher", "installed/*.sh")
_PYTHON = ("install.py", "telemetry_ping.py", "installed/*.py", "wasp_installer/**/*.py")


def _texts(*patterns: str) -> list[str]:
    paths = [path for pattern in patterns for path in sorted(REPOSITORY.glob(pattern))]
    return [path.read_text(encoding="utf-8") for path in paths]


@functools.cache
def shell_text() -> str:
    """The sh program and what it installs."""
    return "\n".join(_texts(*_SHELL))


@functools.cache
def python_text() -> str:
    """The strings of the Python code, with `…` for what is put into them, one a line."""
    found = []
    for text in _texts(*_PYTHON):
        for node in ast.walk(ast.parse(text)):
            parts = node.values if isinstance(node, ast.JoinedStr) else [node]
            said = [part.value if isinstance(part, ast.Constant) else "…" for part in parts]
            if said != ["…"]:
                found.append("".join(it for it in said if isinstance(it, str)))
    return "\n".join(found)
