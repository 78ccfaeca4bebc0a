"""The entries of a tar archive: read by tarfile, and all refused that is not as releases are.

tarfile takes a damaged header for the end of the archive, and some versions of it never end where
a size is negative (CVE-2025-8194) or headers announce headers. So the end is looked for here, and
what only such an archive has is refused before tarfile acts on it.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from typing import IO, Any, Final, NoReturn

_BLOCK: Final = tarfile.BLOCKSIZE
#: The headers that hold what an entry's own has no room for (g: for all entries).
_EXTENSIONS: Final = b"LKxg"
_LONGEST_EXTENSION: Final = 1024 * 1024
#: What such a header may not say of all entries: some readers take it, others pass over it.
_NOT_FOR_ALL: Final = {"path", "linkpath", "size"}


class DamagedTarError(Exception):
    """The archive is not one that every reader takes for the same."""


class Entry(tarfile.TarInfo):
    """One entry, as tarfile reads it from a header."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Entry:
        """The entry in a header; see ``tarfile.TarInfo.frombuf``."""
        entry = super().frombuf(buf, encoding, errors)
        longest = _LONGEST_EXTENSION if entry.type in _EXTENSIONS else None
        if entry.size < 0 or (longest is not None and entry.size > longest):
            raise DamagedTarError("a size that no release has")
        if entry.size and entry.type in (tarfile.LNKTYPE, tarfile.SYMTYPE, tarfile.DIRTYPE):
            # To some readers content follows, to others the next header.
            raise DamagedTarError("content where there can be none")
        return entry

    def _block(self, count: int) -> int:
        """How many bytes ``count`` take; also of a size in an extension, which may be negative."""
        if count < 0:
            raise DamagedTarError("a negative size")
        return -(-count // _BLOCK) * _BLOCK

    def _refuse(self, *_: Any) -> NoReturn:
        raise DamagedTarError("a file with holes")

    # tarfile reads the maps of such files without a limit.
    _proc_sparse = _proc_gnusparse_00 = _proc_gnusparse_01 = _proc_gnusparse_10 = _refuse


def entries(content: IO[bytes]) -> Iterator[tarfile.TarInfo]:
    """The entries of the uncompressed archive ``content``, which can seek.

    Raises:
        DamagedTarError: as soon as something is not as it should be.
    """
    length = content.seek(0, 2)
    content.seek(0)
    try:
        with tarfile.open(
            fileobj=content,
            mode="r:",
            tarinfo=Entry,
            encoding="utf-8",
            errors="surrogateescape",
        ) as archive:
            for entry in archive:
                if entry.offset_data + entry.size > length:
                    raise DamagedTarError("cut short")
                if any(key.startswith("GNU.sparse.") for key in entry.pax_headers):
                    raise DamagedTarError("a file with holes")
                yield entry
            if _NOT_FOR_ALL & archive.pax_headers.keys():
                raise DamagedTarError("one name for all entries")
            if length - archive.offset < _BLOCK:
                raise DamagedTarError("no end")
            content.seek(archive.offset)
            while piece := content.read(_LONGEST_EXTENSION):
                if piece.strip(b"\0"):
                    raise DamagedTarError("something behind the end")
    except (tarfile.TarError, ValueError, OverflowError, RecursionError) as error:
        raise DamagedTarError(str(error)) from error
