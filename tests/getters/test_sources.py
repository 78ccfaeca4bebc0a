"""Which source is asked, when the other one is, and what is said if none delivers."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.getters.deliveries import LINUX
from tests.getters.fetch_cases import raw
from tests.support.functions import call_functions
from tests.support.getters import Getters
from tests.support.machines import Machine
from tests.support.porcelain import from_porcelain
from tests.support.releases import Upstream, npm_tarball_path
from tests.support.replies import (
    Content,
    Cut,
    Reply,
    Sequence,
    html_page,
    json_content,
    redirect,
    status,
)
from tests.support.server import Server
from wasp_installer import Console, InstallerError, Options
from wasp_installer.errors import EXIT_CODES, SourceProblem
from wasp_installer.getting.github import GitHubSource
from wasp_installer.getting.npm import NpmSource
from wasp_installer.getting.platforms import Platform
from wasp_installer.getting.sources import Source, from_the_first
from wasp_installer.getting.transport import Transport

TARBALL = npm_tarball_path("0.25.0", "linux-x64-glibc")

#: What is asked for where, and the sources that are then tried.
PLANS = {
    ("auto", "latest"): "npm github",
    ("auto", "0.20.2"): "npm github",
    # npm does not have these.
    ("auto", "0.20.1"): "github",
    ("npm", "0.20.1"): "npm",
    ("github", "latest"): "github",
}
#: What each source says, or "-" where it is not asked; and the error that this is.
FAILURES = {
    **{f"{it} -": it for it, code in EXIT_CODES.items() if code == 4 and it != "no-downloader"},
    "not-found -": "no-such-version",
    "- not-found": "no-such-version",
    "no-build -": "unsupported-platform",
    "not-found not-found": "no-such-version",
    "not-found no-build": "unsupported-platform",
    "no-build not-found": "no-such-version",
    # Nobody can know whether the version is where nobody could look.
    "dns not-found": "dns",
    "not-found tls": "tls",
    "dns http-status": "dns",
    "timeout timeout": "timeout",
}


def test_which_sources_are_asked(shell_machine: Machine) -> None:
    calls = [
        f"source={source} wanted={wanted} WASP_NPM_REGISTRY=https://registry.invalid\n"
        'start_registry_lookup\nplan_sources\nlines "$sources"'
        for source, wanted in PLANS
    ]
    assert call_functions(shell_machine, calls) == list(PLANS.values())


def met(source: str, slug: str) -> str:
    return "the same" if slug == "timeout" else f"{source} met {slug}"


def failure_of_python(source: str, slugs: dict[str, str]) -> tuple[object, ...]:
    console = Console(quiet=True)
    npm = NpmSource(Transport(console, 5), "", None, None)
    github = GitHubSource(Transport(console, 5), LINUX, "")

    def attempt(each: Source) -> None:
        raise SourceProblem(slugs[each.key], met(each.key, slugs[each.key]))  # type: ignore[arg-type]

    options = Options(wanted="0.25.0", source=source, prefix="/prefix")
    asked = [each for each in (npm, github) if each.key in slugs]
    with pytest.raises(InstallerError) as caught:
        from_the_first(asked, options, LINUX, console, attempt)
    return caught.value.slug, caught.value.message, caught.value.hint, console.warnings


def test_what_is_said_if_none_delivers(shell_machine: Machine) -> None:
    calls, python, sh = [], [], []
    for name in FAILURES:
        slugs = {key: slug for key, slug in zip(("npm", "github"), name.split()) if slug != "-"}
        source = "auto" if len(slugs) == 2 else next(iter(slugs))
        stubs = "".join(
            f"find_release_at_{key}() {{ set_problem {slug} '{met(key, slug)}'; }}\n"
            for key, slug in slugs.items()
        )
        calls.append(
            f"{stubs}result() {{ :; }}\n"
            f"find_registry() {{ fetcher=request registry={'x' if 'npm' in slugs else ''}; }}\n"
            f"porcelain=true quiet=true source={source} wanted=0.25.0\n"
            "os=linux arch=x86_64 libc=glibc\nobtain_release"
        )
        python.append(failure_of_python(source, slugs))
    for said in call_functions(shell_machine, calls):
        told = from_porcelain("\n".join(re.findall(r"^[a-z]+=.*", said, re.MULTILINE)))
        assert EXIT_CODES[told["error"]] == told["code"]
        sh.append((told["error"], told["message"], told["hint"], told["warnings"]))
    assert sh == python
    found = dict(zip(FAILURES, sh))
    assert {name: failure[0] for name, failure in found.items()} == FAILURES
    cannot = "cannot get Wasp 0.25.0:"
    assert found["dns http-status"][1] == f"{cannot} npm met dns; github met http-status."
    assert found["timeout timeout"][1] == f"{cannot} the same."


#: As of Apple silicon, for which older releases have other builds.
BUILDS = ("macos-aarch64", "macos-universal", "macos-x86_64")
SHA256 = "0123456789abcdef" * 4
NEWEST = "https://github.invalid/wasp-lang/wasp/releases/tag/v0.25.0"


def assets(*builds: str, digest: Any = f"sha256:{SHA256}") -> Reply:
    """The API's answer about a release with these builds."""
    listed = [{"name": f"wasp-{build}.tar.gz", "digest": digest} for build in builds]
    decoy = {"name": "SHA256SUMS", "digest": f"sha256:{'0' * 64}"}
    return json_content({"tag_name": "v0.25.0", "assets": [decoy, *listed]})


@dataclass(frozen=True)
class Answer:
    """What a GitHub has and answers; what is found: a build with or without a digest, or a problem.

    ``silence`` is why there is no digest, where the API would have known it.
    """

    build: str = ""
    api: Reply = field(default_factory=lambda: assets(*BUILDS))
    downloads: tuple[str, ...] = BUILDS
    latest: Reply = field(default_factory=lambda: redirect(NEWEST))
    tag: Reply = field(default_factory=lambda: Content(b"a release"))
    digest: str = f"sha256:{SHA256}"
    silence: str = ""
    slug: str = ""

    @property
    def expected(self) -> tuple[str, ...]:
        return (self.slug,) if self.slug else ("0.25.0", self.build, self.digest, self.silence)


STATUS = "127.0.0.1 answered with HTTP status"
NO_LIST = "127.0.0.1 did not say which files it has"
FIRST = BUILDS[0]
ANSWERS = {
    "usual": Answer(FIRST),
    "LOCATION": Answer(FIRST, latest=raw("302 Found", f"LOCATION: {NEWEST}")),
    "location and a tab": Answer(FIRST, latest=raw("302 Found", f"location:\t{NEWEST}")),
    "upper case": Answer(FIRST, assets(*BUILDS, digest=f"sha256:{SHA256.upper()}")),
    "universal": Answer("macos-universal", assets("macos-x86_64", "macos-universal")),
    "Rosetta": Answer("macos-x86_64", assets("macos-x86_64", "linux-x86_64")),
    "without digests": Answer(FIRST, assets(*BUILDS, digest=None), digest=""),
    "another digest": Answer(FIRST, assets(*BUILDS, digest="md5:0123"), digest=""),
    # --- the API, which has a limit on requests, is silent: the files themselves are looked for
    "a mirror of the downloads": Answer(FIRST, status(404), digest=""),
    "a mirror of an old release": Answer("macos-x86_64", status(404), BUILDS[2:], digest=""),
    **{
        f"{code}": Answer(FIRST, status(code), digest="", silence=f"{STATUS} {code}")
        for code in (403, 500)
    },
    "portal": Answer(FIRST, html_page(), digest="", silence="*"),
    "nonsense": Answer(FIRST, Content(b"nonsense"), digest="", silence="*"),
    "no list": Answer(FIRST, json_content({"message": "hello"}), digest="", silence=NO_LIST),
    # --- where the newest is
    "a login page": Answer(latest=redirect("/login"), slug="bad-answer"),
    "no version": Answer(latest=redirect("/releases/tag/v../../evil"), slug="bad-answer"),
    "nowhere": Answer(latest=redirect(""), slug="bad-answer"),
    "a page": Answer(latest=html_page(), slug="captive-portal"),
    "forbidden": Answer(latest=status(403), slug="http-status"),
    # --- a release without a build for this platform is another thing than no such release
    "no build": Answer(api=assets("linux-x86_64"), downloads=(), slug="no-build"),
    "no release": Answer(api=status(404), downloads=(), tag=status(404), slug="not-found"),
}


def found_by_python(address: str) -> tuple[str, ...]:
    platform = Platform("macos", "aarch64", None, "", BUILDS)
    source = GitHubSource(Transport(Console(quiet=True), 5), platform, address)
    try:
        release = source.find("latest")
    except SourceProblem as problem:
        return (problem.slug,)
    build = (release.url or "").rpartition("/wasp-")[2].removesuffix(".tar.gz")
    return (release.version, build, release.digest or "", release.no_digest or "")


CALL = f"""
choose_downloader
release_digest= api_problem=
WASP_GITHUB_URL={{address}} wanted=latest timeout=5 os=macos arch=aarch64
github_builds='{" ".join(BUILDS)}'
if find_release_at_github 2>/dev/null; then
    printf '%s\\n' "$version" "$release_build" "$release_digest" "$api_problem" .
else
    printf '%s\\n' "$problem"
fi
"""


@pytest.mark.parametrize("downloader", ["curl", "wget"])
def test_what_github_answers(shell_machine: Machine, plain: Server, downloader: str) -> None:
    api, releases = "/api/v3/repos/wasp-lang/wasp/releases", "/wasp-lang/wasp/releases"
    for number, case in enumerate(ANSWERS.values()):
        for path, reply in {
            f"{releases}/latest": case.latest,
            f"{releases}/tag/v0.25.0": case.tag,
            f"{api}/tags/v0.25.0": case.api,
            **{
                f"{releases}/download/v0.25.0/wasp-{build}.tar.gz": Content(b"an archive")
                for build in case.downloads
            },
        }.items():
            plain.answer(f"/{number}{path}", reply)
    addresses = [f"{plain.url}/{number}" for number in range(len(ANSWERS))]
    machine = shell_machine.without_waiting()
    machine.toolbox.remove("curl").link(downloader)
    said = call_functions(machine, [CALL.format(address=address) for address in addresses])
    for (name, case), address, answer in zip(ANSWERS.items(), addresses, said):
        for found in (tuple(answer.split("\n")[:4]), found_by_python(address)):
            shown = (*found[:3], "*") if case.silence == "*" and found[3:] != ("",) else found
            assert shown == case.expected, (name, found)


def test_github_serves_when_npm_does_not(both: Getters, upstream: Upstream) -> None:
    """Each is checked by itself: a portal's page is not taken for what was asked for."""
    release = upstream.publish("0.25.0")
    upstream.server.answer(TARBALL, html_page())
    sha256 = release.github_digest.removeprefix("sha256:")
    run = both.install("0.25.0", "--sha256", sha256).ok()
    assert (run.json["source"], run.json["digest"]) == ("github", release.github_digest)
    [warning] = [warning for warning in run.warnings() if "GitHub" in warning]
    assert warning.startswith("the npm registry: 127.0.0.1 answered with a web page")


def test_the_archive_begins_anew(machine: Machine, upstream: Upstream) -> None:
    archive = upstream.publish("0.25.0", github=False).npm_archive
    upstream.server.answer(TARBALL, Sequence([Cut(archive, len(archive) // 2), Content(archive)]))
    machine.without_waiting().install("0.25.0", "--source", "npm").ok()
