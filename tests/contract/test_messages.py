"""Messages from the Wasp team: brought by one command, shown on the terminal of the next."""

from __future__ import annotations

import fcntl
import json
import os
import re
import time
from collections.abc import Sequence
from typing import Any

import pytest

from tests.support.collector import Collector
from tests.support.machines import MachineRoom
from tests.support.projects import Project
from tests.support.releases import Upstream
from tests.support.replies import (
    Content,
    Reply,
    Reset,
    Stall,
    html_page,
    json_content,
    redirect,
    status,
)
from tests.support.server import Server
from tests.support.terminals import Terminal

HOUR = 60 * 60
DAY = 24 * HOUR
PACKAGE = "/npm/@wasp.sh%2fwasp-cli"
NEWS = "/news"


def message(**changes: Any) -> dict[str, Any]:
    published = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - DAY))
    plain = {"id": "one", "level": "important", "title": "A title", "body": "A body."}
    return {**plain, "publishedAt": published, **changes}


CRITICAL = message(
    id="grave",
    level="critical",
    title="The server runs code of any page",
    body="Stop it until you have updated.",
    url="https://wasp.sh/security/1",
    affectedVersions=">=0.20.0 <0.25.1",
)


class Reader(Project):
    """Somebody who uses Wasp on a terminal, and reads what it says."""

    def look(self) -> None:
        """A command that sends an event, and so looks for messages."""
        self.used("version")
        self.wait_for_background()

    def reads(self, *, columns: int = 80, arguments: Sequence[str] = ("version",)) -> str:
        """All that a command shows on a terminal."""
        argv = [str(self.layout.launcher), *arguments]
        terminal = Terminal(argv, self.environment, self.folder, columns)
        terminal.finish()
        self.wait_for_background()
        return terminal.shown.replace("\r\n", "\n")

    def tells(self, *entries: dict[str, Any]) -> None:
        """What the news server has, from now on."""
        self.server.answer(NEWS, json_content(list(entries)))

    @property
    def server(self) -> Server:
        return self.upstream.server

    def has_flag(self) -> bool:
        return (self.cache / "messages-0.25.0").exists()

    def pass_time(self, seconds: int) -> None:
        """Moves all that is remembered into the past."""
        self.age(seconds)
        file = self.cache / "news.json"
        news = json.loads(file.read_text())
        news["looked_at"] -= seconds
        news["shown"] = {name: at - seconds for name, at in news["shown"].items()}
        file.write_text(json.dumps(news))
        due = self.cache / "messages-0.25.0.due"
        if due.exists():
            due.write_text(str(int(due.read_text()) - seconds))


@pytest.fixture
def reader(machines: MachineRoom, upstream: Upstream, collector: Collector) -> Reader:
    upstream.publish("0.25.0")
    reader = machines.build_as(Reader, "dash")
    reader.collects(collector).install(None, "--no-telemetry").ok()
    reader.set(WASP_NEWS_SERVER_URL=f"{upstream.server.url}{NEWS}")
    upstream.server.answer(PACKAGE, json_content({"versions": {"0.25.0": {}}}))
    reader.tells()
    return reader


def without_own(shown: str) -> str:
    """Without what the stand-in for Wasp prints."""
    return re.sub(r"\n*0\.25\.0\n\nIf you wish.*\n?", "", shown).strip("\n")


# --- through the whole path ---------------------------------------------------------------------


def test_a_critical_message_is_shown_by_the_next_command(reader: Reader) -> None:
    reader.tells(CRITICAL)
    reader.look()
    assert reader.has_flag()
    shown = reader.set(NO_COLOR="1").reads()
    rule = "!" * 79
    assert without_own(shown) == "\n".join(
        [
            rule,
            "CRITICAL: The server runs code of any page",
            "  Stop it until you have updated.",
            "  More: https://wasp.sh/security/1",
            "  To update: curl -sSL https://get.wasp.sh/install.sh | sh",
            rule,
        ]
    )
    assert shown.index(rule) < shown.index("0.25.0\n")
    assert not reader.has_flag()
    assert without_own(reader.reads()) == ""


def test_a_newer_patch_of_npm(reader: Reader) -> None:
    versions = ["0.24.0", "0.25.0", "0.25.2", "0.25.1", "0.25.3-rc1"]
    reader.server.answer(PACKAGE, json_content({"versions": {version: {} for version in versions}}))
    reader.look()
    shown = without_own(reader.set(TERM="dumb").reads())
    assert shown.splitlines() == [
        "Wasp 0.25.2 is out, a newer patch of your 0.25.0.",
        "  To update: curl -sSL https://get.wasp.sh/install.sh | sh -s -- -v 0.25.2",
    ]


def test_a_newer_release_of_github(reader: Reader, upstream: Upstream) -> None:
    reader.set(WASP_TELEMETRY_DISABLE="1").install("0.25.0", "--force", "--source", "github").ok()
    reader.set(WASP_TELEMETRY_DISABLE=None)
    names = ["v0.28.0", "v0.26.0", "v0.25.0", "nightly", "v0.27.0-rc1"]
    listed = json_content([{"tag_name": name, "prerelease": name == "v0.28.0"} for name in names])
    upstream.server.answer("/github/api/v3/repos/wasp-lang/wasp/releases?per_page=20", listed)
    reader.look()
    shown = without_own(reader.set(NO_COLOR="1").reads())
    assert "Wasp 0.26.0 is out; you have 0.25.0." in shown
    assert "/releases/tag/v0.26.0" in shown


def test_the_collector_may_answer_with_messages(reader: Reader, collector: Collector) -> None:
    collector.reply = json_content({"status": "Ok", "messages": [message(title="From the server")]})
    reader.look()
    assert "From the server" in reader.reads()
    assert "From the server" not in reader.reads()


def test_what_does_not_concern_this_version_puts_up_no_flag(reader: Reader) -> None:
    reader.tells(message(affectedVersions="<0.24.0"), message(id="two", level="info"))
    reader.look()
    assert not reader.has_flag()


def test_after_an_update_there_is_nothing_to_say(reader: Reader, upstream: Upstream) -> None:
    reader.tells(CRITICAL)
    reader.look()
    upstream.publish("0.25.1")
    reader.install("0.25.1", "--no-telemetry").ok()
    reader.used("version")
    assert "CRITICAL" not in reader.reads()


def test_critical_again_after_a_day_without_a_new_event(reader: Reader) -> None:
    reader.tells(CRITICAL)
    reader.look()
    assert "CRITICAL" in reader.reads()
    reader.pass_time(11 * HOUR)
    reader.used("version")
    assert "CRITICAL" not in reader.reads()
    # Events of this project are paused, and lookups are too.
    reader.age(-24 * HOUR)
    reader.pass_time(13 * HOUR)
    reader.used("version")
    assert reader.has_flag()
    assert "CRITICAL" in reader.reads()


# --- where nothing is shown ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "variables", [{"CI": "1"}, {"WASP_AUTO_NEWS_DISABLE": ""}, {"DO_NOT_TRACK": "1"}], ids=str
)
def test_who_does_not_want_to_read(reader: Reader, variables: dict[str, str]) -> None:
    reader.tells(CRITICAL)
    reader.look()
    before = reader.server.connections
    assert without_own(reader.set(**variables).reads()) == ""
    assert reader.server.connections == before
    assert "CRITICAL" in reader.set(**dict.fromkeys(variables)).reads()


@pytest.mark.parametrize("variables", [{"CI": "1"}, {"WASP_AUTO_NEWS_DISABLE": "1"}], ids=str)
def test_for_whom_nothing_is_looked_for(
    reader: Reader, collector: Collector, variables: dict[str, str]
) -> None:
    reader.set(**variables).look()
    assert len(collector.deliveries) == 1
    assert reader.server.count(NEWS) == 0
    assert reader.server.count(PACKAGE) == 0


def test_not_into_a_pipe(reader: Reader) -> None:
    reader.tells(CRITICAL)
    reader.look()
    run = reader.used("version")
    assert "CRITICAL" not in run.stdout + run.stderr
    assert "CRITICAL" in reader.reads()


def test_not_while_a_shell_completes(reader: Reader) -> None:
    reader.tells(CRITICAL)
    reader.look()
    assert "CRITICAL" not in reader.reads(arguments=["completion:list"])
    assert "CRITICAL" in reader.reads()


def test_wasp_is_told_not_to_tell_it_again(reader: Reader) -> None:
    reader.layout.binary("0.25.0").write_text('#!/bin/sh\necho "${WASP_AUTO_NEWS_DISABLE-no}"\n')
    assert reader.used("start").stdout == "1\n"
    assert reader.set(DO_NOT_TRACK="1").used("start").stdout == "no\n"
    (reader.toolbox.folder / "python3").unlink()
    assert reader.set(DO_NOT_TRACK=None).used("start").stdout == "no\n"


def test_nobody_waits_for_another_process(reader: Reader) -> None:
    reader.tells(CRITICAL)
    reader.look()
    with (reader.cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert without_own(reader.reads()) == ""
    assert "CRITICAL" in reader.reads()


def test_a_pipe_in_the_place_of_a_file_holds_nobody_up(reader: Reader) -> None:
    reader.tells(CRITICAL)
    reader.look()
    (reader.cache / "news.json").unlink()
    os.mkfifo(reader.cache / "news.json")
    assert without_own(reader.reads()) == ""


@pytest.mark.parametrize(
    "broken", ["echo 'error while loading shared libraries' >&2; exit 127", "exit 1"]
)
def test_a_python_that_has_been_spoiled_says_nothing(reader: Reader, broken: str) -> None:
    reader.tells(CRITICAL)
    reader.look()
    reader.toolbox.script("python3", broken)
    assert without_own(reader.reads()) == ""


def test_on_a_full_disk_what_is_critical_is_said(reader: Reader) -> None:
    reader.tells(CRITICAL, message())
    reader.look()
    (reader.cache / "news.json.new").mkdir()
    for _ in range(2):
        shown = reader.reads()
        assert "CRITICAL" in shown
        assert "A title" not in shown


def test_another_version_is_told_what_concerns_it(reader: Reader) -> None:
    """Without a new event: what is known was brought by the other version."""
    reader.layout.plant("0.24.0")
    reader.tells(message(level="critical", title="For the older", affectedVersions="<0.25.0"))
    reader.look()
    assert not reader.has_flag()
    reader.run("use", "0.24.0").ok()
    reader.used("version")
    assert "For the older" in reader.reads()


# --- how it looks -------------------------------------------------------------------------------


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_it_fits_the_terminal(reader: Reader, columns: int) -> None:
    reader.tells(message(title="word " * 30, body="longer words " * 60, level="critical"))
    reader.look()
    shown = without_own(reader.set(NO_COLOR="1").reads(columns=columns))
    assert len(shown) > 500
    assert max(len(line) for line in shown.splitlines()) < min(columns, 80)


def test_colours_are_ours_alone(reader: Reader) -> None:
    reader.tells(
        message(title="\x1b[2J\x1b]0;title\x07plain", body="a\rb\x1b[8mc\u202ed", level="critical")
    )
    reader.look()
    shown = reader.reads()
    assert set(re.findall("\x1b[^m]*m?", shown)) == {"\x1b[1;31m", "\x1b[0m"}
    assert "[2J ]0;title plain" in shown
    assert "\r" not in shown
    assert "\u202e" not in shown


# --- looking ------------------------------------------------------------------------------------


def test_lookups_hold_nothing_of_anybody(reader: Reader, collector: Collector) -> None:
    before = len(reader.server.headers)
    reader.look()
    asked = [headers for headers in reader.server.headers[before:] if headers["method"] == "GET"]
    assert len(asked) == 2
    for headers in asked:
        accept = headers.pop("Accept")
        assert accept in (
            "application/json",
            "application/vnd.npm.install-v1+json, application/json",
        )
        assert headers == {
            "method": "GET",
            "Host": f"127.0.0.1:{reader.server.port}",
            "Accept-Encoding": "identity",
            "User-Agent": "wasp",
            "Connection": "close",
        }
    assert len(collector.deliveries) == 1


def test_once_in_twelve_hours_for_all_projects(reader: Reader, collector: Collector) -> None:
    other = reader.home / "other"
    other.mkdir()
    (other / ".wasproot").touch()
    reader.used("version")
    reader.used("version", folder=other)
    reader.used("build")
    assert len(collector.deliveries) == 3
    assert (reader.server.count(NEWS), reader.server.count(PACKAGE)) == (1, 1)


def test_nothing_new_is_said_with_an_etag(reader: Reader) -> None:
    etag = '"abc"'
    feed = json_content([CRITICAL])
    reader.server.answer(NEWS, Content(feed.body, headers={"ETag": etag}))
    reader.look()
    reader.server.answer(NEWS, status(304))
    reader.pass_time(12 * HOUR + 1)
    reader.look()
    last = [headers for headers in reader.server.headers if "If-None-Match" in headers]
    assert [headers["If-None-Match"] for headers in last] == [etag]
    assert "CRITICAL" in reader.reads()


def test_what_was_dated_ahead_is_shown_when_its_day_comes(reader: Reader) -> None:
    """Also where the servers have nothing new to say from then on."""
    later = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 2 * DAY))
    feed = json_content([{**CRITICAL, "publishedAt": later}])
    reader.server.answer(NEWS, Content(feed.body, headers={"ETag": '"abc"'}))
    reader.look()
    assert not reader.has_flag()
    reader.server.answer(NEWS, status(304))
    reader.server.answer(PACKAGE, status(304))
    news = json.loads((reader.cache / "news.json").read_text())
    earlier = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 2 * HOUR))
    news["feed"][0]["publishedAt"] = earlier
    (reader.cache / "news.json").write_text(json.dumps(news))
    reader.pass_time(3 * DAY)
    reader.look()
    assert "CRITICAL" in reader.reads()


def test_a_clock_that_was_ahead_silences_nothing(reader: Reader) -> None:
    reader.tells(CRITICAL)
    reader.look()
    assert "CRITICAL" in reader.reads()
    # All of that was shown in a year that has not come yet.
    reader.pass_time(-365 * DAY)
    reader.used("version")
    assert reader.has_flag()
    assert "CRITICAL" in reader.reads()


def test_a_release_that_was_taken_back_is_not_advertised(reader: Reader) -> None:
    versions = {"0.25.0": {}, "0.25.1": {}, "0.25.2": {"deprecated": "it loses data"}}
    reader.server.answer(PACKAGE, json_content({"versions": versions}))
    reader.look()
    assert "Wasp 0.25.1 is out" in reader.reads()


def test_who_cannot_send_is_still_told(reader: Reader, collector: Collector) -> None:
    collector.reply = Reset()
    reader.tells(CRITICAL)
    reader.look()
    assert "CRITICAL" in reader.reads()


def test_one_channel_that_hangs_does_not_silence_the_others(
    reader: Reader, collector: Collector
) -> None:
    collector.reply = json_content({"messages": [message(title="From the server")]})
    reader.server.answer(NEWS, Stall())
    versions: dict[str, Any] = {"0.25.0": {}, "0.25.1": {}}
    reader.server.answer(PACKAGE, json_content({"versions": versions}))
    reader.look()
    shown = reader.reads()
    assert "From the server" in shown
    assert "Wasp 0.25.1 is out" in shown


def test_status_says_when_it_was_looked(reader: Reader) -> None:
    assert "not looked for yet" in reader.called("telemetry").stdout
    reader.look()
    assert "last looked for 20" in reader.called("telemetry").stdout
    silenced = reader.set(WASP_AUTO_NEWS_DISABLE="").called("telemetry").stdout
    assert "not looked for (WASP_AUTO_NEWS_DISABLE" in silenced


@pytest.mark.parametrize(
    "reply",
    [
        html_page(),
        Content(b"x" * 5_000_000),
        Content(b"[" * 100_000),
        json_content({"messages": "no list"}),
        json_content([1, None, "text", {}, {"id": 7}, message(level="loud")]),
        json_content([message(level="critical", publishedAt="3026-01-01T00:00:00Z")]),
        json_content([message(level="critical", publishedAt="soon")]),
        json_content([message(level="critical", affectedVersions="all of them")]),
        redirect("/elsewhere"),
        status(500),
        Reset(),
    ],
    ids=[
        "html",
        "5-MB",
        "deep",
        "no-list",
        "wrong-types",
        "future",
        "no-date",
        "no-range",
        "redirect",
        "500",
        "reset",
    ],
)
def test_a_broken_feed_shows_nothing(reader: Reader, reply: Reply) -> None:
    reader.server.answer(NEWS, reply)
    reader.look()
    assert not reader.has_flag()
    assert reader.server.count("/elsewhere") == 0
    assert (reader.cache / "news.json").stat().st_size < 10_000
    assert without_own(reader.reads()) == ""


@pytest.mark.parametrize(
    "reply", [html_page(), Content(b"[" * 100_000), status(500)], ids=["html", "deep", "500"]
)
def test_a_broken_feed_changes_nothing(reader: Reader, reply: Reply) -> None:
    reader.tells(CRITICAL)
    reader.look()
    reader.server.answer(NEWS, reply)
    reader.pass_time(12 * HOUR + 1)
    reader.look()
    assert "CRITICAL" in reader.reads()


def test_a_hundred_thousand_entries(reader: Reader) -> None:
    entries = [{"id": n} for n in range(100_000)]
    reader.server.answer(NEWS, json_content(entries, compact=True))
    reader.look()
    assert not reader.has_flag()
    assert (reader.cache / "news.json").stat().st_size < 10_000


@pytest.mark.parametrize("content", [b"", b"{", b"\xff" * 100, b'{"shown": 7}', b"[]"])
def test_what_is_kept_may_be_spoiled(reader: Reader, content: bytes) -> None:
    reader.tells(CRITICAL)
    reader.look()
    (reader.cache / "news.json").write_bytes(content)
    assert without_own(reader.reads()) == ""
    reader.state_file.unlink()
    reader.look()
    assert "CRITICAL" in reader.reads()
