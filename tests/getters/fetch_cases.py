"""What servers answer to one request, and what is made of it: the table of test_fetching.py."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import dataclass

from tests.support.replies import (
    Content,
    Cut,
    Drip,
    Endless,
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

DOCUMENT = json_content({"version": "0.25.0"})
ARCHIVE = bytes(range(256)) * 40
TIMEOUT_S = 3


@dataclass(frozen=True)
class Case:
    """What a path answers, what is said of it, and how often it is asked for (0: any number).

    A function is given the server and the path. ``words`` follow the name of the server; None
    where they are those of curl or of requests.
    """

    reply: Reply | Callable[[Server, str], Reply]
    slug: str = ""
    words: str | None = ""
    attempts: int = 1
    pauses: tuple[int, ...] = ()
    other_than: tuple[str, ...] = ()


def in_vain(reply: Reply, slug: str, words: str | None = None) -> Case:
    """What may pass by itself is tried again."""
    return Case(reply, slug, words, 4, (1, 2, 4))


def raw(line: str, *lines: str, body: bytes = b"") -> Raw:
    headers = (*lines, "Connection: close", f"Content-Length: {len(body)}", "", "")
    return Raw("\r\n".join((f"HTTP/1.1 {line}", *headers)).encode() + body)


def led(location: str) -> Callable[[Server, str], Reply]:
    """A redirect with this header, which leads to "PATH/there"."""

    def reply(server: Server, path: str) -> Reply:
        server.answer(f"{path}/there", DOCUMENT)
        host = f"127.0.0.1:{server.port}"
        line = location.format(there=f"{path}/there", name=path.rpartition("/")[2], host=host)
        return raw("302 Found", line)

    return reply


def led_on(times: int) -> Callable[[Server, str], Reply]:
    def reply(server: Server, path: str) -> Reply:
        for step in range(1, times):
            server.answer(f"{path}/{step}", redirect(f"{path}/{step + 1}", 301 + step % 3))
        server.answer(f"{path}/{times}", DOCUMENT)
        return redirect(f"//127.0.0.1:{server.port}{path}/1", 308)

    return reply


def in_turn(*replies: Reply) -> Callable[[Server, str], Reply]:
    return lambda _server, _path: Sequence(list(replies))


def busy(*headers: str) -> Callable[[Server, str], Reply]:
    return in_turn(*(status(429, Retry_After=header) for header in headers), DOCUMENT)


HEAD = b"HTTP/1.1 200 OK\r\nConnection: close\r\n"
EARLY = b"HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n\r\n"
SILENT = f"sent nothing for {TIMEOUT_S} s"
NO_JSON = "answered with something that is not JSON"
PORTAL = "answered with a web page, perhaps the login page of your network"
NOT_HTTPS = "redirected to an address that is not https"
#: curl and wget have words and limits of their own.
TOOLS, WGET = ("curl", "wget"), ("wget",)
GZIP = gzip.compress(b"{}")

CASES: dict[str, Case] = {
    "fine": Case(DOCUMENT),
    "early hints": Case(Raw(EARLY * 2 + HEAD + b"Content-Length: 2\r\n\r\n{}")),
    "no UTF-8": Case(Content(b'{"x":"\xe9"}')),
    **{
        f"{code}": in_vain(status(code), "http-status", f"answered with HTTP status {code}")
        for code in (503, 500, 429)
    },
    "reset": in_vain(Reset(), "connection"),
    "nothing": in_vain(Raw(b""), "connection"),
    "shorter than it says": in_vain(Raw(HEAD + b"Content-Length: 9\r\n\r\n{}"), "connection"),
    "recovers": Case(in_turn(status(502), Reset(), DOCUMENT), attempts=3, pauses=(1, 2)),
    "Retry-After": Case(busy("08", "9999", "soon"), attempts=4, pauses=(8, 60, 4)),
    "Retry-After, odd": Case(busy("0", "-5", "60"), attempts=4, pauses=(0, 2, 60)),
    # What will not pass.
    **{f"{code}": Case(status(code), "not-found", "does not have it") for code in (404, 410)},
    **{
        f"{code}": Case(
            status(code, WWW_Authenticate='Basic realm="x"'),
            "http-status",
            f"answered with HTTP status {code}",
        )
        for code in (401, 403, 418)
    },
    "stalls": Case(Stall(), "timeout", SILENT),
    "stalls in the middle": Case(StallAfter(DOCUMENT.body, 5), "timeout", SILENT, other_than=WGET),
    # Answers that are not what was asked for.
    "no HTTP": Case(
        Raw(b"hello world\n" * 9),
        "bad-answer",
        "sent an invalid answer (hello world)",
        1,
        (),
        TOOLS,
    ),
    "many headers": Case(Raw(HEAD + b"X: y\r\n" * 101), "bad-answer", None, other_than=TOOLS),
    **{
        f"portal with a {kind}": Case(Content(page), "captive-portal", PORTAL)
        for kind, page in (
            ("page", html_page().body),
            ("start", b"\n\n  <!doctype HTML>"),
            ("language", b"<html lang=en>"),
            ("head", b"\xef\xbb\xbf<HEAD>"),
            ("script", b'<script>var to = {"path": "/login"};</script>'),
        )
    },
    "no JSON": Case(Content(b"{ hello"), "bad-answer", NO_JSON),
    "binary": Case(Content(bytes(range(256))), "bad-answer", NO_JSON),
    "too long": Case(
        # bash counts files in kilobytes, so its limit is twice that of others; posh has no ulimit.
        Endless(HEAD + b"\r\n", b"x" * 1024, 40 << 20),
        "bad-answer",
        "sent far too much",
        other_than=("posh",),
    ),
    "too long, as it says": Case(
        Raw(HEAD + b"Content-Length: 17000000\r\n\r\n{}"), "bad-answer", None, other_than=WGET
    ),
    "compressed": Case(
        Content(GZIP, 200, {"Content-Encoding": "gzip"}), "bad-answer", f"{NO_JSON}, but gzip"
    ),
    "moved, ten times": Case(led_on(10)),
    "moved, eleven times": Case(led_on(11), "bad-answer", None, other_than=WGET),
    "moved, upper case": Case(led("LOCATION: {there}")),
    "moved, tab": Case(led("Location:\t{there}")),
    "moved, relative": Case(led("location: {name}/there")),
    "moved, same scheme": Case(led("Location: //{host}{there}")),
    "moved, upwards": Case(led("Location: ../case/{name}/there")),
    "moved, spaces": Case(led("Location: {there} \t ")),
    "moved, a fragment": Case(led("Location: {there}#part")),
    "moved, no ASCII": Case(led("Location: {there}#\u00fc")),
    "moved without end": Case(lambda _, path: redirect(path), "bad-answer", None, attempts=0),
    "moved to itself": Case(led("Location:"), "bad-answer", None, attempts=0),
    "moved, not said where": Case(raw("302 Found"), "bad-answer", None),
    "moved to no address": Case(redirect("https://[bad/"), "bad-answer", None, other_than=TOOLS),
    "moved to http": Case(redirect("http://127.0.0.1:1/"), "insecure-url", NOT_HTTPS),
    "archive": Case(Content(ARCHIVE)),
    # Some web servers say so of every .tgz.
    "archive, said to be encoded": Case(Content(ARCHIVE, 200, {"Content-Encoding": "x-gzip"})),
    "archive, slow": Case(Drip(ARCHIVE, pieces=10, pause=0.15)),
    "archive, cut": Case(
        in_turn(Cut(ARCHIVE, 5000), Cut(ARCHIVE, 1), Content(ARCHIVE)), attempts=3, pauses=(1, 2)
    ),
    # Fewer than 100 bytes a second are no progress.
    "archive, trickles": Case(
        Drip(bytes(4000), pieces=4000, pause=0.02), "timeout", SILENT, other_than=WGET
    ),
    "archive, stalls": Case(StallAfter(ARCHIVE, 100), "timeout", SILENT, other_than=WGET),
}
