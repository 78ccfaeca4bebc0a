"""Archives of every shape, for hypothesis: honest, odd and hostile ones, and damaged copies."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import strategies as st

from tests.support.archives import gzipped
from tests.support.raw_tar import (
    BLOCK,
    OLD_GNU,
    SEVENTH_EDITION,
    USTAR,
    Checksum,
    RawMember,
    base_256,
    gnu_long,
    mended,
    octal,
    pax,
    pax_header,
    pax_records,
)
from tests.support.tar_corpus import AMBIGUOUS, BINARY, DATA, REFUSED, TAKEN

NAMES = [
    *(b"data/b", b"data/c/d", b"data/c", b"data/x y", "data/\u00e9".encode(), b"readme"),
    *(b"../x", b"/tmp/wasp-test-escaped", b"data/../../x", b"data/..", b"..", b".", b"./", b"/"),
    *(b"", b"./data/b", b"data//b", b"data/./b", b"data/b/", b"data", b"data/", b"data/A"),
    *(b"data/a/b", b"wasp-bin", b"package/wasp-bin", b"package/data/a", b"package", b"-rf"),
    *(b"data/two\nlines", b"data/\x1b[2J", b"data/tab\t", b"data/back\\slash", b"data/\x7f"),
    *(b"data/one -> two", b"data/one link to two", b"data/\xff", b"data/*", b"data/'\""),
    *(b"data/" + b"n" * length for length in (94, 95, 150, 255, 256, 600)),
    *(b"data/" + b"folder-of-a-long-path/" * count + b"x" for count in (10, 20, 40)),
]
HONEST_NAMES = [
    *(b"data/b", b"data/c/d", b"data/c/e", b"data/x y", "data/\u00e9\u4e00".encode()),
    *(b"data/" + b"deep/" * 18 + b"file", b"data/" + b"l" * 90),
]
TARGETS = [
    *(b"a", b"../wasp-bin", b"c/d", b"", b".", b"..", b"../..", b"../../x", b"/etc/passwd", b"/"),
    *(b"c/../../..", b"a\nb", b"a\x1b", b"a\\b", b"a -> /etc", b"nothing", b"n" * 150),
]
# None of them does anything when it is run.
CONTENTS = [b"", b"x", b"x" * BLOCK, b"x" * (BLOCK + 1), b"#!/bin/sh\necho 0.25.0\n"]
NUMBERS = [
    *(octal(number, 12) for number in (0, 1, BLOCK, 8**11 - 1)),
    *(base_256(number, 12) for number in (0, 1, -1, -BLOCK, 2**70, -(2**70))),
    *(b"00000000001 ", b"          1\0", bytes(12), b"-0000000001\0", b"hello world\0"),
]
MODES = [b"0000755\0", b"000644 \0", b"   644\0\0", b"0100644\0", b"0004755\0", b"0001644\0"]

# Mostly plain, as an archive with many oddities is refused for the first.
names = st.sampled_from(NAMES[:6]) | st.sampled_from(NAMES)
targets = st.sampled_from(TARGETS)
contents = st.sampled_from(CONTENTS)


def usually(plain: bytes, odd: Iterable[bytes]) -> st.SearchStrategy[bytes]:
    return st.sampled_from([plain] * 12 + [*odd])


members = st.builds(
    RawMember,
    name=names,
    content=contents,
    kind=usually(b"0", [bytes([kind]) for kind in b"\x001122345567ADIMNSVXZ89\x80\xff"]),
    mode=usually(b"0000644\0", [*MODES, *(number[-8:] for number in NUMBERS)]),
    size=st.none() | st.none() | st.none() | st.sampled_from(NUMBERS),
    target=targets,
    magic=usually(USTAR, [OLD_GNU, OLD_GNU, SEVENTH_EDITION, b"ustar\0 0"]),
    prefix=usually(b"", [b"data", b"..", b"/tmp", b"data/c", b"p" * 155]),
    owner=usually(b"0000000\0", [base_256(1 << 31, 8), b"       \0"]),
    time=usually(b"03560116604\0", NUMBERS),
    checksum=st.sampled_from([Checksum.STANDARD] * 9 + list(Checksum)),
).map(RawMember.tobytes)

#: Sparse files, records of a wrong length, headers for nothing: all that has a name.
named = st.sampled_from([*TAKEN.values(), *REFUSED.values(), *AMBIGUOUS.values()])
blocks = st.sampled_from([bytes(BLOCK), b"g" * BLOCK, bytes(BLOCK - 1), b"x"])
pieces = st.one_of(members, members, named, named, blocks)
endings = st.sampled_from(
    [bytes(2 * BLOCK)] * 8
    + [b"", bytes(BLOCK), bytes(10240), bytes(100), bytes(1024) + b"garbage" + bytes(1024)]
)


@st.composite
def odd_tars(draw: st.DrawFn) -> bytes:
    """A release with a few odd things anywhere in it."""
    release = [BINARY, DATA] if draw(st.integers(0, 9)) else [DATA]
    extra = draw(st.lists(pieces, min_size=1, max_size=4))
    place = draw(st.integers(0, len(release)))
    return b"".join([*release[:place], *extra, *release[place:]]) + draw(endings)


def _honest_member(name: bytes, content: bytes, way: str, mode: bytes) -> bytes:
    if way == "pax":
        return pax((b"path", name)) + RawMember(name[-90:], content, mode=mode).tobytes()
    if way == "gnu":
        return gnu_long(name) + RawMember(name[:99], content, mode=mode, magic=OLD_GNU).tobytes()
    if way == "prefix" or len(name) > 99:
        prefix, _, rest = name.rpartition(b"/")
        return RawMember(rest, content, mode=mode, prefix=prefix).tobytes()
    return RawMember(name, content, mode=mode).tobytes()


def _honest_members(draw: st.DrawFn) -> list[bytes]:
    """A release but for its binary, as npm, GNU tar and BSD tar write one."""
    root = draw(st.sampled_from([b"", b"package/", b"./"]))
    files = draw(st.dictionaries(st.sampled_from(HONEST_NAMES), contents, max_size=5))
    ways = st.sampled_from(["plain", "prefix", "pax", "gnu"])
    permissions = st.sampled_from([b"0000644\0", b"0000755\0", b"0000600\0", b"000664 \0"])
    parts = [
        _honest_member(root + name, content, draw(ways), draw(permissions))
        for name, content in {**files, b"data/a": b"a\n"}.items()
    ]
    if draw(st.booleans()):
        parts.insert(0, pax_header(pax_records([(b"comment", b"a commit")]), b"g"))
    if draw(st.booleans()):
        parts.append(RawMember(root + b"data/link", kind=b"2", target=b"a").tobytes())
    binary = RawMember(root + b"wasp-bin", b"#!/bin/sh\necho 0.25.0\n", mode=b"0000755\0")
    return [binary.tobytes(), *parts]


@st.composite
def honest_tars(draw: st.DrawFn) -> bytes:
    """Every front end must take it."""
    binary, *parts = _honest_members(draw)
    parts.insert(draw(st.integers(0, len(parts))), binary)
    return b"".join(parts) + draw(st.sampled_from([bytes(1024), bytes(10240)]))


def _damaged(draw: st.DrawFn, data: bytes) -> bytes:
    """Bytes that change, go or come, or all behind a place that go."""
    place = draw(st.integers(0, max(0, len(data) - 1)))
    length = draw(st.sampled_from([1, 1, 7, 12, BLOCK]))
    come = bytes([draw(st.sampled_from([*b"\0\1\x0707 \xff"]))]) * length
    ways = [(length, come), (length, come), (length, b""), (0, come), (len(data), b"")]
    gone, come = draw(st.sampled_from(ways))
    return data[:place] + come + data[place + gone :]


@st.composite
def damaged_tars(draw: st.DrawFn) -> bytes:
    """A good archive with some damage, half the time with headers whose sums are right again."""
    # What stands in wasp-bin is run, so it stays.
    binary, *parts = _honest_members(draw)
    rest = b"".join(parts) + bytes(1024)
    for _ in range(draw(st.integers(1, 3))):
        rest = _damaged(draw, rest)
    return mended(binary + rest) if draw(st.booleans()) else binary + rest


@st.composite
def compressed(draw: st.DrawFn, tars: st.SearchStrategy[bytes]) -> bytes:
    """The tar in gzip: in one member or in two, padded, damaged, or with something behind it."""
    tar = draw(tars)
    how = draw(st.sampled_from(["plain"] * 6 + ["members", "damaged", "behind"]))
    if how == "members":
        place = draw(st.integers(0, len(tar)))
        return gzipped(tar[:place]) + gzipped(tar[place:])
    whole = gzipped(tar)
    if how == "damaged":
        return _damaged(draw, whole)
    if how == "behind":
        some = [bytes(1), bytes(511), bytes(70_000), b"garbage", b"\x1f\x8b", b"\0garbage"]
        return whole + draw(st.sampled_from(some))
    return whole


any_archives = compressed(st.one_of(odd_tars(), damaged_tars(), honest_tars()))
honest_archives = honest_tars().map(gzipped)
