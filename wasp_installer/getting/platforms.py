"""Which machine this is, and which build of Wasp runs on it."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from typing import Final, NamedTuple

from wasp_installer.errors import InstallerError
from wasp_installer.programs import ask, helper_environment
from wasp_installer.versions import older_than

#: The oldest glibc that the release binaries run on (``objdump -T wasp-bin | grep GLIBC_``).
OLDEST_GLIBC: Final = "2.29"
#: Where a program that was linked with glibc looks for what loads it.
_LOADER: Final = "/lib64/ld-linux-x86-64.so.2"
_ARCHITECTURES: Final = {
    **dict.fromkeys(("x86_64", "amd64", "x64"), "x86_64"),
    **dict.fromkeys(("aarch64", "arm64"), "aarch64"),
}
_MANAGERS: Final = ("apt-get install", "apk add", "dnf install", "pacman -S", "zypper install")


@dataclass(frozen=True)
class Platform:
    """What a machine is, as far as it can be told.

    ``system`` and ``machine`` are as uname calls them. ``os`` is linux, macos or windows, ``arch``
    x86_64 or aarch64, ``libc`` glibc or musl, ``distro`` the ID of os-release; each is None where
    Wasp has nothing for it. ``has_loader`` is False where glibc's loader is not at its usual place;
    NixOS has a stub there.
    """

    system: str
    machine: str
    os: str | None
    arch: str | None
    libc: str | None = None
    glibc_version: str = ""
    distro: str | None = None
    has_loader: bool = True

    def in_full(self) -> str:
        """As the system itself tells it: "Linux x86_64 glibc (debian)"."""
        distro = f"({self.distro})" if self.distro else None
        return " ".join(filter(None, (self.system, self.machine, self.libc, distro)))

    def __str__(self) -> str:
        """For people: "Linux x86_64 (glibc)"."""
        system = {"linux": "Linux", "macos": "macOS"}.get(self.os or "", self.system)
        return f"{system} {self.arch or self.machine}" + (f" ({self.libc})" if self.libc else "")


class Builds(NamedTuple):
    """Which builds of Wasp run on a platform.

    ``npm`` ends the name of the npm sub-package; ``github`` are the middle parts of the release's
    asset names, the preferred one first.
    """

    npm: str
    github: tuple[str, ...]


_STATIC: Final = Builds("linux-x64-musl", ("linux-x86_64-static",))
_BUILDS: Final = {
    ("linux", "x86_64"): Builds("linux-x64-glibc", ("linux-x86_64",)),
    ("linux", "aarch64"): Builds("linux-arm64-glibc", ("linux-aarch64",)),
    ("macos", "x86_64"): Builds("darwin-x64-unknown", ("macos-x86_64", "macos-universal")),
    ("macos", "aarch64"): Builds(
        "darwin-arm64-unknown", ("macos-aarch64", "macos-universal", "macos-x86_64")
    ),
}


def identify() -> Platform:
    """The platform of this machine, as the tools on PATH (uname, getconf, sysctl) tell it."""
    system, machine = _answer("uname", "-s"), _answer("uname", "-m")
    arch = _ARCHITECTURES.get(machine)
    if system == "Linux":
        libc, glibc_version = _libc()
        distro = _distribution()
        has_loader = arch != "x86_64" or (distro != "nixos" and os.path.exists(_LOADER))
        return Platform(system, machine, "linux", arch, libc, glibc_version, distro, has_loader)
    if system == "Darwin":
        # A process under Rosetta sees an x86_64 machine.
        is_apples_own = _answer("sysctl", "-n", "hw.optional.arm64") == "1"
        return Platform(system, machine, "macos", "aarch64" if is_apples_own else arch)
    is_windows = system.startswith(("MINGW", "MSYS", "CYGWIN", "Windows"))
    return Platform(system, machine, "windows" if is_windows else None, arch)


def choose_builds(platform: Platform) -> Builds:
    """The builds of Wasp that run on ``platform``.

    Raises:
        InstallerError: "unsupported-platform".
    """
    if platform.os == "windows":
        raise InstallerError(
            "unsupported-platform",
            f"{platform.system} is Windows, where Wasp runs inside WSL.",
            "Open WSL (if you have none: wsl --install) and run this again there.",
        )
    if platform.os is None:
        raise _unsupported(platform.system or "this system")
    if platform.arch is None:
        raise _unsupported(f"{platform.machine} processors")
    if _answer("getconf", "LONG_BIT") == "32":
        raise _unsupported(f"a 32-bit userland on a {platform.arch} processor")
    has_glibc = platform.libc == "glibc" and not older_than(platform.glibc_version, OLDEST_GLIBC)
    if platform.os == "macos" or (has_glibc and platform.has_loader):
        return _BUILDS[platform.os, platform.arch]
    if platform.arch == "x86_64":
        return _STATIC
    has = " ".join(filter(None, (platform.libc, platform.glibc_version)))
    raise _unsupported(f"{platform.arch} with {has}, only for glibc {OLDEST_GLIBC} or newer")


def _libc() -> tuple[str, str]:
    """The C library and, for glibc, its version."""
    version = r"[0-9]+\.[0-9][0-9.]*"
    said = _answer("getconf", "GNU_LIBC_VERSION", form=f"glibc {version}")
    if not said:
        said = _answer("ldd", "--version", form=rf"[^\n]*(GLIBC|GNU)[^\n]* {version}(\n.*)?")
    found = said.partition("\n")[0].rpartition(" ")[2]
    # Where glibc is not known to be here, the static build needs none.
    return ("glibc", found) if found else ("musl", "")


def _answer(*command: str, form: str = r"[^\n]+") -> str:
    """What a tool of the system says, or "" without it."""
    # Libraries of another program, such as conda, are none of the system's.
    environment = helper_environment()
    for name in ("LD_LIBRARY_PATH", "LD_PRELOAD"):
        environment.pop(name, None)
    # The current folder may have been removed.
    return ask(command, form, environment=environment, folder="/")


def _unsupported(what: str) -> InstallerError:
    return InstallerError(
        "unsupported-platform",
        f"Wasp has no release for {what}.",
        "Wasp runs on Linux (x86_64, aarch64), macOS (Intel, Apple silicon), and Windows through "
        "WSL.",
    )


def _distribution() -> str | None:
    """The ID in os-release (https://www.freedesktop.org/software/systemd/man/os-release.html)."""
    import distro

    return distro.os_release_attr("id") or None


def how_to_install(package: str) -> str:
    """How the package manager that is here installs ``package``."""
    for command in (*_MANAGERS, "brew install"):
        if shutil.which(command.partition(" ")[0]):
            is_for_all = command != "brew install" and os.geteuid() != 0
            return f"Install it: {'sudo ' if is_for_all else ''}{command} {package}"
    return "Install it with your system's package manager."
