"""What the pages promise of telemetry and of messages is what the code does."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path

import pytest
import telemetry_messages as messages

import telemetry_ping as ping
from tests.documents.pages import page, table, words
from tests.documents.sources import shell_text

PAGE = page("telemetry.md")
MESSAGES = page("messages.md")


def prose(text: str) -> str:
    return " ".join(text.split())


def test_continuous_integration_is_where_the_page_says() -> None:
    told = PAGE.section("Variables").partition("Continuous integration is where one of")[2]
    assert words(told)[: len(ping.CI_VARIABLES)] == list(ping.CI_VARIABLES)
    assert words(told)[len(ping.CI_VARIABLES) :] == ["0", "false"]
    installer = shell_text().partition("is_on_ci() {")[2].partition("\n}")[0]
    assert set(re.findall(r"\b[A-Z][A-Z_]+\b", installer)) == {*ping.CI_VARIABLES}


def test_an_opt_out_holds_as_the_page_says(tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path)}
    rows = table(PAGE.section("Turn it off"), "Do this")
    read = re.findall(r'"([A-Z_]+)"', inspect.getsource(ping.opt_out_reason))
    assert set(read) == {"WASP_TELEMETRY_DISABLE", "DO_NOT_TRACK"}
    assert set(read) <= set(words(rows[1][0] + rows[2][0]))
    [row] = [row for row in rows if "DO_NOT" in row[0]]
    name, *harmless = words(row[0])
    assert harmless
    for value in (*harmless, ""):
        assert ping.opt_out_reason({**home, name: value}) is None
    for value in ("1", "true", "yes"):
        assert ping.opt_out_reason({**home, name: value})
    for value in ("1", "0", ""):
        assert ping.opt_out_reason({**home, "WASP_TELEMETRY_DISABLE": value})
    assert ping.off_file({"HOME": "/home/me"}).replace("/home/me", "~") in PAGE.code


def test_the_numbers_of_the_page_are_those_of_the_code() -> None:
    text = prose(PAGE.text)
    assert f"pauses for {ping.PAUSE_S // 3600} hours" in text
    assert f"ends after {ping.DEADLINE_S} seconds at most" in text
    assert f"`sender-0` to `sender-{ping.SENDERS_LIMIT - 1}`" in text
    assert ping.FAILED_PAUSE_S == 3600
    assert "the pause is one to two hours" in text
    assert f"`POST` to `{ping.DEFAULT_URL}`" in text
    [row] = [row for row in table(PAGE.text, "Key") if row[0] == "`deploy_cmd_args`"]
    assert words(row[1])[:5] == list(ping.DEPLOY_KEYWORDS)


def test_the_addresses_of_the_pages_are_those_of_the_code() -> None:
    assert f"`{ping.DEFAULT_URL}`" in PAGE.text
    assert f"`GET {messages.DEFAULT_NEWS_URL}`" in MESSAGES.text


def test_every_key_of_an_event_is_explained() -> None:
    explained = {name for row in table(PAGE.text, "Key") for name in words(row[0])}
    sent = set()
    for text in (fence.text for fence in PAGE.fences if fence.language == "json"):
        event = json.loads(text)
        sent |= {*event, *event["properties"]}
    assert sent - {"type", "event", "properties"} == explained


# --- messages


@pytest.fixture
def example() -> messages.Message:
    """The entry that the page shows."""
    [text] = [fence.text for fence in MESSAGES.fences if fence.language == "json"]
    entry: messages.Message
    [entry] = json.loads(text)
    assert [name for row in table(MESSAGES.text, "Key") for name in words(row[0])] == [*entry]
    return entry


def test_the_entry_of_the_page_is_shown_as_the_page_says(
    example: messages.Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = "To update: ~/.local/bin/wasp installer update {}".format
    monkeypatch.setattr(messages, "update_command", command)
    news = messages.News()
    news.feed, news.releases = messages.messages_from([example]), ["0.25.3"]
    now = messages.published_at(news.feed[0]) + messages.DAY_S
    shown = news.due("0.25.0", now)[example["id"]]
    assert MESSAGES.fences[0].text == "".join(f"{line}\n" for line in shown)


def test_the_limits_of_an_entry_are_those_of_the_page(example: messages.Message) -> None:
    limits = {row[0]: row[1] for row in table(MESSAGES.text, "Key")}
    assert words(limits["`level`"]) == list(messages.LEVELS)
    title = int(re.findall(r"at most (\d+)", limits["`title`"])[0])
    body = int(re.findall(r"after (\d+)", limits["`body`"])[0])
    [taken] = messages.messages_from([{**example, "title": "x" * title, "body": "x" * 2 * body}])
    assert len(taken["body"]) == body
    with pytest.raises(ValueError, match="not a message"):
        messages.messages_from([{**example, "title": "x" * (title + 1)}])
