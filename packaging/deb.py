#!/usr/bin/env python3
"""Builds the Debian package of Wasp from what ``install.py --destdir`` stages.

    python packaging/deb.py
    python packaging/deb.py --out DIR --revision 2 -v 0.25.0 --source github

What is not an option of this program goes to install.py. The package is for the architecture of
this machine. It needs dpkg-dev, and the libraries that Wasp is linked with (libgmp10, zlib1g):
dpkg knows by them which packages to depend on.

The same release and the same SOURCE_DATE_EPOCH (by default, the time of the last commit) give the
same bytes.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path

_REPOSITORY = Path(__file__).resolve().parents[1]
_SOURCES = Path(__file__).with_name("debian")

#: A folder of its own, since /usr/share is only for what is the same on every architecture.
PREFIX = "/usr/lib/wasp"
_COMPLETIONS = "usr/lib/wasp/share/wasp-lang/completions"
#: Where programs and shells look by themselves, and what they are to find there.
_LINKS = {
    "usr/bin/wasp": "usr/lib/wasp/bin/wasp",
    "usr/share/bash-completion/completions/wasp": f"{_COMPLETIONS}/wasp.bash",
    "usr/share/zsh/vendor-completions/_wasp": f"{_COMPLETIONS}/_wasp",
    "usr/share/fish/vendor_completions.d/wasp.fish": f"{_COMPLETIONS}/wasp.fish",
}
_TOOLS = ("dpkg-deb", "dpkg-gencontrol", "dpkg-shlibdeps", "objdump")
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def main() -> int:
    """Builds the package; its path is what stdout gets."""
    parser = argparse.ArgumentParser(
        description="Builds the Debian package of Wasp.", allow_abbrev=False
    )
    parser.add_argument("--out", metavar="DIR", type=Path, default=_REPOSITORY / "dist")
    parser.add_argument("--revision", default="1", help="of the package (default: 1)")
    parser.add_argument(
        "--compression", default="xz", help="as dpkg-deb calls it (default: xz, read everywhere)"
    )
    options, of_installer = parser.parse_known_args()
    missing = [tool for tool in _TOOLS if shutil.which(tool) is None]
    if missing:
        print(f"error: {', '.join(missing)} is missing.", file=sys.stderr)
        print("       Install it: sudo apt-get install dpkg-dev", file=sys.stderr)
        return 3
    # What is packaged is for every user, whatever this one's umask.
    os.umask(0o022)
    out = options.out.absolute()
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="wasp-deb-") as folder:
        try:
            staged = stage(Path(folder), of_installer)
            build = Build(Path(folder), staged, options.revision, options.compression)
            print(build.package(out))
        except subprocess.CalledProcessError as error:
            # It has said on stderr why.
            return int(error.returncode)
    return 0


@dataclass(frozen=True)
class Staged:
    """What install.py has staged below ``root``, as its --json says."""

    root: Path
    version: str
    architecture: str
    node: str | None


def stage(folder: Path, options: list[str]) -> Staged:
    """Lets install.py put Wasp where the package shall have it."""
    # Where dpkg's tools look for a package that is being built.
    root = folder / "debian" / "wasp"
    command = [sys.executable, str(_REPOSITORY / "install.py"), *options]
    done = subprocess.run(
        [*command, "--json", "--destdir", str(root), "--prefix", PREFIX],
        stdout=subprocess.PIPE,
        check=True,
    )
    report = json.loads(done.stdout)
    receipt = Path(f"{root}{report['wasp_dir']}/.receipt.json")
    return Staged(
        root,
        report["version"],
        _ARCHITECTURES[report["platform"]["arch"]],
        json.loads(receipt.read_text(encoding="utf-8"))["node"],
    )


class Build:
    """The way from the staged files to the package, in a folder for what dpkg's tools leave."""

    def __init__(self, folder: Path, staged: Staged, revision: str, compression: str) -> None:
        self._folder = folder
        self._compression = compression
        self._staged = staged
        self._root = staged.root
        self._epoch = source_date_epoch(os.environ)
        # A candidate comes before its release.
        self._version = f"{staged.version.replace('-rc', '~rc')}-{revision}"

    def package(self, out: Path) -> Path:
        """Builds the package in the folder ``out``; returns where it is."""
        self._add_files()
        self._add_control()
        for path in (self._root, *_below(self._root)):
            os.utime(path, (self._epoch, self._epoch), follow_symlinks=False)
        package = out / f"wasp_{self._version}_{self._staged.architecture}.deb"
        how = ["--root-owner-group", f"-Z{self._compression}"]
        self._run("dpkg-deb", *how, "--build", str(self._root), str(package))
        return package

    def _add_files(self) -> None:
        """What Debian wants of a package besides the program."""
        for link, target in _LINKS.items():
            self._link(link, target)
        self._write("usr/share/man/man1/wasp.1.gz", _gzipped(_source("wasp.1")))
        self._write("usr/share/doc/wasp/copyright", _source("copyright"))
        self._write("usr/share/doc/wasp/changelog.Debian.gz", _gzipped(self._changelog()))
        self._write("usr/share/lintian/overrides/wasp", _source("lintian-overrides"))

    def _changelog(self) -> bytes:
        maintainer = re.search("^Maintainer: (.*)$", _source("control").decode(), re.MULTILINE)
        assert maintainer is not None
        return (
            f"wasp ({self._version}) stable; urgency=medium\n\n"
            f"  * Wasp {self._staged.version}.\n\n"
            f" -- {maintainer[1]}  {formatdate(self._epoch)}\n"
        ).encode()

    def _add_control(self) -> None:
        """The DEBIAN folder, by the tools that Debian's own packages are made with."""
        debian = self._folder / "debian"
        (self._root / "DEBIAN").mkdir()
        shutil.copy(_SOURCES / "control", debian)
        (debian / "changelog").write_bytes(self._changelog())
        oldest = re.fullmatch(r">=\s*([0-9.]+)", self._staged.node or "")
        node = f"nodejs (>= {oldest[1]})" if oldest else "nodejs"
        (debian / "substvars").write_text(f"wasp:Depends={self._libraries()}\nwasp:Node={node}\n")
        sums = "".join(_sum_lines(self._root))
        self._write("DEBIAN/md5sums", sums.encode())
        self._write("DEBIAN/prerm", _source("prerm"), mode=0o755)
        described = ["-Tdebian/substvars", "-Pdebian/wasp", "-O"]
        self._write("DEBIAN/control", self._run("dpkg-gencontrol", *described))

    def _libraries(self) -> str:
        """The packages with the libraries that the programs are linked with.

        dpkg-shlibdeps also says versions: those of the machine that it runs on. The programs were
        linked elsewhere, on an older one, and say themselves how old a glibc may be.
        """
        programs = [str(path) for path in _below(self._root) if _is_program(path)]
        if not programs:
            return ""
        said = self._run("dpkg-shlibdeps", "--warnings=0", "-O", *programs).decode()
        packages = re.sub(r" \([^)]*\)", "", said.partition("shlibs:Depends=")[2]).strip()
        headers = self._run("objdump", "-p", *programs).decode()
        needed = re.findall(r" GLIBC_([0-9.]+)$", headers, re.MULTILINE)
        if not needed:
            return packages
        newest = max(needed, key=lambda version: [int(part) for part in version.split(".")])
        return re.sub(r"\blibc6\b", f"libc6 (>= {newest})", packages)

    def _link(self, name: str, target: str) -> None:
        path = self._root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(os.path.relpath(self._root / target, path.parent))

    def _write(self, name: str, content: bytes, mode: int = 0o644) -> None:
        path = self._root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(mode)

    def _run(self, *command: str) -> bytes:
        settings = {
            "DEB_HOST_ARCH": self._staged.architecture,
            "SOURCE_DATE_EPOCH": str(self._epoch),
        }
        return subprocess.run(
            command,
            stdout=subprocess.PIPE,
            check=True,
            cwd=self._folder,
            env={**os.environ, **settings},
        ).stdout


def source_date_epoch(environment: Mapping[str, str]) -> int:
    """The time that everything in the package has (https://reproducible-builds.org)."""
    text = environment.get("SOURCE_DATE_EPOCH")
    if not text:
        command = ["git", "-C", str(_REPOSITORY), "log", "-1", "--format=%ct"]
        text = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    return int(text)


def _source(name: str) -> bytes:
    return (_SOURCES / name).read_bytes()


def _gzipped(content: bytes) -> bytes:
    return gzip.compress(content, 9, mtime=0)


def _below(folder: Path) -> Iterator[Path]:
    return iter(sorted(folder.rglob("*")))


def _is_program(path: Path) -> bool:
    """Whether the file is native, and so may need libraries."""
    if path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def _sum_lines(root: Path) -> Iterator[str]:
    """What `dpkg --verify` compares the installed files with."""
    for path in _below(root):
        if path.is_file() and not path.is_symlink():
            digest = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
            yield f"{digest}  {path.relative_to(root)}\n"


if __name__ == "__main__":
    sys.exit(main())
