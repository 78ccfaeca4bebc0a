"""Reads the plain kind of tar archive that releases are; all else it calls damaged.

tarfile would take a damaged header for the end of the archive, and some versions of it never end
where a size is negative (CVE-2025-8194). Where readers differ in what they make of something, the
archive is refused here, so that nobody gets another tree from it than install.sh.

https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html ("ustar Interchange Format")
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Final

_BLOCK: Final = 512
_POSIX: Final = b"ustar\0"
_OLD_GNU: Final = b"ustar  \0"
#: The headers that hold what an entry's own has no room for (g: for all entries).
_EXTENSIONS: Final = "LKxg"
_LONGEST_EXTENSION: Final = 1024 * 1024
_PAX_RECORD: Final = re.compile(rb"([1-9][0-9]{0,6}) ([^=\n\0]+)=")


class DamagedTarError(Exception):
    """The archive is not one that every reader takes for the same."""


@dataclass(frozen=True)
class Entry:
    """One entry, and where its content is."""

    name: str
    #: The type flag: "0" a file, "2" a link, "5" a folder.
    kind: str
    mode: int
    size: int
    target: str
    start: int


def entries(content: IO[bytes]) -> Iterator[Entry]:
    """The entries of the uncompressed archive ``content``, which can seek.

    Raises:
        DamagedTarError: as soon as something is not as it should be.
    """
    end = content.seek(0, 2)
    position = 0
    said: dict[str, dict[str, bytes]] = {}
    while any(header := _read(content, position, _BLOCK)):
        _check_header(header)
        kind = header[156:157].replace(b"\0", b"0").decode("latin-1")
        size = _number(header[124:136])
        start = position + _BLOCK
        if kind in _EXTENSIONS:
            if kind in said:
                raise DamagedTarError("two headers for the next entry")
            more = _extension(kind, _read(content, start, size))
            if kind != "g":
                said[kind] = more
        else:
            override = _joined(said)
            size = int(override.get("size", b"%d" % size))
            yield _entry(header, kind, size, start, override)
            said = {}
        position = start + -(-size // _BLOCK) * _BLOCK
        if position > end:
            raise DamagedTarError("cut short")
    if said or any(piece.strip(b"\0") for piece in _rest(content, position)):
        raise DamagedTarError("something behind the end")


def _read(content: IO[bytes], start: int, size: int) -> bytes:
    if size > _LONGEST_EXTENSION:
        raise DamagedTarError("far too long")
    content.seek(start)
    read = content.read(size)
    if len(read) < size:
        raise DamagedTarError("cut short")
    return read


def _rest(content: IO[bytes], start: int) -> Iterator[bytes]:
    content.seek(start)
    while piece := content.read(_LONGEST_EXTENSION):
        yield piece


def _check_header(header: bytes) -> None:
    checksum = _number(header[148:156])
    summed = header[:148] + b" " * 8 + header[156:]
    # Some programs take characters for signed ones.
    if checksum != sum(summed) and checksum != sum(summed) - 256 * sum(map((127).__lt__, summed)):
        raise DamagedTarError("a header is not what was written")
    # Where the one has the beginning of a name, the other has times, which no release has.
    if header[257:263] != _POSIX and (header[257:265] != _OLD_GNU or any(header[345:500])):
        raise DamagedTarError("not of a known format")


def _number(field: bytes) -> int:
    digits = field.strip(b" \0")
    if not re.fullmatch(rb"[0-7]*", digits):
        raise DamagedTarError("a field is no number")
    return int(digits or b"0", 8)


def _entry(header: bytes, kind: str, size: int, start: int, override: dict[str, bytes]) -> Entry:
    prefix = _text(header[345:500])
    name = _text(header[:100])
    name = override.get("path", prefix + b"/" + name if prefix else name)
    target = override.get("linkpath", _text(header[157:257]))
    # A file with such a name is a folder to some.
    if not name or (kind == "0" and name.endswith(b"/")):
        raise DamagedTarError("an entry has no name")
    # To some readers content follows, to others the next header.
    if size and kind in "123456":
        raise DamagedTarError("content where there can be none")
    if target and kind not in "12":
        raise DamagedTarError("a target where there can be none")
    mode = _number(header[100:108])
    return Entry(_decoded(name), kind, mode, size, _decoded(target), start)


def _text(field: bytes) -> bytes:
    return field.partition(b"\0")[0]


def _decoded(text: bytes) -> str:
    return text.decode("utf-8", "surrogateescape")


def _joined(said: dict[str, dict[str, bytes]]) -> dict[str, bytes]:
    """What all headers for the next entry say of it."""
    joined: dict[str, bytes] = {}
    for more in said.values():
        if joined.keys() & more.keys():
            raise DamagedTarError("the same said twice of one entry")
        joined.update(more)
    return joined


def _extension(kind: str, content: bytes) -> dict[str, bytes]:
    """What a header that is no entry says of the next one."""
    if kind in "LK":
        value = content.rstrip(b"\0")
        if not value or b"\0" in value:
            raise DamagedTarError("a name with a null byte")
        return {"path" if kind == "L" else "linkpath": value}
    records = dict(_pax_records(content))
    if any(key.startswith("GNU.sparse.") for key in records):
        raise DamagedTarError("a file with holes")
    used: dict[str, bytes] = {
        key: records[key] for key in ("path", "linkpath", "size") if key in records
    }
    # One for all entries that follow is taken by some readers, and passed over by others.
    if used and kind == "g":
        raise DamagedTarError("one name for all entries")
    if not all(used.values()) or any(b"\0" in value for value in used.values()):
        raise DamagedTarError("a name with a null byte")
    if not re.fullmatch(rb"[0-9]{1,15}", used.get("size", b"0")):
        raise DamagedTarError("a size that is no number")
    return used


def _pax_records(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Each is "LENGTH KEY=VALUE" and a line break, of LENGTH bytes in all."""
    start = 0
    while start < len(content):
        found = _PAX_RECORD.match(content, start)
        end = start + int(found[1]) if found else 0
        if found is None or end <= found.end() or content[end - 1 : end] != b"\n":
            raise DamagedTarError("a record that is none")
        yield found[2].decode("latin-1"), content[found.end() : end - 1]
        start = end
