"""The unpacker of install.py, in pieces of any size: all of an archive inside, or a refusal.

tests/getters/test_archives.py has what both getters take and refuse.
"""

from __future__ import annotations

import posixpath
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.archives import gzipped, tar_of, tar_without_end, tiny_package
from tests.support.tar_corpus import AMBIGUOUS, TAKEN, corpus
from tests.support.trees import Entry, expected_version_folder, picture
from tests.torture.archive_shapes import any_archives
from wasp_installer.errors import InstallerError
from wasp_installer.placing.archives import ArchiveReceiver
from wasp_installer.placing.unpacking import unpack

GOOD = tiny_package("0.25.0")
TAR = tar_of(GOOD.members)
NPM = GOOD.npm_archive()
#: What Python's own reader would take, and some tars do.
NOT_READ = (
    *("pax path of all", "pax size of all", "pax size that differs"),
    *("header for nothing", "pax header for nothing", "the end, then more"),
    *(name for name in AMBIGUOUS if name.startswith("hole")),
)


def unpacked(archive: bytes, chunk: int = 1 << 16) -> str | dict[str, Entry]:
    """What is in the archive, or the slug of its refusal; nothing is written elsewhere."""
    with tempfile.TemporaryDirectory() as folder:
        base, new = Path(folder), Path(folder, "staging", "new")
        new.mkdir(parents=True)
        (base / "precious").write_text("precious\n")
        receiver = ArchiveReceiver(base / "staging", ["sha256"])
        slug = None
        try:
            for start in range(0, len(archive), chunk):
                receiver.take(archive[start : start + chunk])
            unpack(receiver.finish([]), new)
        except InstallerError as error:
            slug = error.slug
        receiver.close()
        assert {item.name for item in base.iterdir()} == {"precious", "staging"}
        assert (base / "precious").read_text() == "precious\n"
        tree = picture(new)
    if slug is None:
        return tree
    assert slug in ("unsafe-archive", "corrupt-archive")
    assert tree == {}
    return slug


def check_tree(tree: dict[str, Entry]) -> None:
    """A release and nothing else: plain files, folders, and links that stay inside data."""
    assert {name.partition("/")[0] for name in tree} == {"wasp-bin", "data"}
    assert tree["wasp-bin"].mode == 0o755
    for name, entry in tree.items():
        assert entry.kind in ("file", "folder", "link"), name
        assert entry.mode in (0o755, 0o644) or entry.kind == "link", name
        target = posixpath.normpath(posixpath.join(posixpath.dirname(name), entry.content))
        assert entry.kind != "link" or target.partition("/")[0] == "data", name


@pytest.mark.parametrize("name", corpus())
def test_an_archive_with_a_name(name: str) -> None:
    found = unpacked(corpus()[name])
    if name not in AMBIGUOUS or name in NOT_READ:
        assert isinstance(found, dict) == (name in TAKEN), found
    if isinstance(found, dict):
        check_tree(found)


@settings(max_examples=100, deadline=None)
@given(any_archives)
def test_whatever_the_archive_what_is_unpacked_is_a_release(archive: bytes) -> None:
    found = unpacked(archive)
    if isinstance(found, dict):
        check_tree(found)


HONEST = {
    "of npm": NPM,
    "of GitHub": GOOD.github_archive(),
    "padded": NPM + bytes(512),
    "in two gzip members": gzipped(TAR[:1000]) + gzipped(TAR[1000:]),
    **{f"bare, {end}": tar_without_end(GOOD.members) + bytes(end) for end in (512, 1024, 10240)},
}


@settings(max_examples=40, deadline=None)
@given(st.sampled_from([*HONEST]), st.integers(1, 5000))
def test_an_honest_archive_arrives_whatever_the_size_of_its_pieces(name: str, chunk: int) -> None:
    assert unpacked(HONEST[name], chunk) == expected_version_folder(GOOD)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, len(NPM) - 1))
def test_a_cut_archive_is_never_taken_for_whole(length: int) -> None:
    assert unpacked(NPM[:length]) == "corrupt-archive"


@pytest.mark.parametrize(
    "content",
    [
        *(b"x", b"\x1f", b"\x1f\x8b", b"text\n" * 200, bytes(4096), NPM[:-1], NPM[:-8]),
        # Cut between two entries, and compressed anew: no mark of that but the missing end.
        *(gzipped(tar_without_end(GOOD.members) + bytes(left)) for left in (0, 1, 100, 511)),
        NPM + bytes(512) + b"x",
    ],
    ids=range(12),
)
def test_what_is_no_whole_archive_is_damaged_in_whatever_pieces(content: bytes) -> None:
    assert {unpacked(content, chunk) for chunk in (1, 512, 1 << 16)} == {"corrupt-archive"}
