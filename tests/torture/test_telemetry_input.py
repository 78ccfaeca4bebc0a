"""Whatever telemetry reads: files, answers, variables and paths, none of them as they should be."""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import os
import re
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from unittest import mock

import pytest
import telemetry_messages as messages
from hypothesis import given, settings
from hypothesis import strategies as st

import telemetry_ping as ping
from tests.support.certificates import Authority
from tests.support.collector import Collector
from tests.support.installed import SHELLS, Installed
from tests.support.replies import Content, Exchange, json_content
from tests.support.scale import Scale, scale_from_environment
from tests.support.server import Server
from tests.torture.tallies import Tally

# By ending the whole process, as what hangs would only be tried again.
pytestmark = pytest.mark.timeout(scale_from_environment().times(300, most=7200), method="thread")

AREA = "Telemetry input"
HOUR = 60 * 60
VERSION = "0.25.0"
NEWS = "/news"
RELEASES = "/npm/@wasp.sh%2fwasp-cli"
SECRET = b"s" * 32
#: A command, the same again, and a build: two events, if none of them has been sent before.
COMMANDS = (["version"], ["deploy", "fly"], ["build"])

EVENT_KEYS = ["api_key", "event", "distinct_id", "properties"]
PROPERTIES = {
    "project_hash": r"[0-9a-f]{16}",
    "is_build": r"True|False",
    "deploy_cmd_args": r"|(fly|setup|create-db|deploy|cmd)(;(fly|setup|create-db|deploy|cmd))*",
    "wasp_version": r"[0-9A-Za-z.-]{0,40}",
    "os": r"linux",
    "context": r".{0,200}",
}
DISTINCT_ID = r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-f]{64}"

GRAVE = {
    "id": "grave",
    "level": "critical",
    "title": "This must be read",
    "body": "Body",
    "publishedAt": "2026-01-01T00:00:00Z",
}

Case = TypeVar("Case")


def tried(
    scale: Scale, number: int, cases: st.SearchStrategy[Case], check: Callable[[Case], None]
) -> int:
    """Checks about `number` cases at factor 1, always the same there; tells how many it were."""
    count = 0

    @settings(
        max_examples=scale.times(number, most=50 * number),
        derandomize=scale.factor == 1,
        deadline=None,
    )
    @given(cases)
    def try_one(case: Case) -> None:
        nonlocal count
        count += 1
        check(case)

    try_one()
    return count


# --- a machine inside this process ----------------------------------------------------------------


@dataclass(frozen=True)
class Raw:
    """Any bytes in the place of an answer."""

    data: bytes

    def send(self, exchange: Exchange) -> None:
        exchange.send_bytes(self.data)


@dataclass
class Sandbox:
    """A home, a project in it, and a collector; commands run in this process."""

    folder: Path
    collector: Collector
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.home = self.folder / "home"
        self.project = self.home / "app"
        self.project.mkdir(parents=True)
        (self.project / ".wasproot").touch()
        self.cache = self.home / ".cache" / "wasp" / "telemetry"
        self.cache.mkdir(parents=True, mode=0o700)
        (self.cache / "secret").write_bytes(SECRET)
        (self.cache / "secret").chmod(0o600)
        self.elsewhere = self.folder / "elsewhere"
        self.elsewhere.mkdir()
        (self.elsewhere / "canary").write_text("alive")
        self.collector.forget()
        self.environment = {
            "HOME": str(self.home),
            "WASP_TELEMETRY_URL": self.collector.url,
            "WASP_NEWS_SERVER_URL": f"{self.collector.server.url}{NEWS}",
            **self.environment,
        }

        self.root = self.folder / "wasp-lang"
        (self.root / VERSION).mkdir(parents=True)
        receipt = {"source": "npm", "url": f"{self.collector.server.url}{RELEASES}"}
        (self.root / VERSION / ".receipt.json").write_text(json.dumps(receipt))

    @property
    def state_name(self) -> str:
        project_hash = ping._hmac_sha256(SECRET, os.fsencode(self.project)).hex()[:16]
        return f"project-{project_hash}"

    @property
    def state(self) -> ping.State:
        return ping.State((self.cache / self.state_name).read_text())

    def used(self, *arguments: str) -> None:
        """One command; whatever it meets, it says nothing and ends well."""
        assert self.main("invoked", VERSION, *arguments) == (0, "")

    def reads(self) -> str:
        """What the next command shows of messages."""
        text = self.cache / f"messages-{VERSION}"
        return text.read_text("ascii") if text.is_file() else ""

    def main(self, *arguments: str) -> tuple[int, str]:
        """Runs `telemetry_ping.py`; its exit code, and all that it prints."""
        written = io.BytesIO()
        output = io.TextIOWrapper(written, encoding="utf-8", write_through=True)
        streams = mock.patch.multiple(sys, stdout=output, stderr=output)
        with self._in_place(), streams:
            code = ping.main(arguments)
        return code, written.getvalue().decode("utf-8")

    @contextlib.contextmanager
    def _in_place(self) -> Iterator[None]:
        """Without what would be done to the whole process, and no way out of this machine."""
        before = os.getcwd()
        with contextlib.ExitStack() as stack:
            stack.enter_context(mock.patch.dict(os.environ, self.environment, clear=True))
            for name in ("_detach", "_keep_compiled"):
                stack.enter_context(mock.patch.object(ping, name))
            stack.enter_context(mock.patch.object(ping, "__file__", str(self.root / "ping.py")))
            stack.enter_context(mock.patch.object(socket, "getaddrinfo", only_here))
            stack.callback(os.chdir, before)
            os.chdir(self.project)
            yield

    def outside(self) -> dict[str, bytes]:
        """All that is not in the cache."""
        found = {}
        for path in sorted(self.folder.rglob("*")):
            if self.cache not in (path, *path.parents):
                is_plain = path.is_file() and not path.is_symlink()
                found[str(path)] = path.read_bytes() if is_plain else b""
        return found

    def check_promise(self) -> None:
        """At most one event of each kind, and nothing in them that is not to be there."""
        kinds = [check_event(delivery.body) for delivery in self.collector.deliveries]
        assert len(kinds) == len(set(kinds)), kinds

    def check_modes(self) -> None:
        if self.cache.is_dir():
            plain = [path for path in self.cache.iterdir() if path.is_file()]
            modes = {path.stat().st_mode & 0o777 for path in plain if not path.is_symlink()}
            assert modes <= {0o600}, modes


def only_here(host: Any, port: Any, *_: Any, **__: Any) -> Any:
    """Addresses on this machine; no other name is asked for."""
    if host not in ("127.0.0.1", b"127.0.0.1"):
        raise socket.gaierror(f"{host!r} is not looked for in tests")
    kind = socket.SOCK_STREAM
    return [(socket.AF_INET, kind, socket.IPPROTO_TCP, "", ("127.0.0.1", int(port)))]


def check_event(body: bytes) -> bool:
    """Nothing but what is promised; returns whether it is a build's."""
    event = json.loads(body.decode("ascii"))
    assert list(event) == EVENT_KEYS
    assert event["event"] == "cli"
    assert re.fullmatch(DISTINCT_ID, event["distinct_id"])
    properties = event["properties"]
    assert list(properties) == list(PROPERTIES)
    for name, pattern in PROPERTIES.items():
        assert re.fullmatch(pattern, str(properties[name])), (name, properties[name])
    assert properties["context"].isprintable()
    return bool(properties["is_build"])


@pytest.fixture
def plain_collector() -> Iterator[Collector]:
    """Without TLS, which this process could not be told to trust."""
    server = Server(None)
    server.answer(NEWS, json_content([GRAVE]))
    server.answer(RELEASES, json_content({"versions": {"0.25.0": {}, "0.25.1": {}}}))
    yield Collector(server)
    server.close()


@contextlib.contextmanager
def sandbox(collector: Collector) -> Iterator[Sandbox]:
    with tempfile.TemporaryDirectory() as folder:
        yield Sandbox(Path(os.path.realpath(folder)), collector)


# --- what is kept on the machine ------------------------------------------------------------------

any_letter = st.one_of(
    st.characters(exclude_categories=()),
    st.sampled_from("\ud800\udcff\x1b\n\u202e\u2028\U0001f41d"),
)
any_text = st.text(any_letter, max_size=30)
numbers = st.one_of(
    st.integers().map(str),
    st.integers(-20 * HOUR, 20 * HOUR).map(lambda shift: str(int(time.time()) + shift)),
    st.sampled_from(["1e999", "-0", "1_0", "", "null", "[]", '"soon"', "9" * 400, "-" + "9" * 400]),
)
keywords = st.lists(st.sampled_from([*ping.DEPLOY_KEYWORDS, "mine", '"', "\\", ", "]), max_size=400)
state_fields = st.tuples(numbers, numbers, keywords.map(";".join))
states = st.tuples(state_fields, any_text, st.integers(0, 200)).map(
    lambda made: (
        (" ".join(made[0]) + ("\n" if made[2] % 5 else made[1]))
        .encode("utf-8", "replace")[made[2] % 3 and made[2] :]
    )
)  # fmt: skip


@dataclass(frozen=True)
class Special:
    """Something that is no plain file, in the place of one."""

    kind: str

    def plant(self, path: Path, elsewhere: Path) -> None:
        if self.kind == "folder":
            path.mkdir()
        elif self.kind == "pipe":
            os.mkfifo(path)
        else:
            path.symlink_to(
                {"nowhere": elsewhere / "new", "itself": path}.get(self.kind, elsewhere / "canary")
            )


specials = st.sampled_from(
    [Special(kind) for kind in ("folder", "pipe", "nowhere", "itself", "elsewhere")]
)
news_files = st.one_of(
    st.binary(max_size=100),
    st.fixed_dictionaries(
        {},
        optional={
            "shown": st.dictionaries(any_text, st.one_of(st.integers(), st.floats(), any_text)),
            "ready": st.dictionaries(any_text, st.lists(any_text, max_size=2)),
            "looked_at": st.one_of(st.integers(), st.floats(), any_text),
            "answer": st.just([GRAVE]),
            "feed": st.just([GRAVE]),
            "releases": st.lists(st.one_of(any_text, st.just("0.25.1")), max_size=3),
        },
    ).map(lambda fields: json.dumps(fields).encode()),
)
STATE = "project-HASH"
contents = {
    STATE: st.one_of(states, st.binary(max_size=100)),
    "secret": st.binary(max_size=40),
    "signature": st.one_of(
        st.binary(max_size=40), st.just(b"BF3FA7A8-1c11-4f82-9542-ec1a2d28786b\n")
    ),
    "messages.json": news_files,
    f"messages-{VERSION}": st.binary(max_size=3),
    "lock": st.binary(max_size=3),
}
files = st.fixed_dictionaries(
    {},
    optional={
        **{name: st.one_of(content, specials) for name, content in contents.items()},
        **{f"{name}.new": st.one_of(st.binary(max_size=3), specials) for name in contents},
    },
)


def plant(box: Sandbox, planted: Mapping[str, bytes | Special]) -> None:
    for name, content in planted.items():
        path = box.cache / (box.state_name + name[len(STATE) :] if name.startswith(STATE) else name)
        path.unlink(missing_ok=True)
        if isinstance(content, Special):
            content.plant(path, box.elsewhere)
        else:
            path.write_bytes(content)
            path.chmod(0o600)


def test_whatever_lies_in_the_cache(plain_collector: Collector, scale: Scale, tally: Tally) -> None:
    def check(planted: Mapping[str, bytes | Special]) -> None:
        with sandbox(plain_collector) as box:
            plant(box, planted)
            before = box.outside()
            for command in COMMANDS:
                box.used(*command)
            for asked in ([], ["show"]):
                code, text = box.main("telemetry", VERSION, *asked)
                assert (code, "error: " in text) in ((0, False), (7, True)), text
            assert box.outside() == before
            box.check_promise()
            box.check_modes()

    tally(AREA, "Sets of files in the cache", tried(scale, 80, files, check))


FRESH = ping.State().to_text()


def test_a_state_that_cannot_be_read_is_a_fresh_one(
    plain_collector: Collector, scale: Scale, tally: Tally
) -> None:
    def check(content: bytes) -> None:
        with sandbox(plain_collector) as box:
            plant(box, {STATE: content})
            for command in COMMANDS:
                box.used(*command)
            box.check_promise()
            if ping.State(content.decode("ascii", "replace")).to_text() == FRESH:
                assert len(box.collector.deliveries) == 2
                assert min(box.state.ends) > time.time() + 11 * HOUR

    tally(AREA, "States of a project", tried(scale, 80, contents[STATE], check))


@pytest.mark.parametrize("count", [1, 20, 400, 3000])
def test_a_deploy_of_many_words_is_told_once(plain_collector: Collector, count: int) -> None:
    words = ["create-db"] * count
    with sandbox(plain_collector) as box:
        for command in (["version"], ["deploy", *words], ["build"], ["build"]):
            box.used(*command)
        told = [delivery.properties["deploy_cmd_args"] for delivery in box.collector.deliveries]
        assert told == ["", ";".join(words[:20])]
        assert box.state.deploy == ""


# --- what comes over the network ------------------------------------------------------------------

header_lines = st.lists(
    st.one_of(
        st.binary(max_size=60),
        st.sampled_from(
            [
                b"Content-Length: 5",
                b"Content-Length: -1",
                b"Content-Length: x",
                b"Transfer-Encoding: chunked",
                b"Content-Encoding: gzip",
                b"Location: /elsewhere",
                b"ETag: \x1b[2J",
                b"ETag: " + b"x" * 70_000,
                b"X: y\r\n" * 200,
            ]
        ),
    ),
    max_size=3,
)
bodies = st.one_of(
    st.binary(max_size=100),
    st.sampled_from(
        [
            b"{}",
            b"[" * 100_000,
            b"x" * 200_000,
            b"5\r\nhello\r\n0\r\n\r\n",
            b"ffffffffffffffff\r\n",
            b'{"messages": [[]]}',
            b'{"versions": {"0.25.1": 1, "\\ud800": 2}}',
            "\ufeff{}".encode("utf-16"),
        ]
    ),
)
status_lines = st.one_of(
    st.binary(max_size=40),
    st.integers(-1, 1000).map(lambda code: b"HTTP/1.1 %d Text" % code),
    st.sampled_from([b"HTTP/1.1 200 OK", b"HTTP/0.9 200", b"HTTP/2 200", b"ICY 200 OK"]),
)
wire = st.tuples(status_lines, header_lines, bodies).map(
    lambda made: (
        made[0] + b"\r\n" + b"".join(line + b"\r\n" for line in made[1]) + b"\r\n" + made[2]
    )
)


def test_any_bytes_in_the_place_of_answers(
    plain_collector: Collector, scale: Scale, tally: Tally
) -> None:
    def check(answers: tuple[bytes, bytes, bytes]) -> None:
        with sandbox(plain_collector) as box:
            plain_collector.reply = Raw(answers[0])
            plain_collector.server.answer(NEWS, Raw(answers[1]))
            plain_collector.server.answer(RELEASES, Raw(answers[2]))
            before = box.outside()
            for command in COMMANDS:
                box.used(*command)
            box.reads()
            assert len(plain_collector.deliveries) == 2
            assert box.outside() == before
            box.check_promise()
            box.check_modes()
            assert plain_collector.server.count("/elsewhere") == 0

    count = tried(scale, 60, st.tuples(wire, wire, wire), check)
    tally(AREA, "Sets of answers to the event and both lookups", count)


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), any_text),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(any_text, inner)),
    max_leaves=10,
)
ranges = st.lists(
    st.one_of(st.sampled_from(["<", ">=", "=", "||", " ", "0.25", ".x", "*", "-rc1"]), any_text),
    max_size=5,
).map("".join)
odd_fields = {
    "id": any_text,
    "level": st.sampled_from(messages.LEVELS),
    "title": any_text,
    "body": any_text,
    "publishedAt": st.one_of(any_text, st.just("2026-02-01")),
    "url": any_text.map("https://".__add__),
    "affectedVersions": st.one_of(ranges, any_letter.map("<0.25.1-".__add__)),
}
entries = st.one_of(
    # One that is a message but for a field or two, and one of which hardly anything is.
    st.builds(
        lambda fields: {**GRAVE, "id": "other", **fields},
        st.fixed_dictionaries({}, optional=odd_fields),
    ),
    st.fixed_dictionaries({}, optional=dict.fromkeys(odd_fields, json_values)),
    json_values,
)


def test_a_feed_is_taken_as_a_whole_or_not_at_all(
    plain_collector: Collector, scale: Scale, tally: Tally
) -> None:
    def check(others: list[Any]) -> None:
        feed = [*others, GRAVE]
        with sandbox(plain_collector) as box:
            plain_collector.server.answer(NEWS, Content(json.dumps(feed).encode()))
            box.used("version")
            text = box.reads()
            assert all(line.isprintable() for line in text.split("\n"))
            try:
                messages.messages_from(json.loads(json.dumps(feed)))
            except messages.BROKEN:
                assert "CRITICAL" not in text
            else:
                assert "CRITICAL" in text

    tally(AREA, "Feeds", tried(scale, 80, st.lists(entries, max_size=3), check))


# --- what surrounds a command ---------------------------------------------------------------------

# As the system has it: any bytes but 0, those that are no text escaped.
system_text = st.binary(max_size=60).map(lambda text: os.fsdecode(text.replace(b"\0", b"")))
addresses = st.one_of(
    system_text,
    system_text.map("https://".__add__),
    st.sampled_from(
        [
            "http://[::1",
            "https://a:b",
            "http://127.0.0.1:1/\n",
            "http://127.0.0.1:99999/",
            "ftp://a",
        ]
    ),
)
folders = st.sampled_from(
    [
        "",
        "relative",
        "{box}/odd \udcff\n\x1b",
        "{box}/home/app/.wasproot",
        "{box}/no/such",
        "/" + "x" * 300,
    ]
)
told_of = {
    "WASP_TELEMETRY_KEY": system_text,
    "WASP_TELEMETRY_USER_ID": system_text,
    "WASP_TELEMETRY_CONTEXT": st.one_of(system_text, st.just("x" * 100_000)),
    "WASP_NEWS_SERVER_URL": addresses,
    "TERM": system_text,
    **dict.fromkeys(ping.CI_VARIABLES[:3], system_text),
}
in_the_way = {
    "HOME": folders,
    "XDG_CACHE_HOME": folders,
    "XDG_CONFIG_HOME": folders,
    "WASP_TELEMETRY_URL": addresses,
    "WASP_AUTO_NEWS_DISABLE": system_text,
    "DO_NOT_TRACK": st.one_of(system_text, st.just("no")),
    "https_proxy": addresses,
    "ALL_PROXY": addresses,
    "no_proxy": system_text,
    "SSL_CERT_FILE": folders,
}
variables = st.one_of(
    st.fixed_dictionaries(told_of),
    st.fixed_dictionaries(told_of, optional=in_the_way),
    st.fixed_dictionaries({}, optional={**told_of, **in_the_way}),
)
arguments = st.lists(
    st.one_of(system_text, st.sampled_from(["deploy", "build", "fly"])), max_size=4
)


def test_any_variables_and_arguments(
    plain_collector: Collector, scale: Scale, tally: Tally
) -> None:
    def check(case: tuple[dict[str, str], list[str]]) -> None:
        chosen, words = case
        with sandbox(plain_collector) as box:
            for name, value in chosen.items():
                box.environment[name] = value.replace("{box}", str(box.folder))
            for command in (words, words, ["build"]):
                box.used(*command)
            box.reads()
            box.check_promise()
            deliveries = plain_collector.deliveries
            assert deliveries or in_the_way.keys() & chosen.keys()
            key = box.environment.get("WASP_TELEMETRY_KEY") or ping.DEFAULT_KEY
            assert all(delivery.event["api_key"] == key for delivery in deliveries)

    tally(
        AREA,
        "Sets of variables and arguments",
        tried(scale, 80, st.tuples(variables, arguments), check),
    )


names = st.binary(min_size=1, max_size=40).map(lambda text: re.sub(rb"[\0/]", b"-", text))
paths = st.lists(names.filter(lambda name: name not in (b".", b"..")), min_size=1, max_size=40)


def test_any_path_of_a_project(plain_collector: Collector, scale: Scale, tally: Tally) -> None:
    def check(path: list[bytes]) -> None:
        with sandbox(plain_collector) as box:
            box.project = Path(os.fsdecode(os.path.join(os.fsencode(box.home), *path)))
            box.project.mkdir(parents=True)
            (box.project / ".wasproot").touch()
            for command in COMMANDS:
                box.used(*command)
            assert len(plain_collector.deliveries) == 2
            box.check_promise()

    tally(AREA, "Paths of a project", tried(scale, 60, paths, check))


# --- whole processes ------------------------------------------------------------------------------

ODD_FOLDERS = [
    "plain",
    "-n '$(touch planted)' \"`touch planted`\" \\",
    "\x1b[31m\n* \U0001f41d",
    "f" * 255,
]
ODD_VARIABLES: list[dict[str, str]] = [
    {},
    {"WASP_TELEMETRY_CONTEXT": "\x1b]0;title\x07\n" + "x" * 100_000, "GITHUB_ACTIONS": "\n"},
    {"WASP_TELEMETRY_USER_ID": "'; exit 9 #", "WASP_TELEMETRY_KEY": '*\n"\\', "HOME": "relative"},
    {"XDG_CACHE_HOME": "/dev/null/$(touch planted)", "XDG_CONFIG_HOME": "/\n", "TERM": "\x1b"},
    {
        "LANG": "no_SUCH.encoding",
        "LC_ALL": "C",
        "PYTHONHOME": "/nowhere",
        "ENV": "/dev/null",
        "PATH": "",
    },
]
ODD_CACHES: list[dict[str, bytes | Special]] = [
    {},
    {name: b"\0\xff{" for name in contents if name != STATE},
    {"lock": Special("pipe"), "messages.json.new": Special("pipe"), "secret.new": Special("pipe")},
    {"lock": Special("nowhere"), "signature": Special("itself"), "secret": Special("folder")},
]
ODD_ANSWERS = [
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    b"\x1b[2J" * 1000,
    b"HTTP/1.1 200 OK\r\n\r\n" + b"[" * 100_000,
    b"HTTP/1.1 100 Continue\r\n\r\n" * 1000,
    b"",
]


@pytest.fixture
def wasp(tmp_path: Path, authority: Authority, collector: Collector) -> Installed:
    return Installed(tmp_path, authority, collector)


@pytest.mark.parametrize("shell", SHELLS)
def test_whole_commands_are_what_they_were(
    wasp: Installed, shell: str, scale: Scale, tally: Tally
) -> None:
    wasp.set(WASP_AUTO_NEWS_DISABLE=None)
    worlds = list(itertools.product(ODD_FOLDERS, ODD_VARIABLES, ODD_CACHES, ODD_ANSWERS))
    chosen = scale.sample(worlds, 7)
    usual = dict(wasp.environment)
    for name, variables, planted, answer in chosen:
        folder = wasp.home / name
        folder.mkdir(exist_ok=True)
        (folder / ".wasproot").touch()
        shutil.rmtree(wasp.cache, ignore_errors=True)
        wasp.cache.mkdir(parents=True, mode=0o700)
        for file, content in planted.items():
            if isinstance(content, Special):
                content.plant(wasp.cache / file, wasp.here)
            else:
                (wasp.cache / file).write_bytes(content)
        wasp.collector.reply = Raw(answer)
        wasp.collector.server.answer(NEWS, Raw(answer))
        before = outside_of(wasp)
        wasp.environment = {**usual, **variables}
        run = wasp.used("opted-out", folder=folder, shell=shell).ok()
        # A shell of its own may complain of a locale.
        assert (run.stdout, run.stderr.replace(COMPLAINT, "")) == ("1 1\n", "")
        assert outside_of(wasp) == before
        assert len(wasp.collector.deliveries) <= 1
        for delivery in wasp.collector.deliveries:
            check_event(delivery.body)
        wasp.collector.forget()
    tally(AREA, "Whole commands in odd surroundings", len(chosen))


COMPLAINT = "W: /usr/bin/mksh: setlocale: No such file or directory\n"


def outside_of(wasp: Installed) -> list[Path]:
    """All files that telemetry has nothing to do with."""
    kept = (wasp.home / ".cache", wasp.home / ".local")
    found = [path for path in wasp.base.rglob("*") if not {*path.parents, path} & set(kept)]
    return sorted(found)
