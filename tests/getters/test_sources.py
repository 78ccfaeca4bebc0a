"""Which source is asked, when the other one is, and what is said if none delivers."""

from __future__ import annotations

import re

import pytest

from tests.support.functions import call_functions
from tests.support.getters import Getters
from tests.support.machines import Machine
from tests.support.porcelain import from_porcelain
from tests.support.releases import Upstream, npm_tarball_path
from tests.support.replies import Content, Cut, Sequence, StallAfter, html_page
from tests.support.trees import picture
from wasp_installer import Console, InstallerError, Options
from wasp_installer.errors import EXIT_CODES, SourceProblem
from wasp_installer.getting.github import GitHubSource
from wasp_installer.getting.npm import NpmSource
from wasp_installer.getting.platforms import Builds, Platform
from wasp_installer.getting.registry import asks_npm
from wasp_installer.getting.sources import Source, from_the_first
from wasp_installer.getting.transport import Transport

LINUX = Platform("Linux", "x86_64", "linux", "x86_64", "glibc", "2.36")
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
    **{
        f"{slug} -": slug
        for slug in (
            *("dns", "connection", "timeout", "http-status", "tls", "proxy"),
            *("captive-portal", "insecure-url", "bad-answer"),
        )
    },
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
    for (source, wanted), sources in PLANS.items():
        assert asks_npm(source, wanted) == ("npm" in sources)


def met(source: str, slug: str) -> str:
    return "the same" if slug == "timeout" else f"{source} met {slug}"


def failure_of_sh(said: str) -> tuple[str, str, str, list[str]]:
    told = from_porcelain("\n".join(re.findall(r"^[a-z]+=.*", said, re.MULTILINE)))
    assert EXIT_CODES[told["error"]] == told["code"]
    return told["error"], told["message"], told["hint"], told["warnings"]


def failure_of_python(source: str, slugs: dict[str, str]) -> tuple[str, str, str, list[str]]:
    console = Console(quiet=True)
    transport = Transport(console, 5)
    every: dict[str, Source] = {
        "npm": NpmSource(transport, console, "", None, None),
        "github": GitHubSource(transport, LINUX, Builds("", ()), ""),
    }

    def attempt(each: Source) -> None:
        raise SourceProblem(slugs[each.key], met(each.key, slugs[each.key]))  # type: ignore[arg-type]

    options = Options(wanted="0.25.0", source=source, prefix="/prefix")
    with pytest.raises(InstallerError) as caught:
        from_the_first([every[key] for key in slugs], options, LINUX, console, attempt)
    return caught.value.slug, caught.value.message, caught.value.hint or "", console.warnings


def test_what_is_said_if_none_delivers(shell_machine: Machine) -> None:
    calls, python = [], {}
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
        python[name] = failure_of_python(source, slugs)
    sh = dict(zip(FAILURES, map(failure_of_sh, call_functions(shell_machine, calls))))
    assert sh == python
    assert {name: failure[0] for name, failure in sh.items()} == FAILURES
    assert (
        sh["dns http-status"][1] == "cannot get Wasp 0.25.0: npm met dns; github met http-status."
    )
    assert sh["timeout timeout"][1] == "cannot get Wasp 0.25.0: the same."


# --- Whole runs ----------------------------------------------------------------------------------


def test_github_serves_when_npm_does_not(both: Getters, upstream: Upstream) -> None:
    """Each is checked by itself: a portal's page is not taken for what was asked for."""
    release = upstream.publish("0.25.0")
    upstream.server.answer(TARBALL, html_page())
    sha256 = release.github_digest.removeprefix("sha256:")
    run = both.install("0.25.0", "--sha256", sha256).ok()
    assert (run.json["source"], run.json["digest"]) == ("github", release.github_digest)
    [warning] = [warning for warning in run.warnings() if "GitHub" in warning]
    assert warning.startswith("the npm registry: 127.0.0.1 answered with a web page")


def test_a_server_that_stops_in_the_middle(both: Getters, upstream: Upstream) -> None:
    """Where it hangs up, the archive begins anew."""
    archive = upstream.publish("0.25.0", github=False).npm_archive
    both.machine.without_waiting().set(WASP_HTTP_TIMEOUT="1")
    upstream.server.answer(TARBALL, StallAfter(archive, 100))
    run = both.install("0.25.0", "--source", "npm").failed(4, "timeout")
    run.says("sent nothing for 1 s", "check your network")
    assert picture(both.machine.home) == {}
    for front_end in (both.python, both.shell):
        both.machine.front_end = front_end
        cut = Cut(archive, len(archive) // 2)
        upstream.server.answer(TARBALL, Sequence([cut, Content(archive)]))
        both.machine.install("0.25.0", "--source", "npm", "--force").ok()
