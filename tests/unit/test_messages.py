"""Which messages are shown, to whom and when; and that no text of theirs can do any harm."""

from __future__ import annotations

import io
import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import telemetry_ping as ping
from telemetry_ping import Message, News

HOUR = 60 * 60
DAY = 24 * HOUR
NOW = 1_800_000_000


def fields(**changes: Any) -> dict[str, Any]:
    """A message as the feed has it."""
    published = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(NOW - DAY))
    plain = {"id": "one", "level": "important", "title": "Title", "body": "Body"}
    return {**plain, "publishedAt": published, **changes}


def news_of(*messages: dict[str, Any], releases: list[str] | None = None) -> News:
    news = News()
    news.feed = ping.messages_from(list(messages))
    news.releases = releases or []
    return news


def shown(news: News, version: str, now: int) -> list[str]:
    """What is shown at `now`, and is remembered from then on."""
    due = ping.next_showing(news, version, now)
    names = [notice.name for notice in ping.due_notices(news, version, now)]
    # The flag of the launcher and what is then shown go together.
    assert (due is not None and due <= now) == bool(names)
    news.shown.update(dict.fromkeys(names, now))
    return names


# --- to whom ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "affected", "expected"),
    [
        ("0.25.0", None, True),
        ("0.25.0", "", True),
        ("0.25.0", ">=0.20.0 <0.25.1", True),
        ("0.25.1", ">=0.20.0 <0.25.1", False),
        ("0.19.0", ">=0.20.0 <0.25.1 || 0.19.x", True),
        ("0.25.1-rc1", "<0.25.1", True),
    ],
)
def test_a_message_concerns_the_versions_it_names(
    version: str, affected: str | None, expected: bool
) -> None:
    news = news_of(fields(affectedVersions=affected))
    assert bool(shown(news, version, NOW)) is expected


@pytest.mark.parametrize(
    "text", ["soon", "0.25.0 -", ">", "<0.25.1 bad", "=>1.0.0", "1.0.0||x.1", "~1"]
)
def test_a_range_that_is_none_drops_the_message(text: str) -> None:
    with pytest.raises(ValueError, match=r"range|version|literal"):
        ping.is_in_range("0.25.0", text)
    assert news_of(fields(affectedVersions=text)).feed == []


def test_old_news_are_not_for_newcomers() -> None:
    old = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(NOW - 31 * DAY))
    assert shown(news_of(fields(publishedAt=old)), "0.25.0", NOW) == []
    assert shown(news_of(fields(publishedAt=old, level="critical")), "0.25.0", NOW) == ["one"]
    affecting = fields(publishedAt=old, affectedVersions="<0.26.0")
    assert shown(news_of(affecting), "0.25.0", NOW) == ["one"]


def test_what_is_dated_in_the_future_waits() -> None:
    future = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(NOW + 3 * DAY))
    news = news_of(fields(publishedAt=future, level="critical"))
    assert shown(news, "0.25.0", NOW) == []
    assert shown(news, "0.25.0", NOW + 2 * DAY + 1) == ["one"]


# --- when ---------------------------------------------------------------------------------------


def test_critical_once_a_day_until_the_version_is_another() -> None:
    news = news_of(fields(level="critical", affectedVersions="<0.25.1"))
    times = [NOW, NOW + 1, NOW + DAY - 1, NOW + DAY, NOW + DAY + 1, NOW + 5 * DAY]
    told = [bool(shown(news, "0.25.0", at)) for at in times]
    assert told == [True, False, False, True, False, True]
    assert shown(news, "0.25.1", NOW + 9 * DAY) == []


def test_important_once() -> None:
    news = news_of(fields())
    assert shown(news, "0.25.0", NOW) == ["one"]
    assert shown(news, "0.25.0", NOW + 9 * DAY) == []


def test_what_wasp_news_has_listed_is_not_new() -> None:
    news = news_of(fields())
    assert ping.due_notices(news, "0.25.0", NOW, ["one"]) == []
    assert ping.next_showing(news, "0.25.0", NOW, ["one"]) is None


def test_info_never_by_itself_and_once_beside_another() -> None:
    news = news_of(fields(level="info"), fields(id="two", level="critical"))
    alone = news_of(fields(level="info"))
    assert shown(alone, "0.25.0", NOW) == []
    assert shown(news, "0.25.0", NOW) == ["two", "one"]
    assert shown(news, "0.25.0", NOW + 2 * DAY) == ["two"]


def test_a_newer_patch_once_a_day() -> None:
    news = news_of(releases=["0.25.0", "0.25.3", "0.25.2", "0.24.9"])
    told = [bool(shown(news, "0.25.0", NOW + hours * HOUR)) for hours in (0, 23, 24, 47, 48)]
    assert told == [True, False, True, False, True]
    assert shown(news, "0.25.3", NOW + 9 * DAY) == []


def test_a_breaking_release_once_a_week() -> None:
    news = news_of(releases=["0.25.0", "0.26.0"])
    told = [bool(shown(news, "0.25.0", NOW + days * DAY)) for days in (0, 1, 6, 7, 13, 14)]
    assert told == [True, False, False, True, False, True]


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("0.25.0", ("0.25.10", "1.1.0")),
        ("0.25.10", ("", "1.1.0")),
        ("1.0.0", ("1.1.0", "")),
        ("0.25.0-rc1", ("0.25.10", "1.1.0")),
        ("1.1.0", ("", "")),
        ("2.0.0", ("", "")),
    ],
)
def test_the_newest_of_the_line_and_the_newest_beyond(
    version: str, expected: tuple[str, str]
) -> None:
    news = news_of(releases=["0.9.0", "0.25.9", "0.25.10", "0.26.0", "1.0.0", "1.1.0"])
    assert news.newer_releases(version) == expected


def test_a_critical_message_names_a_release_that_is_not_affected() -> None:
    message = fields(level="critical", affectedVersions="<0.25.3")
    for releases, command in (
        (["0.25.2", "0.25.3"], "sh -s -- -v 0.25.3"),
        (["0.25.2", "0.26.0"], "sh -s -- -v 0.26.0"),
        ([], "install.sh | sh"),
    ):
        notice = ping.due_notices(news_of(message, releases=releases), "0.25.0", NOW)[0]
        assert notice.links[-1][1].endswith(command)


def test_the_gravest_first_and_not_too_much_at_once() -> None:
    many = [fields(id=f"i{n}") for n in range(5)]
    news = news_of(*many, fields(id="grave", level="critical"), releases=["0.25.0", "0.25.1"])
    first = shown(news, "0.25.0", NOW)
    assert (first[0], len(first)) == ("grave", 3)
    seen = first + shown(news, "0.25.0", NOW + 1) + shown(news, "0.25.0", NOW + 2)
    assert sorted(seen) == [ping.PATCH, "grave", "i0", "i1", "i2", "i3", "i4"]
    assert shown(news, "0.25.0", NOW + 3) == []


@given(st.lists(st.tuples(st.integers(0, 40 * HOUR), st.booleans()), max_size=30))
def test_nothing_critical_is_shown_twice_in_a_day(steps: list[tuple[int, bool]]) -> None:
    news = news_of(
        fields(id="a", level="critical"),
        fields(id="b"),
        fields(id="c", level="info"),
        releases=["0.25.0", "0.25.1", "0.26.0"],
    )
    now, last = NOW, dict.fromkeys(["a", "b", "c", ping.PATCH, ping.BREAKING], -(10**12))
    pauses = {"a": DAY, "b": 10**11, "c": 10**11, ping.PATCH: DAY, ping.BREAKING: 7 * DAY}
    for passed, restarts in steps:
        now += passed
        if restarts:
            news = News(news.to_text())
        for name in shown(news, "0.25.0", now):
            assert now - last[name] >= pauses[name]
            last[name] = now


# --- what comes from elsewhere ------------------------------------------------------------------

anything = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
    max_leaves=20,
)
entries = st.fixed_dictionaries(
    {},
    optional={
        "id": st.one_of(anything, st.just("one")),
        "level": st.one_of(anything, st.sampled_from(ping.LEVELS)),
        "title": anything,
        "body": anything,
        "publishedAt": st.one_of(anything, st.just("2026-01-01T00:00:00Z")),
        "url": st.one_of(anything, st.text().map("https://".__add__)),
        "affectedVersions": st.one_of(anything, st.just(">=0.1.0")),
    },
)


@given(st.lists(st.one_of(anything, entries), max_size=6))
def test_any_feed_is_messages_or_nothing(feed: list[Any]) -> None:
    for message in ping.messages_from(feed):
        again = Message(message.to_json())
        assert again.to_json() == message.to_json()


@given(st.binary(max_size=200))
def test_any_file_is_some_news(content: bytes) -> None:
    assert isinstance(News(content).to_text(), bytes)


@given(anything)
def test_any_json_is_some_news(value: Any) -> None:
    news = News(json.dumps({"shown": {}, "looked_at": 1, "answer": [], "feed": value}).encode())
    assert News(news.to_text()).to_text() == news.to_text()


hostile = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from("\x1b\r\n\t\b\x07\x9b\u202e\u200b\u2028\u2066\ufeff\x00\x7f"),
    ),
    min_size=1,
    max_size=200,
)


@given(hostile, hostile, hostile, hostile, st.integers(1, 300), st.booleans())
def test_no_text_moves_the_cursor_colours_or_hides(
    name: str, title: str, body: str, url: str, columns: int, in_colour: bool
) -> None:
    news = news_of(
        fields(id=name, title=title, body=body, url="https://" + url, level="critical"),
    )
    text = ping.layout(ping.due_notices(news, "0.25.0", NOW), columns, in_colour)
    for own in ("\033[1m", "\033[1;31m", "\033[0m"):
        text = text.replace(own, "") if in_colour else text
    assert all(line.isprintable() for line in text.split("\n"))
    width = max(20, min(columns, 80))
    for line in text.splitlines():
        assert len(line) < width or line.startswith(("  More: https://", "  To update: curl "))


@pytest.mark.parametrize(
    "version",
    ["0.25.9+\x1b[2J", "0.26.0+; rm", "0.26.0-rc1", "0.26", "0.26.0.1", "1.2.x", "٣.1.1", "", None],
)
def test_nothing_but_three_numbers_is_a_release(version: Any) -> None:
    assert not ping._is_release(version)
    kept = json.dumps(
        {
            "shown": {},
            "looked_at": 1,
            "answer": [],
            "feed": [],
            "feed_etag": ["", ""],
            "releases": [version, "0.25.1"],
            "releases_etag": ["", ""],
        }
    )
    assert News(kept.encode()).releases == ["0.25.1"]


def test_a_range_of_spaces_costs_nothing() -> None:
    """Such a text once took a matcher of patterns longer than the deadline."""
    with pytest.raises(ValueError, match="too long"):
        ping.is_in_range("0.25.0", ">=0.1" + " " * 20_000)
    assert ping.is_in_range("0.25.0", ">=0.1" + " " * 190)


def test_infos_do_not_push_out_what_they_come_with() -> None:
    infos = [fields(id=f"i{n}", level="info") for n in range(7)]
    news = news_of(*infos, releases=["0.25.0", "0.25.3"])
    assert shown(news, "0.25.0", NOW) == [ping.PATCH, "i0", "i1"]
    assert shown(news, "0.25.0", NOW + 1) == []


def test_of_two_with_one_id_the_graver_counts() -> None:
    for feed, answer in (("critical", "info"), ("info", "critical")):
        news = news_of(fields(level=feed))
        news.answer = ping.messages_from([fields(level=answer)])
        assert shown(news, "0.25.0", NOW) == ["one"]


def test_a_large_feed_in_any_script_is_kept() -> None:
    feed = [fields(id=f"m{n}", title="好" * 120, body="🐝" * 800) for n in range(200)]
    news = news_of(*feed, fields(id="grave", level="critical"))
    news.looked_at = NOW
    text = news.to_text()
    assert len(text) < ping.KEPT_LIMIT_BYTES
    again = News(text)
    assert (len(again.feed), again.looked_at) == (200, NOW)


@pytest.mark.parametrize("value", ["x" * 81, "a\nb", "\x1b", "ä"])
def test_an_etag_is_short_and_plain_and_for_one_address(value: str) -> None:
    assert ping.Etag("https://a/", value).for_url("https://a/") == ""
    assert ping.Etag("https://a/", "abc").for_url("https://b/") == ""
    assert ping.Etag("https://a/", "abc").for_url("https://a/") == "abc"


def test_an_old_date_is_kept() -> None:
    [message] = ping.messages_from([fields(publishedAt="0999-01-01T00:00:00Z")])
    assert Message(message.to_json()).published == message.published


@pytest.mark.parametrize("number", ["1e999", "-1e999", "99999999999999999999999"])
def test_numbers_that_are_none_are_news_of_none(number: str) -> None:
    News(f'{{"shown": {{"a": {number}}}, "looked_at": {number}}}'.encode())


def test_too_many_too_long_and_doubled() -> None:
    feed = [fields(id=f"m{n % 150}", title="x" * 10_000, body="y" * 900) for n in range(100_000)]
    found = ping.messages_from(feed)
    assert len(found) == 150
    assert max(len(message.body) for message in found) <= 800
    assert ping.messages_from([fields(title="first"), fields(title="second")])[0].title == "first"


def test_nothing_to_say_is_nothing_at_all() -> None:
    assert ping.layout([], 80, True) == ""
    assert io.StringIO(ping.layout([], 80, False)).read() == ""


@pytest.mark.parametrize("letter", ["\ufe0f", "\u034f", "\u17b4", "\u180b", "\U000e0100"])
def test_a_title_of_nothing_to_see_is_none(letter: str) -> None:
    assert news_of(fields(title=letter * 5)).feed == []


def test_accents_do_not_pile_up() -> None:
    thai = "\u0e01\u0e37\u0e48"  # a letter with a vowel and a tone
    [message] = news_of(fields(title="a" + "\u0301" * 100 + "b", body=thai)).feed
    assert message.title == "a\u0301\u0301b"
    assert message.body == thai


@pytest.mark.parametrize("columns", [30, 80])
def test_letters_of_two_columns_fit_the_terminal(columns: int) -> None:
    news = news_of(fields(title="\u6771" * 30, body="\u4eac" * 120))
    notices = ping.due_notices(news, "0.25.0", NOW)
    for line in ping.layout(notices, columns, in_colour=False).splitlines():
        assert sum(1 + (letter in "\u6771\u4eac") for letter in line) < columns
