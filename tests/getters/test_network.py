"""The network at its worst: each fault has its exit code, its words, and few attempts.

What is said of it comes from curl or requests, so of that only slug, exit code and hint are
compared; what both find out themselves is compared in full.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.archives import tiny_package
from tests.support.certificates import Authority, Certificate
from tests.support.getters import Getters
from tests.support.machines import Machine
from tests.support.releases import (
    Release,
    Upstream,
    npm_cli_path,
    npm_platform_path,
    npm_tarball_path,
)
from tests.support.replies import (
    Content,
    Cut,
    Drip,
    LyingLength,
    Raw,
    Reply,
    Reset,
    Sequence,
    Stall,
    StallAfter,
    html_page,
    json_content,
    redirect,
    status,
)
from tests.support.server import Server
from tests.support.trees import picture

PLATFORM = "linux-x64-glibc"
METADATA = npm_cli_path("0.25.0")
PLATFORM_METADATA = npm_platform_path("0.25.0", PLATFORM)
TARBALL = npm_tarball_path("0.25.0", PLATFORM)
FROM_NPM = ("--source", "npm")


@pytest.fixture
def release(upstream: Upstream) -> Release:
    """Version 0.25.0 on npm only."""
    return upstream.publish("0.25.0", github=False)


@pytest.fixture
def linux(machine: Machine) -> Machine:
    """A machine of a fixed platform."""
    machine.toolbox.fake_uname("Linux", "x86_64").fake_glibc("2.36")
    return machine


def failed(both: Getters, code: int, slug: str, **options: Any) -> str:
    """What is said of an install of 0.25.0 from npm, which leaves nothing at all."""
    run = both.install("0.25.0", *FROM_NPM, **options).failed(code, slug)
    assert picture(both.machine.home) == {}
    return run.stderr


# --- What may pass by itself is tried again ------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "reply", "slug"),
    [
        (METADATA, status(503), "http-status"),
        (METADATA, status(429), "http-status"),
        (TARBALL, status(500), "http-status"),
        (METADATA, Reset(), "connection"),
    ],
    ids=["503", "429", "500 for the archive", "reset"],
)
@pytest.mark.usefixtures("release")
def test_a_server_in_trouble_is_asked_four_times(
    linux: Machine, upstream: Upstream, path: str, reply: Reply, slug: str
) -> None:
    upstream.server.answer(path, reply)
    linux.without_waiting().install("0.25.0", *FROM_NPM).failed(4, slug)
    assert upstream.server.count(path) == 4
    assert linux.pauses() == [1, 2, 4]
    assert picture(linux.home) == {}


def test_a_server_that_recovers_is_no_error(
    linux: Machine, upstream: Upstream, release: Release
) -> None:
    """Also in the middle of the archive, which then begins anew."""
    archive = release.npm_archive
    cut, fine = Cut(archive, len(archive) // 2), Content(archive)
    upstream.server.answer(TARBALL, Sequence([status(502), cut, Cut(archive, 1), fine]))
    told = linux.without_waiting().install("0.25.0", *FROM_NPM).ok().json
    assert told["digest"] == release.npm_digest
    assert upstream.server.count(TARBALL) == 4


@pytest.mark.usefixtures("release")
@pytest.mark.parametrize(
    ("headers", "pauses"), [(["08", "9999", "soon"], [8, 60, 4]), (["0", "-5", "60"], [2, 60])]
)
def test_retry_after_is_honoured(
    linux: Machine, upstream: Upstream, headers: list[str], pauses: list[float]
) -> None:
    busy: list[Reply] = [status(429, Retry_After=header) for header in headers]
    upstream.server.answer(METADATA, Sequence([*busy, upstream.server.reply_of(METADATA)]))
    linux.without_waiting().install("0.25.0", *FROM_NPM).ok()
    assert linux.pauses() == pauses


@pytest.mark.usefixtures("release")
def test_a_refused_connection(both: Getters, closed: int) -> None:
    both.machine.set(WASP_NPM_REGISTRY=f"https://127.0.0.1:{closed}/").without_waiting()
    said = failed(both, 4, "connection")
    assert "127.0.0.1 refused the connection" in said


# --- What will not pass is not tried again -------------------------------------------------------


@pytest.mark.parametrize("where", ["metadata", "archive", "middle-of-archive"])
def test_a_stalled_server_is_given_up_once(
    both: Getters, upstream: Upstream, release: Release, where: str
) -> None:
    path = METADATA if where == "metadata" else TARBALL
    middle = StallAfter(release.npm_archive, 100)
    upstream.server.answer(path, middle if where == "middle-of-archive" else Stall())
    both.machine.set(WASP_HTTP_TIMEOUT="1")
    assert "127.0.0.1 sent nothing for 1 s" in failed(both, 4, "timeout")
    assert upstream.server.count(path) == 2


def test_a_slow_server_is_no_stalled_one(
    linux: Machine, upstream: Upstream, release: Release
) -> None:
    upstream.server.answer(TARBALL, Drip(release.npm_archive, pieces=13, pause=0.1))
    linux.set(WASP_HTTP_TIMEOUT="1").install("0.25.0", *FROM_NPM).ok()


def test_a_name_that_does_not_resolve(both: Getters) -> None:
    both.machine.set(WASP_NPM_REGISTRY="https://registry.invalid/")
    assert "the name registry.invalid could not be resolved" in failed(both, 4, "dns")


@pytest.mark.usefixtures("release")
@pytest.mark.parametrize("code", [401, 403, 418])
def test_a_refusal_is_not_asked_again(both: Getters, upstream: Upstream, code: int) -> None:
    upstream.server.answer(METADATA, status(code))
    assert f"127.0.0.1 answered with HTTP status {code}" in failed(both, 4, "http-status")
    assert upstream.server.count(METADATA) == 2


@pytest.mark.parametrize("certificate", [c for c in Certificate if c is not Certificate.GOOD])
def test_a_bad_certificate_is_refused_once(
    both: Getters, authority: Authority, certificate: Certificate
) -> None:
    bad = Server(authority.server_context(certificate))
    try:
        both.machine.set(WASP_NPM_REGISTRY=bad.url)
        assert "certificate" in failed(both, 4, "tls", certain_only=True)
        assert not bad.requests
        assert bad.connections == 2
    finally:
        bad.close()


# --- Answers that are not what was asked for -----------------------------------------------------


@pytest.mark.usefixtures("release")
@pytest.mark.parametrize("path", [METADATA, TARBALL], ids=["metadata", "archive"])
def test_a_captive_portal_is_recognized(both: Getters, upstream: Upstream, path: str) -> None:
    upstream.server.answer("/portal", html_page())
    upstream.server.answer(path, redirect(f"{upstream.server.url}/portal"))
    assert "browser" in failed(both, 4, "captive-portal")


def _without_tarball(upstream: Upstream, release: Release) -> Reply:
    metadata = upstream.npm_platform_metadata(release, "0.25.0", PLATFORM)
    del metadata["dist"]["tarball"]
    return json_content(metadata)


BROKEN_METADATA: dict[str, Callable[[Upstream, Release], Reply]] = {
    "empty": lambda _upstream, _release: Content(b""),
    "no-json": lambda _upstream, _release: Content(b"hello"),
    "empty-object": lambda _upstream, _release: Content(b"{}"),
    "cut": lambda _upstream, _release: Content(b'{"dist": {"tarball": "https://'),
    # Some awks once went on for ever.
    "empty-text": lambda _upstream, _release: Content(b'""'),
    "binary": lambda _upstream, _release: Content(bytes(range(256))),
    "dist-is-text": lambda _upstream, _release: json_content({"dist": "none"}),
    "no-tarball": _without_tarball,
    "compressed": lambda _upstream, _release: Content(b"\x1f\x8b", 200, {"Content-Encoding": "br"}),
}


@pytest.mark.parametrize("kind", BROKEN_METADATA)
def test_metadata_without_what_is_needed(
    both: Getters, upstream: Upstream, release: Release, kind: str
) -> None:
    upstream.server.answer(PLATFORM_METADATA, BROKEN_METADATA[kind](upstream, release))
    # Of a document without a word in it, one says that it is none, and one that it says nothing.
    failed(both, 4, "bad-answer", certain_only=kind in ("empty", "no-json", "empty-text"))


@pytest.mark.parametrize("version", ["../../../evil", "", "latest", "0.25.0\n", "$(touch evil)"])
def test_the_newest_version_must_be_a_version(
    both: Getters, upstream: Upstream, version: str
) -> None:
    upstream.server.answer(npm_cli_path("latest"), json_content({"version": version}))
    both.install(None, *FROM_NPM).failed(4, "bad-answer")
    assert picture(both.machine.home) == {}


def _in_style(value: dict[str, Any], style: str) -> Content:
    if style == "reversed":
        value = dict(reversed(list(value.items())))
    if style == "with a long text":
        value = {"readme": "x" * 4_000_000 + '\\" {', **value}
    if style == "with much":
        value = {"versions": {str(n): {"a": ["\\", {}]} for n in range(20_000)}, **value}
    indent = 2 if style == "indented" else None
    answer = json_content(value, indent=indent, compact=style in ("compact", "escaped"))
    body = answer.body
    if style == "escaped":
        body = body.replace(b"/", b"\\/").replace(b">", b"\\u003e")
    if style == "with a byte order mark":
        body = b"\xef\xbb\xbf" + body
    return Content(body, headers=answer.headers)


@pytest.mark.parametrize(
    "style",
    [
        *("compact", "indented", "escaped", "reversed"),
        *("with a byte order mark", "with a long text", "with much"),
    ],
)
def test_json_of_any_form_is_read(
    both: Getters, upstream: Upstream, release: Release, style: str
) -> None:
    wrapper = upstream.npm_cli_metadata("0.25.0", ">=24.14.1")
    platform = upstream.npm_platform_metadata(release, "0.25.0", PLATFORM)
    upstream.server.answer(METADATA, _in_style(wrapper, style))
    upstream.server.answer(PLATFORM_METADATA, _in_style(platform, style))
    told = both.install("0.25.0", *FROM_NPM).ok().json
    assert told["digest"] == release.npm_digest
    assert both.machine.layout.receipt("0.25.0")["node"] == ">=24.14.1"


@pytest.mark.parametrize("node", ["\x1b[2J>=24", ">=24\n>=25", "x" * 200])
def test_what_is_no_range_of_node_versions_is_left_out(
    both: Getters, upstream: Upstream, node: str
) -> None:
    upstream.publish("0.25.0", node=node)
    run = both.install("0.25.0").ok()
    assert "\x1b" not in run.stderr
    assert both.machine.layout.receipt("0.25.0")["node"] is None


def test_an_early_hint_is_no_answer(both: Getters, upstream: Upstream, release: Release) -> None:
    metadata = upstream.server.reply_of(METADATA)
    assert isinstance(metadata, Content)
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n\r\n"
    head = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
    upstream.server.answer(METADATA, Raw(early + head % len(metadata.body) + metadata.body))
    assert both.install("0.25.0").ok().json["digest"] == release.npm_digest


def test_an_archive_that_is_said_to_be_encoded_is_what_it_is(
    both: Getters, upstream: Upstream, release: Release
) -> None:
    """Some web servers say so of every .tgz."""
    encoded = Content(release.npm_archive, 200, {"Content-Encoding": "x-gzip"})
    upstream.server.answer(TARBALL, encoded)
    both.install("0.25.0", *FROM_NPM).ok()


@pytest.mark.parametrize("kind", ["other-bytes", "shortened", "longer"])
def test_wrong_bytes_are_refused_and_no_other_source_is_tried(
    both: Getters, upstream: Upstream, kind: str
) -> None:
    archive = upstream.publish("0.25.0").npm_archive
    replies: dict[str, Reply] = {
        "other-bytes": Content(tiny_package("0.24.0").npm_archive()),
        "shortened": LyingLength(archive, len(archive) - 1),
        "longer": Content(archive + b"\0"),
    }
    upstream.server.answer(TARBALL, replies[kind])
    both.install("0.25.0").failed(6, "checksum-mismatch").says("sha512")
    assert not [path for path in upstream.server.requests if path.startswith("/github")]
    assert picture(both.machine.home) == {}


# --- Only https ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("registry", "slug"),
    [
        ("http://registry.invalid/", "insecure-url"),
        ("http://127.0.0.1@registry.invalid/", "insecure-url"),
        ("http://127.0.0.1.5/", "insecure-url"),
        ("ftp://127.0.0.1/", "insecure-url"),
        ("x", "insecure-url"),
        ("https://a b/", "bad-answer"),
    ],
)
def test_a_registry_that_may_not_be_asked(both: Getters, registry: str, slug: str) -> None:
    both.machine.set(WASP_NPM_REGISTRY=registry)
    failed(both, 4, slug)


@pytest.mark.usefixtures("release")
@pytest.mark.parametrize("path", [METADATA, TARBALL], ids=["metadata", "archive"])
def test_a_redirect_to_http_is_not_followed(both: Getters, upstream: Upstream, path: str) -> None:
    plain = Server(None)
    try:
        plain.fallback = upstream.server.reply_of(path)
        upstream.server.answer(path, redirect(f"{plain.url}/here"))
        assert "redirected to an address that is not https" in failed(both, 4, "insecure-url")
        assert plain.connections == 0
        assert upstream.server.count(path) == 2
    finally:
        plain.close()


def test_an_archive_on_http_is_not_fetched(
    both: Getters, upstream: Upstream, release: Release
) -> None:
    metadata = upstream.npm_platform_metadata(release, "0.25.0", PLATFORM)
    metadata["dist"]["tarball"] = "http://registry.invalid/wasp.tgz"
    upstream.server.answer(PLATFORM_METADATA, json_content(metadata))
    failed(both, 4, "insecure-url")


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


@pytest.mark.usefixtures("release")
def test_redirects_are_followed(both: Getters, upstream: Upstream) -> None:
    server = upstream.server
    fine = server.reply_of(TARBALL)
    for step in range(3):
        server.answer(f"/step{step}", redirect(f"{server.url}/step{step + 1}", 301 + step))
    server.answer("/step3", redirect("/relative", 307))
    server.answer("/relative", redirect(f"//127.0.0.1:{server.port}/without-scheme"))
    server.answer("/without-scheme", fine)
    server.answer(TARBALL, redirect(f"{server.url}/step0", 308))
    both.install("0.25.0", *FROM_NPM).ok()
    assert server.count("/without-scheme") == 2


@pytest.mark.usefixtures("release")
def test_redirects_without_end_are_given_up(both: Getters, upstream: Upstream) -> None:
    upstream.server.answer(TARBALL, redirect(TARBALL))
    failed(both, 4, "bad-answer", certain_only=True)
    assert upstream.server.count(TARBALL) <= 30


# --- Both sources --------------------------------------------------------------------------------


def test_a_failure_of_both_sources_names_both_causes(both: Getters, upstream: Upstream) -> None:
    both.machine.set(WASP_NPM_REGISTRY="https://registry.invalid")
    upstream.server.fallback = status(403)
    run = both.install("0.25.0").failed(4, "dns")
    run.says(
        "cannot get Wasp 0.25.0: the name registry.invalid could not be resolved; 127.0.0.1 ans"
    )
