"""What install.sh makes of the tools that a system has, or lacks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.getters.test_archives import CORRUPT, GOOD, HOSTILE, refused
from tests.support.archives import tgz_of, tiny_package
from tests.support.certificates import Authority, Certificate
from tests.support.machines import Machine
from tests.support.releases import Upstream, npm_cli_path, npm_tarball_path
from tests.support.replies import (
    Content,
    Cut,
    Sequence,
    Stall,
    closed_port,
    html_page,
    redirect,
    status,
)
from tests.support.server import Server
from tests.support.toolboxes import BUSYBOX_TOOLS, real_tool
from tests.support.trees import expected_version_folder, picture

METADATA = npm_cli_path("0.25.0")
TARBALL = npm_tarball_path("0.25.0", "linux-x64-glibc")
FROM_NPM = ("--source", "npm")


@pytest.fixture
def wget_machine(shell_machine: Machine) -> Machine:
    """A machine that has GNU wget and no curl."""
    shell_machine.toolbox.remove("curl").link("wget")
    shell_machine.toolbox.fake_uname("Linux", "x86_64").fake_glibc("2.36")
    return shell_machine


# --- wget ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["npm", "github"])
def test_wget_serves_too(wget_machine: Machine, upstream: Upstream, source: str) -> None:
    release = upstream.publish("0.25.0")
    told = wget_machine.install(None, "--source", source).ok().json
    assert told["digest"] == (release.npm_digest if source == "npm" else release.github_digest)
    picture_there = wget_machine.layout.version_picture("0.25.0")
    assert picture_there == expected_version_folder(release.package)


def test_wget_keeps_the_passwords_in_netrc_to_itself(
    wget_machine: Machine, upstream: Upstream
) -> None:
    upstream.publish("0.25.0")
    netrc = wget_machine.home / ".netrc"
    netrc.write_text("machine 127.0.0.1 login me password hunter2\n")
    netrc.chmod(0o600)
    upstream.server.answer(METADATA, status(401, WWW_Authenticate='Basic realm="x"'))
    wget_machine.install("0.25.0", *FROM_NPM).failed(4, "http-status").says("401")
    assert upstream.server.count(METADATA) == 1
    assert not [headers for headers in upstream.server.headers if "Authorization" in headers]


@pytest.mark.parametrize(
    ("code", "slug", "exit_code", "attempts"),
    [
        (404, "no-such-version", 5, 1),
        (403, "http-status", 4, 1),
        (500, "http-status", 4, 4),
        (503, "http-status", 4, 4),
    ],
)
def test_wget_tells_statuses_apart(
    wget_machine: Machine,
    upstream: Upstream,
    code: int,
    slug: str,
    exit_code: int,
    attempts: int,
) -> None:
    upstream.publish("0.25.0", github=False)
    upstream.server.answer(METADATA, status(code))
    run = wget_machine.without_waiting().install("0.25.0", *FROM_NPM)
    run.failed(exit_code, slug)
    assert upstream.server.count(METADATA) == attempts


def test_wget_tries_a_cut_body_again(wget_machine: Machine, upstream: Upstream) -> None:
    release = upstream.publish("0.25.0", github=False)
    fine = Content(release.npm_archive)
    upstream.server.answer(TARBALL, Sequence([Cut(release.npm_archive, 100), fine]))
    wget_machine.without_waiting().install("0.25.0", *FROM_NPM).ok()
    assert upstream.server.count(TARBALL) == 2


def test_wget_honours_retry_after(wget_machine: Machine, upstream: Upstream) -> None:
    upstream.publish("0.25.0", github=False)
    fine = upstream.server.reply_of(METADATA)
    upstream.server.answer(METADATA, Sequence([status(429, Retry_After="9"), fine]))
    wget_machine.without_waiting().install("0.25.0", *FROM_NPM).ok()
    assert wget_machine.pauses() == [9]


@pytest.mark.parametrize("path", [METADATA, TARBALL], ids=["metadata", "archive"])
def test_wget_gives_a_stalled_server_up_once(
    wget_machine: Machine, upstream: Upstream, path: str
) -> None:
    upstream.publish("0.25.0", github=False)
    upstream.server.answer(path, Stall())
    wget_machine.set(WASP_HTTP_TIMEOUT="1").install("0.25.0", *FROM_NPM).failed(4, "timeout")
    assert upstream.server.count(path) == 1


@pytest.mark.parametrize("path", [METADATA, TARBALL], ids=["metadata", "archive"])
def test_wget_recognizes_a_captive_portal(
    wget_machine: Machine, upstream: Upstream, path: str
) -> None:
    upstream.publish("0.25.0", github=False)
    upstream.server.answer(path, html_page())
    wget_machine.install("0.25.0", *FROM_NPM).failed(4, "captive-portal")


def test_wget_does_not_follow_a_redirect_to_http(wget_machine: Machine, upstream: Upstream) -> None:
    upstream.publish("0.25.0", github=False)
    plain = Server(None)
    try:
        plain.fallback = upstream.server.reply_of(TARBALL)
        upstream.server.answer(TARBALL, redirect(f"{plain.url}/here"))
        wget_machine.install("0.25.0", *FROM_NPM).failed(4, "insecure-url")
        assert plain.connections == 0
    finally:
        plain.close()


def test_wget_follows_redirects(wget_machine: Machine, upstream: Upstream) -> None:
    upstream.publish("0.25.0", github=False)
    server = upstream.server
    server.answer("/elsewhere/wasp.tgz", server.reply_of(TARBALL))
    server.answer("/step", redirect("/elsewhere/wasp.tgz", 307))
    server.answer(TARBALL, redirect(f"{server.url}/step", 301))
    wget_machine.install("0.25.0", *FROM_NPM).ok()
    assert server.count("/elsewhere/wasp.tgz") == 1


@pytest.mark.parametrize("certificate", [c for c in Certificate if c is not Certificate.GOOD])
def test_wget_refuses_a_bad_certificate(
    wget_machine: Machine, authority: Authority, certificate: Certificate
) -> None:
    bad = Server(authority.server_context(certificate))
    try:
        wget_machine.set(WASP_NPM_REGISTRY=bad.url)
        wget_machine.install("0.25.0", *FROM_NPM).failed(4, "tls").says("certificate")
        assert not bad.requests
    finally:
        bad.close()


def test_wget_and_a_refused_connection(wget_machine: Machine) -> None:
    holder, port = closed_port()
    with holder:
        wget_machine.set(WASP_NPM_REGISTRY=f"https://127.0.0.1:{port}").without_waiting()
        wget_machine.install("0.25.0", *FROM_NPM).failed(4, "connection")
    assert wget_machine.pauses() == [1, 2, 4]


def test_wget_and_a_name_that_does_not_resolve(wget_machine: Machine) -> None:
    wget_machine.set(WASP_NPM_REGISTRY="https://registry.invalid")
    wget_machine.install("0.25.0", *FROM_NPM).failed(4, "dns").says("registry.invalid")


def test_the_users_wgetrc_does_not_matter(wget_machine: Machine, upstream: Upstream) -> None:
    """Somebody keeps quiet, saves headers, or continues downloads by default."""
    upstream.publish("0.25.0", github=False)
    settings = wget_machine.root / "wgetrc"
    settings.write_text(
        wget_machine.authority.wgetrc.read_text() + "quiet = on\ncontinue = on\ntries = 7\n"
    )
    wget_machine.set(WGETRC=str(settings)).install("0.25.0", *FROM_NPM).ok()


# --- curl ----------------------------------------------------------------------------------------


@pytest.fixture
def confined_curl(shell_machine: Machine) -> Machine:
    """A machine whose curl is snap's: it cannot write where it is asked to."""
    real = real_tool("curl")
    folder = shell_machine.root / "snap" / "bin"
    folder.mkdir(parents=True)
    curl = folder / "curl"
    curl.write_text(
        "#!/bin/sh\n"
        "for argument do\n"
        "    case $argument in -o* | --output | -D | --dump-header | --output=*) refuse=1 ;; esac\n"
        "done\n"
        f'[ -n "${{refuse-}}" ] || exec {real} "$@"\n'
        "echo 'curl: (23) Failure writing output to destination' >&2\n"
        "exit 23\n"
    )
    curl.chmod(0o755)
    shell_machine.toolbox.remove("curl")
    tools = shell_machine.toolbox.folder
    return shell_machine.set(PATH=f"{folder}:{tools}")


def test_snaps_curl_is_named_when_it_cannot_write(
    confined_curl: Machine, upstream: Upstream
) -> None:
    upstream.publish("0.25.0")
    run = confined_curl.install()
    if run.code == 0:
        assert confined_curl.wasp("version").stdout == "0.25.0\n"
        return
    run.failed(4, "no-downloader").says("snap").is_silent_about("no such version")
    assert confined_curl.layout.versions() == []


def test_wget_helps_out_where_curl_is_snaps(confined_curl: Machine, upstream: Upstream) -> None:
    upstream.publish("0.25.0")
    confined_curl.toolbox.link("wget")
    run = confined_curl.install()
    if run.code != 0:
        run.failed(4, "no-downloader").says("snap")


# --- Without -------------------------------------------------------------------------------------


def test_without_curl_and_wget(shell_machine: Machine, upstream: Upstream) -> None:
    upstream.publish("0.25.0")
    shell_machine.toolbox.remove("curl")
    run = shell_machine.install().failed(4, "no-downloader")
    run.says("curl", "wget", "install")
    assert picture(shell_machine.home) == {}


def test_a_file_needs_no_downloader(shell_machine: Machine) -> None:
    shell_machine.toolbox.remove("curl")
    archive = shell_machine.root / "wasp.tgz"
    archive.write_bytes(tiny_package("0.25.0").npm_archive())
    shell_machine.install(None, "--from-file", str(archive)).ok()


@pytest.mark.parametrize("tool", ["tar", "gzip", "awk"])
def test_a_missing_tool_is_named(shell_machine: Machine, upstream: Upstream, tool: str) -> None:
    upstream.publish("0.25.0")
    shell_machine.toolbox.remove(tool, "gunzip" if tool == "gzip" else tool)
    run = shell_machine.run("install")
    assert run.code == 3, run
    run.says("error:", f"'{tool}'", "install")
    assert shell_machine.layout.versions() == []


# --- busybox -------------------------------------------------------------------------------------


@pytest.fixture
def busybox_machine(shell_machine: Machine) -> Machine:
    """As on Alpine: every tool is busybox's, wget and the hashes too, and ldd is musl's."""
    box = shell_machine.toolbox
    for tool in list(box.folder.iterdir()):
        tool.unlink()
    box.busybox(*BUSYBOX_TOOLS, "sha256sum", "sha512sum", "wget")
    box.fake_musl()
    return shell_machine


@pytest.fixture
def plain_upstream() -> Iterator[Upstream]:
    """npm and GitHub without TLS, which the wget of Debian's busybox does not check."""
    plain = Server(None)
    yield Upstream(plain)
    plain.close()


def test_busybox_is_enough(busybox_machine: Machine, plain_upstream: Upstream) -> None:
    release = plain_upstream.publish("0.25.0")
    busybox_machine.set(WASP_NPM_REGISTRY=plain_upstream.npm_url)
    told = busybox_machine.install().ok().json
    assert told["digest"] == release.npm_digest
    there = busybox_machine.layout.version_picture("0.25.0")
    assert there == expected_version_folder(release.package)
    assert busybox_machine.wasp("version").stdout == "0.25.0\n"


@pytest.mark.parametrize(
    ("code", "exit_code", "slug"),
    [(404, 5, "no-such-version"), (403, 4, "http-status"), (500, 4, "http-status")],
)
def test_busybox_wget_tells_statuses_apart(
    busybox_machine: Machine,
    plain_upstream: Upstream,
    code: int,
    exit_code: int,
    slug: str,
) -> None:
    plain_upstream.server.answer(METADATA, status(code))
    busybox_machine.set(WASP_NPM_REGISTRY=plain_upstream.npm_url).without_waiting()
    busybox_machine.install("0.25.0", *FROM_NPM).failed(exit_code, slug)


def test_a_wget_that_checks_no_certificates_is_not_trusted(
    busybox_machine: Machine, upstream: Upstream
) -> None:
    upstream.publish("0.25.0")
    run = busybox_machine.install().failed(4, "no-downloader")
    run.says("certificate", "curl")
    assert not [path for path in upstream.server.fetched if path.endswith(".tgz")]


@pytest.mark.parametrize("kind", ["cut", "traversal"])
def test_busybox_tar_is_guarded_too(busybox_machine: Machine, kind: str) -> None:
    if kind == "cut":
        refused(busybox_machine, CORRUPT["cut-in-the-middle"], "corrupt-archive")
    else:
        refused(busybox_machine, tgz_of([*GOOD, *HOSTILE["traversal"]]), "unsafe-archive")
