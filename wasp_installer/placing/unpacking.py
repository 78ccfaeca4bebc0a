"""Unpacking: every entry is checked before the first one is written."""

from __future__ import annotations

import os
import re
import tarfile
from itertools import islice
from pathlib import Path
from typing import IO, Final

from wasp_installer.errors import InstallerError, changing

from .archives import UNPACKED_LIMIT, damaged, write_all
from .receipts import BINARY
from .tar_reader import DamagedTarError, Entry, entries

#: An archive beyond this is not a Wasp release (0.25.0: 522 entries).
ENTRY_LIMIT: Final = 100_000
#: Of a path, as some systems take no more than 1024 bytes, and of a name in it.
LONGEST_PATH: Final = 500
LONGEST_NAME: Final = 255
_COPY_SIZE: Final = 1024 * 1024
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_FILES: Final = (tarfile.REGTYPE, tarfile.AREGTYPE)


def unpack(content: IO[bytes], folder: Path) -> Path | None:
    """Unpacks wasp-bin and data from a decompressed archive into ``folder``.

    They are readable by all and writable by the owner. Returns the path of the package.json of an
    npm archive, unpacked beside ``folder``, or None.

    Raises:
        InstallerError: "corrupt-archive", or "unsafe-archive" for anything but files, folders and
            links that stay inside data.
    """
    try:
        members = {_name(member): member for member in _all_of(content)}
    except DamagedTarError as error:
        raise damaged() from error
    root = _root(members)
    for name, member in members.items():
        _check(name, member, members, root)
    with changing(f"unpack into {folder.parent}"):
        return _extract(content, members, root, folder)


def _all_of(content: IO[bytes]) -> list[Entry]:
    """The entries, unless they are too many, too large, or several have one name."""
    members = list(islice(entries(content), ENTRY_LIMIT + 1))
    if len(members) > ENTRY_LIMIT or sum(member.size for member in members) > UNPACKED_LIMIT:
        raise _unsafe()
    names = [_name(member) for member in members if not member.isdir()]
    folders = {_name(member) for member in members if member.isdir()}
    if len(set(names)) < len(names) or folders.intersection(names):
        raise _unsafe()
    return members


def _name(member: Entry) -> str:
    """The path of an entry, without what means nothing."""
    name = member.name
    while name.startswith("./"):
        name = name[2:]
    return name.rstrip("/")


def _check(name: str, member: Entry, members: dict[str, Entry], root: str) -> None:
    """Refuses what no release has: another kind of entry, or one that leads outside."""
    is_known = member.isdir() or member.issym() or member.type in _FILES
    parts = name.split("/")
    if (
        not is_known
        or member.mode & 0o7000
        or _CONTROL.search(f"{name}{member.linkname}")
        or len(os.fsencode(name)) > LONGEST_PATH
        or max(len(os.fsencode(part)) for part in parts) > LONGEST_NAME
        or member.name.startswith("/")
        or ({"", ".", ".."} & set(parts) and not (name in ("", ".") and member.isdir()))
    ):
        raise _unsafe()
    for length in range(1, len(parts)):
        above = members.get("/".join(parts[:length]))
        if above is not None and not above.isdir():
            raise _unsafe()
    data = f"{root}data/"
    is_ours = member.issym() and name.startswith(data)
    if is_ours and _leads_outside(name[len(data) :], member.linkname):
        raise _unsafe()


def _root(members: dict[str, Entry]) -> str:
    """The folder that wasp-bin and data are in, with its slash."""
    missing = BINARY
    for root in ("package/", ""):
        binary = members.get(root + BINARY)
        if binary is not None and binary.type in _FILES:
            if any(name.startswith(f"{root}data/") for name in members):
                return root
            missing = "data folder"
            break
    raise InstallerError(
        "corrupt-archive",
        f"the archive holds no {missing}: it is no release of Wasp.",
        "Nothing was installed.",
    )


def _leads_outside(name: str, target: str) -> bool:
    """Whether a link called ``name`` below the data folder may lead out of that folder.

    Going up is only allowed at the start of the target: after a folder that is itself a link, ".."
    would not lead back to where the name says.
    """
    depth = name.count("/")
    if not target or target.startswith("/"):
        return True
    parts = [part for part in target.split("/") if part not in ("", ".")]
    while parts and parts[0] == "..":
        parts.pop(0)
        depth -= 1
    return depth < 0 or ".." in parts


def _unsafe() -> InstallerError:
    return InstallerError(
        "unsafe-archive",
        "the archive holds something that no release of Wasp does, such as a path that leads "
        "outside.",
        "Nothing was installed; please report where it came from.",
    )


def _extract(content: IO[bytes], members: dict[str, Entry], root: str, folder: Path) -> Path | None:
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


def _copy(content: IO[bytes], member: Entry, path: Path, mode: int) -> None:
    content.seek(member.offset_data)
    with path.open("xb", buffering=0) as target:
        for start in range(0, member.size, _COPY_SIZE):
            write_all(target, content.read(min(member.size - start, _COPY_SIZE)))
    path.chmod(mode)
