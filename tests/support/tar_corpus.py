"""Tar archives with a name: honest, hostile and ambiguous ones."""

from __future__ import annotations

from typing import Any

from tests.support.archives import gzipped
from tests.support.raw_tar import (
    OLD_GNU,
    Checksum,
    RawMember,
    base_256,
    gnu_long,
    octal,
    old_gnu_sparse,
    pax,
    pax_header,
    pax_records,
    pax_sparse,
)

# It is run when an archive is taken; whatever follows it in the file is not.
BINARY = RawMember(b"wasp-bin", b"#!/bin/sh\necho 0.25.0\nexit\n", mode=b"0000755\0").tobytes()
DATA = RawMember(b"data/a", b"a\n").tobytes()
PLAIN = RawMember(b"data/b", b"x").tobytes()
LINK = RawMember(b"data/b", kind=b"2", target=b"a").tobytes()
HOLES = [(0, b"a" * 512), (4096, b"b" * 512), (8192, b"")]


def member(name: bytes, content: bytes = b"x", **fields: Any) -> bytes:
    return RawMember(name, content, **fields).tobytes()


# Honest, and read alike by every tar.
TAKEN: dict[str, bytes] = {
    "old GNU header": member(b"data/b", magic=OLD_GNU),
    "GNU long name": gnu_long(b"data/" + b"n" * 150) + PLAIN,
    "GNU long target": gnu_long(b"n" * 150, b"K") + LINK,
    "POSIX prefix": member(b"b", prefix=b"data/c"),
    "pax path": pax((b"path", b"data/c")) + PLAIN,
    "pax path over a hostile one": pax((b"path", b"data/c")) + member(b"../../b"),
    "pax linkpath": pax((b"linkpath", b"c")) + LINK,
    "pax time": pax((b"mtime", b"1.5")) + PLAIN,
    "pax attribute": pax((b"SCHILY.xattr.user.x", b"v")) + PLAIN,
    "sum with spaces first": member(b"data/b", checksum=Checksum.SPACES_FIRST),
    "size without an end": member(b"data/b", size=b"000000000001"),
    "size with spaces": member(b"data/b", size=b"         1 \0"),
    "size of nothing": member(b"data/b", b"", size=bytes(12)),
    "mode with its kind": member(b"data/b", mode=b"0100644\0"),
    "time before 1970": member(b"data/b", time=base_256(-1, 12)),
    "link to nothing": member(b"data/b", b"", kind=b"2", target=b"nothing"),
    "link to itself": member(b"data/b", b"", kind=b"2", target=b"b"),
    "folder without rights": member(b"data/d/", b"", kind=b"5", mode=bytes(8))
    + member(b"data/d/f"),
    "the folder itself": member(b"./", b"", kind=b"5"),
    "asterisk": member(b"data/*"),
    "quotes": member(b"data/'\""),
    "option": member(b"-rf") + member(b"data/-rf"),
    "name with an arrow": member(b"data/b -> a"),
    "name like a hard link": member(b"data/b link to a"),
    "upper and lower case": member(b"data/A"),
    "folders of upper and lower case": member(b"data/c/b") + member(b"data/C/a"),
    "no UTF-8": member(b"data/\xff"),
    "sticky": member(b"data/b", mode=b"0001644\0"),
}
# Nobody makes a release of these.
REFUSED: dict[str, bytes] = {
    "long name that leads out": gnu_long(b"../../x") + PLAIN,
    "long target that leads out": gnu_long(b"../../x", b"K") + LINK,
    "prefix that leads out": member(b"b", prefix=b"data/../.."),
    "prefix from the root": member(b"b", prefix=b"/tmp"),
    "pax path that leads out": pax((b"path", b"../../x")) + PLAIN,
    "pax linkpath that leads out": pax((b"linkpath", b"../../x")) + LINK,
    "pax path with a line break": pax((b"path", b"data/two\nlines")) + PLAIN,
    "damaged header, last": member(b"data/b", checksum=Checksum.WRONG),
    "garbage between entries": b"g" * 512 + PLAIN,
    "negative size": member(b"data/b", size=b"-0000000001\0"),
    "negative size in base 256": member(b"data/b", size=base_256(-512, 12)),
    "size that is text": member(b"data/b", size=b"hello world\0"),
    "size beyond the end": member(b"data/b", size=octal(1 << 20, 12)),
    "link to wasp-bin": member(b"data/b", b"", kind=b"2", target=b"../wasp-bin"),
    "no name": member(b""),
    "link to the root": member(b"data/b", b"", kind=b"2", target=b"/"),
    "link without a target": member(b"data/b", b"", kind=b"2"),
    "target with a line break": member(b"data/b", b"", kind=b"2", target=b"a\nb"),
    "target with an escape": member(b"data/b", b"", kind=b"2", target=b"a\x1b[2J"),
    "same name, dotted": member(b"./data/a"),
    "same name, two slashes": member(b"data//a"),
    "file below a file": member(b"data/a/b"),
    "file in place of a folder": member(b"data/d/", b"", kind=b"5") + member(b"data/d"),
    "name of 256 bytes": gnu_long(b"data/" + b"n" * 256) + PLAIN,
    "path of 600 bytes": gnu_long(b"data/" + b"folder/" * 85) + PLAIN,
    "path of 5000 bytes": gnu_long(b"data/" + b"d/" * 2500 + b"x") + PLAIN,
    "hole of 8 GB": old_gnu_sparse(b"data/b", HOLES[:1], 8**11 - 1),
}
# What readers do not agree on: refused, or a release of files and links that stay inside.
AMBIGUOUS: dict[str, bytes] = {
    "the root": member(b"/", b"", kind=b"5"),
    "setgid folder": member(b"data/d/", b"", kind=b"5", mode=b"0002755\0"),
    "one block of zeros, then more": bytes(512) + PLAIN,
    "the end, then more": bytes(1024) + PLAIN,
    "pre-POSIX header": member(b"data/b", magic=bytes(8)),
    "times where others have a prefix": member(b"data/b", prefix=b"data/q", magic=OLD_GNU),
    "two long names": gnu_long(b"data/c") + gnu_long(b"data/d") + PLAIN,
    "long name with a null": gnu_long(b"data/c\0../../x") + PLAIN,
    "pax path with a null": pax((b"path", b"data/c\0../../x")) + PLAIN,
    "empty pax path": pax((b"path", b"")) + PLAIN,
    "two pax headers": pax((b"path", b"data/c")) + pax((b"mtime", b"1")) + PLAIN,
    "pax record that is too short": pax_header(b"8 path=data/c\n") + PLAIN,
    "pax record that is too long": pax_header(b"99 path=data/c\n") + PLAIN,
    "pax record of length 0": pax_header(b"0 path=data/c\n") + PLAIN,
    "pax garbage": pax_header(b"garbage") + PLAIN,
    "pax size below 0": pax((b"size", b"-5")) + PLAIN,
    "pax size of 20 digits": pax((b"size", b"9" * 20)) + PLAIN,
    "pax size that is text": pax((b"size", b"five")) + PLAIN,
    "pax size that differs": pax((b"size", b"0")) + PLAIN,
    "pax path of all": pax_header(pax_records([(b"path", b"data/c")]), b"g") + PLAIN,
    "pax size of all": pax_header(pax_records([(b"size", b"0")]), b"g") + PLAIN,
    "header for nothing": gnu_long(b"data/c"),
    "pax header for nothing": pax((b"path", b"data/c")),
    "Solaris header": pax_header(pax_records([(b"path", b"data/c")]), b"X") + PLAIN,
    "holes, old GNU": old_gnu_sparse(b"data/b", HOLES, 8192),
    "holes, pax": pax_sparse(b"data/b", HOLES, 8192),
    "holes that lead out": pax_sparse(b"../../b", HOLES, 8192),
    "hole of 32 GB": pax_sparse(b"data/b", [(0, b"a"), (1 << 35, b"")], 1 << 35),
    "size in base 256": member(b"data/b", size=base_256(1, 12)),
    "mode that is text": member(b"data/b", mode=b"rwxr--r\0"),
    "file with a slash": member(b"data/b/", b""),
    "folder with content": member(b"data/d", b"x", kind=b"5"),
    "link with content": member(b"data/b", b"x", kind=b"2", target=b"a"),
    "contiguous file": member(b"data/b", kind=b"7"),
    "volume label": member(b"label", b"", kind=b"V"),
    "part of a file": member(b"data/b", kind=b"M"),
    "unknown kind": member(b"data/b", kind=b"Z"),
}


def archive_with(extra: bytes) -> bytes:
    return gzipped(BINARY + DATA + extra + bytes(1024))


def corpus() -> dict[str, bytes]:
    return {
        name: archive_with(extra)
        for cases in (TAKEN, REFUSED, AMBIGUOUS)
        for name, extra in cases.items()
    }
