"""Folders for PATH that hold exactly the tools a test wants, real ones and fakes."""

from __future__ import annotations

import functools
import os
import shutil
from pathlib import Path

from tests.support.skips import need

# What a plain Linux has besides a downloader and the hashing tools.
BASE_TOOLS = tuple(
    """
    [ awk basename cat chmod cmp cp cut date dd df dirname du echo env expr false find getconf grep
    gunzip gzip head id kill ldd ln ls mkdir mkfifo mktemp mv od printf ps pwd readlink rm rmdir sed
    sh sleep sort stat stty tail tar tee test timeout touch tput tr true tty uname uniq wc xargs
    """.split()  # noqa: SIM905 - as a list it would be seventy lines
)
HASH_TOOLS = ("sha256sum", "sha512sum")
# busybox has no ldd and no getconf, and Alpine's own are scripts of musl and of the distribution.
BUSYBOX_TOOLS = tuple(tool for tool in BASE_TOOLS if tool not in ("ldd", "getconf", "tput"))
_SEARCH_PATH = os.environ.get("PATH", os.defpath)


@functools.cache
def _find(name: str) -> str | None:
    return shutil.which(name, path=_SEARCH_PATH)


def real_tool(name: str) -> Path:
    """Where a tool really is on this machine; a test that lacks it is skipped."""
    need(_find(name) is not None, f"no {name} on this machine")
    return Path(str(_find(name)))


class Toolbox:
    """A folder that serves as the whole PATH of a run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)

    def link(self, *names: str) -> Toolbox:
        """Adds real tools; those that this machine lacks make the test skip."""
        for name in names:
            self._replace(name).symlink_to(real_tool(name))
        return self

    def alias(self, name: str, real_name: str) -> Toolbox:
        """Adds a tool under another name: bsdtar as tar."""
        self._replace(name).symlink_to(real_tool(real_name))
        return self

    def busybox(self, *names: str) -> Toolbox:
        """Adds applets of busybox."""
        for name in names:
            self.alias(name, "busybox")
        return self

    def remove(self, *names: str) -> Toolbox:
        for name in names:
            (self.folder / name).unlink(missing_ok=True)
        return self

    def script(self, name: str, body: str) -> Toolbox:
        """Adds a fake: an sh script with this body."""
        path = self._replace(name)
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)
        return self

    def fake_uname(self, system: str, machine: str) -> Toolbox:
        node = os.uname().nodename
        cases = f"-s) echo {system} ;; -m) echo {machine} ;; -n) echo {node} ;; -r) echo 6.1.0 ;;"
        return self.script("uname", f'case "${{1--s}}" in {cases} *) exit 1 ;; esac')

    def fake_glibc(self, version: str) -> Toolbox:
        self.script("getconf", f'[ "$1" = GNU_LIBC_VERSION ] && echo "glibc {version}" || echo 64')
        text = f"ldd (Ubuntu GLIBC {version}-3ubuntu1.6) {version}"
        return self.script("ldd", f"echo '{text}'; echo 'Copyright (C) 2018 Free Software'")

    def fake_musl(self) -> Toolbox:
        """musl's ldd knows no --version: it prints who it is on stderr, and fails."""
        self.script("getconf", '[ "$1" = LONG_BIT ] && echo 64')
        lines = "musl libc (x86_64)\\nVersion 1.2.4\\nDynamic Program Loader\\nUsage: ldd ..."
        return self.script("ldd", f"printf '{lines}\\n' >&2; exit 1")

    def fake_node(self, version: str) -> Toolbox:
        """Node.js of this version, with the npm that comes with it."""
        self.script("npm", "exit 9")
        answers = f"--version | -v) echo v{version} ;; *) exit 9 ;;"
        return self.script("node", f'case "$1" in {answers} esac')

    def _replace(self, name: str) -> Path:
        path = self.folder / name
        path.unlink(missing_ok=True)
        return path


def standard_toolbox(folder: Path) -> Toolbox:
    """A plain Linux with curl and coreutils, without Node.js."""
    return Toolbox(folder).link(*filter(_find, BASE_TOOLS), "curl", *HASH_TOOLS)


def macos_toolbox(folder: Path, machine: str, translated: bool = False) -> Toolbox:
    """What a Mac's PATH offers: BSD tar, shasum, sysctl, no ldd."""
    box = standard_toolbox(folder).link("shasum").remove("ldd", "timeout", *HASH_TOOLS)
    box.alias("tar", "bsdtar").fake_uname("Darwin", machine)
    # Intel Macs do not know either name: sysctl complains and fails.
    known = f"*proc_translated*) echo {translated:d} ;; *hw.optional.arm64*) echo 1 ;;"
    known = known if machine == "arm64" or translated else ""
    unknown = "echo 'sysctl: unknown oid' >&2; exit 1"
    return box.script("sysctl", f'case "$*" in {known} *) {unknown} ;; esac')
