"""What the pages promise of telemetry and of messages is what the code does."""

from __future__ import annotations

import json
import re

import pytest
import telemetry_messages as messages

import telemetry_ping as ping
from tests.documents.pages import PAGES, words
from tests.documents.sources import shell_text

PAGE = PAGES["docs/telemetry.md"]
MESSAGES = PAGES["docs/messages.md"]


def test_continuous_integration_is_where_the_page_says() -> None:
    told = PAGE.section("Variables").partition("Continuous integration is where one of")[2]
    assert words(told) == [*ping.CI_VARIABLES, "0", "false"]
    installer = shell_text().partition("is_on_ci() {")[2].partition("\n}")[0]
    assert set(re.findall(r"\b[A-Z][A-Z_]+\b", installer)) == {*ping.CI_VARIABLES}


def test_an_opt_out_is_what_the_page_says() -> None:
    """What each of them does is tested in tests/telemetry."""
    ways = [words(row[0]) for row in PAGE.table("Do this", "Turn it off")]
    do_not_track = ["DO_NOT_TRACK", "0", "false", "no", "off"]
    assert ways[1:3] == [["WASP_TELEMETRY_DISABLE"], do_not_track]
    assert ping.off_file({"HOME": "/home/me"}).replace("/home/me", "~") in PAGE.code


def test_the_numbers_and_addresses_of_the_pages_are_those_of_the_code() -> None:
    text = " ".join(PAGE.text.split())
    assert f"pauses for {ping.PAUSE_S // 3600} hours" in text
    assert f"ends after {ping.DEADLINE_S} seconds at most" in text
    assert f"`sender-0` to `sender-{ping.SENDERS_LIMIT - 1}`" in text
    assert ping.FAILED_PAUSE_S == 3600
    assert "the pause is one to two hours" in text
    assert f"`POST` to `{ping.DEFAULT_URL}`" in text
    assert f"`GET {messages.DEFAULT_NEWS_URL}`" in MESSAGES.text
    [row] = [row for row in PAGE.table("Key") if row[0] == "`deploy_cmd_args`"]
    assert words(row[1])[:5] == list(ping.DEPLOY_KEYWORDS)


def test_the_examples_are_what_is_sent_and_every_key_is_explained(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WASP_TELEMETRY_CONTEXT", "gitpod")
    monkeypatch.setenv("CI", "1")
    for name in ("WASP_TELEMETRY_URL", "WASP_TELEMETRY_KEY"):
        monkeypatch.delenv(name, raising=False)
    install, cli = map(json.loads, PAGE.of("json"))
    sent = {**ping.install_event(), "distinct_id": install["distinct_id"]}
    assert json.dumps(install) == json.dumps(sent)
    user, project = cli["distinct_id"], cli["properties"]["project_hash"]
    sent = ping.cli_event(user, project, False, "fly;deploy", "0.25.0")
    assert json.dumps(cli) == json.dumps(sent)
    explained = {name for row in PAGE.table("Key") for name in words(row[0])}
    assert {*cli, *cli["properties"]} - {"event", "properties"} == explained


# --- messages


def test_the_entry_of_the_page_is_shown_as_the_page_says_and_has_its_limits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    [[entry]] = map(json.loads, MESSAGES.of("json"))
    limits = {words(row[0])[0]: row[1] for row in MESSAGES.table("Key")}
    assert [*limits] == [*entry]
    command = "To update: ~/.local/bin/wasp installer update {}".format
    monkeypatch.setattr(messages, "update_command", command)
    news = messages.News()
    news.feed, news.releases = messages.messages_from([entry]), ["0.25.3"]
    now = messages.published_at(news.feed[0]) + messages.DAY_S
    shown = news.due("0.25.0", now)[entry["id"]]
    assert MESSAGES.fences[0][1] == "".join(f"{line}\n" for line in shown)
    assert words(limits["level"]) == list(messages.LEVELS)
    title = int(re.findall(r"at most (\d+)", limits["title"])[0])
    body = int(re.findall(r"after (\d+)", limits["body"])[0])
    [taken] = messages.messages_from([{**entry, "title": "x" * title, "body": "x" * 2 * body}])
    assert len(taken["body"]) == body
    with pytest.raises(ValueError, match="not a message"):
        messages.messages_from([{**entry, "title": "x" * (title + 1)}])
