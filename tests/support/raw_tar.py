"""Tar archives written field by field: what tarfile would not write, and readers take each its way.

https://www.gnu.org/software/tar/manual/html_node/Standard.html has the fields of a header, and
https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html the records before one.
"""

from __future__ import annotations

import enum
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

BLOCK = 512
USTAR = b"ustar\x0000"
OLD_GNU = b"ustar  \0"
SEVENTH_EDITION = bytes(8)
_HEADER = struct.Struct("100s 8s 8s 8s 12s 12s 8s 1s 100s 8s 64x 16s 155s 12x")


class Checksum(enum.Enum):
    """How the sum of a header's bytes is written."""

    STANDARD = "standard"
    # Some old programs added up signed characters; readers allow for it.
    SIGNED = "signed"
    SPACES_FIRST = "spaces first"
    WRONG = "wrong"


@dataclass(frozen=True)
class RawMember:
    """One header with what follows it; fields that are given as bytes are written as they are."""

    name: bytes
    content: bytes = b""
    kind: bytes = b"0"
    mode: bytes = b"0000644\0"
    size: bytes | None = None
    target: bytes = b""
    magic: bytes = USTAR
    prefix: bytes = b""
    owner: bytes = b"0000000\0"
    time: bytes = b"03560116604\0"
    checksum: Checksum = Checksum.STANDARD

    def tobytes(self) -> bytes:
        device = b"0000001\0" if self.kind in (b"3", b"4") else b"0000000\0"
        size = octal(len(self.content), 12) if self.size is None else self.size
        numbers = (self.mode, self.owner, self.owner, size, self.time, b" " * 8)
        rest = (self.kind, self.target, self.magic, device * 2, self.prefix)
        header = bytearray(_HEADER.pack(self.name, *numbers, *rest))
        header[148:156] = _checksum_field(bytes(header), self.checksum)
        return bytes(header) + padded(self.content)


def _checksum_field(header: bytes, checksum: Checksum) -> bytes:
    total = sum(header)
    if checksum is Checksum.SIGNED:
        total -= 256 * sum(byte > 127 for byte in header)
    if checksum is Checksum.WRONG:
        total += 1
    if checksum is Checksum.SPACES_FIRST:
        return f"{total:7o}\0".encode()
    return f"{max(total, 0):06o}\0 ".encode()


def octal(number: int, width: int) -> bytes:
    return f"{number:0{width - 1}o}\0".encode()


def base_256(number: int, width: int) -> bytes:
    """The form of GNU tar for numbers too large for octal digits, and negative ones."""
    field = bytearray(number.to_bytes(width, "big", signed=True))
    field[0] |= 0x80
    return bytes(field)


def padded(content: bytes) -> bytes:
    return content + bytes(-len(content) % BLOCK)


def pax_records(records: Iterable[tuple[bytes, bytes]]) -> bytes:
    return b"".join(_pax_record(key, value) for key, value in records)


def _pax_record(key: bytes, value: bytes) -> bytes:
    """`LENGTH key=value`, where the length counts its own digits too."""
    rest = b" " + key + b"=" + value + b"\n"
    length = len(rest)
    while len(str(length)) + len(rest) != length:
        length = len(str(length)) + len(rest)
    return str(length).encode() + rest


def pax_header(content: bytes, kind: bytes = b"x") -> bytes:
    """Records for the next member, or (kind g) for all that follow."""
    return RawMember(b"PaxHeaders/x", content, kind=kind).tobytes()


def pax(*records: tuple[bytes, bytes]) -> bytes:
    return pax_header(pax_records(records))


def gnu_long(value: bytes, kind: bytes = b"L") -> bytes:
    """GNU tar's own header for a long name (L) or target (K) of the next member."""
    return RawMember(b"././@LongLink", value + b"\0", kind=kind, magic=OLD_GNU).tobytes()


def old_gnu_sparse(name: bytes, pieces: Sequence[tuple[int, bytes]], size: int) -> bytes:
    """A file with holes, with a map of up to four pieces in its header."""
    content = b"".join(piece for _, piece in pieces)
    mapped = b"".join(octal(offset, 12) + octal(len(piece), 12) for offset, piece in pieces[:4])
    # It stands where others have the second half of a prefix.
    place = bytes(41) + mapped.ljust(97, b"\0") + octal(size, 12)
    return RawMember(name, content, kind=b"S", magic=OLD_GNU, prefix=place).tobytes()


def pax_sparse(name: bytes, pieces: Sequence[tuple[int, bytes]], size: int) -> bytes:
    """A file with holes in the form (1.0) that GNU tar writes with pax."""
    content = b"".join(piece for _, piece in pieces)
    numbers = [len(pieces), *(it for offset, piece in pieces for it in (offset, len(piece)))]
    records = {"major": b"1", "minor": b"0", "name": name, "realsize": b"%d" % size}
    lines = b"".join(b"%d\n" % number for number in numbers)
    head = pax(*((f"GNU.sparse.{key}".encode(), value) for key, value in records.items()))
    return head + RawMember(b"other", padded(lines) + content).tobytes()


def mended(tar: bytes) -> bytes:
    """The same with the right sum in each block that looks like a header."""
    blocks = bytearray(tar)
    for start in range(0, len(blocks) - BLOCK + 1, BLOCK):
        if blocks[start + 257 : start + 262] == b"ustar":
            blocks[start + 148 : start + 156] = b" " * 8
            header = bytes(blocks[start : start + BLOCK])
            blocks[start + 148 : start + 156] = _checksum_field(header, Checksum.STANDARD)
    return bytes(blocks)
