"""What an installation must look like on disk, and pictures of folders to compare."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from tests.support.archives import Package, tiny_package


@dataclass(frozen=True)
class Entry:
    """One thing in a folder: its kind, its permission bits, and its content or target."""

    kind: str
    mode: int
    content: str


def picture(folder: Path) -> dict[str, Entry]:
    """Everything below a folder by relative name; an absent folder is an empty picture."""
    return dict(_entries(folder, ""))


def _entries(folder: Path, prefix: str) -> Iterator[tuple[str, Entry]]:
    if not folder.exists():
        return
    for item in sorted(os.scandir(folder), key=lambda entry: entry.name):
        name = f"{prefix}{item.name}"
        info = item.stat(follow_symlinks=False)
        mode = stat.S_IMODE(info.st_mode)
        if item.is_symlink():
            yield name, Entry("link", 0o777, os.readlink(item.path))
        elif item.is_dir():
            yield name, Entry("folder", mode, "")
            yield from _entries(Path(item.path), f"{name}/")
        elif stat.S_ISREG(info.st_mode):
            yield name, _file(Path(item.path).read_bytes(), mode)
        else:
            yield name, Entry("special", mode, "")


def _file(content: bytes, mode: int) -> Entry:
    return Entry("file", mode, hashlib.sha256(content).hexdigest())


def expected_version_folder(package: Package) -> dict[str, Entry]:
    """The picture of an installed version without its receipt, from the contract alone."""
    tree: dict[str, Entry] = {}
    for member in package.members:
        for parent in [*PurePosixPath(member.name).parents][-2::-1]:
            tree.setdefault(str(parent), Entry("folder", 0o755, ""))
        mode = 0o755 if member.mode & 0o111 else 0o644
        if member.target:
            tree[member.name] = Entry("link", 0o777, member.target)
        else:
            tree[member.name] = _file(member.content, mode)
    return tree


@dataclass(frozen=True)
class Layout:
    """The places of an installation below its prefix."""

    prefix: Path

    @property
    def share(self) -> Path:
        return self.prefix / "share" / "wasp-lang"

    @property
    def launcher(self) -> Path:
        return self.prefix / "bin" / "wasp"

    @property
    def npm_marker(self) -> Path:
        return self.share / ".uses-npm"

    def version_folder(self, version: str) -> Path:
        return self.share / version

    def binary(self, version: str) -> Path:
        return self.version_folder(version) / "wasp-bin"

    def receipt_file(self, version: str) -> Path:
        return self.version_folder(version) / ".receipt.json"

    def receipt(self, version: str) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(self.receipt_file(version).read_text())
        return value

    def versions(self) -> list[str]:
        """The folders of versions that are there, whole or not."""
        if not self.share.is_dir():
            return []
        return sorted(item.name for item in self.share.iterdir() if item.name[0].isdigit())

    def version_picture(self, version: str) -> dict[str, Entry]:
        """The picture of a version's folder without its receipt, which has an URL of its own."""
        tree = picture(self.version_folder(version))
        tree.pop(".receipt.json", None)
        return tree

    def staging(self) -> list[Path]:
        """What an unfinished run has left."""
        left = [*self.share.glob(".staging-*"), *self.launcher.parent.glob(".wasp-staging-*")]
        return sorted(left)

    def plant(self, version: str, package: Package | None = None) -> Package:
        """Puts a whole version there without a front end: a quick past for a test to begin in."""
        package = package or tiny_package(version)
        folder = self.version_folder(version)
        for member in package.members:
            path = folder / member.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(member.content)
            path.chmod(0o755 if member.mode & 0o111 else 0o644)
        receipt = {
            "version": version,
            "source": "file",
            "url": None,
            "digest": f"sha256:{'0' * 64}",
            "node": None,
            "platform": {"os": "linux", "arch": "x86_64", "libc": "glibc"},
        }
        self.receipt_file(version).write_text(json.dumps(receipt) + "\n")
        return package
