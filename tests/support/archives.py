"""Wasp release archives: honest ones in both shapes, and hostile ones."""

from __future__ import annotations

import base64
import functools
import gzip
import hashlib
import io
import struct
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

# What the real wasp-bin says on stderr after the version; the front ends must not repeat it.
_UPGRADE_ADVICE = "If you wish to install/switch to the latest version of Wasp, do:"


def tiny_binary(version: str) -> bytes:
    """A wasp-bin that is an sh script: says its version, its arguments, its environment."""
    return f"""#!/bin/sh
case "${{1-}}" in
    version)
        echo "{version}"
        printf '\\n%s\\n' "{_UPGRADE_ADVICE}" >&2
        ;;
    arguments)
        shift
        for argument in "$@"; do printf '<%s>\\n' "$argument"; done
        ;;
    opted-out) printf '%s\\n' "${{WASP_TELEMETRY_DISABLE-no}}" ;;
    datadir) printf '%s\\n' "$waspc_datadir" ;;
    whoami) printf '%s\\n' "$$" ;;
    exit) exit "$2" ;;
    read) while IFS= read -r line; do printf 'read: %s\\n' "$line"; done ;;
    wait)
        trap 'echo "got TERM"; exit 7' TERM
        echo ready
        while :; do read -r _ || exit 9; done
        ;;
    *) echo "unknown command: ${{1-}}" >&2; exit 64 ;;
esac
""".encode()


def failing_binary(code: int, message: str) -> bytes:
    """A wasp-bin that fails at once, as one with a missing library does."""
    return f"#!/bin/sh\necho '{message}' >&2\nexit {code}\n".encode()


def foreign_machine_binary() -> bytes:
    """The head of an ELF file for an architecture (SPARC) that no test machine is."""
    ident = b"\x7fELF" + bytes([2, 2, 1, 0]) + bytes(8)
    return ident + struct.pack(">HHIQQQIHHHHHH", 2, 43, 1, 0, 64, 0, 0, 64, 56, 0, 0, 0, 0)


@dataclass(frozen=True)
class Member:
    """One entry of an archive."""

    name: str
    content: bytes = b""
    mode: int = 0o644
    kind: bytes = tarfile.REGTYPE
    target: str = ""

    def info(self) -> tarfile.TarInfo:
        info = tarfile.TarInfo(self.name)
        info.type = self.kind
        info.mode = self.mode
        info.linkname = self.target
        info.size = len(self.content) if self.kind == tarfile.REGTYPE else 0
        # The time stamp of every file in an npm package.
        info.mtime = 499162500
        if self.kind in (tarfile.CHRTYPE, tarfile.BLKTYPE):
            info.devmajor, info.devminor = 1, 3
        return info


def directory(name: str, mode: int = 0o755) -> Member:
    return Member(name, mode=mode, kind=tarfile.DIRTYPE)


def symlink(name: str, target: str) -> Member:
    return Member(name, mode=0o777, kind=tarfile.SYMTYPE, target=target)


def hard_link(name: str, target: str) -> Member:
    return Member(name, kind=tarfile.LNKTYPE, target=target)


def tar_of(
    members: Iterable[Member], archive_format: int = tarfile.PAX_FORMAT, *, ended: bool = True
) -> bytes:
    """An archive of these, with the zeros that end it, or open for more."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=archive_format) as archive:
        for member in members:
            archive.addfile(member.info(), io.BytesIO(member.content))
        so_far = buffer.getvalue()
    return buffer.getvalue() if ended else so_far


def tar_without_end(members: Iterable[Member]) -> bytes:
    return tar_of(members, tarfile.USTAR_FORMAT, ended=False)


def gzipped(data: bytes) -> bytes:
    return gzip.compress(data, 6, mtime=0)


def tgz_of(members: Iterable[Member]) -> bytes:
    return gzipped(tar_of(members))


# Every kind of thing that `data/` may hold; the modes are normalized on install.
DATA_MEMBERS = (
    Member("data/Cli/starters/basic/main.wasp", b"app basic {}\n"),
    Member("data/Cli/starters/basic/.wasproot", b"File marking the root of Wasp project."),
    Member("data/Cli/a name with spaces.txt", b"spaces\n", mode=0o600),
    Member("data/Cli/na\u00efve-\u00fcml\u00e4ut.txt", "\u00e9\n".encode(), mode=0o664),
    Member("data/Generator/templates/empty", b""),
    Member("data/Generator/bin/generate.sh", b"#!/bin/sh\necho generated\n", mode=0o755),
    Member("data/Generator/bin/group-executable", b"#!/bin/sh\n", mode=0o654),
    Member("data/packages/deploy/dist/index.js", b"export {}\n" * 200),
)


@dataclass(frozen=True)
class Package:
    """One version of Wasp for one platform, before it is put into an archive."""

    version: str
    binary: bytes
    data: tuple[Member, ...] = DATA_MEMBERS

    @property
    def members(self) -> list[Member]:
        return [Member("wasp-bin", self.binary, 0o755), *self.data]

    @functools.lru_cache(maxsize=64)  # noqa: B019 - there are few
    def npm_archive(self) -> bytes:
        """In npm's shape: everything below `package/`, with files that do not belong to Wasp."""
        extras = [
            Member("package/package.json", b'{"name": "@wasp.sh/wasp-cli-some-platform"}\n'),
            Member("package/main.js", b"export default {};\n"),
            Member("package/readme.md", b"# not part of Wasp\n"),
        ]
        inside = [replace(member, name=f"package/{member.name}") for member in self.members]
        return tgz_of([*inside, *extras])

    @functools.lru_cache(maxsize=64)  # noqa: B019
    def github_archive(self) -> bytes:
        """In the shape of a GitHub release, where folders have entries of their own."""
        folders = {
            f"{parent}/": directory(f"{parent}/", mode=0o775)
            for member in self.data
            for parent in [*PurePosixPath(member.name).parents][-2::-1]
        }
        return tgz_of([*folders.values(), *self.members])


def tiny_package(version: str) -> Package:
    return Package(version, tiny_binary(version))


def integrity(archive: bytes) -> str:
    """The `dist.integrity` that npm publishes for an archive."""
    return "sha512-" + base64.b64encode(hashlib.sha512(archive).digest()).decode()


def sha256_hex(archive: bytes) -> str:
    return hashlib.sha256(archive).hexdigest()
