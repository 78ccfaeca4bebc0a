"""What can be in an event, for any input whatever; and where it may go."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import socket
import string
import threading
import uuid
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import telemetry_ping as ping
from telemetry_ping import Invocation, Store


def event_of(arguments: list[str], project: str, folder: Path, version: str = "0.25.0") -> object:
    store = Store(str(folder))
    store.make()
    invocation = Invocation(arguments, version, project, store)
    return json.loads(invocation.body(invocation.deploy))


# Long enough not to be part of anything else by chance.
private = st.text(string.ascii_letters + "-./_", min_size=6, max_size=30).filter(
    lambda text: text not in ("create-db", "deploy", *ping.CI_VARIABLES)
)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([[], ["deploy"], ["build"]]),
    st.lists(st.one_of(st.sampled_from(["start", "fly", "cmd"]), private), max_size=8),
    st.lists(private, min_size=1, max_size=4),
    st.dictionaries(private, private, max_size=5),
)
def test_no_argument_path_or_variable_gets_into_an_event(
    tmp_path_factory: pytest.TempPathFactory,
    beginning: list[str],
    arguments: list[str],
    path: list[str],
    environment: dict[str, str],
) -> None:
    folder = tmp_path_factory.mktemp("store")
    with mock.patch.dict(os.environ, environment, clear=True):
        event = event_of(beginning + arguments, "/" + "/".join(path), folder)
    assert isinstance(event, dict)
    properties = event["properties"]
    assert len(event.pop("distinct_id")) == 36
    assert int(properties.pop("project_hash"), 16) >= 0
    assert set(properties.pop("deploy_cmd_args").split(";")) <= {"", *ping.DEPLOY_KEYWORDS}
    assert properties.pop("is_build") in (True, False)
    properties_left = {"wasp_version": "0.25.0", "os": ping.this_os(), "context": ""}
    assert event == {"api_key": ping.DEFAULT_KEY, "event": "cli", "properties": properties_left}


@pytest.mark.parametrize("version", ["", "../x", "0.25.0 x", "0.25.0\n"])
def test_a_version_that_is_none_is_not_sent(tmp_path: Path, version: str) -> None:
    event = event_of([], "/p", tmp_path, version)
    assert isinstance(event, dict)
    assert event["properties"]["wasp_version"] == ""


@pytest.mark.parametrize(
    ("arguments", "build", "deploy"),
    [
        ([], False, ""),
        (["build"], True, ""),
        (["build", "start"], False, ""),
        (["build", "--verbose"], True, ""),
        (["start", "build"], False, ""),
        (["deploy"], False, ""),
        (["deploy", "fly", "deploy"], False, "fly;deploy"),
        (["deploy", "fly", "create-db", "mia", "--org", "fly"], False, "fly;create-db;fly"),
        (["deploy", "FLY", "flying"], False, ""),
        (["start", "deploy", "fly"], False, ""),
        (["deploy", *["cmd"] * 21], False, ";".join(["cmd"] * 20)),
    ],
)
def test_what_is_taken_from_a_command(arguments: list[str], build: bool, deploy: str) -> None:
    assert ping.is_build(arguments) is build
    assert ping.deploy_keywords(arguments) == deploy


@pytest.mark.parametrize(
    ("environment", "context"),
    [
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
    ],
)
def test_the_context(environment: dict[str, str], context: str) -> None:
    assert ping.context_of(environment) == context


@pytest.mark.parametrize(
    ("platform", "name"),
    [("linux", "linux"), ("darwin", "osx"), ("win32", "windows"), ("freebsd14", "Unknown")],
)
def test_the_operating_system(platform: str, name: str) -> None:
    with mock.patch("sys.platform", platform):
        assert ping.install_event()["properties"] == {"os": name}


def test_random_digits_are_24_and_spread_evenly() -> None:
    drawn = [ping.install_event()["distinct_id"] for _ in range(2000)]
    assert len(set(drawn)) == 2000
    assert {len(digits) for digits in drawn} == {24}
    counts = {first: sum(digits[0] == first for digits in drawn) for first in "0123456789"}
    assert counts.pop("0") == 0
    # 222 each; a count beyond these has less than one chance in ten million.
    assert all(140 < count < 310 for count in counts.values()), counts


# --- id and secret


@given(st.binary(min_size=1, max_size=64), st.binary(max_size=200))
def test_the_hash_of_a_project_is_an_hmac(key: bytes, message: bytes) -> None:
    assert ping._hmac_sha256(key, message) == hmac.new(key, message, hashlib.sha256).digest()


def test_a_hash_depends_on_the_secret(tmp_path: Path) -> None:
    one, other = Store(str(tmp_path / "one")), Store(str(tmp_path / "other"))
    one.make()
    other.make()
    project = "/home/somebody/project"
    assert one.project_hash(project) != other.project_hash(project)
    secret = (tmp_path / "one" / "secret").read_bytes()
    expected = hmac.new(secret, project.encode(), hashlib.sha256).hexdigest()[:16]
    assert one.project_hash(project) == expected


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


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("signature", b"Jane of Accounting"),
        ("signature", b"bf3fa7a8-1c11-4f82-9542-ec1a2d28786g"),
        ("signature", b"bf3fa7a81c11-4f82-9542-ec1a2d28786b-"),
        ("secret", b"short"),
        ("secret", b"s" * 33),
    ],
)
def test_a_spoiled_secret_or_id_is_made_anew(tmp_path: Path, name: str, content: bytes) -> None:
    folder = tmp_path / "wasp" / "telemetry"
    folder.mkdir(parents=True)
    (folder / name).write_bytes(content)
    store = Store(str(folder))
    assert str(uuid.UUID(store.distinct_id())) == store.distinct_id()
    store.project_hash("/p")
    assert (folder / name).read_bytes() != content
    assert len((folder / "secret").read_bytes()) == 32
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}


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


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("https://app.posthog.com/capture/", ("app.posthog.com", 443, "/capture/")),
        ("https://collector.invalid", ("collector.invalid", 443, "/")),
        ("https://[::1]:8443/a?b=c", ("::1", 8443, "/a?b=c")),
        ("https://[fe80::1234:5]/", ("fe80::1234:5", 443, "/")),
        ("http://127.0.0.1:8080/", ("127.0.0.1", 8080, "/")),
        ("http://localhost/", ("localhost", 80, "/")),
        ("http://[::1]/", ("::1", 80, "/")),
    ],
)
def test_an_address_that_is_allowed(url: str, parts: tuple[str, int, str]) -> None:
    assert ping.parts_of(url) == parts


NOT_ALLOWED = """
    http://example.org/ http://127.0.0.1.example.org/ http://localhost.example.org/
    http://127.0.0.1.5/ http://127.1/ http://127.0.0.1@example.org/ http://1270.0.1/
    https://user:pass@example.org/ ftp://127.0.0.1/ file:///etc/passwd https://
    https://[broken/ https://example.org:port/ https://example.org:65536/ https://example.org/ü
    HTTPS://example.org/ https://exa_mple\\.org/ https://example.org?x
"""
NOT_EVEN_A_WORD = ("", "https://example.org/a b", "https://example.org/\r\nHost: x", "x https://a/")


@pytest.mark.parametrize("url", [*NOT_ALLOWED.split(), *NOT_EVEN_A_WORD])
def test_an_address_that_is_not_allowed_is_not_connected_to(url: str) -> None:
    def connected() -> None:
        raise AssertionError("connected")

    with pytest.raises(ValueError, match="not an https address"):
        ping.ask(url, "{}", connected)


# --- what is answered


@pytest.mark.parametrize(
    ("data", "answer"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", (200, b"{}")),
        (b"HTTP/1.0 204\r\n\r\n", (204, b"")),
        (b"HTTP/1.1 200 OK", (200, b"")),
    ],
)
def test_an_answer(data: bytes, answer: tuple[int, bytes]) -> None:
    assert ping._answer(data) == answer


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n"


def test_an_answer_in_chunks() -> None:
    data = CHUNKED + b'2;x=y\r\n{"\r\n3\r\n":1\r\n0\r\n\r\n'
    assert ping._answer(data) == (200, b'{"":1')


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"<html>", b"HTTP/2 200", b"HTTP/1.1 abc"),
        *(CHUNKED + end for end in (b"", b"x\r\n", b"5", b"5\r\nhello\r\n")),
    ],
)
def test_an_answer_that_is_none(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"HTTP|int"):
        ping._answer(data)


@given(st.binary(max_size=80))
def test_any_bytes_in_chunks_come_to_an_end(data: bytes) -> None:
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    try:
        assert len(ping._answer(head + data)[1]) <= len(data)
    except ValueError:
        return


def test_no_more_than_the_limit_is_read_of_an_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection, contextlib.suppress(OSError):
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + bytes(4 * ping.ANSWER_LIMIT_BYTES))

        thread = threading.Thread(target=serve)
        thread.start()
        status, content = ping.ask(f"http://127.0.0.1:{listener.getsockname()[1]}/", "{}")
        thread.join()
    assert status == 200
    assert len(content) < ping.ANSWER_LIMIT_BYTES + 65536
