"""Which machine this is, and which builds of Wasp run on it, as the sh program tells it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Platform:
    """A machine that there are builds for.

    ``os`` is linux or macos, ``arch`` x86_64 or aarch64, ``libc`` glibc or musl, on Linux.
    ``npm_build`` ends the name of the npm sub-package; ``github_builds`` are the middle parts of
    the release's asset names, the preferred one first.
    """

    os: str
    arch: str
    libc: str | None
    npm_build: str
    github_builds: Sequence[str]

    def __str__(self) -> str:
        """For people: "Linux x86_64 (glibc)"."""
        system = {"macos": "macOS"}.get(self.os, "Linux")
        return f"{system} {self.arch}" + (f" ({self.libc})" if self.libc else "")


def platform_of(told: Mapping[str, str | None]) -> Platform:
    """The machine that the sh program has told of (sh/platform.sh)."""
    names = ("os", "arch", "libc", "npm_build", "github_builds")
    system, arch, libc, npm_build, github_builds = (told.get(name) or "" for name in names)
    return Platform(system, arch, libc or None, npm_build, github_builds.split())
