"""The places that Wasp comes from, npm registry and GitHub, as one server plays them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tests.support.archives import Package, integrity, sha256_hex, tiny_package
from tests.support.replies import Content, Reply, json_content, redirect
from tests.support.server import Server

NPM_PLATFORMS = (
    *("linux-x64-glibc", "linux-x64-musl", "linux-arm64-glibc"),
    *("darwin-x64-unknown", "darwin-arm64-unknown"),
)
GITHUB_NAMES = (
    *("linux-x86_64", "linux-x86_64-static", "linux-aarch64"),
    *("macos-x86_64", "macos-aarch64", "macos-universal"),
)
_NPM = "/npm"
_GITHUB = "/github"
_REPOSITORY = f"{_GITHUB}/wasp-lang/wasp"
NPM_PACKAGE_PATH = f"{_NPM}/@wasp.sh/wasp-cli"


def npm_cli_path(version: str) -> str:
    return f"{_NPM}/@wasp.sh/wasp-cli/{version}"


def npm_platform_path(version: str, platform: str) -> str:
    return f"{_NPM}/@wasp.sh/wasp-cli-{platform}/{version}"


def npm_tarball_path(version: str, platform: str) -> str:
    return f"{_NPM}/@wasp.sh/wasp-cli-{platform}/-/wasp-cli-{platform}-{version}.tgz"


def github_download_path(version: str, name: str) -> str:
    return f"{_REPOSITORY}/releases/download/v{version}/wasp-{name}.tar.gz"


def github_asset_path(version: str, name: str) -> str:
    """Where a download is redirected to, as GitHub does."""
    return f"/assets/v{version}/wasp-{name}.tar.gz"


def github_tag_path(version: str) -> str:
    return f"{_REPOSITORY}/releases/tag/v{version}"


GITHUB_LATEST_PATH = f"{_REPOSITORY}/releases/latest"
GITHUB_LIST_PATH = f"{_GITHUB}/api/v3/repos/wasp-lang/wasp/releases?per_page=100"


def github_api_path(version: str) -> str:
    return f"{_GITHUB}/api/v3/repos/wasp-lang/wasp/releases/tags/v{version}"


@dataclass(frozen=True)
class Release:
    """A published version: its package, and both archives of it."""

    package: Package
    npm_archive: bytes
    github_archive: bytes

    @property
    def version(self) -> str:
        return self.package.version

    @property
    def npm_digest(self) -> str:
        return f"sha512:{hashlib.sha512(self.npm_archive).hexdigest()}"

    @property
    def github_digest(self) -> str:
        return f"sha256:{sha256_hex(self.github_archive)}"


class Upstream:
    """A server that plays npm below `/npm` and GitHub below `/github`."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.npm_url = f"{server.url}{_NPM}"
        self.github_url = f"{server.url}{_GITHUB}"

    def publish(
        self,
        version: str,
        *,
        node: str | None = ">=20.0.0",
        package: Package | None = None,
        npm: bool = True,
        github: bool = True,
        latest: bool = True,
        digests: bool = True,
        github_names: Iterable[str] = GITHUB_NAMES,
    ) -> Release:
        """Puts a release up; every platform gets the same archive."""
        chosen = package or tiny_package(version)
        release = Release(chosen, chosen.npm_archive(), chosen.github_archive())
        answers: dict[str, Reply] = {}
        if npm:
            cli = json_content(self.npm_cli_metadata(version, node))
            answers |= {npm_cli_path(each): cli for each in ("latest", version)[not latest :]}
            for build in NPM_PLATFORMS:
                metadata = self.npm_platform_metadata(release, version, build)
                answers[npm_platform_path(version, build)] = json_content(metadata)
                answers[npm_tarball_path(version, build)] = Content(release.npm_archive)
        if github:
            tag = github_tag_path(version)
            answers[tag] = Content(b"<html>a release</html>\n")
            if latest:
                answers[GITHUB_LATEST_PATH] = redirect(f"{self.server.url}{tag}")
            for name in github_names:
                asset = github_asset_path(version, name)
                moved = redirect(f"{self.server.url}{asset}")
                answers[github_download_path(version, name)] = moved
                answers[asset] = Content(release.github_archive)
            if digests:
                answers[github_api_path(version)] = self.github_api_answer(release, github_names)
        for path, reply in answers.items():
            self.server.answer(path, reply)
        return release

    def list_at_npm(self, versions: Iterable[str]) -> None:
        """Puts up what the registry says of the package as a whole."""
        document = {
            "_id": "@wasp.sh/wasp-cli",
            "dist-tags": {"latest": "0.25.0", "nightly": "7.7.7"},
            "versions": {each: self.npm_cli_metadata(each, ">=20.0.0") for each in versions},
            "time": {"created": "2025-01-01T00:00:00.000Z", "6.6.6": "2025-01-01T00:00:00.000Z"},
            "readme": 'says "versions": {"6.6.6": {"version": "6.6.6"}} in passing',
        }
        self.server.answer(NPM_PACKAGE_PATH, json_content(document))

    def list_at_github(self, versions: Iterable[str]) -> None:
        """Puts up the list of releases as GitHub's API has it."""
        releases = [
            {
                "url": f"{self.github_url}/api/v3/releases/1",
                "author": {"login": "octocat", "site_admin": False},
                "tag_name": f"v{version}",
                "name": f"v{version}",
                "assets": [{"name": "wasp-linux-x86_64.tar.gz", "label": None}],
                "body": 'says, "tag_name": "v6.6.6", in passing',
            }
            for version in versions
        ]
        self.server.answer(GITHUB_LIST_PATH, json_content(releases))

    def npm_cli_metadata(self, version: str, node: str | None) -> dict[str, Any]:
        """What the registry says of the wrapper package, with decoys for careless parsers."""
        engines = {} if node is None else {"engines": {"node": node, "npm": ">=1.0.0"}}
        return {
            "type": "module",
            "description": 'says "version": "6.6.6" and "node": "<1" in passing',
            "_nodeVersion": "1.2.3",
            "_npmVersion": "4.5.6",
            **engines,
            "devEngines": {"runtime": {"name": "node", "version": "^99"}},
            "bin": {"wasp": "bin.js"},
            "name": "@wasp.sh/wasp-cli",
            "version": version,
            "optionalDependencies": {f"@wasp.sh/wasp-cli-{it}": version for it in NPM_PLATFORMS},
            "dist": {
                "integrity": integrity(b"the wrapper"),
                "tarball": f"{self.npm_url}/@wasp.sh/wasp-cli/-/wasp-cli-{version}.tgz",
            },
        }

    def npm_platform_metadata(
        self, release: Release, version: str, platform: str
    ) -> dict[str, Any]:
        """What the registry says of the package that holds the binary."""
        return {
            "name": f"@wasp.sh/wasp-cli-{platform}",
            "readme": 'says "dist": {"tarball": "https://evil.invalid/x.tgz"} in passing',
            "version": version,
            "bin": {f"__internal_wasp-{platform}": "wasp-bin"},
            "dist": {
                "attestations": {"url": "https://evil.invalid/attestations"},
                "fileCount": 522,
                "integrity": integrity(release.npm_archive),
                "shasum": "0" * 40,
                "tarball": f"{self.server.url}{npm_tarball_path(version, platform)}",
            },
        }

    def github_api_answer(self, release: Release, names: Iterable[str]) -> Reply:
        """What the releases API says: every asset with its digest, among other things."""
        assets = [
            {
                "url": f"{self.github_url}/api/v3/assets/{number}",
                "name": f"wasp-{name}.tar.gz",
                "label": "",
                "content_type": "application/gzip",
                "digest": release.github_digest,
                "browser_download_url": self.server.url
                + github_download_path(release.version, name),
            }
            for number, name in enumerate(names)
        ]
        decoy = {"name": "SHA256SUMS", "digest": f"sha256:{'0' * 64}", "content_type": "text/plain"}
        return json_content({"tag_name": f"v{release.version}", "assets": [decoy, *assets]})
