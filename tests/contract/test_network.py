"""The network at its worst: each fault has its exit code, its words, and few attempts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.archives import tiny_package
from tests.support.certificates import Authority, Certificate
from tests.support.machines import Machine
from tests.support.proxy import Proxy
from tests.support.releases import (
    NPM_PLATFORMS,
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
TARBALL = npm_tarball_path("0.25.0", PLATFORM)
FROM_NPM = ("--source", "npm")


@pytest.fixture
def release(machine: Machine, upstream: Upstream) -> Release:
    """Version 0.25.0 on npm only, and a machine of a fixed platform."""
    machine.toolbox.fake_uname("Linux", "x86_64").fake_glibc("2.36")
    return upstream.publish("0.25.0", github=False)


def nothing_is_there(machine: Machine) -> None:
    """A failed first install leaves nothing at all."""
    assert machine.layout.versions() == []
    assert not machine.layout.launcher.exists()


# --- What may pass by itself is tried again ------------------------------------------------------


@pytest.mark.parametrize("where", ["metadata", "archive"])
@pytest.mark.parametrize(
    ("code", "slug"), [(500, "http-status"), (503, "http-status"), (429, "http-status")]
)
@pytest.mark.usefixtures("release")
def test_a_server_in_trouble_is_asked_four_times(
    machine: Machine, upstream: Upstream, where: str, code: int, slug: str
) -> None:
    path = METADATA if where == "metadata" else TARBALL
    upstream.server.answer(path, status(code))
    run = machine.without_waiting().install("0.25.0", *FROM_NPM).failed(4, slug)
    run.says(str(code))
    assert upstream.server.count(path) == 4
    assert machine.pauses() == [1, 2, 4]
    nothing_is_there(machine)


@pytest.mark.parametrize("path", [METADATA, TARBALL], ids=["metadata", "archive"])
def test_a_server_that_recovers_is_no_error(
    machine: Machine, upstream: Upstream, release: Release, path: str
) -> None:
    fine = upstream.server.reply_of(path)
    upstream.server.answer(path, Sequence([status(503), status(502), fine]))
    told = machine.without_waiting().install("0.25.0", *FROM_NPM).ok().json
    assert told["digest"] == release.npm_digest
    assert upstream.server.count(path) == 3
    assert machine.pauses() == [1, 2]


@pytest.mark.usefixtures("release")
@pytest.mark.parametrize(
    ("header", "pause"), [("7", 7), ("08", 8), ("9999", 60), ("0", None), ("soon", 1), ("-5", 1)]
)
def test_retry_after_is_honoured(
    machine: Machine, upstream: Upstream, header: str, pause: int | None
) -> None:
    fine = upstream.server.reply_of(METADATA)
    busy = status(429, Retry_After=header)
    upstream.server.answer(METADATA, Sequence([busy, fine]))
    machine.without_waiting().install("0.25.0", *FROM_NPM).ok()
    assert machine.pauses() == ([] if pause is None else [pause])


@pytest.mark.usefixtures("release")
@pytest.mark.parametrize("path", [METADATA, TARBALL], ids=["metadata", "archive"])
def test_a_reset_connection_is_tried_again(machine: Machine, upstream: Upstream, path: str) -> None:
    upstream.server.answer(path, Reset())
    machine.without_waiting().install("0.25.0", *FROM_NPM).failed(4, "connection")
    assert upstream.server.count(path) == 4
    nothing_is_there(machine)


@pytest.mark.parametrize("path", [METADATA, TARBALL], ids=["metadata", "archive"])
def test_a_cut_body_is_tried_again(
    machine: Machine, upstream: Upstream, release: Release, path: str
) -> None:
    body = upstream.server.reply_of(path)
    assert isinstance(body, Content)
    upstream.server.answer(path, Cut(body.body, len(body.body) // 2))
    machine.without_waiting().install("0.25.0", *FROM_NPM).failed(4, "connection")
    assert upstream.server.count(path) == 4
    nothing_is_there(machine)
    upstream.server.answer(path, Sequence([Cut(body.body, 1), body]))
    assert machine.install("0.25.0", *FROM_NPM).ok().json["digest"] == release.npm_digest


@pytest.mark.usefixtures("release")
def test_a_refused_connection_is_tried_again(machine: Machine, closed: int) -> None:
    machine.set(WASP_NPM_REGISTRY=f"https://127.0.0.1:{closed}/")
    run = machine.without_waiting().install("0.25.0", *FROM_NPM).failed(4, "connection")
    run.says("127.0.0.1").is_silent_about("no such version", "there is no")
    assert machine.pauses() == [1, 2, 4]


# --- What will not pass is not tried again -------------------------------------------------------


@pytest.mark.usefixtures("release")
@pytest.mark.parametrize("where", ["metadata", "archive", "middle-of-archive"])
def test_a_stalled_server_is_given_up_once(
    machine: Machine, upstream: Upstream, where: str
) -> None:
    path = METADATA if where == "metadata" else TARBALL
    content = upstream.server.reply_of(path)
    assert isinstance(content, Content)
    stalled: Reply = StallAfter(content.body, 100) if where == "middle-of-archive" else Stall()
    upstream.server.answer(path, stalled)
    run = machine.set(WASP_HTTP_TIMEOUT="1").install("0.25.0", *FROM_NPM).failed(4, "timeout")
    run.says("127.0.0.1", "1 s").is_silent_about("there is no")
    assert upstream.server.count(path) == 1
    nothing_is_there(machine)


@pytest.mark.usefixtures("release")
def test_a_slow_server_is_no_stalled_one(machine: Machine, upstream: Upstream) -> None:
    content = upstream.server.reply_of(TARBALL)
    assert isinstance(content, Content)
    upstream.server.answer(TARBALL, Drip(content.body, pieces=15, pause=0.1))
    machine.set(WASP_HTTP_TIMEOUT="1").install("0.25.0", *FROM_NPM).ok()


@pytest.mark.usefixtures("release")
def test_a_name_that_does_not_resolve_is_told_as_such(machine: Machine) -> None:
    machine.set(WASP_NPM_REGISTRY="https://registry.invalid/").without_waiting()
    run = machine.install("0.25.0", *FROM_NPM).failed(4, "dns")
    run.says("registry.invalid").is_silent_about("no such version", "there is no")
    assert machine.pauses() == []


@pytest.mark.usefixtures("release")
@pytest.mark.parametrize("code", [400, 401, 403, 418])
def test_a_refusal_is_not_asked_again(machine: Machine, upstream: Upstream, code: int) -> None:
    upstream.server.answer(METADATA, status(code))
    run = machine.install("0.25.0", *FROM_NPM).failed(4, "http-status")
    run.says(str(code))
    assert upstream.server.count(METADATA) == 1


@pytest.mark.parametrize("source", ["auto", "npm", "github"])
def test_a_version_that_does_not_exist(machine: Machine, upstream: Upstream, source: str) -> None:
    run = machine.install("0.99.0", "--source", source).failed(5, "no-such-version")
    run.says("0.99.0")
    assert ("there is no Wasp" in run.stderr) == (source == "auto")
    assert max(upstream.server.requests.values()) == 1
    nothing_is_there(machine)


@pytest.mark.usefixtures("release")
@pytest.mark.parametrize("certificate", [c for c in Certificate if c is not Certificate.GOOD])
def test_a_bad_certificate_is_refused_once(
    machine: Machine, authority: Authority, certificate: Certificate
) -> None:
    bad = Server(authority.server_context(certificate))
    try:
        machine.set(WASP_NPM_REGISTRY=bad.url)
        run = machine.install("0.25.0", *FROM_NPM).failed(4, "tls")
        run.says("certificate").is_silent_about("there is no")
        assert not bad.requests
        assert bad.connections == 1
    finally:
        bad.close()


# --- Answers that are not what was asked for -----------------------------------------------------


@pytest.mark.usefixtures("release")
@pytest.mark.parametrize("path", [METADATA, TARBALL], ids=["metadata", "archive"])
def test_a_captive_portal_is_recognized(machine: Machine, upstream: Upstream, path: str) -> None:
    upstream.server.answer(path, html_page())
    run = machine.install("0.25.0", *FROM_NPM).failed(4, "captive-portal")
    run.says("browser")
    nothing_is_there(machine)


@pytest.mark.usefixtures("release")
def test_a_captive_portal_behind_a_redirect_is_recognized(
    machine: Machine, upstream: Upstream
) -> None:
    upstream.server.answer("/portal", html_page())
    upstream.server.answer(METADATA, redirect(f"{upstream.server.url}/portal"))
    machine.install("0.25.0", *FROM_NPM).failed(4, "captive-portal")


def _without(key: str) -> Callable[[Upstream, Release], Reply]:
    def answer(upstream: Upstream, release: Release) -> Reply:
        metadata = upstream.npm_platform_metadata(release, "0.25.0", PLATFORM)
        del metadata["dist"][key]
        return json_content(metadata)

    return answer


BROKEN_METADATA: dict[str, Callable[[Upstream, Release], Reply]] = {
    "empty": lambda _upstream, _release: Content(b""),
    "no-json": lambda _upstream, _release: Content(b"hello"),
    "empty-object": lambda _upstream, _release: Content(b"{}"),
    "list": lambda _upstream, _release: Content(b"[]"),
    "cut": lambda _upstream, _release: Content(b'{"dist": {"tarball": "https://'),
    "null": lambda _upstream, _release: Content(b"null"),
    # Some awks once went on for ever.
    "empty-text": lambda _upstream, _release: Content(b'""'),
    "binary": lambda _upstream, _release: Content(bytes(range(256))),
    "dist-is-text": lambda _upstream, _release: json_content({"dist": "none"}),
    "no-tarball": _without("tarball"),
}


@pytest.mark.parametrize("kind", BROKEN_METADATA)
def test_metadata_without_what_is_needed(
    machine: Machine, upstream: Upstream, release: Release, kind: str
) -> None:
    path = npm_platform_path("0.25.0", PLATFORM)
    upstream.server.answer(path, BROKEN_METADATA[kind](upstream, release))
    machine.install("0.25.0", *FROM_NPM).failed(4, "bad-answer")
    nothing_is_there(machine)


@pytest.mark.parametrize(
    "version", ["../../../evil", "0.25.0/../../evil", "", "latest", "0.25.0\n", "$(touch evil)"]
)
def test_the_newest_version_must_be_a_version(
    machine: Machine, upstream: Upstream, version: str
) -> None:
    upstream.server.answer(npm_cli_path("latest"), json_content({"version": version}))
    machine.install(None, *FROM_NPM).failed(4, "bad-answer")
    assert picture(machine.home) == {}


def _in_style(value: dict[str, Any], style: str) -> Content:
    if style == "reversed":
        value = dict(reversed(list(value.items())))
    indent = {"indented": 2, "one-per-line": 0}.get(style)
    answer = json_content(value, indent=indent, compact=style in ("compact", "escaped"))
    if style == "escaped":
        return Content(answer.body.replace(b"/", b"\\/"), headers=answer.headers)
    return answer


@pytest.mark.parametrize("style", ["compact", "indented", "escaped", "reversed", "one-per-line"])
def test_json_of_any_spacing_is_read(
    machine: Machine, upstream: Upstream, release: Release, style: str
) -> None:
    wrapper = upstream.npm_cli_metadata("0.25.0", ">=24.14.1")
    platform = upstream.npm_platform_metadata(release, "0.25.0", PLATFORM)
    upstream.server.answer(METADATA, _in_style(wrapper, style))
    upstream.server.answer(npm_platform_path("0.25.0", PLATFORM), _in_style(platform, style))
    told = machine.install("0.25.0", *FROM_NPM).ok().json
    assert told["digest"] == release.npm_digest
    assert machine.layout.receipt("0.25.0")["node"] == ">=24.14.1"


# --- Only https ----------------------------------------------------------------------------------


@pytest.mark.usefixtures("release")
@pytest.mark.parametrize("registry", ["https://", "https:///x", "https://[", "https://a b/", "x"])
def test_a_registry_that_is_no_address_is_refused(machine: Machine, registry: str) -> None:
    machine.set(WASP_NPM_REGISTRY=registry).without_waiting()
    machine.install("0.25.0", *FROM_NPM).failed(4)


@pytest.mark.usefixtures("release")
@pytest.mark.parametrize(
    "registry",
    [
        "http://registry.invalid/",
        "http://127.0.0.1.invalid/",
        "http://127.0.0.1@registry.invalid/",
        "http://localhost.invalid/",
        "http://128.0.0.1/",
        "ftp://127.0.0.1/",
        "file:///etc/",
    ],
)
def test_a_registry_without_tls_is_refused(machine: Machine, registry: str) -> None:
    run = machine.set(WASP_NPM_REGISTRY=registry).install("0.25.0", *FROM_NPM)
    run.failed(4, "insecure-url").says("https")


@pytest.mark.usefixtures("release")
@pytest.mark.parametrize("path", [METADATA, TARBALL], ids=["metadata", "archive"])
def test_a_redirect_to_http_is_not_followed(
    machine: Machine, upstream: Upstream, path: str
) -> None:
    plain = Server(None)
    try:
        plain.fallback = upstream.server.reply_of(path)
        upstream.server.answer(path, redirect(f"{plain.url}/here"))
        machine.install("0.25.0", *FROM_NPM).failed(4, "insecure-url").says("https")
        assert plain.connections == 0
        assert upstream.server.count(path) == 1
        nothing_is_there(machine)
    finally:
        plain.close()


def test_an_archive_on_http_is_not_fetched(
    machine: Machine, upstream: Upstream, release: Release
) -> None:
    metadata = upstream.npm_platform_metadata(release, "0.25.0", PLATFORM)
    metadata["dist"]["tarball"] = "http://registry.invalid/wasp.tgz"
    upstream.server.answer(npm_platform_path("0.25.0", PLATFORM), json_content(metadata))
    machine.install("0.25.0", *FROM_NPM).failed(4, "insecure-url")


def test_loopback_needs_no_tls(machine: Machine) -> None:
    plain = Server(None)
    try:
        upstream = Upstream(plain)
        upstream.publish("0.25.0")
        machine.set(WASP_NPM_REGISTRY=upstream.npm_url).install("0.25.0", *FROM_NPM).ok()
        machine.set(WASP_GITHUB_URL=upstream.github_url.replace("127.0.0.1", "localhost"))
        machine.install("0.25.0", "--source", "github", "--force").ok()
    finally:
        plain.close()


@pytest.mark.usefixtures("release")
def test_redirects_are_followed(machine: Machine, upstream: Upstream) -> None:
    server = upstream.server
    fine = server.reply_of(TARBALL)
    for step in range(3):
        server.answer(f"/step{step}", redirect(f"{server.url}/step{step + 1}", 301 + step))
    server.answer("/step3", redirect("/relative", 307))
    server.answer("/relative", fine)
    server.answer(TARBALL, redirect(f"{server.url}/step0", 308))
    machine.install("0.25.0", *FROM_NPM).ok()
    assert server.count("/relative") == 1


@pytest.mark.usefixtures("release")
def test_redirects_without_end_are_given_up(machine: Machine, upstream: Upstream) -> None:
    upstream.server.answer(TARBALL, redirect(TARBALL))
    machine.install("0.25.0", *FROM_NPM).failed(4, "bad-answer").says("redirect")
    assert upstream.server.count(TARBALL) <= 40


# --- Bytes that are not the published ones -------------------------------------------------------


@pytest.mark.parametrize("kind", ["other-bytes", "one-bit", "shortened", "longer"])
def test_wrong_bytes_are_refused_and_no_other_source_is_tried(
    machine: Machine, upstream: Upstream, kind: str
) -> None:
    machine.toolbox.fake_uname("Linux", "x86_64").fake_glibc("2.36")
    archive = upstream.publish("0.25.0").npm_archive
    flipped = bytes([archive[0], archive[1], archive[2], archive[3], archive[4] ^ 1, *archive[5:]])
    replies: dict[str, Reply] = {
        "other-bytes": Content(tiny_package("0.24.0").npm_archive()),
        "one-bit": Content(flipped),
        "shortened": LyingLength(archive, len(archive) - 1),
        "longer": Content(archive + b"\0"),
    }
    upstream.server.answer(TARBALL, replies[kind])
    run = machine.install("0.25.0").failed(6, "checksum-mismatch")
    run.says("sha512")
    assert not [path for path in upstream.server.requests if path.startswith("/github")]
    nothing_is_there(machine)


# --- Proxies -------------------------------------------------------------------------------------


@pytest.fixture(params=["open", "with-password"])
def proxy(request: pytest.FixtureRequest) -> Iterator[Proxy]:
    running = Proxy("user:secret" if request.param == "with-password" else None)
    yield running
    running.close()


@pytest.mark.usefixtures("release")
@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy"])
def test_everything_goes_through_a_proxy(
    machine: Machine, upstream: Upstream, proxy: Proxy, variable: str
) -> None:
    machine.set(**{variable: proxy.url}).install("0.25.0", *FROM_NPM).ok()
    assert set(proxy.tunnels) == {f"127.0.0.1:{upstream.server.port}"}
    assert len(proxy.tunnels) == upstream.server.connections


@pytest.mark.usefixtures("release")
def test_no_proxy_is_honoured(machine: Machine, closed: int) -> None:
    machine.set(HTTPS_PROXY=f"http://127.0.0.1:{closed}", NO_PROXY="127.0.0.1")
    machine.install("0.25.0", *FROM_NPM).ok()


@pytest.mark.usefixtures("release")
def test_a_proxy_that_wants_a_password(machine: Machine) -> None:
    proxy = Proxy("user:secret")
    try:
        machine.set(HTTPS_PROXY=proxy.url_without_login)
        machine.install("0.25.0", *FROM_NPM).failed(4, "proxy").says("HTTPS_PROXY")
        assert proxy.tunnels == []
    finally:
        proxy.close()


@pytest.mark.usefixtures("release")
def test_the_password_of_a_proxy_is_not_told(machine: Machine, upstream: Upstream) -> None:
    proxy = Proxy("user:other")
    try:
        machine.set(HTTPS_PROXY=f"http://user:s3cr3t@127.0.0.1:{proxy.port}")
        run = machine.install("0.25.0", *FROM_NPM, "--verbose").failed(4, "proxy")
        assert "s3cr3t" not in run.stdout + run.stderr
        assert upstream.server.connections == 0
    finally:
        proxy.close()


@pytest.mark.usefixtures("release")
def test_a_dead_proxy_is_named(machine: Machine, upstream: Upstream, closed: int) -> None:
    machine.without_waiting().set(HTTPS_PROXY=f"http://127.0.0.1:{closed}")
    machine.install("0.25.0", *FROM_NPM).failed(4, "proxy").says("proxy")
    assert upstream.server.connections == 0


# --- After a failure -----------------------------------------------------------------------------


@pytest.mark.usefixtures("release")
def test_the_version_before_survives_a_failed_install(machine: Machine, upstream: Upstream) -> None:
    machine.layout.plant("0.24.0")
    machine.run("use", "0.24.0").ok()
    before = picture(machine.home)
    upstream.server.answer(TARBALL, Content(b"wrong bytes"))
    machine.install("0.25.0", *FROM_NPM).failed(6, "checksum-mismatch")
    assert picture(machine.home) == before
    assert machine.wasp("version").stdout == "0.24.0\n"


def test_a_failed_first_install_leaves_the_home_as_it_was(
    machine: Machine, upstream: Upstream
) -> None:
    upstream.publish("0.25.0", github=False)
    for platform in NPM_PLATFORMS:
        upstream.server.answer(npm_tarball_path("0.25.0", platform), Content(b"wrong bytes"))
    machine.install("0.25.0", *FROM_NPM).failed(6, "checksum-mismatch")
    assert picture(machine.home) == {}
