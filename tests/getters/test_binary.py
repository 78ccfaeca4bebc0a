"""The binary is tried once: when it does not run, all is put back and the reason is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.archives import failing_binary, foreign_machine_binary, tiny_package
from tests.support.functions import call_functions
from tests.support.getters import Getters
from tests.support.machines import Machine
from tests.support.releases import Upstream
from tests.support.trees import picture
from wasp_installer import InstallerError
from wasp_installer.placing.binary import reported_version

MISSING_LIBRARY = (
    "wasp-bin: error while loading shared libraries: libgmp.so.10: cannot open shared object file"
)
OLD_GLIBC = "wasp-bin: /lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.29` not found"
BROKEN = {
    "missing-library": (failing_binary(127, MISSING_LIBRARY), "apt-get install libgmp10"),
    "old-glibc": (failing_binary(1, OLD_GLIBC), "GLIBC_2.29"),
    "needs-rosetta": (failing_binary(126, "sh: wasp-bin: Bad CPU type"), "--install-rosetta"),
    "crash": (b"#!/bin/sh\nkill -SEGV $$\n", "report it"),
    "wrong-machine": (foreign_machine_binary(), "does not run here"),
    "no-interpreter": (b"#!/no/such/interpreter\n", "does not run here"),
    "says-nothing": (b"#!/bin/sh\nexit 0\n", "does not say which version"),
    "escapes": (failing_binary(1, "\033]0;title\a wasp: it failed"), "it failed"),
}


def archive_with(binary: bytes) -> bytes:
    return replace(tiny_package("0.25.0"), binary=binary).npm_archive()


@pytest.mark.parametrize("kind", BROKEN)
def test_a_binary_that_does_not_run_is_told_and_rolled_back(both: Getters, kind: str) -> None:
    binary, words = BROKEN[kind]
    both.has_current("0.24.0")
    both.machine.toolbox.script("apt-get", "exit 9")
    before = picture(both.machine.home)
    # In the words of the system, some of which only a shell has.
    run = both.install(None, *both.file(archive_with(binary)), certain_only=True)
    run.failed(3, "binary-does-not-run").says(words)
    assert "\033" not in run.stderr
    assert picture(both.machine.home) == before
    assert both.machine.wasp("version").stdout == "0.24.0\n"


def test_an_empty_binary_is_refused(machine: Machine) -> None:
    archive = machine.root / "wasp.tgz"
    archive.write_bytes(archive_with(b""))
    machine.install(None, "--from-file", str(archive)).failed(3, "binary-does-not-run")
    assert picture(machine.home) == {}


def test_force_with_a_broken_release_keeps_what_was_there(
    both: Getters, upstream: Upstream
) -> None:
    both.has_current("0.25.0")
    before = picture(both.machine.home)
    broken = replace(tiny_package("0.25.0"), binary=BROKEN["missing-library"][0])
    upstream.publish("0.25.0", package=broken)
    both.install("0.25.0", "--force").failed(3, "binary-does-not-run").says("libgmp.so.10")
    assert picture(both.machine.home) == before


@pytest.mark.parametrize("said", ["0.25.0/../../evil", "$(touch evil)"])
def test_what_the_binary_says_is_no_path(both: Getters, said: str) -> None:
    both.install(None, *both.file(archive_with(f"#!/bin/sh\necho '{said}'\n".encode())))
    assert both.machine.layout.versions() in ([], ["0.25.0"])
    assert not [name for name in picture(both.machine.root) if "evil" in name]


def test_it_is_tried_in_peace(both: Getters) -> None:
    """Without telemetry, news and input, in the user's own locale."""
    both.machine.set(LC_ALL="de_DE.UTF-8")
    checks = (
        '"$WASP_TELEMETRY_DISABLE" = 1',
        '"$WASP_AUTO_NEWS_DISABLE" = 1',
        '-d "$waspc_datadir"',
    )
    binary = "#!/bin/sh\ncat\n" + "".join(f"[ {check} ] || exit 3\n" for check in checks)
    binary += '[ "$LC_ALL" = de_DE.UTF-8 ] || exit 4\necho 0.25.0\n'
    both.install(None, *both.file(archive_with(binary.encode())), stdin="not for it\n").ok()


def test_below_destdir_it_is_tried_where_it_is(both: Getters) -> None:
    stage = both.machine.home / "stage"
    both.machine.set(DESTDIR=str(stage))
    binary = BROKEN["missing-library"][0]
    both.install(None, *both.file(archive_with(binary)), "--prefix", "/usr").failed(3)
    assert not stage.exists()
    both.install(None, *both.file(archive_with(tiny_package("0.25.0").binary)), "--prefix", "/usr")
    assert (stage / "usr/share/wasp-lang/0.25.0/wasp-bin").exists()


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
