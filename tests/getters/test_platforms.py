"""Which build is chosen where, asked through `--dry-run --json` with faked tools."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.support.archives import tiny_package
from tests.support.frontends import FrontEnd
from tests.support.machines import Machine, MachineRoom
from tests.support.releases import (
    GITHUB_NAMES,
    Upstream,
    github_download_path,
    npm_tarball_path,
)
from tests.support.toolboxes import Toolbox, macos_toolbox
from tests.support.trees import expected_version_folder


@dataclass(frozen=True)
class Platform:
    """What a machine says of itself, and what it must get."""

    machine: str
    libc: str | None
    npm: str
    github: str
    arch: str

    def set_up(self, toolbox: Toolbox) -> None:
        toolbox.fake_uname("Linux", self.machine)
        if self.libc == "musl":
            toolbox.fake_musl()
        elif self.libc is not None:
            toolbox.fake_glibc(self.libc)


LINUX = {
    "glibc": Platform("x86_64", "2.36", "linux-x64-glibc", "linux-x86_64", "x86_64"),
    "amd64": Platform("amd64", "2.36", "linux-x64-glibc", "linux-x86_64", "x86_64"),
    "oldest-glibc": Platform("x86_64", "2.29", "linux-x64-glibc", "linux-x86_64", "x86_64"),
    "glibc-3": Platform("x86_64", "3.0", "linux-x64-glibc", "linux-x86_64", "x86_64"),
    "older-glibc": Platform("x86_64", "2.28", "linux-x64-musl", "linux-x86_64-static", "x86_64"),
    "ubuntu-18": Platform("x86_64", "2.27", "linux-x64-musl", "linux-x86_64-static", "x86_64"),
    "glibc-2.4": Platform("x86_64", "2.4", "linux-x64-musl", "linux-x86_64-static", "x86_64"),
    "alpine": Platform("x86_64", "musl", "linux-x64-musl", "linux-x86_64-static", "x86_64"),
    "arm": Platform("aarch64", "2.36", "linux-arm64-glibc", "linux-aarch64", "aarch64"),
    "arm64": Platform("arm64", "2.36", "linux-arm64-glibc", "linux-aarch64", "aarch64"),
}


@pytest.mark.parametrize("name", LINUX)
def test_linux_from_npm(machine: Machine, upstream: Upstream, name: str) -> None:
    upstream.publish("0.25.0")
    platform = LINUX[name]
    platform.set_up(machine.toolbox)
    told = machine.install(None, "--dry-run").ok().json
    assert told["url"] == f"{upstream.server.url}{npm_tarball_path('0.25.0', platform.npm)}"
    assert told["platform"]["os"] == "linux"
    assert told["platform"]["arch"] == platform.arch
    assert told["platform"]["libc"] == ("musl" if platform.libc == "musl" else "glibc")


@pytest.mark.parametrize("name", LINUX)
def test_linux_from_github(machine: Machine, upstream: Upstream, name: str) -> None:
    upstream.publish("0.19.0")
    platform = LINUX[name]
    platform.set_up(machine.toolbox)
    told = machine.install("0.19.0", "--dry-run").ok().json
    path = github_download_path("0.19.0", platform.github)
    assert told["url"] == f"{upstream.server.url}{path}"


def test_an_old_glibc_installs_the_static_build(machine: Machine, upstream: Upstream) -> None:
    release = upstream.publish("0.25.0")
    machine.toolbox.fake_uname("Linux", "x86_64").fake_glibc("2.27")
    machine.install().ok()
    assert upstream.server.count(npm_tarball_path("0.25.0", "linux-x64-musl")) == 1
    assert machine.layout.version_picture("0.25.0") == expected_version_folder(release.package)
    assert machine.layout.receipt("0.25.0")["platform"]["libc"] == "glibc"


def test_a_musl_system_without_any_of_its_own_tools(machine: Machine, upstream: Upstream) -> None:
    """Where neither ldd nor getconf is, the static build is the one that runs anywhere."""
    upstream.publish("0.25.0")
    machine.toolbox.fake_uname("Linux", "x86_64").remove("ldd", "getconf")
    told = machine.install(None, "--dry-run").ok().json
    assert told["url"].endswith(("linux-x64-musl-0.25.0.tgz", "linux-x64-glibc-0.25.0.tgz"))


# --- macOS ---------------------------------------------------------------------------------------

MACS = {
    "intel": ("x86_64", False, "darwin-x64-unknown", "macos-x86_64", "x86_64"),
    "apple-silicon": ("arm64", False, "darwin-arm64-unknown", "macos-aarch64", "aarch64"),
    "rosetta": ("x86_64", True, "darwin-arm64-unknown", "macos-aarch64", "aarch64"),
}


def mac(machines: MachineRoom, front_end: FrontEnd, kind: str) -> Machine:
    processor, translated, *_ = MACS[kind]
    machine = machines.build(front_end)
    machine.toolbox = macos_toolbox(machine.root / "mac-tools", processor, translated)
    return machine.set(PATH=str(machine.toolbox.folder), SHELL="/bin/zsh")


@pytest.mark.parametrize("kind", MACS)
def test_macos(machines: MachineRoom, front_end: FrontEnd, upstream: Upstream, kind: str) -> None:
    upstream.publish("0.25.0")
    machine = mac(machines, front_end, kind)
    _, _, npm, github, arch = MACS[kind]
    told = machine.install().ok().json
    assert told["url"] == f"{upstream.server.url}{npm_tarball_path('0.25.0', npm)}"
    assert (told["platform"]["os"], told["platform"]["arch"]) == ("macos", arch)
    assert told["platform"]["libc"] is None
    assert machine.layout.receipt("0.25.0")["platform"] == {
        "os": "macos",
        "arch": arch,
        "libc": None,
    }
    assert machine.wasp("version").stdout == "0.25.0\n"
    told = machine.install(None, "--dry-run", "--source", "github", "--force").ok().json
    assert told["url"] == f"{upstream.server.url}{github_download_path('0.25.0', github)}"


@pytest.mark.parametrize(
    ("kind", "published", "chosen"),
    [
        ("apple-silicon", ["macos-universal", "macos-x86_64"], "macos-universal"),
        ("apple-silicon", ["macos-x86_64", "linux-x86_64"], "macos-x86_64"),
        ("apple-silicon", list(GITHUB_NAMES), "macos-aarch64"),
        ("intel", ["macos-universal", "macos-aarch64"], "macos-universal"),
    ],
)
def test_the_builds_of_older_releases_for_macos(
    machines: MachineRoom,
    front_end: FrontEnd,
    upstream: Upstream,
    kind: str,
    published: list[str],
    chosen: str,
) -> None:
    release = upstream.publish("0.19.0", npm=False, github_names=published)
    machine = mac(machines, front_end, kind)
    told = machine.install("0.19.0").ok().json
    assert told["url"] == f"{upstream.server.url}{github_download_path('0.19.0', chosen)}"
    assert told["digest"] == release.github_digest
    assert machine.wasp("version").stdout == "0.19.0\n"


def test_bsd_tar_unpacks_the_same(
    machines: MachineRoom, shell: FrontEnd, upstream: Upstream
) -> None:
    package = tiny_package("0.25.0")
    upstream.publish("0.25.0", package=package)
    machine = machines.build(shell)
    machine.toolbox.alias("tar", "bsdtar")
    machine.install().ok()
    assert machine.layout.version_picture("0.25.0") == expected_version_folder(package)


# --- Refused -------------------------------------------------------------------------------------

REFUSED = {
    "freebsd": ("FreeBSD", "amd64", "FreeBSD"),
    "openbsd": ("OpenBSD", "amd64", "OpenBSD"),
    "sunos": ("SunOS", "i86pc", "SunOS"),
    "i686": ("Linux", "i686", "i686"),
    "armv7": ("Linux", "armv7l", "armv7l"),
    "armv6": ("Linux", "armv6l", "armv6l"),
    "riscv": ("Linux", "riscv64", "riscv64"),
    "ppc": ("Linux", "ppc64le", "ppc64le"),
    "git-bash": ("MINGW64_NT-10.0-19045", "x86_64", "WSL"),
    "cygwin": ("CYGWIN_NT-10.0", "x86_64", "WSL"),
    "powerpc-mac": ("Darwin", "Power Macintosh", "Power"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_platform_without_releases_is_refused(
    machine: Machine, upstream: Upstream, name: str
) -> None:
    upstream.publish("0.25.0")
    system, processor, word = REFUSED[name]
    machine.toolbox.fake_uname(system, f"'{processor}'").fake_glibc("2.36")
    machine.install().failed(3, "unsupported-platform").says(word)
    assert machine.layout.versions() == []


@pytest.mark.parametrize("processor", ["x86_64", "aarch64"])
def test_a_32_bit_userland_is_refused(machine: Machine, upstream: Upstream, processor: str) -> None:
    upstream.publish("0.25.0")
    machine.toolbox.fake_uname("Linux", processor).fake_glibc("2.36")
    machine.toolbox.script("getconf", '[ "$1" = LONG_BIT ] && echo 32')
    machine.install().failed(3, "unsupported-platform").says("32-bit")


def test_musl_on_arm_is_refused(machine: Machine, upstream: Upstream) -> None:
    upstream.publish("0.25.0")
    machine.toolbox.fake_uname("Linux", "aarch64").fake_musl()
    machine.install().failed(3, "unsupported-platform").says("musl")


def test_an_old_glibc_on_arm_is_refused(machine: Machine, upstream: Upstream) -> None:
    upstream.publish("0.25.0")
    machine.toolbox.fake_uname("Linux", "aarch64").fake_glibc("2.27")
    machine.install().failed(3, "unsupported-platform").says("glibc", "2.29", "2.27")


def test_what_is_installed_can_be_listed_on_any_platform(machine: Machine) -> None:
    machine.layout.plant("0.25.0")
    machine.toolbox.fake_uname("FreeBSD", "amd64")
    assert machine.run("list").ok().stdout == "  0.25.0\n"
