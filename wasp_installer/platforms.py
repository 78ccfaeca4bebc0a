"""Which machine this is, and which build of Wasp runs on it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from typing import Final, NoReturn

from .errors import InstallerError
from .versions import older_than

#: The oldest glibc that the release binaries run on (``objdump -T wasp-bin | grep GLIBC_``).
OLDEST_GLIBC: Final = "2.29"

_ARCHITECTURES: Final = {
    "x86_64": "x86_64",
    "amd64": "x86_64",
    "x64": "x86_64",
    "aarch64": "aarch64",
    "arm64": "aarch64",
}


@dataclass(frozen=True)
class Platform:
    """A platform that there is a build for.

    ``os`` is linux or macos, ``arch`` x86_64 or aarch64, ``libc`` glibc, musl or None (macOS),
    ``distro`` the ID of os-release. ``npm_build`` ends the name of the npm sub-package;
    ``github_builds`` are the middle parts of the release's asset names, the preferred one first.
    """

    os: str
    arch: str
    libc: str | None
    distro: str | None
    npm_build: str
    github_builds: tuple[str, ...]

    @property
    def is_debian_like(self) -> bool:
        """Whether its packages are named as Debian names them."""
        identifier, like = distribution()
        return "debian" in (identifier, *like.split())

    def __str__(self) -> str:
        """For people: "Linux x86_64 (glibc)"."""
        system = {"linux": "Linux", "macos": "macOS"}[self.os]
        return f"{system} {self.arch}" + (f" ({self.libc})" if self.libc else "")


def detect() -> Platform:
    """The platform of this machine, as the tools on PATH (uname, ldd, sysctl, getconf) tell it.

    Raises:
        InstallerError: "unsupported-platform".
    """
    system, machine = _answer("uname", "-s"), _answer("uname", "-m")
    if os.name == "nt" or system.startswith(("MINGW", "MSYS", "CYGWIN", "Windows")):
        raise InstallerError(
            "unsupported-platform",
            f"{system or 'This'} is Windows: Wasp runs there inside WSL.",
            "Open WSL (wsl --install, if there is none) and run this again in it.",
        )
    if system not in ("Linux", "Darwin"):
        _refuse(system or "this system")
    arch = _ARCHITECTURES.get(machine)
    if arch is None:
        _refuse(f"{machine} processors")
    if _answer("getconf", "LONG_BIT") == "32":
        _refuse(f"a 32-bit userland on a {arch} processor")
    return _linux(arch) if system == "Linux" else _macos(arch)


def _linux(arch: str) -> Platform:
    libc, glibc_version = _libc()
    distro = distribution()[0]
    if libc == "glibc" and not older_than(glibc_version, OLDEST_GLIBC):
        npm_arch = {"x86_64": "x64", "aarch64": "arm64"}[arch]
        return Platform("linux", arch, libc, distro, f"linux-{npm_arch}-glibc", (f"linux-{arch}",))
    if arch == "x86_64":
        # Linked statically, it needs neither glibc nor musl.
        return Platform("linux", arch, libc, distro, "linux-x64-musl", ("linux-x86_64-static",))
    if libc == "musl":
        _refuse(f"musl (Alpine) on {arch}")
    raise InstallerError(
        "unsupported-platform",
        f"Wasp needs glibc {OLDEST_GLIBC} or newer on {arch}; this system has {glibc_version}.",
        "Use a newer release of your distribution.",
    )


def _macos(arch: str) -> Platform:
    # A process under Rosetta sees an x86_64 machine.
    if "1" in (
        _answer("sysctl", "-n", "sysctl.proc_translated"),
        _answer("sysctl", "-n", "hw.optional.arm64"),
    ):
        arch = "aarch64"
    if arch == "aarch64":
        native, npm_build = "macos-aarch64", "darwin-arm64-unknown"
        builds: tuple[str, ...] = (native, "macos-universal", "macos-x86_64")
    else:
        native, npm_build = "macos-x86_64", "darwin-x64-unknown"
        builds = (native, "macos-universal")
    return Platform("macos", arch, None, None, npm_build, builds)


def _libc() -> tuple[str, str]:
    """The C library and, for glibc, its version."""
    said = _answer("ldd", "--version")
    if "musl" in said:
        return "musl", ""
    first_line = said.partition("\n")[0]
    if re.search("GLIBC|GNU|Free Software", said):
        version = first_line.rpartition(" ")[2]
    else:
        version = _answer("getconf", "GNU_LIBC_VERSION").replace("glibc ", "", 1)
    # Where neither is known to be here, the static build needs neither.
    return ("glibc", version) if re.match(r"[0-9].*\.[0-9]", version) else ("musl", "")


def _answer(*command: str) -> str:
    """What a tool says on both outputs, or "" without it."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
    except OSError:
        return ""
    return done.stdout.decode(errors="replace").strip()


def _refuse(what: str) -> NoReturn:
    raise InstallerError(
        "unsupported-platform",
        f"Wasp has no release for {what}.",
        "There is one for Linux (x86_64, aarch64), macOS (Intel, Apple silicon), "
        "and Windows through WSL.",
    )


def distribution() -> tuple[str | None, str]:
    """The ID of this Linux distribution, and the IDs that it is like, with a space between.

    https://www.freedesktop.org/software/systemd/man/os-release.html
    """
    import distro

    return distro.os_release_attr("id") or None, distro.os_release_attr("id_like")


def how_to_install(package: str) -> str:
    """The command with which this system's package manager installs ``package``."""
    commands = {
        "debian": "apt-get install",
        "ubuntu": "apt-get install",
        "alpine": "apk add",
        "fedora": "dnf install",
        "rhel": "dnf install",
        "arch": "pacman -S",
        "suse": "zypper install",
    }
    identifier, like = distribution()
    sudo = "" if os.geteuid() == 0 else "sudo "
    for family in (identifier or "", *like.split()):
        if family in commands:
            return f"Install it: {sudo}{commands[family]} {package}"
    if shutil.which("brew"):
        return f"Install it: brew install {package}"
    return "Install it with your system's package manager."
