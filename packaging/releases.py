"""Keeps the table of releases, and renders from it what installs Wasp by checksum.

    python packaging/releases.py add 0.25.0      # or latest; asks the npm registry and GitHub
    python packaging/releases.py render          # dist/homebrew/wasp.rb, dist/asdf-wasp/

The table, packaging/releases.json, is the one place that knows what was published: of each version
the SHA-512 of npm's packages and the SHA-256 of GitHub's archives, by the names of the builds. The
newest of them go into the installer, where they count for more than what any server says.

What is rendered takes the archives on GitHub, which everybody can reach by the same address. On
Linux x86_64 it takes the static build: that one runs everywhere, and needs no library that a
package manager of this kind would have to bring.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

_REPOSITORY = Path(__file__).resolve().parents[1]
_HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(_REPOSITORY))

from wasp_installer import Console, InstallerError  # noqa: E402
from wasp_installer.command_line.manager import manage  # noqa: E402
from wasp_installer.errors import SourceProblem  # noqa: E402
from wasp_installer.getting.documents import digest_of_integrity, text_at  # noqa: E402
from wasp_installer.versions import is_version, newest_first, parse_version  # noqa: E402

if TYPE_CHECKING:
    from wasp_installer.errors import Slug
    from wasp_installer.getting.transport import Transport

#: What a platform takes, by its name in what is rendered; the preferred build first.
PLATFORMS: Final = {
    "linux-x86_64": ("linux-x86_64-static",),
    "linux-aarch64": ("linux-aarch64",),
    "macos-x86_64": ("macos-x86_64", "macos-universal"),
    "macos-aarch64": ("macos-aarch64", "macos-universal", "macos-x86_64"),
}
#: All builds that there may be, in their order in the table.
NPM_BUILDS: Final = (
    *("linux-x64-glibc", "linux-x64-musl", "linux-arm64-glibc"),
    *("darwin-x64-unknown", "darwin-arm64-unknown"),
)
GITHUB_BUILDS: Final = (
    *("linux-x86_64", "linux-x86_64-static", "linux-aarch64"),
    *("macos-x86_64", "macos-aarch64", "macos-universal"),
)

Source = Literal["npm", "github"]
#: By build, "algorithm:hex".
Digests = dict[str, str]
#: By version and source.
Table = dict[str, dict[Source, Digests]]

_NAMES: Final[dict[Source, str]] = {"npm": "the npm registry", "github": "GitHub"}
_BUILDS: Final[dict[Source, tuple[str, ...]]] = {"npm": NPM_BUILDS, "github": GITHUB_BUILDS}


def main() -> int:
    """Runs one command; returns the exit code, which is one of the installer's."""
    parser = argparse.ArgumentParser(description="Keeps and renders the table of releases.")
    parser.add_argument("--table", metavar="FILE", type=Path, default=_HERE / "releases.json")
    commands = parser.add_subparsers(dest="command", required=True)
    adding = commands.add_parser("add", help="ask npm and GitHub for a release, and add it")
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
    return {release.pop("version"): release for release in releases}


def write(table: Table, path: Path) -> None:
    """Writes the table, the newest release first."""
    releases = [{"version": version, **table[version]} for version in newest_first(table)]
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_text(json.dumps({"releases": releases}, indent=2) + "\n", encoding="utf-8")
    temporary.replace(path)


def add(table: Table, wanted: str, console: Console) -> None:
    """Adds what both sources have of a release; one that cannot be asked leaves its part as it is.

    Raises:
        InstallerError: neither has it, or one of them names another digest than the table.
    """
    # Imported late: its libraries take long to import, and rendering needs none.
    from wasp_installer.getting.transport import Transport

    version = wanted if wanted == "latest" else parse_version(wanted)
    transport = Transport(console, timeout_s=30)
    found: dict[Source, Digests] = {}
    problems = []
    asked: dict[Source, Callable[[str, Transport], tuple[str, Digests]]]
    asked = {"npm": _ask_npm(console), "github": _ask_github}
    for source, ask in asked.items():
        try:
            answered, digests = ask(version, transport)
            if version not in ("latest", answered):
                raise SourceProblem("bad-answer", f"it answers about Wasp {answered}")
            version, found[source] = answered, digests
        except SourceProblem as problem:
            console.warn(f"{_NAMES[source]}: {problem.text}. What the table has of it stays.")
            problems.append(problem)
    if not found:
        causes = "; ".join(problem.text for problem in problems)
        raise InstallerError(_slug(problems), f"cannot get Wasp {version}: {causes}.")
    release = dict(table.get(version, {}))
    for source, digests in found.items():
        release[source] = _merged(release.get(source, {}), digests, version, source)
        for build in digests:
            console.say(f"Wasp {version}, {build}: {digests[build]}")
    table[version] = {source: release[source] for source in _BUILDS if release.get(source)}
    console.say("Now run make install.sh: it has the table inside.")


def _slug(problems: Sequence[SourceProblem]) -> Slug:
    for problem in problems:
        if problem.slug != "not-found" and problem.slug != "no-build":
            return problem.slug
    return "no-such-version"


def _merged(known: Digests, digests: Digests, version: str, source: Source) -> Digests:
    """What was known of a release at one source and is now, in the order of the builds.

    Raises:
        InstallerError: a digest is another one.
    """
    for build, digest in digests.items():
        if known.get(build, digest) != digest:
            raise InstallerError(
                "checksum-mismatch",
                f"{_NAMES[source]} has another {build} of Wasp {version} than the table: its "
                f"digest is\n{digest}, and was\n{known[build]}.",
                "A release does not change. If this one did for a good reason, remove it from "
                "the table first.",
            )
    every = {**known, **digests}
    return {build: every[build] for build in _BUILDS[source] if build in every}


def _ask_npm(console: Console) -> Callable[[str, Transport], tuple[str, Digests]]:
    """What asks the registry that npm itself would."""

    def ask(wanted: str, transport: Transport) -> tuple[str, Digests]:
        words = ("check", "--dry-run", "--force", "--source", "auto")
        registry = manage(console, words, "").told["registry"]
        if not registry:
            raise SourceProblem("bad-answer", "none is known here")
        package = f"{registry}/@wasp.sh%2fwasp-cli"
        version = text_at(transport.get_json(f"{package}/{wanted}"), "version") or ""
        if not is_version(version):
            raise SourceProblem("bad-answer", "it did not say which version it has")
        digests = {}
        for build in NPM_BUILDS:
            try:
                document = transport.get_json(f"{package}-{build}/{version}")
            except SourceProblem as problem:
                if problem.slug != "not-found":
                    raise
                console.say(f"Wasp {version} has no package {build} there; it is left out.")
                continue
            with contextlib.suppress(ValueError):
                digest = digest_of_integrity(text_at(document, "dist", "integrity"))
                if digest is not None:
                    digests[build] = digest
                    continue
            raise SourceProblem("bad-answer", f"it names no checksum of {build}")
        return version, digests

    return ask


def _ask_github(wanted: str, transport: Transport) -> tuple[str, Digests]:
    """The published digests; for older releases, which have none, those of the archives."""
    from wasp_installer.getting.github import DEFAULT_URL, base_url

    base = base_url(os.environ)
    api = "https://api.github.com" if base == DEFAULT_URL else f"{base}/api/v3"
    where = "latest" if wanted == "latest" else f"tags/v{wanted}"
    release = transport.get_json(f"{api}/repos/wasp-lang/wasp/releases/{where}")
    version = (text_at(release, "tag_name") or "").removeprefix("v")
    assets = release.get("assets") if isinstance(release, dict) else None
    if not is_version(version) or not isinstance(assets, list):
        raise SourceProblem("bad-answer", "it did not say which files it has")
    named = {text_at(asset, "name"): text_at(asset, "digest") for asset in assets}
    digests = {}
    for build in GITHUB_BUILDS:
        file = f"wasp-{build}.tar.gz"
        if file in named:
            digest = (named[file] or _sha256(_address(base, version, build), transport)).lower()
            if not re.fullmatch("sha256:[0-9a-f]{64}", digest):
                raise SourceProblem("bad-answer", f"it gave a checksum of {file} that is none")
            digests[build] = digest
    return version, digests


def _sha256(url: str, transport: Transport) -> str:
    content = hashlib.sha256()

    def restart(_length: int | None) -> None:
        nonlocal content
        content = hashlib.sha256()

    def take(chunk: bytes) -> None:
        content.update(chunk)

    transport.download(url, restart, take)
    return f"sha256:{content.hexdigest()}"


def _address(base: str, version: str, build: str) -> str:
    return f"{base}/wasp-lang/wasp/releases/download/v{version}/wasp-{build}.tar.gz"


# --- what is rendered ----------------------------------------------------------------------------


def render(table: Table, out: Path) -> None:
    """Writes the formula of the newest release, and the plugin with all of them.

    Raises:
        InstallerError: the table has no release with the digests of GitHub.
    """
    from wasp_installer.getting.github import base_url

    base = base_url(os.environ)
    releases = {
        version: _archives(table[version]["github"], version, base)
        for version in newest_first(table)
        if table[version].get("github")
    }
    stable = [version for version in releases if "-rc" not in version]
    if not stable:
        raise InstallerError(
            "no-such-version",
            "the table has no release with GitHub's digests.",
            "Add one where GitHub can be reached: python packaging/releases.py add latest",
        )
    formula = out / "homebrew" / "wasp.rb"
    formula.parent.mkdir(parents=True, exist_ok=True)
    formula.write_text(_formula(stable[0], releases[stable[0]]), encoding="utf-8")
    plugin = out / "asdf-wasp"
    shutil.rmtree(plugin, ignore_errors=True)
    shutil.copytree(_HERE / "asdf", plugin)
    shutil.copy(_REPOSITORY / "install.sh", plugin / "lib")
    rows = [
        f"{version} {platform} {archive['url']} {archive['sha256']}\n"
        for version, archives in releases.items()
        for platform, archive in archives.items()
    ]
    (plugin / "lib" / "releases.txt").write_text("".join(rows), encoding="utf-8")


def _archives(digests: Digests, version: str, base: str) -> dict[str, dict[str, str]]:
    """The "url" and "sha256" of what each platform takes of a release, if it has anything."""
    archives = {}
    for name, builds in PLATFORMS.items():
        build = next((each for each in builds if each in digests), None)
        if build is not None:
            sha256 = digests[build].partition(":")[2]
            archives[name] = {"url": _address(base, version, build), "sha256": sha256}
    return archives


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
