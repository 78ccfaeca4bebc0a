"""What Wasp needs around it to be usable: Node.js, npm, and to be the first wasp on PATH."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess

from .console import Console, pretty
from .layout import Layout
from .versions import older_than
from .windows_path import places

_NODE_DOWNLOAD = "https://nodejs.org/en/download"


class NodeCheck:
    """Asks node for its version, which takes it a while, beside the download."""

    def __init__(self) -> None:
        self._node: subprocess.Popen[bytes] | None = None
        self._said = ""
        self._path = shutil.which("node")
        if self._path:
            self._node = subprocess.Popen(
                [self._path, "--version"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )

    def wait(self) -> None:
        """Returns once node has answered."""
        if self._node is not None:
            self._said = self._node.communicate()[0].decode(errors="replace").partition("\n")[0]
            self._node = None

    def warn(self, console: Console, version: str, required: str | None) -> None:
        """Warns of a Node.js that is missing or older than ``required`` (">=24.14.1")."""
        self.wait()
        needs = f"Wasp {version} needs Node.js" + (f" {required}" if required else "")
        if self._path is None:
            console.warn(f"Node.js is not on PATH. {needs}.\nInstall it: {_NODE_DOWNLOAD}")
            return
        found, minimum = self._said.removeprefix("v"), _minimum_of(required or "")
        if not found[:1].isdigit():
            console.warn(
                f"{self._path} does not say which version it is. {needs}.\n"
                f"Install it anew: {_NODE_DOWNLOAD}"
            )
        # A pre-release comes before its release.
        elif older_than(found, minimum) or found.startswith(f"{minimum}-"):
            console.warn(f"Node.js is {found}. {needs}.\nInstall a newer one: {_NODE_DOWNLOAD}")
        if not shutil.which("npm"):
            console.warn(
                f"npm is not on PATH, and Wasp needs it.\nIt comes with Node.js: {_NODE_DOWNLOAD}"
            )

    def close(self) -> None:
        """Ends node, if it still runs."""
        if self._node is not None:
            self._node.kill()
            self._node.communicate()
            self._node = None


def _minimum_of(node_range: str) -> str:
    """The first version in a range such as ">=24.14.1", or ""."""
    found = re.search(r"[0-9][0-9.]*", node_range)
    return found[0] if found else ""


def is_on_path(layout: Layout) -> bool:
    """Whether the bin folder is an entry of PATH."""
    if os.name == "nt":
        return bool(places(os.environ.get("PATH", ""), str(layout.bin), os.environ))
    folder = f"{layout.prefix}/bin"
    entries = os.environ.get("PATH", "").split(os.pathsep)
    return folder in entries or f"{folder}/" in entries


def warn_of_another_wasp(console: Console, layout: Layout) -> None:
    """Warns when the shell will find another wasp first."""
    first = shutil.which("wasp")
    if first is None or first == layout.executable:
        return
    # The same file by another name, such as through a link to the home folder.
    with contextlib.suppress(OSError):
        if os.path.samefile(first, layout.executable):
            return
    console.warn(
        f"another wasp comes first on your PATH: {first}\n"
        f"Remove it, or put {pretty(layout.prefix)}/bin before it."
    )
