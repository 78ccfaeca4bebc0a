"""Folders that hold just enough of a system to run programs in, with nothing of this machine's."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.support.machines import Run
from tests.support.skips import need, need_root
from tests.support.toolboxes import BUSYBOX_TOOLS, HASH_TOOLS, Toolbox, real_tool

_TELEMETRY = ("WASP_TELEMETRY_DISABLE", "WASP_TELEMETRY_URL", "WASP_NEWS_SERVER_URL")


class Jail:
    """A root folder for chroot."""

    def __init__(self, root: Path) -> None:
        need_root("chroot")
        self.root = root
        for name in ("tmp", "dev", "root"):
            (root / name).mkdir(parents=True)
        self.tools = Toolbox(root / "usr" / "bin")
        (root / "bin").symlink_to("usr/bin")
        try:
            os.mknod(root / "dev" / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
        except PermissionError as error:
            need(False, f"cannot make a device here: {error}")

    def bring(self, *names: str) -> Jail:
        """Copies programs of this machine, with the libraries that they need."""
        for name in names:
            shutil.copy(real_tool(name), self.tools.folder / name)
        return self.bring_libraries(*map(real_tool, names))

    def bring_libraries(self, *programs: Path) -> Jail:
        """Copies the libraries that these programs need."""
        asked = ["ldd", *map(str, programs)]
        said = subprocess.run(asked, capture_output=True, text=True, check=False).stdout
        for library in set(re.findall(r"(/\S+) \(0x", said)):
            place = self.root / library.lstrip("/")
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(library, place)
        return self

    def busybox(self) -> Jail:
        """Brings nothing but busybox."""
        self.bring("busybox")
        for name in {*BUSYBOX_TOOLS, *HASH_TOOLS, "wget"}:
            (self.tools.folder / name).symlink_to("busybox")
        return self

    def script(self, name: str, body: str) -> Jail:
        """Adds a fake: an sh script with this body."""
        self.tools.script(name, body)
        return self

    def run(self, argv: Sequence[str], environment: Mapping[str, str] | None = None) -> Run:
        """Runs a program inside, with an environment of its own."""
        own = {"PATH": "/usr/local/bin:/usr/bin", "HOME": "/root", **(environment or {})}
        return run_to_end([str(real_tool("chroot")), str(self.root), *argv], own)


def run_to_end(argv: Sequence[str], environment: Mapping[str, str] = os.environ) -> Run:
    """Runs a program with this environment, in which telemetry is off and leads nowhere."""
    done = subprocess.run(
        argv,
        capture_output=True,
        text=True,
        env={**environment, **{name: os.environ[name] for name in _TELEMETRY}},
        stdin=subprocess.DEVNULL,
        timeout=200,
    )
    return Run(argv, done.returncode, done.stdout, done.stderr)


def finds_nothing(linter: str, *arguments: str | Path) -> None:
    """A linter that PyPI has put beside this Python is content."""
    path = Path(sys.executable).with_name(linter)
    need(path.exists(), f"{linter} is not installed beside Python")
    run_to_end([str(path), *map(str, arguments)], {}).ok()
