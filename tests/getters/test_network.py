"""A fault of the network ends an install with its exit code, its words, few attempts, no trace.

What each answer is taken for is in test_fetching.py and test_registry_answers.py.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.support.certificates import Authority, Certificate
from tests.support.getters import Getters
from tests.support.machines import Machine
from tests.support.releases import Upstream, npm_cli_path, npm_tarball_path
from tests.support.replies import (
    Content,
    Cut,
    LyingLength,
    Reply,
    Sequence,
    StallAfter,
    html_page,
    redirect,
    status,
)
from tests.support.server import Server
from tests.support.trees import picture

METADATA = npm_cli_path("0.25.0")
TARBALL = npm_tarball_path("0.25.0", "linux-x64-glibc")
FROM_NPM = ("--source", "npm")


@dataclass(frozen=True)
class Fault:
    """What a path answers, how often it is asked for that, and what is said in the end."""

    path: str
    reply: Reply
    slug: str
    words: str
    attempts: int = 1


FAULTS = {
    "gives up": Fault(TARBALL, status(500), "http-status", "HTTP status 500", 4),
    "refused": Fault(METADATA, status(403), "http-status", "HTTP status 403"),
    "stalls": Fault(TARBALL, StallAfter(b"x" * 999, 100), "timeout", "sent nothing for 1 s"),
    "portal": Fault(METADATA, redirect("/portal"), "captive-portal", "browser"),
    "portal for the archive": Fault(TARBALL, redirect("/portal"), "captive-portal", "browser"),
    "nonsense": Fault(METADATA, Content(b"nonsense"), "bad-answer", "not JSON"),
}


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault(both: Getters, upstream: Upstream, kind: str) -> None:
    fault = FAULTS[kind]
    upstream.publish("0.25.0", github=False)
    upstream.server.answer("/portal", html_page())
    upstream.server.answer(fault.path, fault.reply)
    both.machine.without_waiting().set(WASP_HTTP_TIMEOUT="1")
    both.install("0.25.0", *FROM_NPM).failed(4, fault.slug).says(fault.words)
    assert picture(both.machine.home) == {}
    assert upstream.server.count(fault.path) == 2 * fault.attempts


def test_a_server_that_recovers_is_no_fault(machine: Machine, upstream: Upstream) -> None:
    """Also in the middle of the archive, which then begins anew."""
    machine.toolbox.fake_uname("Linux", "x86_64").fake_glibc("2.36")
    archive = upstream.publish("0.25.0", github=False).npm_archive
    cut = Cut(archive, len(archive) // 2)
    busy = status(429, Retry_After="9")
    upstream.server.answer(TARBALL, Sequence([busy, cut, Cut(archive, 1), Content(archive)]))
    machine.without_waiting().install("0.25.0", *FROM_NPM).ok()
    assert upstream.server.count(TARBALL) == 4
    assert machine.pauses() == [9, 2, 4]


def test_a_bad_certificate(both: Getters, authority: Authority) -> None:
    bad = Server(authority.server_context(Certificate.UNKNOWN_AUTHORITY))
    try:
        both.machine.set(WASP_NPM_REGISTRY=bad.url)
        run = both.install("0.25.0", *FROM_NPM, certain_only=True).failed(4, "tls")
        run.says("certificate", "ca-certificates")
        assert (bad.connections, bad.requests) == (2, {})
    finally:
        bad.close()


def test_a_file_of_authorities_that_is_missing(both: Getters) -> None:
    """As one that conda's activation names, in an environment that is gone."""
    gone = str(both.machine.root / "gone.pem")
    both.machine.set(SSL_CERT_FILE=gone, CURL_CA_BUNDLE=gone, REQUESTS_CA_BUNDLE=gone)
    run = both.install("0.25.0", *FROM_NPM, certain_only=True).failed(4, "tls")
    run.says("gone.pem", "SSL_CERT_FILE=").is_silent_about("retrying")


@pytest.mark.parametrize("kind", ["shortened", "longer"])
def test_wrong_bytes_are_refused_and_no_other_source_is_tried(
    both: Getters, upstream: Upstream, kind: str
) -> None:
    archive = upstream.publish("0.25.0").npm_archive
    short, long = LyingLength(archive, len(archive) - 1), Content(archive + b"\0")
    upstream.server.answer(TARBALL, short if kind == "shortened" else long)
    both.install("0.25.0").failed(6, "checksum-mismatch").says("sha512")
    assert not [path for path in upstream.server.requests if path.startswith("/github")]
    assert picture(both.machine.home) == {}


@pytest.mark.parametrize("path", [METADATA, TARBALL], ids=["metadata", "archive"])
def test_a_redirect_to_http_is_not_followed(both: Getters, upstream: Upstream, path: str) -> None:
    upstream.publish("0.25.0", github=False)
    plain = Server(None)
    try:
        plain.fallback = upstream.server.reply_of(path)
        upstream.server.answer(path, redirect(f"{plain.url}/here"))
        run = both.install("0.25.0", *FROM_NPM).failed(4, "insecure-url")
        run.says("redirected to an address that is not https")
        assert plain.connections == 0
    finally:
        plain.close()


def test_loopback_needs_no_tls(both: Getters) -> None:
    plain = Server(None)
    try:
        upstream = Upstream(plain)
        upstream.publish("0.25.0")
        both.machine.set(WASP_NPM_REGISTRY=upstream.npm_url)
        both.install("0.25.0", *FROM_NPM).ok()
        both.machine.set(WASP_GITHUB_URL=upstream.github_url.replace("127.0.0.1", "localhost"))
        both.install("0.25.0", "--source", "github", "--force").ok()
    finally:
        plain.close()


def test_a_failure_of_both_sources_names_both_causes(both: Getters, upstream: Upstream) -> None:
    both.machine.set(WASP_NPM_REGISTRY="https://registry.invalid")
    upstream.server.fallback = status(403)
    run = both.install("0.25.0").failed(4, "dns")
    run.says(
        "cannot get Wasp 0.25.0: the name registry.invalid could not be resolved; 127.0.0.1 ans"
    )
