"""The binary is tried once: when it does not run, all is put back and the reason is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.getters.deliveries import Take
from tests.support.archives import failing_binary, foreign_machine_binary, tiny_package
from tests.support.functions import call_functions
from tests.support.getters import Getters
from tests.support.machines import Machine
from tests.support.processes import COLLECTING
from tests.support.releases import Upstream
from tests.support.trees import picture
from wasp_installer import InstallerError
from wasp_installer.placing.binary import reported_version

MISSING_LIBRARY = (
    "wasp-bin: error while loading shared libraries: libgmp.so.10: cannot open shared object file"
)
OLD_GLIBC = "wasp-bin: /lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.29 not found"
UNSAID = "the binary in the archive does not say which version it is."
#: What they are, and what is said of it, by both in the same words but for the last ones.
BROKEN = {
    "missing library": (failing_binary(127, MISSING_LIBRARY), "apt-get install libgmp10"),
    "old glibc": (failing_binary(1, OLD_GLIBC), "GLIBC_2.29"),
    "needs Rosetta": (failing_binary(126, "sh: wasp-bin: Bad CPU type"), "--install-rosetta"),
    "escapes": (failing_binary(1, "\033]0;title\a wasp: it failed"), "it failed"),
    "says nothing": (b"#!/bin/sh\nexit 0\n", UNSAID),
    "empty": (b"", ""),
    "no version": (b"#!/bin/sh\necho 01.25.0\n", UNSAID),
    # In the words of the system, some of which only a shell has.
    "crash": (b"#!/bin/sh\nkill -SEGV $$\n", "report it"),
    "wrong machine": (foreign_machine_binary(), "does not run here"),
    "no interpreter": (b"#!/no/such/interpreter\n", "does not run here"),
}
UNLIKE = ("empty", "crash", "wrong machine", "no interpreter")


def archive_with(binary: bytes) -> bytes:
    return replace(tiny_package("0.25.0"), binary=binary).npm_archive()


def test_why_a_binary_does_not_run_is_told(
    take: Take, shell_machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell_machine.toolbox.script("apt-get", "exit 9")
    monkeypatch.setenv("PATH", str(shell_machine.toolbox.folder))
    archives = {name: archive_with(binary) for name, (binary, _) in BROKEN.items()}
    for name, both in take(archives).items():
        assert [taken.slug for taken in both] == ["binary-does-not-run"] * 2, name
        assert all(BROKEN[name][1] in taken.words for taken in both), (name, both)
        assert both[0] == both[1] or name in UNLIKE
        assert "\033" not in both[0].words + both[1].words


def test_what_it_says_is_no_path(take: Take) -> None:
    said = ("0.25.0/../../evil", "$(touch evil)")
    archives = {text: archive_with(f"#!/bin/sh\necho '{text}'\n".encode()) for text in said}
    for both in take(archives).values():
        assert {taken.version for taken in both} <= {"", "0.25.0"}


def test_it_is_tried_in_peace(take: Take, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without telemetry, news and input, in the user's own locale."""
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    monkeypatch.setenv(COLLECTING, "1")
    monkeypatch.delenv("WASP_TELEMETRY_DISABLE")
    checks = (
        '"$WASP_TELEMETRY_DISABLE" = 1',
        '"$WASP_AUTO_NEWS_DISABLE" = 1',
        '-d "$waspc_datadir"',
        '"$LC_ALL" = de_DE.UTF-8',
        '-z "$(cat)"',
    )
    binary = "#!/bin/sh\n" + "".join(f"[ {check} ] || exit 3\n" for check in checks)
    archive = archive_with(f"{binary}echo 0.25.0\n".encode())
    settings = "user_locale=de_DE.UTF-8\nunset WASP_TELEMETRY_DISABLE"
    [both] = take({"": archive}, settings=settings).values()
    assert [taken.version for taken in both] == ["0.25.0"] * 2, both


@pytest.mark.parametrize("destdir", [False, True])
def test_a_broken_release_keeps_what_was_there(
    both: Getters, upstream: Upstream, destdir: bool
) -> None:
    """Also where it is to be installed by force, or below a folder for a package."""
    both.has_current("0.25.0")
    if destdir:
        both.machine.set(DESTDIR=str(both.machine.home / "stage"))
    before = picture(both.machine.home)
    broken = replace(tiny_package("0.25.0"), binary=BROKEN["missing library"][0])
    upstream.publish("0.25.0", package=broken)
    run = both.install("0.25.0", "--force").failed(3, "binary-does-not-run")
    run.says("libgmp.so.10")
    assert picture(both.machine.home) == before


def test_a_binary_that_takes_too_long_does_not_run(
    shell_machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    binary = tmp_path / "new" / "wasp-bin"
    binary.parent.mkdir()
    binary.write_text("#!/bin/sh\nsleep 15\necho 0.25.0\n")
    binary.chmod(0o755)
    monkeypatch.setattr("wasp_installer.placing.binary.HELPER_LIMIT_S", 1.0)
    with pytest.raises(InstallerError) as caught:
        reported_version(binary.parent, "0.25.0", "/prefix")
    assert caught.value.slug == "binary-does-not-run"
    call = f"HELPER_LIMIT_S=1 staging='{tmp_path}' version=0.25.0\ncheck_binary"
    [said] = call_functions(shell_machine, [call])
    for words in (caught.value.message, said):
        assert "was unpacked but does not run here (exit code 124)" in words


@pytest.mark.parametrize(
    ("binary", "ending"),
    [
        (b"\x7fELF, but nothing more", "(exit code 126): Exec format error"),
        (b"#!/no/such/interpreter\n", "(exit code 127): No such file or directory"),
        (b"#!/bin/sh\necho it failed >&2; exit 3\n", "(exit code 3): it failed"),
    ],
)
def test_why_a_binary_does_not_run(tmp_path: Path, binary: bytes, ending: str) -> None:
    program = tmp_path / "wasp-bin"
    program.write_bytes(binary)
    program.chmod(0o755)
    with pytest.raises(InstallerError) as caught:
        reported_version(tmp_path, "0.25.0", "/prefix")
    assert caught.value.message == f"Wasp 0.25.0 was unpacked but does not run here {ending}"
