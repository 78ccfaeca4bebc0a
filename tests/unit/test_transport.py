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
#: Variables, and the proxy that is taken, if any, for a name and for an address.
PROXIES: dict[str, tuple[str | None, str | None]] = {
    "": (None, None),
    "HTTPS_PROXY=P": (PROXY, PROXY),
    "https_proxy=P HTTPS_PROXY=http://other": (PROXY, PROXY),
    "ALL_PROXY=P": (PROXY, PROXY),
    "HTTPS_PROXY=proxy.example:8080": ("http://proxy.example:8080",) * 2,
    "HTTP_PROXY=P": (None, None),
    "HTTPS_PROXY=P NO_PROXY=*": (None, None),
    "HTTPS_PROXY=P no_proxy=other NO_PROXY=*": (PROXY, PROXY),
    **{
        f"HTTPS_PROXY=P NO_PROXY={name}": (None, PROXY)
        for name in ("example.com", ".example.com", "a%b,registry.example.com", "com")
    },
    **{
        f"HTTPS_PROXY=P NO_PROXY={network}": (PROXY, None)
        for network in ("10.0.0.0/8", "10.1.2.3", "[10.1.2.3],other", "a%10.1.2.3/32")
    },
    # A part of a name is no domain, and of an address no network.
    **{
        f"HTTPS_PROXY=P NO_PROXY={other}": (PROXY, PROXY)
        for other in (
            *("xexample.com,registry,com.example", "registry.example.com:443", "11.0.0.0/8"),
            *("2.3", ".1.2.3", "*.2.3", "10.*", "10.1.2.3/33", "10/8"),
        )
    },
}


@pytest.mark.parametrize("given", PROXIES)
def test_the_proxy_is_that_of_curl(given: str) -> None:
    environment = dict(
        word.replace("%", " ").replace("=P", f"={PROXY}").split("=", 1) for word in given.split()
    )
    hosts = ("registry.example.com", "10.1.2.3")
    assert tuple(proxy_for(f"https://{host}/", environment) for host in hosts) == PROXIES[given]


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
