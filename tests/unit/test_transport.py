"""Addresses that may be asked, answers that are web pages, and heads of answers that never end."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.replies import Raw
from tests.support.server import Server
from wasp_installer import Console
from wasp_installer.errors import SourceProblem
from wasp_installer.getting.addresses import check_url
from wasp_installer.getting.captive_portals import is_web_page
from wasp_installer.getting.connections import proxy_for
from wasp_installer.getting.transport import Transport


@given(st.text())
def test_any_text_is_judged_without_a_fall(text: str) -> None:
    try:
        check_url(text)
    except SourceProblem:
        return
    assert text.startswith(("https://", "http://"))


def test_what_is_a_web_page() -> None:
    pages = (b"<!DOCTYPE html>", b"\n\n  <!doctype HTML><html>", b"<html lang=en>", b"\xef<html>")
    assert all(map(is_web_page, pages))
    assert not any(map(is_web_page, (b"", b"{}", b"\x1f\x8b\x08", b"wasp", b"<?xml")))


PROXY = "http://user:secret@proxy.example:8080"
#: Variables, with P for that proxy; it is taken for which of a name and an address.
PROXIES = {
    "": (False, False),
    "HTTPS_PROXY=P": (True, True),
    "https_proxy=P HTTPS_PROXY=http://other": (True, True),
    "ALL_PROXY=P": (True, True),
    "HTTPS_PROXY=user:secret@proxy.example:8080": (True, True),
    "HTTP_PROXY=P": (False, False),
    "HTTPS_PROXY=P no_proxy=other NO_PROXY=*": (True, True),
    "HTTPS_PROXY=P NO_PROXY=*": (False, False),
    **{
        f"HTTPS_PROXY=P NO_PROXY={excepted}": taken
        for taken, all_excepted in {
            (False, True): ("example.com", ".example.com", "a%b,registry.example.com", "com"),
            (True, False): ("10.0.0.0/8", "10.1.2.3", "[10.1.2.3],other", "a%10.1.2.3/32"),
            # A part of a name is no domain, and of an address no network.
            (True, True): (
                *("xexample.com,registry,com.example", "registry.example.com:443", "11.0.0.0/8"),
                *("2.3", ".1.2.3", "*.2.3", "10.*", "10.1.2.3/33", "10/8"),
            ),
        }.items()
        for excepted in all_excepted
    },
}


@pytest.mark.parametrize("given", PROXIES)
def test_the_proxy_is_that_of_curl(given: str) -> None:
    words = (word.replace("%", " ").replace("=P", f"={PROXY}") for word in given.split())
    environment = dict(word.split("=", 1) for word in words)
    hosts = ("registry.example.com", "10.1.2.3")
    found = [proxy_for(f"https://{host}/", environment) for host in hosts]
    assert found == [PROXY if is_taken else None for is_taken in PROXIES[given]]


@pytest.mark.parametrize(
    "proxy",
    [
        *("http://user:sec@ret@host:8080", "http://user:sec#ret@host:8080", "http://host:port"),
        *("socks5h://user:secret@host:1080", "SOCKS5://host", "http://user:sec/ret@host"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_named_without_its_password(proxy: str) -> None:
    with pytest.raises(SourceProblem) as caught:
        proxy_for("https://registry.example.com/", {"HTTPS_PROXY": proxy})
    assert caught.value.slug == "proxy"
    assert "HTTPS_PROXY" in caught.value.text
    assert "user" not in caught.value.text
    assert "ret@" not in caught.value.text


def test_a_head_that_never_ends_is_not_waited_for() -> None:
    server = Server(None)
    server.answer("/", Raw(b"HTTP/1.1 200 OK\r\n" + b"X: .\r\n" * 100, pause=0.2))
    with pytest.raises(SourceProblem) as caught:
        Transport(Console(quiet=True), 1).get_json(f"{server.url}/")
    server.close()
    assert caught.value.slug == "timeout"
    # Nor does a program wait for it at its end.
    assert [each for each in threading.enumerate() if not each.daemon] == [threading.main_thread()]
