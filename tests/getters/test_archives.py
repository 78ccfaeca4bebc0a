"""Archives: corrupt and hostile ones, and those whose binary does not run, are refused.

tests/unit/test_archives.py has long tables for install.py, and tests/torture those for both.
"""

from __future__ import annotations

import gzip
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from tests.getters.deliveries import Take
from tests.support.archives import (
    DATA_MEMBERS,
    Member,
    directory,
    failing_binary,
    foreign_machine_binary,
    gzipped,
    hard_link,
    sha256_hex,
    symlink,
    tar_of,
    tar_without_end,
    tgz_of,
    tiny_package,
)
from tests.support.frontends import FrontEnd
from tests.support.getters import Getters
from tests.support.machines import Machine
from tests.support.processes import COLLECTING
from tests.support.raw_tar import RawMember, old_gnu_sparse
from tests.support.releases import Upstream
from tests.support.trees import expected_version_folder, picture

GOOD = [Member("wasp-bin", tiny_package("0.25.0").binary, 0o755), Member("data/a", b"a\n")]
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
    "below-a-link": [symlink("data/late", "../../../outside"), Member("data/late/precious")],
    "hard-link-up": [hard_link("data/shadow", "../../../outside/precious")],
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
    "garbage-behind-zeros": tgz_of(GOOD) + bytes(1 << 18) + b"x",
    "no-binary": tgz_of([Member("data/a", b"a")]),
    "deeper": tgz_of([replace(member, name=f"wasp/dist/{member.name}") for member in GOOD]),
    "web-page": b"<!DOCTYPE html><html><body>Not found</body></html>",
}

REFUSALS = {"unsafe-archive", "corrupt-archive"}


@pytest.mark.parametrize("tar", ["tar", "busybox", "bsdtar"])
def test_what_no_release_has_is_refused(take: Take, shell_machine: Machine, tar: str) -> None:
    shell_machine.toolbox.alias("tar", tar)
    archives = {name: tgz_of([*GOOD, *members]) for name, members in HOSTILE.items()} | CORRUPT
    if tar != "tar":
        differing = ("cut-in-the-middle", "traversal", "folder-becomes-a-link")
        archives = {name: archives[name] for name in differing}
    for name, both in take(archives).items():
        allowed = REFUSALS if name in HOSTILE else {"corrupt-archive"}
        assert {taken.slug for taken in both} <= allowed, (name, both)
        assert "\x1b" not in both[0].words + both[1].words
    assert not Path("/tmp/wasp-test-escaped").exists()


DEEP = "data/" + "/".join(f"folder-{number:02}-with-a-long-name" for number in range(9))
#: Links that stay inside, and long names.
FULL = replace(
    tiny_package("0.25.0"),
    data=(
        *DATA_MEMBERS,
        symlink("data/Cli/near", "starters/basic"),
        symlink("data/Cli/up", "../Generator/bin"),
        Member(f"{DEEP}/file", b"deep\n"),
    ),
)
NOT_OF_WASP = {
    ".receipt.json": b'{"version": "6.6.6"}',
    "wasp-bin.old": b"old",
    "database/x": b"x",
    "package.json": b'{"engines": {"node": ">=22.1.0"}}',
}


def test_an_honest_archive_is_taken_in_every_shape(take: Take) -> None:
    dotted = [replace(member, name=f"./{member.name}") for member in FULL.members]
    tar = tar_of([directory("./"), *dotted], tarfile.GNU_FORMAT)
    more = [Member(name, content) for name, content in NOT_OF_WASP.items()]
    whole = [replace(each, name=f"package/{each.name}") for each in (*more, *FULL.members)]
    archives = {
        "of npm": FULL.npm_archive(),
        "of GitHub": FULL.github_archive(),
        "decompressed by a browser": gzip.decompress(FULL.npm_archive()),
        "in two gzip members": gzipped(tar[:1000]) + gzipped(tar[1000:]),
        "dotted": gzipped(tar),
        "with more than Wasp": tgz_of(whole),
    }
    for name, both in take(archives).items():
        for taken in both:
            assert taken.files == expected_version_folder(FULL), (name, taken)
            assert taken.digest == f"sha256:{sha256_hex(archives[name])}"
            assert taken.node == (">=22.1.0" if name == "with more than Wasp" else "")


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


MIB = 1 << 20
#: With limits that are lower than the real ones.
MUCH = {
    "in many files": b"".join(
        RawMember(b"data/%d" % number, bytes(MIB)).tobytes() for number in range(17)
    ),
    "in one file": RawMember(b"data/zeros", bytes(17 * MIB)).tobytes(),
    "many": b"".join(RawMember(b"data/%d" % number).tobytes() for number in range(101)),
    "by a hole": old_gnu_sparse(b"data/hole", [(0, b"x" * 512), (1 << 30, b"")], 1 << 30),
}


def test_too_much_is_refused(take: Take, shell: FrontEnd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wasp_installer.placing.archives.UNPACKED_LIMIT", 16 * MIB)
    monkeypatch.setattr("wasp_installer.placing.unpacking.ENTRY_LIMIT", 100)
    start = tar_without_end(GOOD)
    archives = {name: gzipped(start + members + bytes(1024)) for name, members in MUCH.items()}
    if shell.name == "posh":
        # It has no ulimit, and the hole takes no room on a disk.
        del archives["by a hole"]
    settings = f"UNPACKED_LIMIT={16 * MIB} ENTRY_LIMIT=100"
    for name, both in take(archives, settings=settings).items():
        allowed = REFUSALS if name == "by a hole" else {"unsafe-archive"}
        assert {taken.slug for taken in both} <= allowed, (name, both)


MISSING_LIBRARY = "error while loading shared libraries: libgmp.so.10: cannot open shared object"
OLD_GLIBC = "wasp-bin: /lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.29 not found"
NOT_HERE = "does not run here"
UNSAID = "the binary in the archive does not say which version it is."
#: What they are, and what is said of it; and by install.py, where it has words of its own.
BROKEN: dict[str, tuple[bytes, str, str | None]] = {
    "missing library": (failing_binary(127, MISSING_LIBRARY), "apt-get install libgmp10", None),
    "old glibc": (failing_binary(1, OLD_GLIBC), "GLIBC_2.29", None),
    "needs Rosetta": (failing_binary(126, "sh: wasp-bin: Bad CPU type"), "--install-rosetta", None),
    "escapes": (failing_binary(1, "\033]0;title\a wasp: it failed"), "it failed", None),
    "says nothing": (b"#!/bin/sh\nexit 0\n", UNSAID, None),
    "no version": (b"#!/bin/sh\necho 01.25.0\n", UNSAID, None),
    "a command": (b"#!/bin/sh\necho '$(touch evil)'\n", UNSAID, None),
    "empty": (b"", "", ""),
    # In the words of the system, some of which only a shell has.
    "crash": (b"#!/bin/sh\nkill -SEGV $$\n", "report it", "(exit code 139)"),
    "wrong machine": (foreign_machine_binary(), NOT_HERE, "(exit code 126): Exec format error"),
    "no interpreter": (b"#!/none\n", NOT_HERE, "(exit code 127): No such file or directory"),
    "slow": (b"#!/bin/sh\nsleep 15\necho 0.25.0\n", f"{NOT_HERE} (exit code 124)", ""),
}


def archive_with(binary: bytes) -> bytes:
    return replace(tiny_package("0.25.0"), binary=binary).npm_archive()


def test_why_a_binary_does_not_run_is_told(
    take: Take, shell_machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell_machine.toolbox.script("apt-get", "exit 9")
    monkeypatch.setenv("PATH", str(shell_machine.toolbox.folder))
    monkeypatch.setattr("wasp_installer.placing.binary.HELPER_LIMIT_S", 1.0)
    archives = {name: archive_with(binary) for name, (binary, *_) in BROKEN.items()}
    for name, (by_sh, by_python) in take(archives, settings="HELPER_LIMIT_S=1").items():
        _, said, by_python_alone = BROKEN[name]
        assert by_sh.slug == by_python.slug == "binary-does-not-run", name
        assert all(said in words for words in (by_sh.words, by_python.words)), (name, by_sh)
        if by_python_alone is None:
            assert by_sh == by_python
        assert (by_python_alone or "") in by_python.words, name
        assert "\033" not in by_sh.words + by_python.words


#: And what it says is no path.
IN_PEACE = b"""#!/bin/sh
[ "$WASP_TELEMETRY_DISABLE,$WASP_AUTO_NEWS_DISABLE" = 1,1 ] || exit 3
[ -d "$waspc_datadir" ] && [ "$LC_ALL" = de_DE.UTF-8 ] && [ -z "$(cat)" ] || exit 3
echo 0.25.0/../../evil
"""


def test_it_is_tried_in_peace(take: Take, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without telemetry, news and input, in the user's own locale."""
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    monkeypatch.setenv(COLLECTING, "1")
    monkeypatch.delenv("WASP_TELEMETRY_DISABLE")
    settings = "user_locale=de_DE.UTF-8\nunset WASP_TELEMETRY_DISABLE"
    [both] = take({"": archive_with(IN_PEACE)}, settings=settings).values()
    assert [taken.version for taken in both] == ["0.25.0"] * 2, both


@pytest.mark.parametrize("destdir", ["", "stage"])
def test_a_broken_release_changes_nothing(both: Getters, upstream: Upstream, destdir: str) -> None:
    """Also where it is to be installed by force, or below a folder for a package."""
    both.has_current("0.25.0")
    both.machine.set(DESTDIR=destdir and f"{both.machine.home}/{destdir}")
    before = picture(both.machine.home)
    broken = replace(tiny_package("0.25.0"), binary=BROKEN["missing library"][0])
    upstream.publish("0.25.0", package=broken)
    both.install("0.25.0", "--force").failed(3, "binary-does-not-run").says("libgmp.so.10")
    assert picture(both.machine.home) == before
