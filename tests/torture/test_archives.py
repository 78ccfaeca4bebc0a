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

from tests.getters.test_archives import refused
from tests.support.archives import gzipped
from tests.support.locks import made_once
from tests.support.machines import Machine, MachineRoom
from tests.support.raw_tar import RawMember, base_256
from tests.support.scale import Scale
from tests.support.tar_corpus import AMBIGUOUS, BINARY, DATA, TAKEN, corpus, member
from tests.support.toolboxes import BUSYBOX_TOOLS, real_tool
from tests.support.trees import Entry, picture
from tests.torture.archive_shapes import any_archives, honest_archives
from tests.torture.tallies import Tally
from wasp_installer.errors import InstallerError
from wasp_installer.placing.archives import ArchiveReceiver
from wasp_installer.placing.tar_reader import entries
from wasp_installer.placing.unpacking import unpack

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
        receiver = ArchiveReceiver(base / "staging", ["sha256"])
        try:
            for start in range(0, len(archive), chunk):
                receiver.take(archive[start : start + chunk])
            unpack(receiver.finish([]), base / "staging" / "new")
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
        (entry.name, entry.type, entry.mode, entry.size, entry.linkname, entry.offset_data)
        for entry in entries(content)
    ]
    with tarfile.open(fileobj=content) as read:
        theirs = [
            (
                member.name,
                member.type,
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
