#!/usr/bin/env python3
"""Builds the Debian package of Wasp from what ``install.py --destdir`` stages.

    python packaging/deb.py
    python packaging/deb.py --out DIR --revision 2 -v 0.25.0 --source github

What is not an option of this program goes to install.py. The package is for the architecture of
this machine. It needs dpkg-dev and debhelper, which reads packaging/debian, and the libraries that
Wasp is linked with (libgmp10, zlib1g): dpkg knows by them which packages to depend on.

The same release and the same SOURCE_DATE_EPOCH (by default, the time of the last commit) give the
same bytes.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path
from typing import Final

_REPOSITORY: Final = Path(__file__).resolve().parents[1]
_SOURCES: Final = Path(__file__).with_name("debian")

#: A folder of its own, since /usr/share is only for what is the same on every architecture.
PREFIX: Final = "/usr/lib/wasp"
#: What debhelper does, in this order, by the files in packaging/debian.
_DEBHELPER: Final = (
    "dh_installdocs",
    "dh_installchangelogs",
    "dh_installman",
    "dh_link",
    "dh_lintian",
    "dh_compress",
    "dh_fixperms",
    "dh_installdeb",
    "dh_gencontrol",
    "dh_md5sums",
    "dh_builddeb",
)
_TOOLS: Final = ("dpkg-shlibdeps", "objdump", *_DEBHELPER)
_ARCHITECTURES: Final = {"x86_64": "amd64", "aarch64": "arm64"}


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
        print("       Install it: sudo apt-get install dpkg-dev debhelper", file=sys.stderr)
        return 3
    # What is packaged is for every user, whatever this one's umask.
    os.umask(0o022)
    out = options.out.absolute()
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="wasp-deb-") as folder:
        try:
            debian = Path(folder) / "debian"
            shutil.copytree(_SOURCES, debian)
            staged = stage(debian / "wasp", of_installer)
            print(package(staged, debian, out, options.revision, options.compression))
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


def stage(root: Path, options: list[str]) -> Staged:
    """Lets install.py put Wasp below ``root``, where debhelper looks for it."""
    command = [sys.executable, "-I", str(_REPOSITORY / "install.py"), *options]
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


def package(staged: Staged, debian: Path, out: Path, revision: str, compression: str) -> Path:
    """Builds the package in the folder ``out``; returns where it is."""
    epoch = source_date_epoch(os.environ)
    # A candidate comes before its release.
    version = f"{staged.version.replace('-rc', '~rc')}-{revision}"
    maintainer = re.search("^Maintainer: (.*)$", (debian / "control").read_text(), re.MULTILINE)
    assert maintainer is not None
    (debian / "changelog").write_text(
        f"wasp ({version}) stable; urgency=medium\n\n"
        f"  * Wasp {staged.version}.\n\n"
        f" -- {maintainer[1]}  {formatdate(epoch)}\n"
    )
    oldest = re.fullmatch(r">=\s*([0-9.]+)", staged.node or "")
    node = f"nodejs (>= {oldest[1]})" if oldest else "nodejs"
    libraries = _libraries(staged.root, debian.parent)
    (debian / "wasp.substvars").write_text(f"wasp:Depends={libraries}\nwasp:Node={node}\n")
    settings = {"DEB_HOST_ARCH": staged.architecture, "SOURCE_DATE_EPOCH": str(epoch)}
    options = {"dh_builddeb": [f"--destdir={out}", "--", f"-Z{compression}"]}
    for tool in _DEBHELPER:
        subprocess.run(
            [tool, *options.get(tool, [])],
            check=True,
            cwd=debian.parent,
            env={**os.environ, **settings},
            stdout=sys.stderr,
        )
    return out / f"wasp_{version}_{staged.architecture}.deb"


def _libraries(root: Path, folder: Path) -> str:
    """The packages with the libraries that the programs are linked with.

    dpkg-shlibdeps also says versions: those of the machine that it runs on. The programs were
    linked elsewhere, on an older one, and say themselves how old a glibc may be.
    """
    programs = [str(path) for path in sorted(root.rglob("*")) if _is_program(path)]
    if not programs:
        return ""
    said = _answer(["dpkg-shlibdeps", "--warnings=0", "-O", *programs], folder)
    packages = re.sub(r" \([^)]*\)", "", said.partition("shlibs:Depends=")[2]).strip()
    headers = _answer(["objdump", "-p", *programs], folder)
    needed = re.findall(r" GLIBC_([0-9.]+)$", headers, re.MULTILINE)
    if not needed:
        return packages
    newest = max(needed, key=lambda version: [int(part) for part in version.split(".")])
    return re.sub(r"\blibc6\b", f"libc6 (>= {newest})", packages)


def _answer(command: list[str], folder: Path) -> str:
    return subprocess.run(command, stdout=subprocess.PIPE, check=True, cwd=folder, text=True).stdout


def _is_program(path: Path) -> bool:
    """Whether the file is native, and so may need libraries."""
    if path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def source_date_epoch(environment: Mapping[str, str]) -> int:
    """The time that everything in the package has (https://reproducible-builds.org)."""
    text = environment.get("SOURCE_DATE_EPOCH")
    if not text:
        command = ["git", "-C", str(_REPOSITORY), "log", "-1", "--format=%ct"]
        text = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
