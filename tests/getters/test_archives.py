"""Archives: corrupt and hostile ones are refused, and nothing is written outside.

tests/unit/test_archives.py has the long tables for install.py, and tests/torture those for both.
"""

from __future__ import annotations

import gzip
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.archives import (
    DATA_MEMBERS,
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
from tests.support.frontends import PYTHON, FrontEnd, patched
from tests.support.getters import Getters
from tests.support.machines import Machine, MachineRoom
from tests.support.raw_tar import RawMember, old_gnu_sparse
from tests.support.trees import expected_version_folder, picture

BINARY = Member("wasp-bin", tiny_package("0.25.0").binary, 0o755)
GOOD = [BINARY, Member("data/a", b"a\n")]

# One of each kind.
HOSTILE: dict[str, list[Member]] = {
    "traversal": [Member("data/../../../../escaped", b"x")],
    "absolute": [Member("/tmp/wasp-test-escaped", b"x")],
    "link-out": [symlink("data/out", "../../../../outside")],
    "link-through-parent": [symlink("data/out", "x/../../../outside")],
    "file-through-links": [
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
    "hard-link-up": [
        hard_link("data/shadow", "../../../outside/precious"),
        Member("data/shadow", b"x"),
    ],
    "device": [Member("data/null", kind=tarfile.CHRTYPE)],
    "setuid": [Member("data/root", b"x", mode=0o4755)],
    "setgid": [Member("data/group", b"x", mode=0o2755)],
    "hard-link": [hard_link("data/b", "data/a")],
    "link-up": [symlink("data/up", "..")],
    "link-to-root": [symlink("data/root", "/")],
    "newline-in-name": [Member("data/two\nlines", b"x")],
    "escape-in-name": [Member("data/\x1b[2Jcleared", b"x")],
}
CORRUPT: dict[str, bytes] = {
    "empty": b"",
    "gzip-of-text": gzipped(b"hello\n" * 1000),
    "cut-in-the-middle": tgz_of([*GOOD, Member("data/z", bytes(range(256)) * 99)])[:-300],
    "cut-between-entries": gzipped(tar_without_end(GOOD)),
    "bad-gzip-check": tgz_of(GOOD)[:-8] + b"\0\0\0\0" + tgz_of(GOOD)[-4:],
    "garbage-behind": tgz_of(GOOD) + b"\x1f\x8b\x08garbage",
    "no-binary": tgz_of([Member("data/a", b"a")]),
    "deeper": tgz_of([replace(member, name=f"wasp/dist/{member.name}") for member in GOOD]),
    "web-page": b"<!DOCTYPE html><html><body>Not found</body></html>",
}


def refused(machine: Machine, archive: bytes, *slugs: str) -> None:
    """Installs from the archive, which must be refused without a trace."""
    outside = machine.root / "outside"
    outside.mkdir()
    (outside / "precious").write_text("precious\n")
    machine.layout.share.mkdir(parents=True)
    machine.layout.launcher.parent.mkdir()
    file = machine.root / "wasp.tgz"
    file.write_bytes(archive)
    before = picture(machine.root)
    run = machine.install("0.25.0", "--from-file", str(file)).failed(6)
    assert run.json["error"] in slugs, run
    assert "\x1b" not in run.stderr
    assert picture(machine.root) == before
    assert not Path("/tmp/wasp-test-escaped").exists()
    assert (outside / "precious").stat().st_nlink == 1


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_archive_is_refused(shell_machine: Machine, kind: str) -> None:
    refused(shell_machine, tgz_of([*GOOD, *HOSTILE[kind]]), "unsafe-archive", "corrupt-archive")


@pytest.mark.parametrize("kind", CORRUPT)
def test_a_corrupt_archive_is_refused(shell_machine: Machine, kind: str) -> None:
    refused(shell_machine, CORRUPT[kind], "corrupt-archive")


def test_install_py_refuses_them_too(machines: MachineRoom) -> None:
    """One of each; all of them are in tests/unit/test_archives.py."""
    machine = machines.build(PYTHON, "hostile")
    refused(machine, tgz_of([*GOOD, *HOSTILE["traversal"]]), "unsafe-archive")
    refused(machines.build(PYTHON, "corrupt"), CORRUPT["bad-gzip-check"], "corrupt-archive")


def test_an_honest_archive_of_another_shape_is_taken(both: Getters) -> None:
    """With links that stay inside, long names, another owner, and "./" before every name."""
    deep = "data/" + "/".join(f"folder-{number:02}-with-a-long-name" for number in range(9))
    links = [symlink("data/Cli/near", "starters/basic"), symlink("data/Cli/up", "../Generator/bin")]
    package = replace(
        tiny_package("0.25.0"), data=(*DATA_MEMBERS, *links, Member(f"{deep}/file", b"deep\n"))
    )
    dotted = [replace(member, name=f"./{member.name}") for member in package.members]
    archive = _owned_by(tar_of([directory("./"), *dotted], tarfile.GNU_FORMAT), 4321)
    both.install(None, *both.file(gzipped(archive))).ok()
    layout = both.machine.layout
    assert layout.version_picture("0.25.0") == expected_version_folder(package)
    assert layout.binary("0.25.0").stat().st_uid != 4321


def _owned_by(archive: bytes, owner: int) -> bytes:
    blocks = bytearray(archive)
    for start in range(0, len(blocks), 512):
        if blocks[start + 257 : start + 262] == b"ustar":
            blocks[start + 108 : start + 116] = f"{owner:07o}\0".encode()
            blocks[start + 148 : start + 156] = b" " * 8
            total = sum(blocks[start : start + 512])
            blocks[start + 148 : start + 156] = f"{total:06o}\0 ".encode()
    return bytes(blocks)


def test_an_archive_that_a_browser_has_decompressed_is_taken(both: Getters) -> None:
    package = tiny_package("0.25.0")
    both.install(None, *both.file(gzip.decompress(package.npm_archive()))).ok()
    assert both.machine.layout.version_picture("0.25.0") == expected_version_folder(package)


def test_only_wasp_is_kept_of_an_archive(both: Getters) -> None:
    package = tiny_package("0.25.0")
    extras = [
        Member("package/.receipt.json", b'{"version": "6.6.6"}'),
        Member("package/wasp-bin.old", b"old", mode=0o755),
        Member("package/database/x", b"x"),
        Member("package/package.json", b'{"engines": {"node": ">=22.1.0"}}'),
    ]
    inside = [replace(member, name=f"package/{member.name}") for member in package.members]
    both.install(None, *both.file(tgz_of([*extras, *inside]))).ok()
    layout = both.machine.layout
    assert layout.version_picture("0.25.0") == expected_version_folder(package)
    assert layout.receipt("0.25.0")["node"] == ">=22.1.0"


def test_a_file_that_is_swapped_while_it_is_read(machine: Machine) -> None:
    """What was checked is what is unpacked: each tool finds the other archive at the path."""
    good, evil = tiny_package("0.25.0").npm_archive(), tiny_package("0.24.0").npm_archive()
    archive, other = machine.root / "wasp.tgz", machine.root / "other.tgz"
    archive.write_bytes(good)
    other.write_bytes(evil)
    for tool in ("sha256sum", "sha512sum", "tar", "gzip"):
        real = machine.toolbox.folder.joinpath(tool).resolve()
        machine.toolbox.script(tool, f"cp '{other}' '{archive}'; exec {real} \"$@\"")
    machine.install(None, "--from-file", str(archive)).ok()
    assert machine.layout.versions() == ["0.25.0"]


# --- Limits --------------------------------------------------------------------------------------


def test_a_bomb_is_refused(front_end: FrontEnd, machines: MachineRoom, tmp_path: Path) -> None:
    """Python meets more than a gigabyte; the sh program, which takes longer, has a lower limit."""
    parts = 18
    if front_end.is_shell:
        parts, front_end = 1, limited(front_end, tmp_path)
    refused(machines.build(front_end), _bomb(parts), "unsafe-archive")


def limited(shell: FrontEnd, folder: Path) -> FrontEnd:
    """By 16 MiB in place of a gigabyte."""
    less = {"UNPACKED_LIMIT=1073741824": "UNPACKED_LIMIT=16777216"}
    return patched(shell, folder / "patched", less)


MUCH = {
    "in many files": b"".join(
        RawMember(b"data/%d" % number, bytes(1 << 20)).tobytes() for number in range(17)
    ),
    "by a hole": old_gnu_sparse(b"data/hole", [(0, b"x" * 512), (1 << 30, b"")], 1 << 30),
}


@pytest.mark.parametrize("kind", MUCH)
def test_what_becomes_too_much_is_refused(
    shell: FrontEnd, machines: MachineRoom, tmp_path: Path, kind: str
) -> None:
    archive = gzipped(tar_without_end(GOOD) + MUCH[kind] + bytes(1024))
    refused(machines.build(limited(shell, tmp_path)), archive, "unsafe-archive", "corrupt-archive")


def _bomb(parts: int) -> bytes:
    """So many times 64 MiB of zeros."""
    part = 64 * 1024 * 1024
    header = replace(Member("data/zeros"), mode=0o644).info()
    header.size = parts * part
    zeros = gzip.compress(bytes(part), 1, mtime=0)
    return gzipped(tar_without_end(GOOD) + header.tobuf()) + zeros * parts + gzipped(bytes(1024))


def test_too_many_entries_are_refused(
    machines: MachineRoom, shell: FrontEnd, tmp_path: Path
) -> None:
    """By a lower limit than the real one; for install.py in tests/unit/test_archives.py."""
    fewer = patched(shell, tmp_path / "patched", {"ENTRY_LIMIT=100000": "ENTRY_LIMIT=100"})
    many = [Member(f"data/{number}") for number in range(101)]
    refused(machines.build(fewer), tgz_of([*GOOD, *many]), "unsafe-archive")
