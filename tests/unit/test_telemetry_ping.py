"""The decisions of telemetry_ping.py, and what can be in an event, for any input whatever."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import shutil
import string
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import telemetry_ping as ping
from telemetry_ping import Attempt, Invocation, State, Store

HOUR = 60 * 60
START = 1_800_000_000

words = st.one_of(
    st.sampled_from(
        ["deploy", "build", "start", "fly", "setup", "create-db", "cmd", "completion:x"]
    ),
    st.text(max_size=20),
)


def fresh() -> State:
    return State(Attempt(), Attempt())


# --- when to send -------------------------------------------------------------------------------


class Simulation:
    """Invocations of one project, one after the other, at a collector that takes them or not."""

    def __init__(self) -> None:
        self.state = fresh()
        #: For each kind (build or not) the times of the events that were sent.
        self.sent: dict[bool, list[int]] = {True: [], False: []}
        self.carried: list[str] = []

    def invoke(
        self, now: int, *, build: bool = False, deploy: str = "", taken: bool = True
    ) -> bool:
        decision = ping.decide(self.state, build=build, deploy=deploy, now=now)
        if decision.send:
            ping.delivered(self.state, build=build, deploy=decision.deploy)
            if not taken:
                ping.refused(self.state, build=build, deploy=decision.deploy)
            else:
                self.carried.append(decision.deploy)
            self.sent[build].append(now)
        # What is kept is what the next invocation reads.
        self.state = ping.state_from(self.state.to_text())
        return decision.send


invocations = st.lists(
    st.tuples(
        st.integers(0, 30 * HOUR),
        st.booleans(),
        st.sampled_from(["", "", "fly", "fly;deploy", "setup"]),
    ),
    max_size=40,
)


@given(invocations)
def test_never_more_than_two_in_any_twelve_hours(steps: list[tuple[int, bool, str]]) -> None:
    project, now = Simulation(), START
    for pause, build, deploy in steps:
        now += pause
        last = project.sent[build][-1] if project.sent[build] else None
        sent = project.invoke(now, build=build, deploy=deploy)
        assert sent == (last is None or now - last > 12 * HOUR)
    times = sorted(project.sent[True] + project.sent[False])
    for first, _, third in zip(times, times[1:], times[2:]):
        assert third - first > 12 * HOUR


@given(invocations)
def test_no_deploy_is_forgotten(steps: list[tuple[int, bool, str]]) -> None:
    project, now, waiting = Simulation(), START, ""
    for pause, build, deploy in steps:
        now += pause
        waiting = deploy or waiting
        if project.invoke(now, build=build, deploy=deploy):
            assert project.carried[-1] == waiting
            waiting = ""
    assert project.state.deploy == waiting


@given(
    st.lists(
        st.tuples(st.integers(-100 * 24 * HOUR, 100 * 24 * HOUR), st.integers(0, 13 * HOUR)),
        max_size=30,
    )
)
def test_a_clock_that_jumps_back_never_sends_sooner(jumps: list[tuple[int, int]]) -> None:
    """Time passes, and the clock is set; only setting it forward may shorten a pause."""
    project, real, clock = Simulation(), START, START
    last_real = None
    for jump, passed in jumps:
        real += passed
        clock += passed + min(jump, 0)
        if project.invoke(clock):
            assert last_real is None or real - last_real > 12 * HOUR
            last_real = real


@given(st.integers(1, 400 * 24 * HOUR))
def test_a_clock_set_back_is_waited_for_twelve_hours_and_no_more(back: int) -> None:
    project = Simulation()
    assert project.invoke(START)
    assert not project.invoke(START - back)
    assert not project.invoke(START - back + 12 * HOUR)
    assert project.invoke(START - back + 12 * HOUR + 1)


def test_a_pause_is_twelve_hours_also_when_the_clocks_change(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In Berlin, the night to 2026-10-25 has 13 hours from eight to eight."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    evening = int(time.mktime((2026, 10, 24, 20, 0, 0, 0, 0, -1)))
    morning = int(time.mktime((2026, 10, 25, 8, 0, 0, 0, 0, -1)))
    project = Simulation()
    assert project.invoke(evening)
    assert morning - evening == 13 * HOUR
    assert not project.invoke(morning - HOUR)
    assert project.invoke(morning - HOUR + 1)
    monkeypatch.undo()
    time.tzset()


@given(st.integers(0, 3 * HOUR), st.booleans())
def test_what_was_refused_may_go_after_an_hour(later: int, build: bool) -> None:
    project = Simulation()
    assert project.invoke(START, build=build, deploy="fly", taken=False)
    assert project.state.deploy == "fly"
    assert project.invoke(START + later, build=build) == (later > HOUR)


def test_an_attempt_that_was_cut_off_before_it_was_on_its_way_is_a_failed_one() -> None:
    state = fresh()
    assert ping.decide(state, build=False, deploy="fly", now=START).send
    assert state.other.failed
    assert state.deploy == "fly"


def test_a_deploy_beside_a_sending_is_kept() -> None:
    state = fresh()
    decision = ping.decide(state, build=False, deploy="fly", now=START)
    ping.decide(state, build=False, deploy="setup", now=START + 1)
    ping.delivered(state, build=False, deploy=decision.deploy)
    assert state.deploy == "setup"


def test_a_pause_changes_nothing_that_would_have_to_be_written() -> None:
    project = Simulation()
    project.invoke(START)
    before = project.state.to_text()
    decision = ping.decide(project.state, build=False, deploy="", now=START + HOUR)
    assert (decision.send, decision.changed, project.state.to_text()) == (False, False, before)


# --- what is kept -------------------------------------------------------------------------------

attempts = st.builds(Attempt, st.integers(0, 2**40), st.booleans())
deploys = st.lists(st.sampled_from(ping.DEPLOY_KEYWORDS), max_size=5).map(";".join)


@given(attempts, attempts, deploys)
def test_a_state_is_json_and_reads_as_it_was_written(
    build: Attempt, other: Attempt, deploy: str
) -> None:
    text = State(build, other, deploy).to_text()
    assert ping.state_from(text).to_text() == text
    assert json.loads(text) == {
        "build_at": build.at,
        "build_failed": build.failed,
        "other_at": other.at,
        "other_failed": other.failed,
        "deploy": deploy,
    }


@given(st.text(max_size=300))
@example(
    '{"build_at": 1, "build_failed": false, "other_at": 1, "other_failed": 0, "deploy": "x;fly"}'
)
def test_any_text_is_some_state_with_nothing_but_keywords(text: str) -> None:
    state = ping.state_from(text)
    assert set(state.deploy.split(";")) <= {"", *ping.DEPLOY_KEYWORDS}


@given(st.binary(min_size=1, max_size=64), st.binary(max_size=200))
def test_the_hash_of_a_project_is_an_hmac(key: bytes, message: bytes) -> None:
    assert ping._hmac_sha256(key, message) == hmac.new(key, message, hashlib.sha256).digest()


def test_a_hash_depends_on_the_secret(tmp_path: Path) -> None:
    one, other = Store(str(tmp_path / "one")), Store(str(tmp_path / "other"))
    project = "/home/somebody/project"
    assert one.project_hash(project) == one.project_hash(project)
    assert one.project_hash(project) != other.project_hash(project)
    secret = (tmp_path / "one" / "secret").read_bytes()
    expected = hmac.new(secret, project.encode(), hashlib.sha256).hexdigest()[:16]
    assert one.project_hash(project) == expected


def test_a_user_id_is_sent_as_its_hash_and_hides_the_secret(tmp_path: Path) -> None:
    store = Store(str(tmp_path), user_id="me@example.org")
    assert store.distinct_id() == hashlib.sha256(b"me@example.org").hexdigest()
    guessed = hmac.new(bytes.fromhex(store.distinct_id()), b"/p", hashlib.sha256).hexdigest()[:16]
    assert store.project_hash("/p") != guessed
    assert store.project_hash("/p") == Store("/no/such", "me@example.org").project_hash("/p")
    assert list(tmp_path.iterdir()) == []


# --- what is sent -------------------------------------------------------------------------------


def body_of(arguments: list[str], project: str, environment: dict[str, str]) -> str:
    with tempfile.TemporaryDirectory() as folder:
        invocation = Invocation(arguments, "0.25.0", project, environment)
        return invocation.body(Store(folder), "key", ping.deploy_keywords(arguments)).decode()


# Long enough not to be part of anything else by chance.
private = st.text(string.ascii_letters + "-./_", min_size=6, max_size=30).filter(
    lambda text: text not in ("linux", "create-db", "deploy", *ping.CI_VARIABLES)
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.one_of(words, private), max_size=8),
    st.lists(private, min_size=1, max_size=4),
    st.dictionaries(private, private, max_size=5),
)
def test_no_argument_path_or_variable_gets_into_an_event(
    arguments: list[str], path: list[str], environment: dict[str, str]
) -> None:
    for beginning in ([], ["deploy"], ["build"]):
        project = "/" + "/".join(path)
        event = json.loads(body_of(beginning + arguments, project, environment))
        properties = event["properties"]
        distinct_id, project_hash = event.pop("distinct_id"), properties.pop("project_hash")
        assert len(distinct_id) == 36
        assert int(project_hash, 16) >= 0
        assert set(properties.pop("deploy_cmd_args").split(";")) <= {"", *ping.DEPLOY_KEYWORDS}
        assert properties.pop("is_build") in (True, False)
        assert event == {
            "api_key": "key",
            "event": "cli",
            "properties": {"wasp_version": "0.25.0", "os": "linux", "context": ""},
        }


@pytest.mark.parametrize("version", ["", "../x", "0.25.0 x", "0.25.0\n", "x" * 41, "wersjä"])
def test_a_version_that_is_none_is_not_sent(tmp_path: Path, version: str) -> None:
    invocation = Invocation([], version, "/p", {})
    event = json.loads(invocation.body(Store(str(tmp_path)), "key", ""))
    assert event["properties"]["wasp_version"] == ""


@given(st.text())
def test_a_context_is_short_and_printable(text: str) -> None:
    for environment, suffix in (({}, ""), ({"CI": "1"}, "CI")):
        context = ping.context_of({"WASP_TELEMETRY_CONTEXT": text, **environment})
        assert len(context) <= 200
        assert context.isprintable()
        assert context.endswith(suffix)
        json.dumps(context).encode("utf-8").decode("utf-8")


@pytest.mark.parametrize(
    ("environment", "context"),
    [
        ({}, ""),
        ({"WASP_TELEMETRY_CONTEXT": "gitpod"}, "gitpod"),
        ({"WASP_TELEMETRY_CONTEXT": "gitpod", "CI": "true"}, "gitpod CI"),
        ({"CI": "false"}, ""),
        ({"CI": "0"}, ""),
        ({"CI": ""}, ""),
        ({"TRAVIS": "yes"}, "CI"),
        ({"WASP_TELEMETRY_CONTEXT": "\x1b[31mred\x07\u202e"}, "[31mred"),
        ({"WASP_TELEMETRY_CONTEXT": "x" * 300, "CI": "1"}, "x" * 197 + " CI"),
    ],
)
def test_the_context(environment: dict[str, str], context: str) -> None:
    assert ping.context_of(environment) == context


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
    ],
)
def test_what_is_taken_from_a_command(arguments: list[str], build: bool, deploy: str) -> None:
    assert ping.is_build(arguments) is build
    assert ping.deploy_keywords(arguments) == deploy


def test_random_digits_are_24_and_spread_evenly() -> None:
    drawn = [ping.random_digits() for _ in range(2000)]
    assert len(set(drawn)) == 2000
    assert {len(digits) for digits in drawn} == {24}
    counts = {first: sum(digits[0] == first for digits in drawn) for first in "0123456789"}
    assert counts.pop("0") == 0
    # 222 each; a count beyond these has less than one chance in ten million.
    assert all(140 < count < 310 for count in counts.values()), counts


# --- where it goes ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://app.posthog.com/capture/", True),
        ("https://[::1]:8443/capture/", True),
        ("http://127.0.0.1:8080/capture/", True),
        ("http://localhost/", True),
        ("http://[::1]/", True),
        ("http://example.org/", False),
        ("http://127.0.0.1.example.org/", False),
        ("http://127.0.0.1@example.org/", False),
        ("http://localhost.example.org/", False),
        ("ftp://127.0.0.1/", False),
        ("https://", False),
        ("https://[broken/", False),
        ("https://example.org:port/", False),
        ("file:///etc/passwd", False),
        ("", False),
    ],
)
def test_only_https_or_this_very_machine(url: str, allowed: bool) -> None:
    assert ping.is_allowed(url) is allowed


def test_an_address_that_is_not_allowed_is_not_connected_to() -> None:
    def connected() -> None:
        raise AssertionError("connected")

    with pytest.raises(ValueError, match="not an https address"):
        ping.post("http://collector.invalid/capture/", b"{}", connected)


def test_what_is_sent_is_recorded_before_the_network_is_touched(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    invocation = Invocation(["version"], "0.25.0", "/p", {})
    seen: list[tuple[bool, bool]] = []

    def send(_url: str, _body: bytes, when_connected: Any) -> tuple[int, bytes]:
        state = store.state(store.project_hash("/p"))
        seen.append((state.other.at == START, state.other.failed))
        when_connected()
        seen.append((True, store.state(store.project_hash("/p")).other.failed))
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        ping.record_and_send(invocation, store, lambda: START, send)
    assert seen == [(True, True), (True, False)]


def test_an_attempt_that_slept_while_another_began_is_not_sent(tmp_path: Path) -> None:
    """As of a process that was stopped, with the machine or alone."""
    store = Store(str(tmp_path))
    invocation = Invocation(["version"], "0.25.0", "/p", {})
    sent: list[int] = []

    def other(_url: str, _body: bytes, when_connected: Any) -> tuple[int, bytes]:
        when_connected()
        sent.append(2)
        return 200, b""

    def slow(_url: str, _body: bytes, when_connected: Any) -> tuple[int, bytes]:
        ping.record_and_send(invocation, store, lambda: START + 2 * HOUR, other)
        when_connected()
        sent.append(1)
        return 200, b""

    with pytest.raises(TimeoutError):
        ping.record_and_send(invocation, store, lambda: START, slow)
    assert sent == [2]
    assert not store.state(store.project_hash("/p")).other.failed


def test_an_attempt_that_slept_for_long_is_not_sent(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    clock = [START]

    def slow(_url: str, _body: bytes, when_connected: Any) -> tuple[int, bytes]:
        clock.append(START + 11 * HOUR)
        when_connected()
        raise AssertionError("sent")

    with pytest.raises(TimeoutError):
        ping.record_and_send(Invocation([], "0.25.0", "/p", {}), store, lambda: clock[-1], slow)
    assert store.state(store.project_hash("/p")).other.failed


def test_who_comes_to_the_lock_later_does_not_think_it_is_earlier(tmp_path: Path) -> None:
    """The time is that of the turn, however long one waited for it."""
    store = Store(str(tmp_path))
    store.project_hash("/p")  # makes the secret, which takes the lock
    invocation = Invocation([], "0.25.0", "/p", {})
    clock = [START]
    sent: list[int] = []
    locked = store.lock

    def wait_for_another(**options: Any) -> Any:
        store.lock = locked  # type: ignore[method-assign]
        clock.append(START + 1)
        ping.record_and_send(invocation, store, lambda: clock[-1], send)
        return locked(**options)

    def send(_url: str, _body: bytes, when_connected: Any) -> tuple[int, bytes]:
        when_connected()
        sent.append(clock[-1])
        return 200, b""

    store.lock = wait_for_another  # type: ignore[method-assign]
    assert ping.record_and_send(invocation, store, lambda: clock[-1], send) is None
    assert sent == [START + 1]
    assert store.state(store.project_hash("/p")).other.at == START + 1
    assert not store.state(store.project_hash("/p")).other.failed


def test_a_cache_that_was_removed_stays_away(tmp_path: Path) -> None:
    """As by an uninstall beside a process that sends."""
    store = Store(str(tmp_path / "telemetry"))

    def send(_url: str, _body: bytes, when_connected: Any) -> tuple[int, bytes]:
        shutil.rmtree(tmp_path / "telemetry")
        when_connected()
        raise AssertionError("sent")

    with pytest.raises(FileNotFoundError):
        ping.record_and_send(Invocation([], "0.25.0", "/p", {}), store, lambda: START, send)
    assert list(tmp_path.iterdir()) == []


def test_what_is_shown_of_an_invocation_is_what_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Others see the arguments of a process."""
    started: list[list[str]] = []

    def start(arguments: list[str]) -> None:
        started.append(list(arguments))

    monkeypatch.setattr(ping, "_start_apart", start)
    monkeypatch.setattr(ping, "current_project", lambda: "/p")
    monkeypatch.setattr(ping, "opt_out_reason", lambda _: None)
    for words in (
        "db --url=SECRET",
        "build --token=SECRET",
        "build start",
        "deploy fly SECRET cmd",
    ):
        ping.notify_invocation(words.split(), "0.25.0")
    assert started == [
        ["invoked", "0.25.0"],
        ["invoked", "0.25.0", "build"],
        ["invoked", "0.25.0", "build", "start"],
        ["invoked", "0.25.0", "deploy", "fly", "cmd"],
    ]


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("http://[::1]/capture/", "::1", 80),
        ("http://[::1]:8080/capture/", "::1", 8080),
        ("https://[fe80::1234:5]/", "fe80::1234:5", 443),
        ("https://collector.invalid", "collector.invalid", 443),
    ],
)
def test_a_host_is_no_host_and_port(url: str, host: str, port: int) -> None:
    connection, _ = ping._connection(url, 1)
    assert (connection.host, connection.port) == (host, port)


def test_an_address_with_letters_that_no_url_has_is_not_connected_to() -> None:
    def connected() -> None:
        raise AssertionError("connected")

    with pytest.raises(ValueError, match="not an https address"):
        ping.post("https://127.0.0.1/capt\u00fcre/", b"{}", connected)


def test_what_another_project_has_learned_meanwhile_is_kept(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    grave = {
        "id": "one",
        "level": "critical",
        "title": "Title",
        "body": "Body",
        "publishedAt": "2026-01-01T00:00:00Z",
    }
    environment = {"WASP_NEWS_SERVER_URL": os.environ["WASP_NEWS_SERVER_URL"]}
    postbox = ping.Postbox(store, "0.25.0", environment)
    postbox.look(json.dumps({"messages": [grave]}).encode(), {}, START)
    postbox.look(b"no answer", {}, START + 13 * HOUR)
    assert [known.id for known in ping.News(store.read("news.json", 10**6)).messages()] == ["one"]
    assert (tmp_path / "messages-0.25.0").exists()


def test_nothing_can_be_recorded_so_nothing_is_sent(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    store = Store(str(tmp_path / "file" / "telemetry"))

    def send(_url: str, _body: bytes, _when_connected: Any) -> tuple[int, bytes]:
        raise AssertionError("sent")

    with pytest.raises(OSError, match="directory"):
        ping.record_and_send(Invocation([], "0.25.0", "/p", {}), store, lambda: START, send)


@pytest.mark.parametrize(
    "folder",
    ["", "src", "src/deep/deeper"],
)
def test_the_project_is_the_nearest_folder_upwards(tmp_path: Path, folder: str) -> None:
    inside = tmp_path / "project" / folder
    inside.mkdir(parents=True)
    assert ping.project_of(str(inside)) is None
    (tmp_path / ".wasproot").touch()
    assert ping.project_of(str(inside)) == str(tmp_path)
    (tmp_path / "project" / ".wasproot").touch()
    assert ping.project_of(str(inside)) == str(tmp_path / "project")


def test_every_public_name_says_what_it_is() -> None:
    for name, value in vars(ping).items():
        if not name.startswith("_") and getattr(value, "__module__", None) == ping.__name__:
            assert value.__doc__, name


_IMPORTS = """
import os, sys
sys.path.insert(0, sys.argv[1])
import telemetry_ping
before = set(sys.modules)
del os.environ["WASP_TELEMETRY_DISABLE"]
telemetry_ping.main(["invoked", "0.25.0", "version"])
print(*set(sys.modules) - before, sep="\\n")
"""


def test_a_pause_imports_next_to_nothing(tmp_path: Path) -> None:
    """Each module of the standard library costs milliseconds of somebody's processor."""
    (tmp_path / ".wasproot").touch()
    (tmp_path / "home").mkdir()
    store = Store(str(tmp_path / "home" / ".cache" / "wasp" / "telemetry"))
    project_hash = store.project_hash(str(tmp_path.resolve()))
    with store.lock():
        store.keep(project_hash, State(Attempt(), Attempt(int(time.time()))))
    run = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _IMPORTS, str(Path(ping.__file__).parent)],
        cwd=tmp_path,
        env={
            "HOME": str(tmp_path / "home"),
            "WASP_TELEMETRY_DISABLE": "1",
            "WASP_TELEMETRY_URL": os.environ["WASP_TELEMETRY_URL"],
            "WASP_NEWS_SERVER_URL": os.environ["WASP_NEWS_SERVER_URL"],
        },
        capture_output=True,
        text=True,
        check=True,
    )
    # SHA-256 is found under one of two names, and the lock is not asked for.
    assert len(run.stdout.split()) == 1, run.stdout
