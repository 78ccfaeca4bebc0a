"""Messages from the Wasp team: which are shown, to whom and when, and that no text does harm."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
import telemetry_messages as messages
from hypothesis import given
from hypothesis import strategies as st
from telemetry_messages import News

import telemetry_ping as ping
from tests.support.installed import HOUR

DAY = 24 * HOUR
NOW = 1_800_000_000


def stamp(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def fields(**changes: Any) -> dict[str, Any]:
    """A message as the feed has it; what is None is not there."""
    plain = {"id": "one", "level": "important", "title": "Title", "body": "Body"}
    whole = {**plain, "publishedAt": stamp(NOW - DAY), **changes}
    return {name: value for name, value in whole.items() if value is not None}


def news_of(*feed: dict[str, Any], releases: list[str] | None = None) -> News:
    news = News()
    news.feed = messages.messages_from(list(feed))
    news.releases = releases or []
    return news


def shown(news: News, version: str = "0.25.0", now: int = NOW) -> list[str]:
    """What is shown at `now`, and is remembered from then on."""
    names = list(news.due(version, now))
    news.shown.update(dict.fromkeys(names, now))
    return names


# --- to whom

RANGES = [
    ("0.25.0", ">=0.20.0 <0.25.1", True),
    ("0.25.1", ">=0.20.0 <0.25.1", False),
    ("0.26.0", ">=0.20.0 <0.25.1 || 0.26.0", True),
    ("0.26.1", ">=0.20.0 <0.25.1||=0.26.0", False),
    ("0.25.0", "<=0.25.0", True),
    ("0.25.0", ">0.25.0", False),
    ("0.25.1-rc1", "<0.25.1", True),
    ("0.25.1-rc.2", ">0.25.1-rc.10", False),
    ("0.25.1-rc2", ">0.25.1-rc10", True),
    ("0.25.0", "<0.25.1-rc1 >=0.25.0-rc1", True),
    ("1.0.0", ">0.100.0", True),
]


def test_a_message_concerns_the_versions_it_names() -> None:
    for version, affected, expected in RANGES:
        assert messages.is_in_range(version, affected) is expected
        assert bool(shown(news_of(fields(affectedVersions=affected)), version)) is expected


def test_versions_are_ordered_as_semver_says() -> None:
    # https://semver.org/#spec-item-11
    order = "0.9.9 1.0.0-1 1.0.0-2 1.0.0-10 1.0.0-alpha 1.0.0-alpha.1 1.0.0-rc1 1.0.0 1.0.10 1.2.0"
    versions = order.split()
    assert sorted(sorted(versions), key=messages.version_key) == versions


def test_the_newest_of_the_line_and_the_newest_beyond() -> None:
    releases = ["0.9.0", "0.25.9", "0.25.10", "0.26.0", "1.0.0", "1.1.0"]
    newer = {
        "0.25.0": ["0.25.10", "1.1.0"],
        "0.25.10": ["", "1.1.0"],
        "1.0.0": ["1.1.0", ""],
        "0.25.0-rc1": ["0.25.10", "1.1.0"],
        "1.1.0": ["", ""],
        "2.0.0": ["", ""],
    }
    assert {version: messages.newer_releases(releases, version) for version in newer} == newer


# --- when

OLD = stamp(NOW - 30 * DAY)
AHEAD = stamp(NOW + 2 * DAY)
#: A message or releases, and after how many hours something is shown (+) or nothing.
TIMES: list[tuple[dict[str, Any] | list[str], str]] = [
    (fields(level="critical", affectedVersions="<0.25.1"), "0+ 1- 19.9- 20+ 39- 40+ 999+"),
    (fields(), "0+ 1- 9999-"),
    (fields(level="info"), "0-"),
    (["0.25.0", "0.25.3", "0.25.2", "0.24.9"], "0+ 19- 20+ 39- 40+"),
    (["0.25.0", "0.26.0"], "0+ 24- 163- 164+ 327- 328+"),
    # Newcomers get no old news.
    (fields(publishedAt=OLD), "0-"),
    (fields(publishedAt=stamp(NOW - 30 * DAY + 1)), "0+"),
    (fields(publishedAt=OLD, level="critical"), "0+"),
    (fields(publishedAt=OLD, affectedVersions="<0.26.0"), "0+"),
    (fields(publishedAt=AHEAD), "23.99- 24+"),
    (fields(publishedAt=AHEAD, affectedVersions="<0.26.0"), "23.99- 24+"),
]


def test_each_kind_is_shown_when_it_is_due() -> None:
    for one, times in TIMES:
        news = news_of(releases=one) if isinstance(one, list) else news_of(one)
        for time_ in times.split():
            now = NOW + round(float(time_[:-1]) * HOUR)
            assert bool(shown(news, now=now)) is time_.endswith("+"), (one, time_)


def test_a_clock_that_was_ahead_silences_nothing() -> None:
    news = news_of(fields(level="critical"), fields(id="two"))
    news.shown = {"one": NOW + 365 * DAY, "two": NOW + 1}
    assert shown(news) == ["one", "two"]


def test_info_is_shown_once_beside_another() -> None:
    infos = [fields(id=f"i{number}", level="info") for number in range(7)]
    news = news_of(*infos, releases=["0.25.3"])
    assert shown(news) == [" patch", "i0", "i1"]
    assert shown(news, now=NOW + 1) == []


def test_the_gravest_and_newest_first_and_three_at_most() -> None:
    many = [fields(id=f"i{day}", publishedAt=stamp(NOW - day * DAY)) for day in range(5)]
    news = news_of(*many, fields(id="grave", level="critical"), releases=["0.25.1"])
    assert shown(news) == ["grave", "i0", "i1"]
    assert shown(news, now=NOW + 1) == ["i2", "i3", "i4"]
    assert shown(news, now=NOW + 2) == [" patch"]


def test_of_two_with_one_id_the_graver_counts() -> None:
    for feed, answer in (("critical", "info"), ("info", "critical")):
        news = news_of(fields(level=feed))
        news.answer = messages.messages_from([fields(level=answer)])
        [lines] = news.due("0.25.0", NOW).values()
        assert lines[1] == "CRITICAL: Title"


# --- what comes from elsewhere

NO_TIMES = """
    2026-01-31 2026-01-31T12:00:00 2026-01-31T12:00:00.Z soon 2026-01-31T24:00:00Z
    2026-02-30T12:00:00Z 2026-01-31t12:00:00z 20260131T120000Z 2026-1-31T12:00:00Z
    2026-W05-6T12:00:00Z 2026-01-31T12:00:00,5Z 2026-01-31T12:00:00UTC
"""
TIMES_OF_DAY = """
    2026-01-31T12:00:00Z 2026-01-31T12:00:00.000Z 2026-01-31T12:00:00.123456789Z
    2026-01-31T12:00:00+01:00 2026-01-31T12:00:00-00:00 0999-01-31T12:00:00Z
"""
NO_RANGES = "soon 0.25 0.25.x > =>1.0.0 1.0.0||x ~1 || <<1.0.0 v1.0.0 1.0.0-"
NO_RANGES_OF_WORDS = ("0.25.0 -", "<0.25.1 bad", "<0.25.1 ||", ">=0.1.0 " + " " * 20_000, 7)
WRONG: list[dict[str, Any]] = [
    *({name: None} for name in ("id", "level", "title", "body", "publishedAt")),
    *({name: 7} for name in ("id", "level", "title", "body", "publishedAt", "url")),
    *({"level": level} for level in ("", "Critical", "CRITICAL", "loud", "high")),
    *({"title": "x" * length} for length in (61, 100)),
    *({"publishedAt": text} for text in ("", "2026-01-31T12:00:00 Z", *NO_TIMES.split())),
    *({"affectedVersions": text} for text in (*NO_RANGES.split(), *NO_RANGES_OF_WORDS)),
    *({"url": text} for text in ("http://wasp.sh/", "https://a b", "https://\x1b[2J", "https://")),
]
RIGHT: list[dict[str, Any]] = [
    *({}, {"title": "x" * 60}, {"title": "é" * 60}, {"body": ""}),
    *({"level": level} for level in messages.LEVELS),
    *({"publishedAt": text} for text in TIMES_OF_DAY.split()),
    {"url": "https://wasp.sh/1", "affectedVersions": "<0.25.1", "more": [1]},
]
NO_FEEDS: list[Any] = [
    *(None, {}, "[]", 7, [None], [[]], ["text"], [7]),
    *([fields(), fields(**changes)] for changes in WRONG),
]


@pytest.mark.parametrize("feed", NO_FEEDS, ids=lambda feed: str(feed)[-60:])
def test_what_is_no_feed_or_has_one_that_is_not_right_is_refused(feed: Any) -> None:
    with pytest.raises(messages.BROKEN):
        messages.messages_from(feed)


def test_one_that_is_right() -> None:
    for changes in RIGHT:
        [message] = messages.messages_from([fields(**changes)])
        # What is kept is read again as it is.
        assert messages.messages_from([message]) == [message]


def test_a_time_is_that_of_its_zone() -> None:
    at = [
        messages.published_at({"publishedAt": f"2026-01-31T12:00:00{end}"})
        for end in ("Z", ".999Z", "+01:00", "-01:30")
    ]
    assert [value - at[0] for value in at] == [0, 0, -3600, 5400]


ODD: list[Any] = [
    *(None, True, -1, 1e999, "text", [], {}, [None], [[]], [7], ["1.0.0"], {"": 1}, {"": [7]}),
    *({"": None}, {"": {}}, [fields()], [fields(level="loud")], [{"level": []}]),
]


def test_any_json_is_some_news() -> None:
    kept = json.loads(news_of(fields(), releases=["0.25.1"]).to_text())
    for name in kept:
        for odd in ODD:
            text = News(json.dumps({**kept, name: odd}).encode()).to_text()
            assert News(text).to_text() == text
    assert [News(json.dumps(odd).encode()).feed for odd in ODD] == [[]] * len(ODD)


hostile = st.text(
    st.characters() | st.sampled_from("\x1b\r\n\t\b\x07\x9b\u202e\u200b\u2028\u2066\ufeff\x00\x7f"),
    max_size=60,
)


@given(hostile, hostile, hostile)
def test_no_text_moves_the_cursor_colours_or_hides(name: str, title: str, body: str) -> None:
    news = news_of(fields(id=name, title=title, body=body * 20, level="critical"))
    for line in next(iter(news.due("0.25.0", NOW).values()))[1:-1]:
        assert all(" " <= letter <= "~" for letter in line)
        assert len(line) <= 76
        assert line.startswith(("  ", "CRITICAL:"))


def test_text_of_people_stays_readable() -> None:
    title = "Caf\u00e9 \u201cnews\u201d \u2013 it\u2019s out\u2026"
    assert news_of(fields(title=title)).feed[0]["title"] == 'Cafe "news" - it\'s out...'


def test_nothing_but_three_numbers_is_a_release() -> None:
    none = ["0.25.9+\x1b[2J", "0.26.0+; rm", "0.26.0-rc1", "0.26", "0.26.0.1", "1.2.x", "٣.1.1", ""]
    assert not [version for version in (*none, "\n") if messages._is_release(version)]
    news = News()
    news.releases = [*none, "0.25.1"]
    assert News(news.to_text()).releases == ["0.25.1"]


# --- the command that updates


def test_the_command_is_for_this_very_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = {
        ".local": "To update: ~/.local/bin/wasp installer update 1.0.0",
        "my $wasp": f"To update: '{tmp_path}/my $wasp/bin/wasp' installer update 1.0.0",
        **dict.fromkeys(("\x1b[2J", "wäsp", "a\nb"), ""),
        "usr": f"To update: sudo {tmp_path}/usr/bin/wasp installer update 1.0.0",
    }
    monkeypatch.setenv("HOME", str(tmp_path))
    for prefix, command in commands.items():
        root = tmp_path / prefix / "share" / "wasp-lang"
        root.mkdir(parents=True)
        (root / "wasp-installer.sh").touch()
        monkeypatch.setattr(ping, "__file__", str(root / "telemetry_ping.py"))
        if "sudo" in command:
            monkeypatch.setenv("HOME", "/home/other")
            monkeypatch.setattr(os, "access", lambda *_: False)
        assert messages.update_command("1.0.0") == command
    assert messages.update_command("") == commands["usr"][: -len(" 1.0.0")]
    # A package manager is not outdone.
    (root / "wasp-installer.sh").unlink()
    news = news_of(fields(level="critical", affectedVersions="<1.0.0"), releases=["0.25.1"])
    assert "To update" not in str(news.due("0.25.0", NOW))


def test_a_critical_message_names_a_release_that_is_not_affected(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(messages, "update_command", "To update: {}".format)
    message = fields(level="critical", affectedVersions="<0.25.3")
    for releases, version in (
        (["0.25.2", "0.25.3", "0.26.0"], "0.25.3"),
        (["0.25.2", "0.26.0"], "0.26.0"),
        ([], ""),
    ):
        lines = news_of(message, releases=releases).due("0.25.0", NOW)["one"]
        assert lines[-2] == f"  To update: {version}"
