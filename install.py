#!/usr/bin/env python3
"""Installs Wasp (https://wasp.sh), the full-stack web framework.

    python install.py
    python install.py --help

The work is done by ``wasp_installer``, beside this file. Its libraries (requirements.lock) are used
where they can be imported; else they are put, once, into a virtual environment in the user's cache.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wasp_installer import Console
    from wasp_installer.errors import Slug

_HERE = Path(__file__).resolve()
_LOCK = _HERE.with_name("requirements.lock")
_LIBRARIES = ["requests", "tqdm"] + (["truststore"] if sys.version_info >= (3, 10) else [])
_INSIDE = "WASP_INSTALLER_ENVIRONMENT"


def main() -> int:
    """Runs the installer, here or in its own environment; returns the exit code."""
    if sys.version_info < (3, 9):  # noqa: UP036 - people run this file with what they have
        print("error: this installer needs Python 3.9 or newer.", file=sys.stderr)
        print("       Without Python: sh install.sh", file=sys.stderr)
        return 3
    # With python -I, the folder of the script is not searched.
    sys.path.insert(0, str(_HERE.parent))
    from wasp_installer.command_line.main import main as run

    return run(sys.argv[1:], _see_to_libraries)


def _see_to_libraries(console: Console, are_useless: bool) -> None:
    """Goes on in an environment that has the libraries, where they are lacking here, or useless.

    Raises:
        InstallerError: there is no such environment, and none can be made.
    """
    from wasp_installer import InstallerError

    if not are_useless and all(map(importlib.util.find_spec, _LIBRARIES)):
        return
    if os.environ.get(_INSIDE):
        raise InstallerError(
            "unexpected", f"the environment {sys.prefix} is incomplete.", "Remove it."
        )
    python = _environment(console)
    os.environ[_INSIDE] = "1"
    os.execv(python, [str(python), "-I", str(_HERE), *sys.argv[1:]])


def _environment(console: Console) -> Path:
    """The Python of the private environment, which is made when there is none yet."""
    key = hashlib.sha256(_LOCK.read_bytes() + sys.version.encode() + sys.executable.encode())
    folder = _cache() / f"venv-{key.hexdigest()[:16]}"
    python = folder / "bin/python"
    if not python.exists():
        console.say("Setting up the installer's libraries (once)")
        existing = next(each for each in folder.parents if each.exists())
        try:
            _make_environment(folder)
        except BaseException:
            # What was made for it goes, as far as it is empty.
            for empty in folder.parents:
                if empty == existing:
                    break
                with contextlib.suppress(OSError):
                    empty.rmdir()
            raise
    return python


def _make_environment(folder: Path) -> None:
    """Beside its place, and then renamed, so that it is never half there."""
    from wasp_installer.errors import changing

    with changing(f"write to {folder.parent}"):
        folder.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        _run(
            [sys.executable, "-I", "-m", "venv", str(made)],
            "missing-tool",
            "Python cannot make a virtual environment.",
            "Install its module venv (on Debian and Ubuntu: apt-get install python3-venv), "
            "or use sh install.sh, which needs no Python.",
        )
        _run(
            [
                *(str(made / "bin/python"), "-I", "-m", "pip", "--disable-pip-version-check"),
                *("install", "--quiet", "--no-deps", "--require-hashes", "-r", str(_LOCK)),
            ],
            "connection",
            "the installer's libraries cannot be installed.",
            "Check the network connection and pip's settings, "
            "or use sh install.sh, which needs no libraries.",
        )
        # Another run may have made the same meanwhile.
        with contextlib.suppress(OSError):
            made.rename(folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _cache() -> Path:
    """In the folder that an uninstall removes."""
    from wasp_installer import InstallerError

    home, named = os.environ.get("HOME"), os.environ.get("XDG_CACHE_HOME", "")
    if os.geteuid() == 0 and home and os.path.exists(home) and os.stat(home).st_uid != 0:
        # As under a sudo that keeps HOME: this user could swap what root is about to run.
        import pwd

        home, named = pwd.getpwuid(0).pw_dir, ""
    if not home:
        raise InstallerError(
            "file-system",
            "there is no home folder to keep the installer's libraries in.",
            "Set HOME, or use sh install.sh, which needs none.",
        )
    return Path(named if named.startswith("/") else f"{home}/.cache") / "wasp" / "installer"


def _run(command: list[str], slug: Slug, message: str, hint: str) -> None:
    from wasp_installer import InstallerError
    from wasp_installer.programs import run

    ended = run(command)
    if ended.code != 0:
        said = f"{ended.stdout}{ended.stderr}".strip().splitlines()
        raise InstallerError(slug, message, "\n".join([*said[-3:], hint]))


if __name__ == "__main__":
    sys.exit(main())
