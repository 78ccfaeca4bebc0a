"""Small file systems of a test's own, and a user without rights; both need root."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.support.skips import need, need_root
from tests.support.toolboxes import real_tool

# Nobody has this id; files of its folders are foreign to everyone.
STRANGER = 54321


@contextlib.contextmanager
def small_filesystem(folder: Path, options: str) -> Iterator[Path]:
    """A tmpfs on the folder while the test runs; `options` as for mount: "size=64k,noexec"."""
    need_root("mounting a file system")
    folder.mkdir(parents=True, exist_ok=True)
    mount = [str(real_tool("mount")), "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
    need(mounted.returncode == 0, f"cannot mount a tmpfs here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run([str(real_tool("umount")), "-l", str(folder)], check=True)


def remount(folder: Path, options: str) -> None:
    command = [str(real_tool("mount")), "-o", f"remount,{options}", str(folder)]
    subprocess.run(command, check=True, capture_output=True)


def without_privileges() -> list[str]:
    """What comes before a command so that permissions count for it, as for an ordinary user.

    Root without its capabilities: the interpreter and the sources stay readable where only root
    can read them, and yet a folder of another user is closed.
    """
    if os.geteuid() != 0:
        return []
    return [str(real_tool("setpriv")), "--bounding-set=-all", "--inh-caps=-all"]


def give_away(folder: Path) -> None:
    """Makes the folder another user's."""
    need_root("a folder of another user")
    os.chown(folder, STRANGER, STRANGER)
    folder.chmod(0o755)
