#!/usr/bin/env python3
"""Keeps the table of releases, and renders from it what installs Wasp by checksum.

    python packaging/releases.py add 0.25.0      # or latest; asks GitHub (WASP_GITHUB_URL)
    python packaging/releases.py render          # dist/homebrew/wasp.rb, dist/asdf-wasp/

The table, packaging/releases.json, is the one place that knows the addresses and the SHA-256 of
Wasp's archives. It holds those on GitHub, which everybody can reach by the same address. On Linux
x86_64 it has the static build: that one runs everywhere, and needs no library that a package
manager of this kind would have to bring.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

_REPOSITORY = Path(__file__).resolve().parents[1]
_HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(_REPOSITORY))

from wasp_installer import Console, InstallerError  # noqa: E402
from wasp_installer.errors import SourceProblem  # noqa: E402
from wasp_installer.getting.platforms import Platform, choose_builds  # noqa: E402
from wasp_installer.versions import newest_first, parse_version  # noqa: E402

if TYPE_CHECKING:
    from wasp_installer.getting.transport import Transport
    from wasp_installer.placing.receipts import Release

#: By their names in the table.
PLATFORMS: Final = {
    "linux-x86_64": Platform("Linux", "x86_64", "linux", "x86_64", "musl"),
    "linux-aarch64": Platform("Linux", "aarch64", "linux", "aarch64", "glibc", "2.29"),
    "macos-x86_64": Platform("Darwin", "x86_64", "macos", "x86_64"),
    "macos-aarch64": Platform("Darwin", "arm64", "macos", "aarch64"),
}

#: Version, then platform, then "url" and "sha256".
Table = dict[str, dict[str, dict[str, str]]]


def main() -> int:
    """Runs one command; returns the exit code, which is one of the installer's."""
    parser = argparse.ArgumentParser(description="Keeps and renders the table of releases.")
    parser.add_argument("--table", metavar="FILE", type=Path, default=_HERE / "releases.json")
    commands = parser.add_subparsers(dest="command", required=True)
    adding = commands.add_parser("add", help="ask GitHub for a release, and add it to the table")
    adding.add_argument("version", help="X.Y.Z, X.Y.Z-rcN or latest")
    rendering = commands.add_parser("render", help="write the formula and the plugin")
    rendering.add_argument("--out", metavar="DIR", type=Path, default=_REPOSITORY / "dist")
    options = parser.parse_args()
    console = Console()
    try:
        table = read(options.table)
        if options.command == "add":
            add(table, options.version, console)
            write(table, options.table)
        else:
            render(table, options.out)
    except InstallerError as error:
        console.show_error(error)
        return error.code
    return 0


# --- the table -----------------------------------------------------------------------------------


def read(path: Path) -> Table:
    """The table in the file."""
    releases = json.loads(path.read_text(encoding="utf-8"))["releases"]
    return {release["version"]: release["archives"] for release in releases}


def write(table: Table, path: Path) -> None:
    """Writes the table, the newest release first."""
    releases: list[dict[str, Any]] = [
        {"version": version, "archives": table[version]} for version in newest_first(table)
    ]
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_text(json.dumps({"releases": releases}, indent=2) + "\n", encoding="utf-8")
    temporary.replace(path)


def add(table: Table, wanted: str, console: Console) -> None:
    """Adds a release for every platform that it has a build for.

    Raises:
        InstallerError: GitHub does not have it, or it is in the table with other archives.
    """
    # Imported late: its libraries take long to import, and rendering needs none.
    from wasp_installer.getting.transport import Transport

    version = wanted if wanted == "latest" else parse_version(wanted)
    transport = Transport(console, timeout_s=30)
    archives = {}
    for name, platform in PLATFORMS.items():
        try:
            release = _find(version, platform, transport)
            version = release.version
            archives[name] = {"url": release.url or "", "sha256": _sha256(release, transport)}
            console.say(f"Wasp {version} for {name}: {archives[name]['sha256']}")
        except SourceProblem as problem:
            if problem.slug == "no-build":
                console.warn(f"{problem.text}; it is left out.")
                continue
            slug = "no-such-version" if problem.slug == "not-found" else problem.slug
            raise InstallerError(slug, f"cannot get Wasp {version}: {problem.text}.") from None
    if table.get(version, archives) != archives:
        raise InstallerError(
            "checksum-mismatch",
            f"Wasp {version} is in the table with other archives than GitHub has now.",
            "A release does not change. If this one did for a good reason, remove it there first.",
        )
    table[version] = archives


def _find(version: str, platform: Platform, transport: Transport) -> Release:
    from wasp_installer.getting.github import GitHubSource, base_url

    builds = choose_builds(platform)
    return GitHubSource(transport, platform, builds, base_url(os.environ)).find(version)


def _sha256(release: Release, transport: Transport) -> str:
    """The published one; for older releases, which have none, that of the archive itself."""
    if release.digest is not None:
        return release.digest.partition(":")[2]
    content = hashlib.sha256()

    def restart(_length: int | None) -> None:
        nonlocal content
        content = hashlib.sha256()

    def take(chunk: bytes) -> None:
        content.update(chunk)

    transport.download(release.url or "", restart, take)
    return content.hexdigest()


# --- what is rendered ----------------------------------------------------------------------------


def render(table: Table, out: Path) -> None:
    """Writes the formula of the newest release, and the plugin with all of them.

    Raises:
        InstallerError: the table is empty.
    """
    versions = newest_first(table)
    stable = [version for version in versions if "-rc" not in version]
    if not stable:
        raise InstallerError(
            "no-such-version",
            "the table has no release.",
            "Add one: python packaging/releases.py add latest",
        )
    formula = out / "homebrew" / "wasp.rb"
    formula.parent.mkdir(parents=True, exist_ok=True)
    formula.write_text(_formula(stable[0], table[stable[0]]), encoding="utf-8")
    plugin = out / "asdf-wasp"
    shutil.rmtree(plugin, ignore_errors=True)
    shutil.copytree(_HERE / "asdf", plugin)
    for name in ("install.sh", "telemetry_ping.py"):
        shutil.copy(_REPOSITORY / name, plugin / "lib")
    rows = [
        f"{version} {platform} {archive['url']} {archive['sha256']}\n"
        for version in versions
        for platform, archive in table[version].items()
    ]
    (plugin / "lib" / "releases.txt").write_text("".join(rows), encoding="utf-8")


def _formula(version: str, archives: dict[str, dict[str, str]]) -> str:
    template = (_HERE / "homebrew" / "wasp.rb.in").read_text(encoding="utf-8")
    systems = [_system_block(system, archives) for system in ("macos", "linux")]
    values = {"VERSION": version, "ARCHIVES": "\n\n".join(filter(None, systems))}
    return re.sub("@([A-Z]+)@", lambda found: values[found[1]], template)


def _system_block(system: str, archives: dict[str, dict[str, str]]) -> str:
    """What the formula has for one system; "" where the release has nothing for it."""
    blocks = []
    for name, architecture in (("arm", "aarch64"), ("intel", "x86_64")):
        archive = archives.get(f"{system}-{architecture}")
        if archive is not None:
            # Neither can hold a quote: is_version and check_url have seen to it.
            lines = (f'url "{archive["url"]}"', f'sha256 "{archive["sha256"]}"')
            inner = "".join(f"      {line}\n" for line in lines)
            blocks.append(f"    on_{name} do\n{inner}    end\n")
    return f"  on_{system} do\n{''.join(blocks)}  end" if blocks else ""


if __name__ == "__main__":
    sys.exit(main())
