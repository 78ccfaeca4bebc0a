"""What a server may do in place of answering, and what is made of it; over plain HTTP here."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.replies import Raw, Reply, redirect
from tests.support.server import Server
from wasp_installer import Console
from wasp_installer.errors import SourceProblem
from wasp_installer.getting.transport import Transport

HEAD = b"HTTP/1.1 200 OK\r\nConnection: close\r\n"


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server(None)
    yield running
    running.close()


def asked(server: Server, reply: Reply) -> object:
    """The document that is the answer to one attempt."""
    server.answer("/x", reply)
    return Transport(Console(quiet=True), 5).get_json(f"{server.url}/x", attempts=1)


@pytest.mark.parametrize(
    ("reply", "slug", "words"),
    [
        (Raw(b""), "connection", "closed the connection before the end"),
        (Raw(HEAD + b"Content-Length: 9\r\n\r\n{}"), "connection", "before the end"),
        (Raw(HEAD + b"Transfer-Encoding: chunked\r\n\r\n9\r\n{}"), "connection", "before the end"),
        (Raw(b"hello world\n" * 9), "bad-answer", "sent an invalid answer (hello world)"),
        (Raw(b"<html>x</html>\r\n"), "bad-answer", "sent an invalid answer (<html>"),
        (Raw(HEAD + b"X: y\r\n" * 101 + b"\r\n{}"), "bad-answer", "invalid answer (got more"),
        (redirect("http://[bad/"), "bad-answer", "invalid answer (Invalid IPv6 URL)"),
        (redirect("http://127.999.0.1/"), "insecure-url", "is not an https address"),
        (redirect("http://elsewhere.example/"), "insecure-url", "is not an https address"),
        (redirect("file:///etc/passwd"), "insecure-url", "is not an https address"),
        (redirect("/x"), "bad-answer", "redirects without end"),
        (Raw(b"HTTP/1.1 600 Odd\r\nConnection: close\r\n\r\n"), "http-status", "status 600"),
    ],
)
def test_an_answer_that_is_none(server: Server, reply: Reply, slug: str, words: str) -> None:
    with pytest.raises(SourceProblem) as caught:
        asked(server, reply)
    assert caught.value.slug == slug
    assert words in caught.value.text


@pytest.mark.parametrize("early", [b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", b""])
@pytest.mark.parametrize("count", [1, 2])
def test_what_comes_before_the_answer_is_passed_over(
    server: Server, early: bytes, count: int
) -> None:
    assert asked(server, Raw(early * count + HEAD + b"Content-Length: 2\r\n\r\n{}")) == {}


def test_text_that_is_not_utf_8_is_no_reason_to_refuse_a_document(server: Server) -> None:
    reply = Raw(HEAD + b'Content-Length: 9\r\n\r\n{"x":"\xe9"}')
    assert asked(server, reply) == {"x": "\N{REPLACEMENT CHARACTER}"}


def test_authorities_that_are_not_there_are_named(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failure whose cause is not known is told in its own words."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/no/such.pem")
    transport = Transport(Console(quiet=True), 5)
    with pytest.raises(SourceProblem, match=r"/no/such\.pem"):
        transport.get_json(f"https://127.0.0.1:{server.url.rpartition(':')[2]}/x", attempts=1)
