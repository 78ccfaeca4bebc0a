"""The machine: told by tools that may be missing, slow, chatty or wrong."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from wasp_installer import InstallerError
from wasp_installer.getting import platforms
from wasp_installer.getting.platforms import Builds, Platform, choose_builds, identify

GLIBC = "echo glibc 2.36"
GLIBC_LDD = "echo 'ldd (Debian GLIBC 2.31-13) 2.31'; echo Copyright"
MUSL_LDD = "echo 'musl libc (x86_64)' >&2; exit 1"


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The whole of PATH: a Linux whose uname is all that it has."""
    monkeypatch.setenv("PATH", str(tmp_path))
    script(tmp_path, "uname", '[ "$1" = -s ] && echo Linux || echo x86_64')
    return tmp_path


def script(tools: Path, name: str, body: str) -> None:
    (tools / name).write_text(f"#!/bin/sh\n{body}\n")
    (tools / name).chmod(0o755)


@pytest.mark.parametrize(
    ("getconf", "ldd", "libc", "version"),
    [
        (GLIBC, "exit 1", "glibc", "2.36"),
        (GLIBC, GLIBC_LDD, "glibc", "2.36"),
        ("exit 1", GLIBC_LDD, "glibc", "2.31"),
        ("exit 1", "echo 'ldd (GNU libc) 2.17'", "glibc", "2.17"),
        ("exit 1", MUSL_LDD, "musl", ""),
        # A complaint is no answer, and an answer that fails is none.
        ("echo 'bash: warning: no such locale' >&2; echo glibc 2.36", "", "glibc", "2.36"),
        ("echo 'warning: no such locale'; echo glibc 2.36", GLIBC_LDD, "glibc", "2.31"),
        ("echo glibc 2.36; exit 3", "echo 'ldd (GNU libc) 2.17'; exit 3", "musl", ""),
        ("echo 'glibc $(id)'", "echo 'GLIBC unknown'", "musl", ""),
        ("", "", "musl", ""),
    ],
)
def test_the_c_library(tools: Path, getconf: str, ldd: str, libc: str, version: str) -> None:
    script(tools, "getconf", getconf)
    script(tools, "ldd", ldd)
    platform = identify()
    assert (platform.os, platform.arch) == ("linux", "x86_64")
    assert (platform.libc, platform.glibc_version) == (libc, version)


def test_without_any_tool_the_static_build_is_taken(tools: Path) -> None:
    assert identify().libc == "musl"
    assert tools.is_dir()


def test_the_tools_are_asked_in_one_language_and_undisturbed(
    tools: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LC_ALL", "BASH_ENV", "ENV", "SHELLOPTS", "LD_LIBRARY_PATH", "LD_PRELOAD"):
        monkeypatch.setenv(name, "/no/such")
    seen = tools / "seen"
    script(tools, "getconf", f'/usr/bin/env >"{seen}"; pwd >>"{seen}"; {GLIBC}')
    identify()
    lines = seen.read_text().splitlines()
    assert "LC_ALL=C" in lines
    assert lines[-1] == "/"
    assert [line for line in lines if "/no/such" in line] == []


def test_a_tool_that_hangs_is_as_one_that_is_not_there(
    tools: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wasp_installer.programs.HELPER_LIMIT_S", 0.2)
    script(tools, "getconf", "exec /bin/sleep 60")
    script(tools, "ldd", GLIBC_LDD)
    assert identify().glibc_version == "2.31"


def linux(
    arch: str = "x86_64", libc: str = "glibc", version: str = "2.36", **more: object
) -> Platform:
    return Platform("Linux", arch, "linux", arch, libc, version, **more)  # type: ignore[arg-type]


GLIBC_BUILD = Builds("linux-x64-glibc", ("linux-x86_64",))
STATIC_BUILD = Builds("linux-x64-musl", ("linux-x86_64-static",))
ARM_BUILD = Builds("linux-arm64-glibc", ("linux-aarch64",))


@pytest.mark.parametrize(
    ("platform", "builds"),
    [
        (linux(), GLIBC_BUILD),
        (linux(version="2.29"), GLIBC_BUILD),
        (linux(version="3.0"), GLIBC_BUILD),
        (linux(version="2.28"), STATIC_BUILD),
        (linux(version="2.4"), STATIC_BUILD),
        (linux(libc="musl", version=""), STATIC_BUILD),
        (linux(has_loader=False), STATIC_BUILD),
        (linux("aarch64"), ARM_BUILD),
        (linux("aarch64", version="2.29"), ARM_BUILD),
    ],
)
def test_the_builds_of_linux(platform: Platform, builds: Builds) -> None:
    assert choose_builds(platform) == builds


@pytest.mark.parametrize(
    ("platform", "said"),
    [
        (linux("aarch64", version="2.28"), "2.29"),
        (linux("aarch64", libc="musl"), "aarch64 with musl"),
        (Platform("Linux", "riscv64", "linux", None), "riscv64 processors"),
        (Platform("FreeBSD", "amd64", None, "x86_64"), "FreeBSD"),
        (Platform("", "", None, None), "this system"),
        (Platform("MINGW64_NT-10.0", "x86_64", "windows", "x86_64"), "inside WSL"),
    ],
)
def test_what_wasp_has_no_release_for(platform: Platform, said: str) -> None:
    with pytest.raises(InstallerError) as caught:
        choose_builds(platform)
    assert (caught.value.slug, caught.value.code) == ("unsupported-platform", 3)
    assert said in caught.value.message


def test_a_32_bit_userland_is_refused(tools: Path) -> None:
    script(tools, "getconf", '[ "$1" = LONG_BIT ] && echo 32')
    with pytest.raises(InstallerError, match="32-bit userland"):
        choose_builds(linux())


@pytest.mark.parametrize(("distro", "has_loader"), [("debian", True), ("nixos", False)])
def test_the_loader_of_nixos_is_a_stub(
    tools: Path, monkeypatch: pytest.MonkeyPatch, distro: str, has_loader: bool
) -> None:
    monkeypatch.setattr(platforms, "_distribution", lambda: distro)
    monkeypatch.setattr(platforms, "_LOADER", str(tools / "uname"))
    assert identify().has_loader == has_loader
    monkeypatch.setattr(platforms, "_LOADER", str(tools / "missing"))
    assert not identify().has_loader


def test_the_current_folder_may_be_gone(tools: Path, tmp_path: Path) -> None:
    script(tools, "getconf", GLIBC)
    before, gone = os.getcwd(), tmp_path / "gone"
    gone.mkdir()
    os.chdir(gone)
    try:
        gone.rmdir()
        assert identify().libc == "glibc"
    finally:
        os.chdir(before)
