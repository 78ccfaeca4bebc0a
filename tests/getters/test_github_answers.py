"""What GitHub, or a mirror of it, may answer, and what both getters take from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.support.frontends import FrontEnd
from tests.support.functions import call_functions
from tests.support.machines import MachineRoom
from tests.support.replies import Content, Raw, Reply, html_page, json_content, redirect, status
from tests.support.server import Server
from wasp_installer import Console
from wasp_installer.errors import SourceProblem
from wasp_installer.getting.github import GitHubSource
from wasp_installer.getting.platforms import Builds, Platform
from wasp_installer.getting.transport import Transport

#: As of Apple silicon, for which older releases have other builds.
BUILDS = ("macos-aarch64", "macos-universal", "macos-x86_64")
SHA256 = "0123456789abcdef" * 4
TAG = "/wasp-lang/wasp/releases/tag/v0.25.0"


def assets(*builds: str, digest: Any = f"sha256:{SHA256}") -> Reply:
    """The API's answer about a release with these builds."""
    listed = [{"name": f"wasp-{build}.tar.gz", "digest": digest} for build in builds]
    decoy = {"name": "SHA256SUMS", "digest": f"sha256:{'0' * 64}"}
    return json_content({"tag_name": "v0.25.0", "assets": [decoy, *listed]})


def led_by(header: str) -> Reply:
    """A redirect to the newest, by a header that is spelled so."""
    lines = (f"{header}https://github.invalid{TAG}", "Content-Length: 0", "Connection: close")
    return Raw("\r\n".join(["HTTP/1.1 302 Found", *lines, "", ""]).encode())


@dataclass(frozen=True)
class Case:
    """What a GitHub has and answers; what is found: a build with or without a digest, or a problem.

    ``silence`` is why there is no digest, where the API would have known it.
    """

    build: str = ""
    api: Reply = field(default_factory=lambda: assets(*BUILDS))
    downloads: tuple[str, ...] = BUILDS
    latest: Reply = field(default_factory=lambda: redirect(f"https://github.invalid{TAG}"))
    tag: Reply = field(default_factory=lambda: Content(b"a release"))
    digest: str = f"sha256:{SHA256}"
    silence: str = ""
    slug: str = ""

    @property
    def expected(self) -> tuple[str, ...]:
        return (self.slug,) if self.slug else ("0.25.0", self.build, self.digest, self.silence)


NO_LIST = "127.0.0.1 did not say which files it has"
FIRST = BUILDS[0]
CASES = {
    "usual": Case(FIRST),
    "LOCATION": Case(FIRST, latest=led_by("LOCATION: ")),
    "location and a tab": Case(FIRST, latest=led_by("location:\t")),
    "upper case": Case(FIRST, assets(*BUILDS, digest=f"sha256:{SHA256.upper()}")),
    "universal": Case("macos-universal", assets("macos-x86_64", "macos-universal")),
    "Rosetta": Case("macos-x86_64", assets("macos-x86_64", "linux-x86_64")),
    "without digests": Case(FIRST, assets(*BUILDS, digest=None), digest=""),
    "another digest": Case(FIRST, assets(*BUILDS, digest="md5:0123"), digest=""),
    # --- the API, which has a limit on requests, is silent: the files themselves are looked for
    "a mirror of the downloads": Case(FIRST, status(404), digest=""),
    "a mirror of an old release": Case("macos-x86_64", status(404), BUILDS[2:], digest=""),
    "403": Case(FIRST, status(403), digest="", silence="127.0.0.1 answered with HTTP status 403"),
    "500, once": Case(
        FIRST, status(500), digest="", silence="127.0.0.1 answered with HTTP status 500"
    ),
    "portal": Case(FIRST, html_page(), digest="", silence="*"),
    "nonsense": Case(FIRST, Content(b"nonsense"), digest="", silence="*"),
    "no list": Case(FIRST, json_content({"message": "hello"}), digest="", silence=NO_LIST),
    # --- where the newest is
    "a login page": Case(latest=redirect("/login"), slug="bad-answer"),
    "no version": Case(latest=redirect("/releases/tag/v../../evil"), slug="bad-answer"),
    "nowhere": Case(latest=redirect(""), slug="bad-answer"),
    "a page": Case(latest=html_page(), slug="captive-portal"),
    "forbidden": Case(latest=status(403), slug="http-status"),
    # --- a release without a build for this platform is another thing than no such release
    "no build": Case(api=assets("linux-x86_64"), downloads=(), slug="no-build"),
    "no release": Case(api=status(404), downloads=(), tag=status(404), slug="not-found"),
}


def found_by_python(address: str) -> tuple[str, ...]:
    platform = Platform("Darwin", "arm64", "macos", "aarch64")
    transport = Transport(Console(quiet=True), 5)
    source = GitHubSource(transport, platform, Builds("", BUILDS), address)
    try:
        release = source.find("latest")
    except SourceProblem as problem:
        return (problem.slug,)
    build = (release.url or "").rpartition("/wasp-")[2].removesuffix(".tar.gz")
    return (release.version, build, release.digest or "", release.no_digest or "")


def call(address: str) -> str:
    return f"""
    choose_downloader
    release_digest= api_problem=
    WASP_GITHUB_URL={address} wanted=latest timeout=5 os=macos arch=aarch64
    github_builds='{" ".join(BUILDS)}'
    if find_release_at_github 2>/dev/null; then
        printf '%s\\n' "$version" "$release_build" "$release_digest" "$api_problem" .
    else
        printf '%s\\n' "$problem"
    fi
    """


@pytest.mark.parametrize("downloader", ["curl", "wget"])
def test_what_is_taken_from_an_answer(
    machines: MachineRoom, shell: FrontEnd, plain: Server, downloader: str
) -> None:
    api, releases = "/api/v3/repos/wasp-lang/wasp/releases", "/wasp-lang/wasp/releases"
    for number, case in enumerate(CASES.values()):
        plain.answer(f"/{number}{releases}/latest", case.latest)
        plain.answer(f"/{number}{releases}/tag/v0.25.0", case.tag)
        plain.answer(f"/{number}{api}/tags/v0.25.0", case.api)
        for build in case.downloads:
            path = f"/{number}{releases}/download/v0.25.0/wasp-{build}.tar.gz"
            plain.answer(path, Content(b"an archive"))
    addresses = [f"{plain.url}/{number}" for number in range(len(CASES))]
    machine = machines.build(shell).without_waiting()
    machine.toolbox.remove("curl").link(downloader)
    said = call_functions(machine, [call(address) for address in addresses])
    for (name, case), address, answer in zip(CASES.items(), addresses, said):
        for found in (tuple(answer.split("\n")[:4]), found_by_python(address)):
            shown = (*found[:3], "*") if case.silence == "*" and found[3:] != ("",) else found
            assert shown == case.expected, (name, found)
