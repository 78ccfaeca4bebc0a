"""The libraries as they are published: wheels, had from pip and checked by the lock's hashes."""

from __future__ import annotations

import email.parser
import hashlib
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from email.message import Message
from pathlib import Path, PurePosixPath
from typing import Final

from .lock import Requirement

_LICENCE_FILES: Final = ("LICENSE", "LICENCE", "NOTICE", "COPYING")


@dataclass(frozen=True)
class Wheel:
    """One wheel as it is published; its modules (path to text), and the terms it comes with."""

    requirement: Requirement
    file_name: str
    content: bytes
    modules: dict[str, str]
    licence: str
    licence_texts: dict[str, str]

    @property
    def names(self) -> list[str]:
        """What can be imported from it."""
        tops = {PurePosixPath(path).parts[0] for path in self.modules}
        return sorted(top.removesuffix(".py") for top in tops)


def fetch(requirements: Sequence[Requirement], folder: Path) -> list[Wheel]:
    """The wheels of ``requirements``, in their order; ``folder`` keeps what was fetched.

    Raises:
        LookupError: pip got no wheel with one of the hashes that works on every machine.
        subprocess.CalledProcessError: pip has failed, and has said why.
    """
    folder.mkdir(parents=True, exist_ok=True)
    present = _present(folder)
    missing = [each for each in requirements if not each.hashes & set(present)]
    for portion in _without_repeats(missing):
        _download(portion, folder)
    present = _present(folder)
    return [_read(requirement, present) for requirement in requirements]


def _present(folder: Path) -> dict[str, Path]:
    """The wheels in a folder, by SHA-256; those for one kind of machine are not looked at."""
    return {
        hashlib.sha256(wheel.read_bytes()).hexdigest(): wheel
        for wheel in folder.glob("*-none-any.whl")
    }


def _without_repeats(requirements: Iterable[Requirement]) -> list[list[Requirement]]:
    """Split, as pip wants every library once, and the lock has some for old and new Pythons."""
    portions: list[list[Requirement]] = []
    for requirement in requirements:
        for portion in portions:
            if all(each.name != requirement.name for each in portion):
                portion.append(requirement)
                break
        else:
            portions.append([requirement])
    return portions


def _download(requirements: Sequence[Requirement], folder: Path) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        lock = Path(temporary) / "requirements.lock"
        lock.write_text("".join(f"{each.line()}\n" for each in requirements), encoding="utf-8")
        subprocess.run(
            [
                *(sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "-qq"),
                *("--no-deps", "--require-hashes", "--only-binary", ":all:"),
                # Wheels for every machine and every Python, whichever this one is.
                *("--platform", "any", "--abi", "none", "--implementation", "py"),
                *("--ignore-requires-python", "--requirement", str(lock), "--dest", str(folder)),
            ],
            check=True,
        )


def _read(requirement: Requirement, present: dict[str, Path]) -> Wheel:
    found = sorted(requirement.hashes & set(present))
    if not found:
        raise LookupError(f"no wheel of {requirement} for every machine is to be had")
    path = present[found[0]]
    with zipfile.ZipFile(path) as archive:
        texts = {
            name: archive.read(name).decode("utf-8")
            for name in sorted(archive.namelist())
            if name.endswith(".py") or ".dist-info/" in name
        }
    [metadata] = (text for name, text in texts.items() if name.endswith(".dist-info/METADATA"))
    fields = email.parser.HeaderParser().parsestr(metadata)
    licences = {
        PurePosixPath(name).name: text
        for name, text in texts.items()
        if ".dist-info/" in name and PurePosixPath(name).name.upper().startswith(_LICENCE_FILES)
    }
    if not licences:
        raise LookupError(f"{requirement} comes without the text of its licence")
    return Wheel(
        requirement,
        path.name,
        path.read_bytes(),
        {name: text for name, text in texts.items() if ".dist-info/" not in name},
        _terms(fields),
        licences,
    )


def _terms(fields: Message) -> str:
    named = fields["License-Expression"] or fields["License"]
    if named:
        return str(named)
    classifiers = fields.get_all("Classifier", [])
    return ", ".join(each.split(" :: ")[-1] for each in classifiers if each.startswith("License"))
