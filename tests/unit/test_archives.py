"""The unpacker, fed with generated archives: all of it inside, or a refusal."""

from __future__ import annotations

import hashlib
import os
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.archives import (
    Member,
    Package,
    gzipped,
    tar_of,
    tgz_of,
    tiny_binary,
    tiny_package,
)
from tests.support.tar_corpus import AMBIGUOUS, TAKEN, corpus
from tests.support.trees import expected_version_folder, picture
from tests.torture.archive_shapes import any_archives
from wasp_installer.errors import InstallerError
from wasp_installer.placing.archives import ArchiveReceiver
from wasp_installer.placing.unpacking import unpack

GOOD = tiny_package("0.25.0")


@contextmanager
def room() -> Iterator[Path]:
    """A folder with a neighbour that must stay as it is."""
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        (base / "neighbour").mkdir()
        (base / "neighbour" / "precious").write_text("precious\n")
        (base / "staging" / "new").mkdir(parents=True)
        yield base


def receive(archive: bytes, base: Path, chunk: int = 1 << 16) -> ArchiveReceiver:
    receiver = ArchiveReceiver(base / "staging", ["sha256"])
    for start in range(0, len(archive), chunk):
        receiver.take(archive[start : start + chunk])
    return receiver


def install(archive: bytes, base: Path, chunk: int = 1 << 16) -> None:
    receiver = receive(archive, base, chunk)
    try:
        unpack(receiver.finish([]), base / "staging" / "new")
    finally:
        receiver.close()


def outcome(archive: bytes, base: Path) -> str | None:
    """The slug of the refusal, or None when the archive was unpacked."""
    try:
        install(archive, base)
    except InstallerError as error:
        return error.slug
    return None


def unpacked(base: Path) -> dict[str, object]:
    return dict(picture(base / "staging" / "new"))


#: What Python's own reader would take, and some tars do.
NOT_READ = (
    *("pax path of all", "pax size of all", "pax size that differs"),
    *("header for nothing", "pax header for nothing", "the end, then more"),
    *(name for name in AMBIGUOUS if name.startswith("hole")),
)


@pytest.mark.parametrize("name", corpus())
def test_an_archive_with_a_name(name: str) -> None:
    with room() as base:
        before = picture(base / "neighbour")
        refusal = outcome(corpus()[name], base)
        assert picture(base / "neighbour") == before
        if name not in AMBIGUOUS or name in NOT_READ:
            assert (refusal is None) == (name in TAKEN), refusal
        if refusal is None:
            check_tree(base / "staging" / "new")
        else:
            assert refusal in ("unsafe-archive", "corrupt-archive")
            assert unpacked(base) == {}


def check_tree(folder: Path) -> None:
    """A release and nothing else: plain files, folders, and links that stay inside data."""
    assert {item.name for item in folder.iterdir()} == {"wasp-bin", "data"}
    assert (folder / "wasp-bin").stat().st_mode & 0o7777 == 0o755
    for name, entry in picture(folder).items():
        assert entry.kind in ("file", "folder", "link"), name
        assert entry.mode in (0o755, 0o644) or entry.kind == "link", name
        inside = os.path.realpath(folder / "data" if name != "wasp-bin" else folder)
        assert os.path.realpath((folder / name).parent).startswith(os.path.realpath(folder)), name
        if entry.kind == "link":
            target = os.path.normpath((folder / name).parent / entry.content)
            assert target.startswith(inside), name


@pytest.mark.parametrize("end", [512, 1024, 10240])
def test_an_archive_that_is_no_longer_compressed_is_taken(end: int) -> None:
    bare = tar_of(GOOD.members).rstrip(b"\0")
    bare += bytes(-len(bare) % 512) + bytes(end)
    with room() as base:
        install(bare, base, chunk=1)
        assert unpacked(base) == expected_version_folder(GOOD)


@pytest.mark.parametrize("content", [b"", b"x", b"\x1f", b"\x1f\x8b", b"text\n" * 200, bytes(4096)])
def test_what_is_no_archive_is_called_damaged(content: bytes) -> None:
    with room() as base:
        assert outcome(content, base) == "corrupt-archive"


@pytest.mark.parametrize("left", [0, 1, 100, 511])
def test_an_archive_without_its_end_is_called_damaged(left: int) -> None:
    """Cut between two entries, and compressed anew, it has no mark of that but the missing end."""
    plain = tar_of(GOOD.members).rstrip(b"\0")
    plain += bytes(-len(plain) % 512) + bytes(left)
    with room() as base:
        assert outcome(gzipped(plain), base) == "corrupt-archive"


@settings(max_examples=100, deadline=None)
@given(any_archives)
def test_whatever_the_archive_nothing_is_written_outside(archive: bytes) -> None:
    with room() as base:
        before = picture(base / "neighbour")
        assert outcome(archive, base) in (None, "unsafe-archive", "corrupt-archive")
        assert picture(base / "neighbour") == before
        assert {item.name for item in base.iterdir()} == {"neighbour", "staging"}
        top = {item.name for item in (base / "staging" / "new").iterdir()}
        assert top <= {"wasp-bin", "data"}
        for name, entry in picture(base / "staging" / "new").items():
            assert entry.kind in ("file", "folder", "link"), name
            assert entry.mode & 0o7000 == 0, name
            real = os.path.realpath(base / "staging" / "new" / name)
            assert real.startswith(os.path.realpath(base / "staging" / "new")), name


file_names = st.lists(
    st.text(alphabet="abcXYZ019 ._-é", min_size=1, max_size=12).filter(
        lambda name: name not in (".", "..")
    ),
    min_size=1,
    max_size=4,
).map("/".join)


@st.composite
def packages(draw: st.DrawFn) -> Package:
    """Honest releases of any shape."""
    files = draw(st.dictionaries(file_names, st.binary(max_size=2000), min_size=1, max_size=8))
    whole = {
        name: content
        for name, content in files.items()
        if not any(other.startswith(f"{name}/") for other in files)
    }
    modes = st.sampled_from([0o644, 0o755, 0o600, 0o640, 0o711])
    data = tuple(
        Member(f"data/{name}", content, mode=draw(modes)) for name, content in whole.items()
    )
    return Package("0.25.0", tiny_binary("0.25.0"), data)


@settings(max_examples=40, deadline=None)
@given(packages(), st.integers(1, 5000), st.booleans())
def test_an_honest_archive_arrives_whatever_the_size_of_its_pieces(
    package: Package, chunk: int, npm: bool
) -> None:
    archive = package.npm_archive() if npm else package.github_archive()
    with room() as base:
        install(archive, base, chunk)
        assert unpacked(base) == expected_version_folder(package)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_cut_archive_is_never_taken_for_whole(data: st.DataObject) -> None:
    archive = GOOD.npm_archive()
    cut = archive[: data.draw(st.integers(0, len(archive) - 1))]
    with room() as base:
        with pytest.raises(InstallerError) as caught:
            install(cut, base)
        assert caught.value.slug == "corrupt-archive"
        assert unpacked(base) == {}


@pytest.mark.parametrize("cut", [1, 8])
def test_an_archive_without_the_end_of_gzip_is_called_damaged(cut: int) -> None:
    with room() as base:
        assert outcome(GOOD.npm_archive()[:-cut], base) == "corrupt-archive"


def test_what_follows_the_padding_is_damage_in_whatever_pieces_it_comes() -> None:
    padded = GOOD.npm_archive() + bytes(512)
    for chunk in (1, len(padded), len(padded) + 1):
        with room() as base, pytest.raises(InstallerError) as caught:
            install(padded + b"x", base, chunk)
        assert caught.value.slug == "corrupt-archive"


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_changed_byte_is_noticed_by_the_digest(data: st.DataObject) -> None:
    archive = GOOD.npm_archive()
    place = data.draw(st.integers(0, len(archive) - 1))
    changed = bytearray(archive)
    changed[place] ^= data.draw(st.integers(1, 255))
    with room() as base:
        receiver = receive(bytes(changed), base)
        with pytest.raises(InstallerError) as caught:
            receiver.finish([f"sha256:{hashlib.sha256(archive).hexdigest()}"])
        receiver.close()
        assert caught.value.slug == "checksum-mismatch"


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_changed_byte_without_a_digest_never_changes_what_is_installed(
    data: st.DataObject,
) -> None:
    """gzip has a check of its own; only its header holds bytes that say nothing."""
    archive = GOOD.npm_archive()
    changed = bytearray(archive)
    changed[data.draw(st.integers(0, len(archive) - 1))] ^= data.draw(st.integers(1, 255))
    with room() as base:
        refusal = outcome(bytes(changed), base)
        assert refusal in (None, "corrupt-archive", "unsafe-archive")
        if refusal is None:
            assert unpacked(base) == expected_version_folder(GOOD)


def test_an_archive_that_begins_anew_forgets_what_came() -> None:
    archive = GOOD.npm_archive()
    with room() as base:
        receiver = receive(b"half of something else", base)
        receiver.restart()
        receiver.take(archive)
        receiver.finish([f"sha256:{hashlib.sha256(archive).hexdigest()}"])
        receiver.close()


def test_two_gzip_members_are_one_archive() -> None:
    plain = tar_of(GOOD.members)
    half = len(plain) // 2
    with room() as base:
        install(gzipped(plain[:half]) + gzipped(plain[half:]), base)
        assert unpacked(base) == expected_version_folder(GOOD)


def test_a_link_may_not_stand_where_a_folder_was_checked() -> None:
    """The order of entries does not help: all are checked before the first is written."""
    inside = [replace(member, name=f"package/{member.name}") for member in GOOD.members]
    trap = [
        Member("package/data/Cli/late", kind=tarfile.SYMTYPE, target="../../../neighbour"),
        Member("package/data/Cli/late/precious", b"changed"),
    ]
    with room() as base:
        with pytest.raises(InstallerError):
            install(tgz_of([*inside, *trap]), base)
        assert unpacked(base) == {}


def test_an_archive_of_too_many_entries_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wasp_installer.placing.unpacking.ENTRY_LIMIT", len(GOOD.members))
    with room() as base:
        assert outcome(tgz_of(GOOD.members), base) is None
    with room() as base:
        assert outcome(tgz_of([*GOOD.members, Member("data/more")]), base) == "unsafe-archive"
        assert unpacked(base) == {}
