"""Archives of every shape through both unpackers: the whole tree, or nothing at all."""

from __future__ import annotations

import contextlib
import gzip
import io
import shutil
import tarfile
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.contract.test_archives import refused
from tests.support.archives import gzipped
from tests.support.locks import made_once
from tests.support.machines import Machine, MachineRoom
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
from tests.support.scale import Scale
from tests.support.toolboxes import BUSYBOX_TOOLS, real_tool
from tests.support.trees import Entry, picture
from tests.torture.archive_shapes import (
    BINARY,
    DATA,
    any_archives,
    honest_archives,
)
from tests.torture.tallies import Tally
from wasp_installer import archives, tar_reader
from wasp_installer.errors import InstallerError

pytestmark = pytest.mark.timeout(3600)

AREA = "Archives"
TARS = ("gnu", "bsd", "busybox")
Tree = dict[str, Entry]


@dataclass
class Verdict:
    """What became of one archive: its tree, or why it was refused."""

    tree: Tree | None
    slug: str | None


@contextlib.contextmanager
def neighbourhood() -> Iterator[Path]:
    """A folder to unpack into, with a neighbour that must stay as it is."""
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        (base / "neighbour").mkdir()
        (base / "neighbour" / "precious").write_text("precious\n")
        (base / "staging" / "new").mkdir(parents=True)
        before = picture(base / "neighbour")
        yield base
        assert picture(base / "neighbour") == before
        assert {item.name for item in base.iterdir()} == {"neighbour", "staging"}
        assert not Path("/tmp/wasp-test-escaped").exists()


def by_python(archive: bytes, chunk: int = 1 << 16) -> Verdict:
    """The archive through the unpacker of install.py, as a download brings it."""
    with neighbourhood() as base:
        receiver = archives.ArchiveReceiver(base / "staging", ["sha256"])
        try:
            for start in range(0, len(archive), chunk):
                receiver.take(archive[start : start + chunk])
            archives.unpack(receiver.finish([]), base / "staging" / "new")
        except InstallerError as error:
            return Verdict(None, error.slug)
        finally:
            receiver.close()
        return Verdict(picture(base / "staging" / "new"), None)


@dataclass
class Unpacker:
    """install.sh on a machine with one of the tars."""

    machine: Machine
    runs: int = field(default=0)

    def __call__(self, archive: bytes) -> Verdict:
        machine = self.machine
        self.runs += 1
        file = machine.root / "wasp.tgz"
        file.write_bytes(archive)
        prefix = machine.root / "prefix"
        before = set(machine.root.iterdir())
        options = ("--no-modify-path", "--prefix", str(prefix), "--from-file", str(file))
        run = machine.install(None, *options)
        assert "\x1b" not in run.stderr
        if run.code == 0:
            tree = picture(prefix / "share" / "wasp-lang" / "0.25.0")
            tree.pop(".receipt.json")
            shutil.rmtree(prefix)
        # A tar that reads a size otherwise may cut the binary, which then does not run.
        elif run.code != 3 or run.json["error"] != "binary-does-not-run":
            run.failed(6)
        assert set(machine.root.iterdir()) == before, run
        assert picture(machine.home) == {}, run
        assert not list(machine.here.iterdir()), run
        assert not Path("/tmp/wasp-test-escaped").exists()
        return Verdict(tree, None) if run.code == 0 else Verdict(None, run.json["error"])


@pytest.fixture(params=TARS)
def by_install_sh(request: pytest.FixtureRequest, machines: MachineRoom) -> Unpacker:
    """install.sh with each tar in turn: GNU, BSD (macOS) and busybox (Alpine)."""
    machine = machines.build("busybox" if request.param == "busybox" else "dash")
    box = machine.toolbox
    if request.param == "bsd":
        box.alias("tar", "bsdtar")
    if request.param == "busybox":
        real_tool("busybox")
        for tool in list(box.folder.iterdir()):
            tool.unlink()
        box.busybox(*BUSYBOX_TOOLS, "sha256sum", "sha512sum").fake_musl()
    return Unpacker(machine)


def check_tree(tree: Tree) -> None:
    """A release and nothing else: plain files, folders, and links that stay inside."""
    assert {name.partition("/")[0] for name in tree} == {"wasp-bin", "data"}
    assert tree["wasp-bin"].kind == "file"
    assert tree["wasp-bin"].mode == 0o755
    assert tree["data"].kind == "folder"
    for name, entry in tree.items():
        assert entry.kind in ("file", "folder", "link"), name
        assert entry.mode in (0o755, 0o644) or entry.kind == "link", name
        assert entry.kind != "link" or not entry.content.startswith("/"), name


def examples(
    scale: Scale, number: int, strategy: st.SearchStrategy[bytes], check: Callable[[bytes], None]
) -> int:
    """Checks about so many archives; the same ones in each run that is not asked for more."""
    tried = Counter[str]()

    def counted(archive: bytes) -> None:
        tried["examples"] += 1
        check(archive)

    wanted: Any = settings(
        max_examples=scale.times(number),
        derandomize=scale.factor == 1,
        database=None,
        deadline=None,
        print_blob=True,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    wanted(given(strategy)(counted))()
    return tried["examples"]


# --- A corpus: what has a name -------------------------------------------------------------------

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
    "link to wasp-bin": member(b"data/b", b"", kind=b"2", target=b"../wasp-bin"),
    "link to nothing": member(b"data/b", b"", kind=b"2", target=b"nothing"),
    "link to itself": member(b"data/b", b"", kind=b"2", target=b"b"),
    "folder without rights": member(b"data/d/", b"", kind=b"5", mode=bytes(8))
    + member(b"data/d/f"),
    "the folder itself": member(b"./", b"", kind=b"5"),
    "asterisk": member(b"data/*"),
    "quotes": member(b"data/'\""),
    "option": member(b"-rf") + member(b"data/-rf"),
    "no UTF-8": member(b"data/\xff"),
}
# No tar makes a release of these, or install.sh sees to it.
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
    "sticky": member(b"data/b", mode=b"0001644\0"),
    "setgid folder": member(b"data/d/", b"", kind=b"5", mode=b"0002755\0"),
    "no name": member(b""),
    "the root": member(b"/", b"", kind=b"5"),
    "link to the root": member(b"data/b", b"", kind=b"2", target=b"/"),
    "link without a target": member(b"data/b", b"", kind=b"2"),
    "target with a line break": member(b"data/b", b"", kind=b"2", target=b"a\nb"),
    "target with an escape": member(b"data/b", b"", kind=b"2", target=b"a\x1b[2J"),
    "target with an arrow": member(b"data/b", b"", kind=b"2", target=b"/etc -> a"),
    "name with an arrow": member(b"data/b -> a"),
    "name like a hard link": member(b"data/b link to a"),
    "upper and lower case": member(b"data/A"),
    "folders of upper and lower case": member(b"data/c/b") + member(b"data/C/a"),
    "same name, dotted": member(b"./data/a"),
    "same name, two slashes": member(b"data//a"),
    "file below a file": member(b"data/a/b"),
    "file in place of a folder": member(b"data/d/", b"", kind=b"5") + member(b"data/d"),
    "name of 256 bytes": gnu_long(b"data/" + b"n" * 256) + PLAIN,
    "path of 600 bytes": gnu_long(b"data/" + b"folder/" * 85) + PLAIN,
    "path of 5000 bytes": gnu_long(b"data/" + b"d/" * 2500 + b"x") + PLAIN,
    "hole of a terabyte": old_gnu_sparse(b"data/b", HOLES[:1], 1 << 40),
}
# What the tars do not agree on: install.py refuses it, install.sh as the tar there takes it.
AMBIGUOUS: dict[str, bytes] = {
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
    "holes, pax 0.0": pax_sparse(b"data/b", HOLES, 8192, "0.0"),
    "holes, pax 0.1": pax_sparse(b"data/b", HOLES, 8192, "0.1"),
    "holes, pax 1.0": pax_sparse(b"data/b", HOLES, 8192, "1.0"),
    "holes that lead out": pax_sparse(b"../../b", HOLES, 8192, "1.0"),
    "hole of 32 GB": pax_sparse(b"data/b", [(0, b"a"), (1 << 35, b"")], 1 << 35, "1.0"),
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


@pytest.mark.parametrize("name", [*TAKEN, *REFUSED, *AMBIGUOUS])
def test_the_corpus_in_python(name: str, tally: Tally) -> None:
    verdict = by_python(corpus()[name])
    assert (verdict.tree is not None) == (name in TAKEN), verdict
    tally(AREA, "odd and hostile archives with a name, through the unpacker of install.py", 1)


def test_the_corpus_in_install_sh(by_install_sh: Unpacker, scale: Scale, tally: Tally) -> None:
    cases = scale.sample(list(corpus().items()), 6)
    for name, archive in cases:
        verdict = by_install_sh(archive)
        assert name in AMBIGUOUS or (verdict.tree is not None) == (name in TAKEN), (name, verdict)
        if verdict.tree is not None:
            check_tree(verdict.tree)
        if name in TAKEN:
            assert verdict.tree == by_python(archive).tree
    tally(AREA, "the same through install.sh, with one of three tars", len(cases))


# --- The unpacker of install.py ------------------------------------------------------------------


def test_generated_archives_in_python(scale: Scale, tally: Tally) -> None:
    taken = Counter[bool]()

    def check(archive: bytes) -> None:
        verdict = by_python(archive)
        # However the bytes arrive, the end is the same.
        assert by_python(archive, chunk=257) == verdict
        taken[verdict.tree is not None] += 1
        if verdict.tree is None:
            assert verdict.slug in ("corrupt-archive", "unsafe-archive")
        else:
            check_tree(verdict.tree)
            read_alike_by_tarfile(archive)

    number = examples(scale, 300, any_archives, check)
    assert taken[True] > number / 20, "too few archives reach the disk"
    tally(AREA, "generated archives through the unpacker of install.py", number)
    tally(AREA, "… of these taken, with the tree that Python's tarfile reads", taken[True])


def read_alike_by_tarfile(archive: bytes) -> None:
    """Another reader sees the same entries, as far as it reads (it ends where a field is odd)."""
    content = io.BytesIO(gunzipped(archive))
    ours = [
        (entry.name.rstrip("/"), entry.kind, entry.mode, entry.size, entry.target, entry.start)
        for entry in tar_reader.entries(content)
    ]
    with tarfile.open(fileobj=content) as read:
        theirs = [
            (
                member.name,
                "0" if member.isreg() else member.type.decode("latin-1"),
                member.mode,
                member.size,
                member.linkname,
                member.offset_data,
            )
            for member in read
        ]
    assert ours[: len(theirs)] == theirs


def gunzipped(archive: bytes) -> bytes:
    with gzip.open(io.BytesIO(archive)) as content:
        return content.read()


# --- The same archives through both --------------------------------------------------------------


def test_generated_archives_in_both(by_install_sh: Unpacker, scale: Scale, tally: Tally) -> None:
    """install.py is at least as strict; what both take is one tree."""

    def check(archive: bytes) -> None:
        python, shell = by_python(archive), by_install_sh(archive)
        if shell.tree is not None:
            check_tree(shell.tree)
        if python.tree is not None and shell.tree is not None:
            assert shell.tree == python.tree

    number = examples(scale, 15, any_archives, check)
    tally(AREA, "generated archives through both front ends, with one of three tars", number)


def test_honest_archives_in_both(by_install_sh: Unpacker, scale: Scale, tally: Tally) -> None:
    def check(archive: bytes) -> None:
        python, shell = by_python(archive), by_install_sh(archive)
        assert python.tree is not None, python.slug
        assert shell.tree == python.tree

    number = examples(scale, 5, honest_archives, check)
    tally(AREA, "honest archives of many shapes, taken alike by both front ends", number)


# --- Far too much --------------------------------------------------------------------------------


def test_ten_gigabytes_of_zeros(machine: Machine, shared_folder: Path, tally: Tally) -> None:
    archive = made_once(shared_folder / "ten-gigabytes.tgz", _ten_gigabytes)
    refused(machine, archive.read_bytes(), "unsafe-archive")
    tally(AREA, "gigabytes of zeros in an archive of ten megabytes, refused", 10)


def _ten_gigabytes() -> bytes:
    part = 64 * 1024**2
    header = RawMember(b"data/zeros", size=base_256(160 * part, 12)).tobytes()
    return gzipped(BINARY + DATA + header) + gzipped(bytes(part)) * 160 + gzipped(bytes(1024))


def test_a_million_entries(machine: Machine, shared_folder: Path, tally: Tally) -> None:
    """Folders, as these may be there twice, and so can be repeated in compressed form."""
    archive = made_once(shared_folder / "a-million.tgz", _a_million_folders)
    refused(machine, archive.read_bytes(), "unsafe-archive")
    tally(AREA, "entries in one archive, refused", 1_000_000)


def _a_million_folders() -> bytes:
    folders = [member(b"data/%d/" % number, b"", kind=b"5") for number in range(1000)]
    return gzipped(BINARY + DATA) + gzipped(b"".join(folders)) * 1000 + gzipped(bytes(1024))
