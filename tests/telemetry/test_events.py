"""What can be in an event, for any input whatever; and where it may go."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import string
import uuid
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import telemetry_ping as ping
from telemetry_ping import Invocation, Store


def event_of(words: list[str], project: str, folder: Path, version: str = "0.25.0") -> Any:
    store = Store(str(folder))
    store.make()
    invocation = Invocation(words, version, project, store)
    return json.loads(invocation.body(invocation.deploy))


# Long enough not to be part of anything else by chance.
private = st.text(string.ascii_letters + "-./_", min_size=6, max_size=30).filter(
    lambda text: text not in ("create-db", "deploy", *ping.CI_VARIABLES)
)
commands = st.lists(st.sampled_from(["deploy", "build", "start", "fly", "cmd"]) | private)
variables = st.dictionaries(private, private, max_size=5)


@settings(max_examples=100)
@given(commands, private, variables)
def test_no_argument_path_or_variable_gets_into_an_event(
    tmp_path_factory: pytest.TempPathFactory, words: list[str], path: str, given: dict[str, str]
) -> None:
    with mock.patch.dict(os.environ, given, clear=True):
        event = event_of(words, f"/{path}", tmp_path_factory.mktemp("store"))
    properties = event["properties"]
    assert len(event.pop("distinct_id")) == 36
    assert int(properties.pop("project_hash"), 16) >= 0
    assert set(properties.pop("deploy_cmd_args").split(";")) <= {"", *ping.DEPLOY_KEYWORDS}
    assert properties.pop("is_build") in (True, False)
    left = {"wasp_version": "0.25.0", "os": ping.this_os(), "context": ""}
    assert event == {"api_key": ping.DEFAULT_KEY, "event": "cli", "properties": left}


def test_a_version_that_is_none_is_not_sent(tmp_path: Path) -> None:
    for version in ("", "../x", "0.25.0 x", "0.25.0\n"):
        assert event_of([], "/p", tmp_path, version)["properties"]["wasp_version"] == ""


COMMANDS = {
    "": (False, ""),
    "build": (True, ""),
    "build start": (False, ""),
    "build --verbose": (True, ""),
    "start build": (False, ""),
    "deploy": (False, ""),
    "deploy fly deploy": (False, "fly;deploy"),
    "deploy fly create-db mia --org fly": (False, "fly;create-db;fly"),
    "deploy FLY flying": (False, ""),
    "start deploy fly": (False, ""),
    "deploy" + " cmd" * 21: (False, ";".join(["cmd"] * 20)),
}


def test_what_is_taken_from_a_command() -> None:
    told = {
        command: (ping.is_build(command.split()), ping.deploy_keywords(command.split()))
        for command in COMMANDS
    }
    assert told == COMMANDS


CONTEXTS: list[tuple[dict[str, str], str]] = [
    ({}, ""),
    ({"WASP_TELEMETRY_CONTEXT": "gitpod"}, "gitpod"),
    ({"WASP_TELEMETRY_CONTEXT": "gitpod", "CI": "true"}, "gitpod CI"),
    *(({"CI": value}, "") for value in ("", "0", "false", "False", "FALSE")),
    *(({"CI": value}, "CI") for value in ("1", "true", "no", "00", " ")),
    *(({name: "x"}, "CI") for name in ping.CI_VARIABLES),
    ({"CI": "False", "TRAVIS": "yes"}, "CI"),
    ({"BUILD": "1", "ci": "1"}, ""),
    ({"WASP_TELEMETRY_CONTEXT": "\x1b[31mred\x07\u202e\n"}, "[31mred"),
    ({"WASP_TELEMETRY_CONTEXT": "x" * 300}, "x" * 200),
    ({"WASP_TELEMETRY_CONTEXT": "x" * 300, "CI": "1"}, "x" * 197 + " CI"),
]


def test_the_context() -> None:
    for environment, context in CONTEXTS:
        assert ping.context_of(environment) == context, environment


def test_the_operating_system() -> None:
    names = {"linux": "linux", "darwin": "osx", "win32": "windows", "freebsd14": "Unknown"}
    for platform, name in names.items():
        with mock.patch("sys.platform", platform):
            assert ping.install_event()["properties"] == {"os": name}


def test_random_digits_are_24_and_never_the_same() -> None:
    drawn = [ping.install_event()["distinct_id"] for _ in range(2000)]
    assert len(set(drawn)) == 2000
    assert {len(digits.lstrip("0")) for digits in drawn} == {24}


# --- id and secret


def test_a_hash_depends_on_the_secret(tmp_path: Path) -> None:
    hashes = set()
    for name in ("one", "other"):
        store = Store(str(tmp_path / name))
        store.make()
        hashes.add(store.project_hash("/p"))
        secret = (tmp_path / name / "secret").read_bytes()
        expected = hmac.new(secret, b"/p", hashlib.sha256).hexdigest()[:16]
        assert store.project_hash("/p") == expected
    assert len(hashes) == 2


def test_a_user_id_is_sent_as_its_hash_and_hides_the_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WASP_TELEMETRY_USER_ID", "me@example.org")
    store = Store(str(tmp_path))
    assert store.distinct_id() == hashlib.sha256(b"me@example.org").hexdigest()
    guessed = hmac.new(bytes.fromhex(store.distinct_id()), b"/p", hashlib.sha256).hexdigest()[:16]
    assert store.project_hash("/p") != guessed
    assert store.project_hash("/p") == Store("/no/such").project_hash("/p")
    assert list(tmp_path.iterdir()) == []


SPOILED = [
    ("signature", b"Jane of Accounting"),
    ("signature", b"bf3fa7a8-1c11-4f82-9542-ec1a2d28786g"),
    ("signature", b"bf3fa7a81c11-4f82-9542-ec1a2d28786b-"),
    ("secret", b"short"),
    ("secret", b"s" * 33),
]


@pytest.mark.parametrize(("name", "content"), SPOILED)
def test_a_spoiled_secret_or_id_is_made_anew(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    store = Store(str(tmp_path))
    assert str(uuid.UUID(store.distinct_id())) == store.distinct_id()
    store.project_hash("/p")
    assert (tmp_path / name).read_bytes() != content
    assert len((tmp_path / "secret").read_bytes()) == 32
    assert {file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {0o600}


def test_the_id_is_the_one_that_wasp_uses(tmp_path: Path) -> None:
    (tmp_path / "signature").write_bytes(b"BF3FA7A8-1c11-4f82-9542-ec1a2d28786b\n")
    assert Store(str(tmp_path)).distinct_id() == "BF3FA7A8-1c11-4f82-9542-ec1a2d28786b"


def test_nothing_is_read_through_a_link_or_waited_for_in_a_pipe(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    (tmp_path / "file").write_bytes(b"text")
    (tmp_path / "link").symlink_to("file")
    os.mkfifo(tmp_path / "pipe")
    assert [store.read(name) for name in ("file", "link", "pipe")] == [b"text", b"", b""]


# --- where it may go

ALLOWED = {
    "https://app.posthog.com/capture/": ("app.posthog.com", 443, "/capture/"),
    "https://collector.invalid": ("collector.invalid", 443, "/"),
    "https://[::1]:8443/a?b=c": ("::1", 8443, "/a?b=c"),
    "https://[fe80::1234:5]/": ("fe80::1234:5", 443, "/"),
    "http://127.0.0.1:65535/": ("127.0.0.1", 65535, "/"),
    "http://localhost/": ("localhost", 80, "/"),
    "http://[::1]/": ("::1", 80, "/"),
}
NOT_ALLOWED = """
    http://example.org/ http://127.0.0.1.example.org/ http://localhost.example.org/
    http://127.0.0.1.5/ http://127.1/ http://127.0.0.1@example.org/ http://1270.0.1/
    https://user:pass@example.org/ ftp://127.0.0.1/ file:///etc/passwd https://
    https://[broken/ https://example.org:port/ https://example.org:65536/ https://example.org/ü
    HTTPS://example.org/ https://exa_mple\\.org/ https://example.org?x
"""
NOT_EVEN_A_WORD = ("", "https://example.org/a b", "https://example.org/\r\nHost: x", "x https://a/")


def test_an_address_that_is_allowed() -> None:
    assert {url: ping.parts_of(url) for url in ALLOWED} == ALLOWED


@pytest.mark.parametrize("url", [*NOT_ALLOWED.split(), *NOT_EVEN_A_WORD])
def test_an_address_that_is_not_allowed_is_not_connected_to(url: str) -> None:
    def connected() -> None:
        raise AssertionError("connected")

    with pytest.raises(ValueError, match="not an https address"):
        ping.ask(url, "{}", connected)


# --- what is answered

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n"
ANSWERS = {
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}": (200, b"{}"),
    b"HTTP/1.0 204\r\n\r\n": (204, b""),
    b"HTTP/1.1 200 OK": (200, b""),
    CHUNKED + b'A;x=y\r\n{"34567890\r\n3\r\n":1\r\n0\r\n\r\n': (200, b'{"34567890":1'),
}
NO_ANSWERS = [
    *(b"", b"<html>", b"HTTP/2 200", b"HTTP/1.1 abc"),
    *(CHUNKED, CHUNKED + b"x\r\n", CHUNKED + b"5", CHUNKED + b"5\r\nhello\r\n"),
]


def test_an_answer() -> None:
    assert {data: ping._answer(data) for data in ANSWERS} == ANSWERS
    for data in NO_ANSWERS:
        with pytest.raises(ValueError, match=r"HTTP|int"):
            ping._answer(data)


@given(st.binary(max_size=80))
def test_any_bytes_in_chunks_come_to_an_end(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        assert len(ping._answer(CHUNKED + data)[1]) <= len(data)
