"""Unpacking: every entry is checked before the first one is written."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from tarfile import AREGTYPE, REGTYPE, TarInfo
from typing import IO, Final

from wasp_installer.errors import changing

from .archives import UNPACKED_LIMIT, damaged, unsafe, write_all
from .receipts import BINARY
from .tar_reader import DamagedTarError, entries

#: An archive beyond this is not a Wasp release (0.25.0: 522 entries).
ENTRY_LIMIT: Final = 100_000
#: In bytes, of a path, as some systems take no more than 1024, and of a name in it.
LONGEST_PATH: Final = 500
LONGEST_NAME: Final = 255
_COPY_SIZE: Final = 1024 * 1024
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_FILES: Final = (REGTYPE, AREGTYPE)
_SET_ID: Final = 0o6000


def unpack(content: IO[bytes], folder: Path) -> Path | None:
    """Unpacks wasp-bin and data from a decompressed archive into ``folder``.

    They are readable by all and writable by the owner. Returns the path of the package.json of an
    npm archive, unpacked beside ``folder``, or None.

    Raises:
        InstallerError: "corrupt-archive", or "unsafe-archive" for anything but files, folders and
            links that stay inside data.
    """
    try:
        members = _members(content)
    except DamagedTarError as error:
        raise damaged() from error
    root = "package/" if any(name.startswith("package/") for name in members) else ""
    for name, member in members.items():
        if not _is_safe(name, member, members, f"{root}data/"):
            raise unsafe()
    binary = members.get(root + BINARY)
    has_data = any(name.startswith(f"{root}data/") for name in members)
    if binary is None or binary.type not in _FILES or not has_data:
        raise damaged()
    with changing(f"unpack into {folder.parent}"):
        return _extract(content, members, root, folder)


def _members(content: IO[bytes]) -> dict[str, TarInfo]:
    """The entries by their paths, unless they are too many, too large, or several have one."""
    members: dict[str, TarInfo] = {}
    size = 0
    for entry in islice(entries(content), ENTRY_LIMIT + 1):
        name = re.sub(r"^(\./)+", "", entry.name).rstrip("/")
        before = members.setdefault(name, entry)
        size += entry.size
        # A folder may come again.
        if before is not entry and not (before.isdir() and entry.isdir()):
            raise unsafe()
    if len(members) > ENTRY_LIMIT or size > UNPACKED_LIMIT:
        raise unsafe()
    return members


def _is_safe(name: str, member: TarInfo, members: Mapping[str, TarInfo], data: str) -> bool:
    """Whether a release may have it: a known kind of entry, which does not lead outside."""
    parts = name.split("/")
    is_file = member.type in _FILES
    above = (members.get("/".join(parts[:length])) for length in range(1, len(parts)))
    return (
        (member.isdir() or member.issym() or is_file)
        and not (is_file and member.mode & _SET_ID)
        and not _CONTROL.search(f"{name}{member.linkname}")
        and len(os.fsencode(name)) <= LONGEST_PATH
        and max(len(os.fsencode(part)) for part in parts) <= LONGEST_NAME
        and (not {"", ".", ".."} & set(parts) or (name in ("", ".") and member.isdir()))
        and all(folder is None or folder.isdir() for folder in above)
        and not (
            member.issym()
            and name.startswith(data)
            and _leads_outside(name[len(data) :], member.linkname)
        )
    )


def _leads_outside(name: str, target: str) -> bool:
    """Whether a link called ``name`` below the data folder may lead out of that folder.

    Going up is only allowed at the start of the target: after a folder that is itself a link, ".."
    would not lead back to where the name says.
    """
    parts = [part for part in target.split("/") if part not in ("", ".")]
    ups = next((at for at, part in enumerate(parts) if part != ".."), len(parts))
    return not target or target.startswith("/") or ups > name.count("/") or ".." in parts[ups:]


def _extract(
    content: IO[bytes], members: Mapping[str, TarInfo], root: str, folder: Path
) -> Path | None:
    package_json = None
    for name, member in members.items():
        inner = name[len(root) :] if name.startswith(root) else ""
        if inner == "package.json" and member.type in _FILES:
            package_json = folder.parent / inner
            _copy(content, member, package_json, 0o644)
        elif inner == BINARY or f"{inner}/".startswith("data/"):
            path = folder / inner
            if member.isdir():
                path.mkdir(parents=True, exist_ok=True)
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            if member.issym():
                path.symlink_to(member.linkname)
            else:
                runs = member.mode & 0o111 or inner == BINARY
                _copy(content, member, path, 0o755 if runs else 0o644)
    return package_json


def _copy(content: IO[bytes], member: TarInfo, path: Path, mode: int) -> None:
    content.seek(member.offset_data)
    with path.open("xb", buffering=0) as target:
        for start in range(0, member.size, _COPY_SIZE):
            write_all(target, content.read(min(member.size - start, _COPY_SIZE)))
    path.chmod(mode)
