"""Archives: corrupt and hostile ones are refused, and nothing is written outside."""

from __future__ import annotations

import gzip
import struct
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.archives import (
    Member,
    directory,
    gzipped,
    hard_link,
    symlink,
    tar_of,
    tar_without_end,
    tgz_of,
    tiny_package,
)
from tests.support.locks import made_once
from tests.support.machines import Machine
from tests.support.trees import picture

BINARY = Member("wasp-bin", tiny_package("0.25.0").binary, 0o755)
GOOD = [BINARY, Member("data/a", b"a\n")]

HOSTILE: dict[str, list[Member]] = {
    "traversal": [Member("../../../../escaped", b"x")],
    "traversal-in-data": [Member("data/../../../../escaped", b"x")],
    "traversal-in-package": [Member("package/../../../../escaped", b"x")],
    "dot-dot-inside": [Member("data/b/../c", b"x")],
    "absolute": [Member("/tmp/wasp-test-escaped", b"x")],
    "absolute-with-two-slashes": [Member("//tmp/wasp-test-escaped", b"x")],
    "link-out": [symlink("data/out", "../../../../outside")],
    "link-to-root": [symlink("data/out", "/")],
    "link-through-parent": [symlink("data/out", "x/../../../outside")],
    "binary-is-a-link-out": [symlink("data/sh", "/bin/sh")],
    "file-through-a-link": [
        symlink("data/out", "../../../../outside"),
        Member("data/out/escaped", b"x"),
    ],
    "file-through-a-chain-of-links": [
        directory("data/one/two"),
        symlink("data/one/two/up", ".."),
        symlink("data/one/up", "two/up/../../.."),
        Member("data/one/up/escaped", b"x"),
    ],
    "folder-becomes-a-link": [
        directory("data/folder"),
        symlink("data/folder", "../../../../outside"),
        Member("data/folder/escaped", b"x"),
    ],
    "hard-link-out": [hard_link("data/shadow", "/etc/passwd")],
    "hard-link-up": [hard_link("data/shadow", "../../../outside/precious")],
    "hard-link-overwrites": [
        hard_link("data/shadow", "../../../outside/precious"),
        Member("data/shadow", b"x"),
    ],
    "device": [Member("data/null", kind=tarfile.CHRTYPE)],
    "block-device": [Member("data/disk", kind=tarfile.BLKTYPE)],
    "fifo": [Member("data/pipe", kind=tarfile.FIFOTYPE)],
    "setuid": [Member("data/root", b"x", mode=0o4755)],
    "setgid": [Member("data/root", b"x", mode=0o2755)],
    "newline-in-name": [Member("data/two\nlines", b"x")],
    "escape-in-name": [Member("data/\x1b[2Jcleared", b"x")],
    "two-of-one-name": [Member("data/twice", b"one"), Member("data/twice", b"two")],
    "two-binaries": [Member("wasp-bin", b"#!/bin/sh\necho 0.25.0; touch evil\n", 0o755)],
}

CORRUPT: dict[str, bytes] = {
    "empty": b"",
    "no-gzip": b"this is no archive at all\n" * 50,
    "plain-tar": tar_of(GOOD),
    "gzip-of-text": gzipped(b"hello\n" * 1000),
    "gzip-of-nothing": gzipped(b""),
    "head-only": tgz_of(GOOD)[:10],
    "cut-in-the-middle": tgz_of([*GOOD, Member("data/z", bytes(range(256)) * 99)])[:-300],
    "cut-at-the-check": tgz_of(GOOD)[:-4],
    "cut-before-gzip": gzipped(tar_of(GOOD)[:700]),
    "bad-gzip-check": tgz_of(GOOD)[:-8] + b"\0\0\0\0" + tgz_of(GOOD)[-4:],
    "bad-header-check": gzipped(b"wasp-bin" + tar_of(GOOD)[:1000].replace(b"ustar", b"ustaR")),
    "no-binary": tgz_of([Member("data/a", b"a")]),
    "no-data": tgz_of([BINARY]),
    "binary-is-a-folder": tgz_of([directory("wasp-bin"), Member("data/a", b"a")]),
    "nothing-of-wasp": tgz_of([Member("readme.md", b"hi")]),
    "deeper": tgz_of([replace(member, name=f"wasp/dist/{member.name}") for member in GOOD]),
}


def refused(machine: Machine, archive: bytes, slug: str) -> None:
    """Installs from the archive, which must be refused without a trace."""
    outside = machine.root / "outside"
    outside.mkdir()
    (outside / "precious").write_text("precious\n")
    machine.layout.share.mkdir(parents=True)
    machine.layout.launcher.parent.mkdir()
    file = machine.root / "wasp.tgz"
    file.write_bytes(archive)
    before = picture(machine.root)
    run = machine.install("0.25.0", "--from-file", str(file)).failed(6, slug)
    assert "\x1b" not in run.stderr
    assert picture(machine.root) == before
    assert not Path("/tmp/wasp-test-escaped").exists()
    assert (outside / "precious").stat().st_nlink == 1


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_archive_is_refused(machine: Machine, kind: str) -> None:
    refused(machine, tgz_of([*GOOD, *HOSTILE[kind]]), "unsafe-archive")


@pytest.mark.parametrize("kind", ["traversal", "folder-becomes-a-link", "two-binaries", "setuid"])
def test_it_does_not_matter_where_in_the_archive(machine: Machine, kind: str) -> None:
    refused(machine, tgz_of([*HOSTILE[kind], *GOOD]), "unsafe-archive")


def test_a_hostile_archive_leaves_nothing_outside(machine: Machine) -> None:
    members = [*HOSTILE["file-through-a-link"], *GOOD]
    refused(machine, tgz_of(members), "unsafe-archive")


@pytest.mark.parametrize("kind", ["absolute", "link-out", "device"])
@pytest.mark.parametrize(
    "archive_format", [tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT], ids=["gnu", "ustar"]
)
def test_the_tar_format_does_not_matter(machine: Machine, kind: str, archive_format: int) -> None:
    archive = gzipped(tar_of([*GOOD, *HOSTILE[kind]], archive_format))
    refused(machine, archive, "unsafe-archive")


@pytest.mark.parametrize("kind", CORRUPT)
def test_a_corrupt_archive_is_refused(machine: Machine, kind: str) -> None:
    refused(machine, CORRUPT[kind], "corrupt-archive")


def test_a_cut_archive_is_refused(machine: Machine) -> None:
    refused(machine, CORRUPT["cut-in-the-middle"], "corrupt-archive")


@pytest.mark.parametrize("garbage", [b"garbage behind the end", b"\x1f\x8b\x08garbage"])
def test_garbage_behind_the_archive_is_refused(machine: Machine, garbage: bytes) -> None:
    refused(machine, tgz_of(GOOD) + garbage, "corrupt-archive")


def test_a_download_that_is_a_web_page_is_called_so(machine: Machine) -> None:
    page = b"<!DOCTYPE html><html><body>Not found</body></html>"
    refused(machine, page, "corrupt-archive")


def test_long_names_are_kept(machine: Machine) -> None:
    """Longer than the 100 characters that a plain tar header has room for."""
    name = "data/" + "/".join(f"folder-{number:02}-with-a-long-name" for number in range(9))
    archive = machine.root / "wasp.tgz"
    archive.write_bytes(tgz_of([BINARY, Member(f"{name}/file", b"deep\n")]))
    machine.install(None, "--from-file", str(archive)).ok()
    assert (machine.layout.version_folder("0.25.0") / name / "file").read_text() == "deep\n"


def test_the_owner_in_the_archive_does_not_matter(machine: Machine) -> None:
    archive = machine.root / "wasp.tgz"
    file = tar_of(GOOD)
    # The owner's number in each header; the sums in the headers are mended after it.
    archive.write_bytes(gzipped(_owned_by(file, 4321)))
    machine.install(None, "--from-file", str(archive)).ok()
    info = machine.layout.binary("0.25.0").stat()
    assert info.st_uid != 4321


def _owned_by(archive: bytes, owner: int) -> bytes:
    blocks = bytearray(archive)
    for start in range(0, len(blocks), 512):
        if blocks[start + 257 : start + 262] == b"ustar":
            blocks[start + 108 : start + 116] = f"{owner:07o}\0".encode()
            blocks[start + 148 : start + 156] = b" " * 8
            total = sum(blocks[start : start + 512])
            blocks[start + 148 : start + 156] = f"{total:06o}\0 ".encode()
    return bytes(blocks)


# --- Limits --------------------------------------------------------------------------------------


def test_a_bomb_is_refused(machine: Machine, shared_folder: Path) -> None:
    """More than a gigabyte of zeros in about a megabyte."""
    archive = made_once(shared_folder / "bomb.tgz", _bomb)
    refused(machine, archive.read_bytes(), "unsafe-archive")


def _bomb() -> bytes:
    part = 64 * 1024 * 1024
    header = replace(Member("data/zeros"), mode=0o644).info()
    header.size = 18 * part
    zeros = gzip.compress(bytes(part), 9, mtime=0)
    return gzipped(tar_without_end(GOOD) + header.tobuf()) + zeros * 18 + gzipped(bytes(1024))


def test_too_many_entries_are_refused(machine: Machine, shared_folder: Path) -> None:
    archive = made_once(shared_folder / "many.tgz", _many_entries)
    refused(machine, archive.read_bytes(), "unsafe-archive")


def _many_entries(count: int = 100_001) -> bytes:
    """Headers written by hand, as tarfile would take too long for so many."""
    empty = Member("data/0000000").info().tobuf(tarfile.USTAR_FORMAT)
    name_sum = sum(b"0000000")
    plain_sum = int(empty[148:154], 8)
    blocks = []
    for number in range(count):
        digits = f"{number:07}".encode()
        check = f"{plain_sum - name_sum + sum(digits):06o}\0 ".encode()
        blocks.append(empty[:5] + digits + empty[12:148] + check + empty[156:])
    body = b"".join(blocks)
    return gzip.compress(tar_without_end(GOOD) + body + bytes(1024), 1, mtime=0)


def test_a_size_that_lies_is_refused(machine: Machine) -> None:
    """A header that announces 8 GiB less a byte, with nothing behind it."""
    header = bytearray(Member("data/huge").info().tobuf(tarfile.USTAR_FORMAT))
    header[124:136] = b"77777777777\0"
    header[148:156] = b" " * 8
    struct.pack_into("8s", header, 148, f"{sum(header):06o}\0 ".encode())
    file = machine.root / "wasp.tgz"
    file.write_bytes(gzipped(tar_without_end(GOOD) + bytes(header)))
    run = machine.install("0.25.0", "--from-file", str(file)).failed(6)
    assert run.json["error"] in ("unsafe-archive", "corrupt-archive")
    assert machine.layout.versions() == []
