#!/usr/bin/env python3
"""Installs Wasp (https://wasp.sh), the full-stack web framework.

    python install.py
    python install.py --help

The work is done by ``wasp_installer``, beside this file. Its libraries (requirements.lock) are used
where they can be imported; else they are put, once, into a virtual environment in the user's cache.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NoReturn

_LOCK = Path(__file__).with_name("requirements.lock")
_LIBRARIES = ["distro", "requests", "tqdm"] + (
    ["truststore"] if sys.version_info >= (3, 10) else []
)
# Older ones lack what is used of them; a distribution may still have them.
_OLDEST = {"requests": [2, 32], "urllib3": [2, 3]}
_INSIDE = "WASP_INSTALLER_ENVIRONMENT"


def main() -> int:
    """Runs the installer, here or in its own environment; returns the exit code."""
    if sys.version_info < (3, 9):  # noqa: UP036 - people run this file with what they have
        _fail(3, "this installer needs Python 3.9 or newer.", "Without Python: sh install.sh")
    # With python -I, the folder of the script is not searched.
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    if not _needs_libraries() or _has_libraries():
        from wasp_installer.cli import main as run

        return run(sys.argv[1:])
    if os.environ.get(_INSIDE):
        _fail(1, f"the environment {sys.prefix} is incomplete.", "Remove it, and run this again.")
    python = _environment()
    os.environ[_INSIDE] = "1"
    arguments = [str(python), __file__, *sys.argv[1:]]
    if os.name == "posix":
        os.execv(python, arguments)
    return subprocess.call(arguments)


def _has_libraries() -> bool:
    """Whether the libraries can be imported, and are as new as they must be."""
    if not all(map(importlib.util.find_spec, _LIBRARIES)):
        return False
    # Both are wanted anyway; to read what pip knows of them would take as long as importing one.
    versions = {name: importlib.import_module(name).__version__ for name in _OLDEST}
    return all(
        [int(part) for part in versions[name].split(".")[:2]] >= oldest
        for name, oldest in _OLDEST.items()
    )


def _needs_libraries() -> bool:
    """Whether this run may ask a server; what does not, such as --help, does without them."""
    if "--remote" in sys.argv[1:]:
        return True
    others = {"list", "use", "uninstall", "migrate-to-npm", "-h", "--help"}
    return others.isdisjoint(sys.argv[1:])


def _environment() -> Path:
    """The Python of the private environment, which is made when there is none yet."""
    key = hashlib.sha256(_LOCK.read_bytes() + sys.version.encode() + sys.executable.encode())
    folder = _cache() / f"venv-{key.hexdigest()[:16]}"
    inner = "Scripts/python.exe" if os.name == "nt" else "bin/python"
    if (folder / inner).exists():
        return folder / inner
    if {"-q", "--quiet"}.isdisjoint(sys.argv[1:]):
        print("Setting up the installer's libraries (once)", file=sys.stderr)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        _fail(7, f"cannot write to {folder.parent}: {error.strerror}.", "Or use sh install.sh.")
    # Made beside its place and renamed, so that it is never half there.
    made = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        _run(
            [sys.executable, "-m", "venv", str(made)],
            "Python cannot make a virtual environment.",
            "Install its module venv (on Debian and Ubuntu: apt-get install python3-venv), "
            "or use sh install.sh, which needs no Python.",
        )
        _run(
            [
                *(str(made / inner), "-m", "pip", "--disable-pip-version-check", "install"),
                *("--quiet", "--no-deps", "--require-hashes", "-r", str(_LOCK)),
            ],
            "the installer's libraries cannot be installed.",
            "Check the network connection and pip's settings, "
            "or use sh install.sh, which needs no libraries.",
        )
        if not folder.exists():
            made.rename(folder)
    except OSError:
        # Another run was faster.
        if not (folder / inner).exists():
            raise
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return folder / inner


def _cache() -> Path:
    home = os.path.expanduser("~")
    if os.name == "nt":
        base = os.environ.get("LOCALAPPDATA") or os.path.join(home, "AppData", "Local")
    else:
        base = os.environ.get("XDG_CACHE_HOME") or os.path.join(home, ".cache")
    return Path(base) / "wasp" / "installer"


def _run(command: list[str], message: str, hint: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines()
        _fail(1, message, *said[-3:], hint)


def _fail(code: int, message: str, *hints: str) -> NoReturn:
    print(f"error: {message}", *hints, sep="\n       ", file=sys.stderr)
    raise SystemExit(code)


if __name__ == "__main__":
    sys.exit(main())
