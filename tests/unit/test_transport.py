"""Addresses that may be asked, answers that are web pages, and heads of answers that never end."""

from __future__ import annotations

import itertools
import socket
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.certificates import Authority, Certificate
from tests.support.proxy import Proxy
from tests.support.replies import Raw
from tests.support.server import Server
from tests.support.tcp_listener import TcpListener
from wasp_installer import Console
from wasp_installer.errors import SourceProblem
from wasp_installer.getting.addresses import check_url, host_of
from wasp_installer.getting.captive_portals import is_web_page
from wasp_installer.getting.connections import proxy_for
from wasp_installer.getting.transport import Transport

labels = st.text("abz019", min_size=1, max_size=8).map(lambda text: f"x{text}")
hosts = st.lists(labels, min_size=2, max_size=4).map(".".join)


@given(hosts, st.integers(1, 65535))
def test_https_may_be_asked_anywhere(host: str, port: int) -> None:
    check_url(f"https://{host}:{port}/path?query=1")
    assert host_of(f"https://{host}:{port}/path") == host


@given(hosts)
def test_http_may_not(host: str) -> None:
    for url in (f"http://{host}/", f"http://127.0.0.1@{host}/", f"http://localhost.{host}/"):
        with pytest.raises(SourceProblem) as caught:
            check_url(url)
        assert caught.value.slug == "insecure-url"


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1.5",
        "127.0.0",
        "127.0.0.256",
        "127.0.0.01x",
        "1270.0.1",
        "0127.0.0.1",
        "localhost.",
    ],
)
def test_what_only_looks_like_this_machine_is_elsewhere(host: str) -> None:
    with pytest.raises(SourceProblem):
        check_url(f"http://{host}/")


@given(st.integers(0, 255), st.integers(0, 255), st.integers(1, 65535))
def test_http_may_be_asked_on_this_machine(third: int, fourth: int, port: int) -> None:
    for host in (f"127.0.{third}.{fourth}", "localhost", "[::1]"):
        check_url(f"http://{host}:{port}/x")


@given(st.text())
def test_any_text_is_judged_without_a_fall(text: str) -> None:
    try:
        check_url(text)
    except SourceProblem:
        return
    assert text.startswith(("https://", "http://"))


@pytest.mark.parametrize(
    "page",
    [b"<!DOCTYPE html>", b"\n\n  <!doctype HTML><html>", b"<html lang=en>", b"\xef\xbb\xbf<html>"],
)
def test_a_web_page_is_one(page: bytes) -> None:
    assert is_web_page(page)


@pytest.mark.parametrize("start", [b"", b"{}", b"\x1f\x8b\x08<html>"[:3], b"wasp", b"<?xml"])
def test_other_content_is_none(start: bytes) -> None:
    assert not is_web_page(start)


PROXY = "http://user:secret@proxy.example:8080"


@pytest.mark.parametrize(
    ("environment", "proxy"),
    [
        ({}, None),
        ({"HTTPS_PROXY": PROXY}, PROXY),
        ({"https_proxy": PROXY, "HTTPS_PROXY": "http://other"}, PROXY),
        ({"ALL_PROXY": PROXY}, PROXY),
        ({"HTTPS_PROXY": "proxy.example:8080"}, "http://proxy.example:8080"),
        ({"HTTP_PROXY": PROXY}, None),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "*"}, None),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "example.com"}, None),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": ".example.com"}, None),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "a b,registry.example.com"}, None),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "xexample.com,registry,com.example"}, PROXY),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "registry.example.com:443"}, PROXY),
        ({"HTTPS_PROXY": PROXY, "no_proxy": "other", "NO_PROXY": "*"}, PROXY),
    ],
)
def test_the_proxy_is_that_of_curl(environment: dict[str, str], proxy: str | None) -> None:
    assert proxy_for("https://registry.example.com/x", environment) == proxy


@pytest.mark.parametrize(
    "excepted", ["10.0.0.0/8", "10.1.2.3", "[10.1.2.3],other", "a 10.1.2.3/32"]
)
def test_a_network_may_be_left_out_of_the_proxy(excepted: str) -> None:
    environment = {"HTTPS_PROXY": PROXY, "NO_PROXY": excepted}
    assert proxy_for("https://10.1.2.3/", environment) is None
    assert proxy_for("https://11.1.2.3/", environment) == PROXY


@pytest.mark.parametrize("excepted", ["2.3", ".1.2.3", "*.2.3", "10.*", "10.1.2.3/33", "10/8"])
def test_a_part_of_an_address_is_no_domain(excepted: str) -> None:
    environment = {"HTTPS_PROXY": PROXY, "NO_PROXY": excepted}
    assert proxy_for("https://10.1.2.3/", environment) == PROXY


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


def test_through_a_proxy_all_is_as_without_one(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, proxy = Server(authority.server_context(Certificate.GOOD)), Proxy()
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.bundle))
    monkeypatch.setenv("https_proxy", proxy.url)
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
    server.answer(
        "/x", Raw(early + b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}")
    )
    try:
        assert Transport(Console(quiet=True), 5).get_json(f"{server.url}/x", attempts=1) == {}
        assert len(proxy.tunnels) == 1
    finally:
        server.close()
        proxy.close()


def test_a_head_that_never_ends_is_not_waited_for() -> None:
    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        for number in itertools.count():
            connection.sendall(f"X-{number}: .\r\n".encode())
            time.sleep(0.3)

    listener = TcpListener(drip)
    try:
        with pytest.raises(SourceProblem) as caught:
            Transport(Console(quiet=True), 1).get_json(f"http://127.0.0.1:{listener.port}/")
    finally:
        listener.close()
    assert caught.value.slug == "timeout"
    # Nor does a program wait for it at its end.
    assert [each for each in threading.enumerate() if not each.daemon] == [threading.main_thread()]
