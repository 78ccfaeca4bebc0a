"""Addresses: which may be asked, and which answers are web pages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wasp_installer.errors import SourceProblem
from wasp_installer.transport import check_url, host_of, is_web_page

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


@given(st.integers(0, 255), st.integers(0, 255), st.integers(1, 65535))
def test_http_may_be_asked_on_this_machine(third: int, fourth: int, port: int) -> None:
    for host in (f"127.0.{third}.{fourth}", "localhost", "[::1]"):
        check_url(f"http://{host}:{port}/x")


@pytest.mark.parametrize("url", ["", "ftp://x/", "/x", "https://x/\n", "https://x/ y"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(SourceProblem):
        check_url(url)


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
