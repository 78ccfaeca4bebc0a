"""``python -m artefacts FOLDER``: makes all that is published."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from assemble import LIMIT_BYTES, NEWEST_RELEASES

from . import licences, lock, python, wheels

_ROOT: Final = Path(__file__).resolve().parents[2]
_PROGRAMS: Final = ("install.py", "install.sh")
_MAIN: Final = "wasp_installer/command_line/main.py"
#: When there is neither SOURCE_DATE_EPOCH nor a commit: 1980, the first year of the zip format.
_FIXED_DATE: Final = 315532800


def build(root: Path, downloads: Path, commit: str) -> dict[str, str]:
    """The artefacts of the sources in ``root``, by name; with -V they say the ``commit``, if any.

    Raises:
        ValueError: a source does not say its version as it should, or install.sh is too long.
    """
    every = lock.requirements(_text(root / "requirements.lock"))
    left_out = [each for each in every if each.name in python.STAND_INS]
    libraries = wheels.fetch([each for each in every if each not in left_out], downloads)
    script = _with_commit(_text(root / "install.sh"), "'Wasp installer %s", commit)
    if len(script.encode("utf-8")) >= LIMIT_BYTES:
        raise ValueError(f"install.sh must stay under {LIMIT_BYTES} bytes")
    files = {**_package(root, "wasp_installer"), **_releases(root)}
    files[_MAIN] = _with_commit(files[_MAIN], '"Wasp installer {__version__}', commit)
    terms = licences.collect(_text(root / "LICENSE"), libraries)
    program = python.assemble(
        python.Contents(
            version=_version(root),
            files=files,
            ping_module=_text(root / "telemetry_ping.py"),
            script=script,
            wheels=libraries,
            left_out=left_out,
            loader=_text(Path(__file__).with_name("loader.py")),
            licences=terms,
        )
    )
    made = {"LICENSES.txt": terms, "install.py": program, "install.sh": script}
    sums = "".join(f"{_sha256(text)}  {name}\n" for name, text in made.items())
    return {**made, "SHA256SUMS": sums}


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8")


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _package(root: Path, name: str) -> dict[str, str]:
    """The files of a package: all but what Python has compiled, and the mark for type checkers."""
    return {
        path.relative_to(root).as_posix(): _text(path)
        for path in sorted((root / name).rglob("*"))
        if path.is_file() and path.parent.name != "__pycache__" and path.name != "py.typed"
    }


def _releases(root: Path) -> dict[str, str]:
    """The table of releases, as far as it goes into what is published."""
    name = "packaging/releases.json"
    table = json.loads(_text(root / name))
    newest = {"releases": table["releases"][:NEWEST_RELEASES]}
    return {name: json.dumps(newest, indent=1) + "\n"}


def _with_commit(text: str, start: str, commit: str) -> str:
    """The source ``text``, which prints the version by what begins with ``start``."""
    if text.count(start) != 1:
        raise ValueError(f"{start} is not there once")
    return text.replace(start, f"{start} ({commit})") if commit else text


def _version(root: Path) -> str:
    found = re.search(r'^version = "(.+)"$', _text(root / "pyproject.toml"), re.MULTILINE)
    assert found is not None, "pyproject.toml names a version"
    return found[1]


def source_date(root: Path, environment: Mapping[str, str]) -> int:
    """https://reproducible-builds.org/specs/source-date-epoch, else the time of the last commit."""
    named = environment.get("SOURCE_DATE_EPOCH")
    if named:
        return int(named)
    asked = ["git", "-C", str(root), "log", "-1", "--format=%ct"]
    try:
        said = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        said = ""
    return int(said) if said else _FIXED_DATE


def source_commit(root: Path, environment: Mapping[str, str]) -> str:
    """``SOURCE_COMMIT``, for sources without their history; else the commit that is checked out.

    It ends in "-dirty" where files were changed since; "" where there is no commit.
    """
    named = environment.get("SOURCE_COMMIT")
    if named is not None:
        return named
    if not (root / ".git").exists():
        return ""
    asked = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12"]
    # No tag has this name, so that it is the commit that is told.
    asked += ["--match", "no tag"]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()


def write(made: Mapping[str, str], folder: Path, date: int) -> None:
    """Puts the artefacts into ``folder``, with modes and times that depend on nothing else."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in made.items():
        path = folder / name
        path.write_bytes(text.encode("utf-8"))
        path.chmod(0o755 if name in _PROGRAMS else 0o644)
        os.utime(path, (date, date))


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="artefacts", description=__doc__)
    parser.add_argument("folder", type=Path, help="where to write them")
    parser.add_argument(
        "--wheels",
        type=Path,
        default=_ROOT / "build" / "wheels",
        help="where downloaded libraries are kept (default: build/wheels)",
    )
    options = parser.parse_args()
    made = build(_ROOT, options.wheels, source_commit(_ROOT, os.environ))
    write(made, options.folder, source_date(_ROOT, os.environ))
    for name in sorted(made):
        print(f"{options.folder / name} ({len(made[name].encode()):,} bytes)", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
