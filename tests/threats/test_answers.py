"""A server that means harm: where it sends the getters, and what it has them read."""

from __future__ import annotations

import zlib

import pytest

from tests.support.getters import Getters
from tests.support.machines import MachineRoom
from tests.support.releases import (
    Upstream,
    github_asset_path,
    github_download_path,
    npm_cli_path,
    npm_platform_path,
)
from tests.support.replies import Endless, json_content, redirect

#: Where clouds keep the credentials of a machine, and what else is reached only from inside.
INSIDE = (
    "http://169.254.169.254/latest/meta-data/iam/security-credentials/",
    "http://[fd00:ec2::254]/latest/meta-data/",
    "http://metadata.google.internal/computeMetadata/v1/",
    "http://100.100.100.200/latest/meta-data/",
    "http://192.168.1.1/",
    "http://127.0.0.1.example/",
    "http://2130706433/",
    "file:///etc/passwd",
    "ftp://127.0.0.1/",
    "gopher://127.0.0.1:11211/",
)
BUILD = "linux-x64-glibc"


@pytest.mark.parametrize("address", INSIDE)
def test_no_archive_is_fetched_from_inside_a_network(
    both: Getters, upstream: Upstream, address: str
) -> None:
    release = upstream.publish("0.25.0", github=False)
    document = upstream.npm_platform_metadata(release, "0.25.0", BUILD)
    document["dist"]["tarball"] = address
    upstream.server.answer(npm_platform_path("0.25.0", BUILD), json_content(document))
    run = both.install("0.25.0", "--source", "npm", certain_only=True)
    run.failed(4, "insecure-url").says("not an https address")


@pytest.mark.parametrize("address", INSIDE)
def test_no_redirect_leads_inside_a_network(
    both: Getters, upstream: Upstream, address: str
) -> None:
    """Of a document, and of an archive."""
    upstream.publish("0.25.0")
    for path, source in (
        (npm_cli_path("0.25.0"), "npm"),
        (github_download_path("0.25.0", "linux-x86_64"), "github"),
    ):
        upstream.server.answer(path, redirect(address))
        run = both.install("0.25.0", "--source", source, certain_only=True)
        run.failed(4, "insecure-url").says("not https")


def bomb() -> bytes:
    """A gibibyte of zeros, compressed."""
    compressor = zlib.compressobj(1, wbits=31)
    pieces = [compressor.compress(bytes(1 << 24)) for _ in range(64)]
    return b"".join([*pieces, compressor.flush()])


BODIES = {
    "without end": (b"", b"10000\r\n" + b"x" * 65536 + b"\r\n"),
    "one line without end": (b"", b"0" * 65536),
    "deflated, without end": (b"Content-Encoding: deflate\r\n", b"1\r\nx\r\n"),
}


@pytest.mark.parametrize("kind", BODIES)
def test_the_body_of_a_redirect_is_not_read(
    machines: MachineRoom, upstream: Upstream, kind: str
) -> None:
    """By install.py. requests would read all of it into memory; curl lets it pass, and waits."""
    upstream.publish("0.25.0")
    encoding, again = BODIES[kind]
    asset = github_asset_path("0.25.0", "linux-x86_64").encode()
    head = b"HTTP/1.1 302 Found\r\nLocation: " + asset + b"\r\n" + encoding
    reply = Endless(head + b"Transfer-Encoding: chunked\r\n\r\n", again, 1 << 40)
    upstream.server.answer(github_download_path("0.25.0", "linux-x86_64"), reply)
    machine = machines.build("python")
    machine.toolbox.fake_uname("Linux", "x86_64").fake_glibc("2.36")
    machine.install("0.25.0", "--source", "github").ok()


def test_a_redirect_is_no_place_for_a_bomb(both: Getters, upstream: Upstream) -> None:
    upstream.publish("0.25.0")
    content = bomb()
    target = github_asset_path("0.25.0", "linux-x86_64").encode()
    head = b"HTTP/1.1 302 Found\r\nContent-Encoding: gzip\r\nLocation: " + target
    head += b"\r\nContent-Length: %d\r\n\r\n" % len(content)
    path = github_download_path("0.25.0", "linux-x86_64")
    upstream.server.answer(path, Endless(head, content, len(content)))
    # As much address space as a run needs, and not a gibibyte more.
    both.machine.wrapper = ["/bin/sh", "-c", 'ulimit -v 1000000; exec "$@"', "sh"]
    both.install("0.25.0", "--source", "github").ok()
