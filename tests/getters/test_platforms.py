"""Which build is chosen where, asked through `--dry-run` with faked tools."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.support.archives import tiny_package
from tests.support.frontends import FrontEnd
from tests.support.getters import Getters
from tests.support.machines import Machine
from tests.support.releases import (
    Upstream,
    github_download_path,
    npm_tarball_path,
)
from tests.support.skips import need
from tests.support.toolboxes import Toolbox, macos_toolbox
from tests.support.trees import expected_version_folder


@dataclass(frozen=True)
class Platform:
    """What a machine says of itself, and what it must get."""

    machine: str
    libc: str
    npm: str
    github: str
    arch: str

    def set_up(self, toolbox: Toolbox) -> None:
        toolbox.fake_uname("Linux", self.machine)
        if self.libc == "musl":
            toolbox.fake_musl()
        else:
            toolbox.fake_glibc(self.libc)


STATIC = ("linux-x64-musl", "linux-x86_64-static", "x86_64")
LINUX = {
    "glibc": Platform("x86_64", "2.36", "linux-x64-glibc", "linux-x86_64", "x86_64"),
    "oldest-glibc": Platform("amd64", "2.29", "linux-x64-glibc", "linux-x86_64", "x86_64"),
    "older-glibc": Platform("x86_64", "2.28", *STATIC),
    "glibc-2.4": Platform("x86_64", "2.4", *STATIC),
    "alpine": Platform("x86_64", "musl", *STATIC),
    "arm": Platform("aarch64", "2.36", "linux-arm64-glibc", "linux-aarch64", "aarch64"),
}


@pytest.mark.parametrize("name", LINUX)
def test_linux(both: Getters, upstream: Upstream, name: str) -> None:
    platform = LINUX[name]
    upstream.publish("0.25.0")
    upstream.publish("0.19.0", npm=False, latest=False)
    platform.set_up(both.machine.toolbox)
    told = both.install(None, "--dry-run").ok().json
    assert told["url"] == f"{upstream.server.url}{npm_tarball_path('0.25.0', platform.npm)}"
    libc = "musl" if platform.libc == "musl" else "glibc"
    described = {name: told["platform"][name] for name in ("os", "arch", "libc")}
    assert described == {"os": "linux", "arch": platform.arch, "libc": libc}
    told = both.install("0.19.0", "--dry-run").ok().json
    assert told["url"].endswith(github_download_path("0.19.0", platform.github))


# --- How it is found out -------------------------------------------------------------------------

LDD = "echo 'ldd (Ubuntu GLIBC 2.36-3ubuntu1.6) 2.36'; echo 'Copyright (C) 2018 Free Software'"
TOOLS: dict[str, tuple[dict[str, str | None], str]] = {
    "only ldd": ({"getconf": "exit 1", "ldd": LDD}, "glibc"),
    "getconf knows a word less": ({"getconf": "echo undefined", "ldd": LDD}, "glibc"),
    "ldd is a shell script that complains": (
        {"getconf": None, "ldd": f"echo 'warning: setlocale: LC_ALL' >&2; {LDD}"},
        "glibc",
    ),
    "ldd minds the locale": (
        {"getconf": None, "ldd": f'[ "$LC_ALL" = C ] || exit 1; {LDD}'},
        "glibc",
    ),
    "ldd minds what bash reads": (
        {"getconf": None, "ldd": f'[ -z "$BASH_ENV" ] || echo noise; {LDD}'},
        "glibc",
    ),
    "ldd of musl": (
        {
            "getconf": "exit 1",
            "ldd": "echo 'musl libc (x86_64)' >&2; echo 'Version 1.2' >&2; exit 1",
        },
        "musl",
    ),
    "ldd fails after it has answered": ({"getconf": None, "ldd": f"{LDD}; exit 1"}, "musl"),
    "neither is there": ({"getconf": None, "ldd": None}, "musl"),
}


@pytest.mark.parametrize("case", TOOLS)
def test_the_c_library(both: Getters, upstream: Upstream, case: str) -> None:
    """Noise is no answer, and what cannot be told gets the build that runs anywhere."""
    scripts, libc = TOOLS[case]
    upstream.publish("0.25.0")
    noise = both.machine.root / "noise.sh"
    noise.write_text("echo noise\n")
    both.machine.set(LC_ALL="xx_XX.UTF-8", BASH_ENV=str(noise))
    for tool, body in scripts.items():
        both.machine.toolbox.remove(tool)
        if body is not None:
            both.machine.toolbox.script(tool, body)
    # Some shells tell of a locale that is missing themselves.
    told = both.install(None, "--dry-run", certain_only=True).ok().json
    assert told["platform"]["libc"] == libc


def test_the_c_library_by_a_bash_script_in_a_noisy_world(
    machine: Machine, upstream: Upstream
) -> None:
    """The real ldd is one. A locale that is missing, tracing, and a folder that is gone."""
    need(Path("/usr/bin/ldd").exists(), "no ldd on this machine")
    upstream.publish("0.25.0")
    gone = machine.root / "gone"
    gone.mkdir()
    noise = machine.root / "noise.sh"
    noise.write_text("echo noise; echo noise >&2; rmdir . 2>/dev/null\n")
    machine.toolbox.remove("getconf").link("bash")
    machine.set(LC_ALL="xx_XX.UTF-8", BASH_ENV=str(noise), SHELLOPTS="xtrace")
    script = f"cd '{gone}' && rmdir '{gone}' && exec \"$@\""
    machine.wrapper = ["/bin/sh", "-c", script, "sh"]
    told = machine.install(None, "--dry-run").ok().json
    assert told["platform"]["libc"] == "glibc"


# --- macOS ---------------------------------------------------------------------------------------

MACS = {
    "intel": ("x86_64", False, "darwin-x64-unknown", "macos-x86_64", "x86_64"),
    "apple-silicon": ("arm64", False, "darwin-arm64-unknown", "macos-aarch64", "aarch64"),
    "rosetta": ("x86_64", True, "darwin-arm64-unknown", "macos-aarch64", "aarch64"),
}


def become_mac(both: Getters, kind: str) -> Machine:
    processor, translated, *_ = MACS[kind]
    machine = both.machine
    machine.toolbox = macos_toolbox(machine.root / "mac-tools", processor, translated)
    return machine.set(PATH=str(machine.toolbox.folder), SHELL="/bin/zsh")


@pytest.mark.parametrize("kind", MACS)
def test_macos(both: Getters, upstream: Upstream, kind: str) -> None:
    upstream.publish("0.25.0")
    machine = become_mac(both, kind)
    _, _, npm, github, arch = MACS[kind]
    told = both.install().ok().json
    assert told["url"] == f"{upstream.server.url}{npm_tarball_path('0.25.0', npm)}"
    platform = {"os": "macos", "arch": arch, "libc": None}
    assert machine.layout.receipt("0.25.0")["platform"] == platform
    assert machine.wasp("version").stdout == "0.25.0\n"
    told = both.install(None, "--dry-run", "--source", "github", "--force").ok().json
    assert told["url"] == f"{upstream.server.url}{github_download_path('0.25.0', github)}"


@pytest.mark.parametrize(
    ("kind", "published", "chosen", "digests"),
    [
        ("apple-silicon", ["macos-universal", "macos-x86_64"], "macos-universal", True),
        ("apple-silicon", ["macos-x86_64", "linux-x86_64"], "macos-x86_64", True),
        ("apple-silicon", ["macos-x86_64", "linux-x86_64"], "macos-x86_64", False),
        ("intel", ["macos-universal", "macos-aarch64"], "macos-universal", False),
    ],
)
def test_the_builds_of_older_releases_for_macos(
    both: Getters,
    upstream: Upstream,
    kind: str,
    published: list[str],
    chosen: str,
    digests: bool,
) -> None:
    upstream.publish("0.19.0", npm=False, github_names=published, digests=digests)
    become_mac(both, kind)
    told = both.install("0.19.0", "--dry-run").ok().json
    assert told["url"] == f"{upstream.server.url}{github_download_path('0.19.0', chosen)}"


def test_bsd_tar_unpacks_the_same(
    shell_machine: Machine, shell: FrontEnd, upstream: Upstream
) -> None:
    assert shell.is_shell
    package = replace(tiny_package("0.25.0"))
    upstream.publish("0.25.0", package=package)
    shell_machine.toolbox.alias("tar", "bsdtar")
    shell_machine.install().ok()
    assert shell_machine.layout.version_picture("0.25.0") == expected_version_folder(package)


# --- Refused -------------------------------------------------------------------------------------

REFUSED = {
    "freebsd": ("FreeBSD", "amd64", "FreeBSD"),
    "i686": ("Linux", "i686", "i686"),
    "armv7": ("Linux", "armv7l", "armv7l"),
    "riscv": ("Linux", "riscv64", "riscv64"),
    "git-bash": ("MINGW64_NT-10.0-19045", "x86_64", "WSL"),
    "powerpc-mac": ("Darwin", "'Power Macintosh'", "Power"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_platform_without_releases_is_refused(both: Getters, name: str) -> None:
    system, processor, word = REFUSED[name]
    both.machine.toolbox.fake_uname(system, processor)
    both.install().failed(3, "unsupported-platform").says(word)


@pytest.mark.parametrize("processor", ["x86_64", "aarch64"])
def test_a_32_bit_userland_is_refused(both: Getters, processor: str) -> None:
    both.machine.toolbox.fake_uname("Linux", processor)
    both.machine.toolbox.script("getconf", '[ "$1" = LONG_BIT ] && echo 32')
    both.install().failed(3, "unsupported-platform").says("32-bit")


@pytest.mark.parametrize("libc", ["musl", "2.27"])
def test_the_static_build_is_not_made_for_arm(both: Getters, libc: str) -> None:
    Platform("aarch64", libc, "", "", "aarch64").set_up(both.machine.toolbox)
    run = both.install().failed(3, "unsupported-platform")
    run.says("musl") if libc == "musl" else run.says("glibc", "2.29", "2.27")


def test_what_is_installed_can_be_listed_on_any_platform(shell_machine: Machine) -> None:
    shell_machine.layout.plant("0.25.0")
    shell_machine.toolbox.fake_uname("FreeBSD", "amd64")
    assert shell_machine.run("list").ok().stdout == "  0.25.0\n"
