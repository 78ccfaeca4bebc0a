"""Messages from the Wasp team: brought by one command, shown on the terminal of the next."""

from __future__ import annotations

import json
import os
import re
import time
from typing import Any

import pytest

from tests.support.filesystems import remount, small_filesystem
from tests.support.installed import HOUR, Installed
from tests.support.replies import Content, Reply, Stall, html_page, json_content, redirect, status
from tests.telemetry.test_messages import DAY, fields, stamp

GRAVE = fields(
    id="grave",
    level="critical",
    title="The server runs code of any page",
    body="Stop it until you have updated.",
    url="https://wasp.sh/security/1",
    affectedVersions=">=0.20.0 <0.25.1",
    publishedAt=stamp(time.time() - DAY),
)
RULE = "!" * 76
SHOWN = f"""\
{RULE}
CRITICAL: The server runs code of any page
  Stop it until you have updated.
  More: https://wasp.sh/security/1
  To update: ~/.local/bin/wasp installer update
{RULE}

"""
PACKAGE = "/npm/@wasp.sh%2fwasp-cli"


def look(wasp: Installed, *feed: dict[str, Any]) -> None:
    """A command that sends an event, and so looks for messages; ``feed`` is what there is then."""
    if feed:
        wasp.collector.server.answer("/news", json_content(list(feed)))
    for file in wasp.cache.glob("project-*"):
        file.unlink()
    wasp.used("version")


def kept(wasp: Installed) -> Any:
    return json.loads((wasp.cache / "messages.json").read_text())


def look_again(wasp: Installed, **changes: Any) -> None:
    """After the last look has been forgotten."""
    news = {**kept(wasp), "looked_at": 0, **changes}
    (wasp.cache / "messages.json").write_text(json.dumps(news))
    look(wasp)


@pytest.fixture
def reader(wasp: Installed) -> Installed:
    wasp.came_from("npm", f"{wasp.collector.server.url}/npm/@wasp.sh/wasp-cli-x/-/x.tgz")
    wasp.collector.server.answer(PACKAGE, json_content({"versions": {"0.25.0": {}}}))
    wasp.collector.server.answer("/news", json_content([]))
    return wasp.set(WASP_AUTO_NEWS_DISABLE=None)


def test_a_message_is_shown_once_by_the_next_command(reader: Installed, shell: str) -> None:
    text = reader.cache / "messages-0.25.0"
    look(reader, GRAVE)
    assert text.read_text() == SHOWN
    assert reader.used("version", shell=shell).ok().stderr == ""  # no terminal
    assert reader.reads(shell=shell) == SHOWN
    assert text.read_bytes() == b""
    look(reader)
    assert reader.reads(shell=shell) == ""
    # A day later.
    at = kept(reader)["shown"]["grave"]
    assert abs(at - time.time()) < 60
    look_again(reader, shown={"grave": at - DAY})
    # Where the shell may overwrite no file.
    assert reader.reads(shell=shell, option="-C") == SHOWN
    assert reader.reads(shell=shell, option="-C") == ""


def test_it_is_shown_without_python_and_outside_a_project(reader: Installed) -> None:
    look(reader, GRAVE)
    reader.put(reader.prefix, python="/bin/false")
    reader.folder = reader.here
    assert reader.reads() == SHOWN


def test_who_does_not_want_to_read_it(reader: Installed) -> None:
    look(reader, GRAVE)
    for name in ("WASP_AUTO_NEWS_DISABLE", "DO_NOT_TRACK", "WASP_TELEMETRY_DISABLE"):
        assert reader.set(**{name: "1" if name == "DO_NOT_TRACK" else ""}).reads() == ""
        reader.set(**{name: None})
    assert reader.reads("completion:list") == reader.reads("uninstall") == ""
    assert reader.reads() == SHOWN


@pytest.mark.parametrize("variables", [{"CI": "1"}, {"WASP_AUTO_NEWS_DISABLE": ""}], ids=str)
def test_for_whom_nothing_is_looked_for(
    reader: Installed, variables: dict[str, str | None]
) -> None:
    look(reader.set(**variables))
    assert (len(reader.collector.deliveries), reader.collector.server.connections) == (1, 1)
    assert not (reader.cache / "messages.json").exists()


def test_what_is_in_the_place_of_the_text_harms_nobody(reader: Installed, shell: str) -> None:
    reader.cache.mkdir(parents=True)
    text = reader.cache / "messages-0.25.0"
    text.mkdir()
    assert reader.reads(shell=shell) == ""
    text.rmdir()
    os.mkfifo(text)
    assert reader.reads(shell=shell) == ""


def test_a_text_that_cannot_be_emptied_is_shown_again(reader: Installed) -> None:
    cache = reader.base / "small"
    with small_filesystem(cache, "size=1m,mode=700"):
        look(reader.set(XDG_CACHE_HOME=str(cache)), GRAVE)
        remount(cache, "ro")
        assert reader.reads() == reader.reads() == SHOWN


def test_lookups_hold_nothing_of_anybody(reader: Installed) -> None:
    look(reader)
    server = reader.collector.server
    asked = [headers for headers in server.headers if headers["method"] == "GET"]
    accepts = sorted(headers.pop("Accept") for headers in asked)
    assert accepts == ["application/json", "application/vnd.npm.install-v1+json, application/json"]
    for headers in asked:
        assert headers == {
            "method": "GET",
            "Host": f"127.0.0.1:{server.port}",
            "Accept-Encoding": "identity",
            "User-Agent": "wasp",
            "Connection": "close",
        }


def test_once_in_twelve_hours_for_all_projects(reader: Installed) -> None:
    for _ in range(3):
        look(reader)
    count = reader.collector.server.count
    assert (count("/news"), count(PACKAGE)) == (1, 1)
    for looked_at in (time.time() - 12 * HOUR - 5, time.time() + HOUR):
        look_again(reader, looked_at=int(looked_at))
    assert (count("/news"), count(PACKAGE)) == (3, 3)


def test_a_newer_patch_of_npm(reader: Installed) -> None:
    versions = {"0.24.0": {}, "0.25.3": {"deprecated": "it loses data"}, "0.25.2": {}, "x": {}}
    reader.collector.server.answer(PACKAGE, json_content({"versions": versions}))
    look(reader)
    assert reader.reads() == (
        "Wasp 0.25.2 is out, a newer patch of your 0.25.0.\n"
        "  To update: ~/.local/bin/wasp installer update 0.25.2\n\n"
    )


def test_a_newer_release_of_github(reader: Installed) -> None:
    server = reader.collector.server
    reader.came_from("github", f"{server.url}/github/wasp-lang/wasp/releases/download/v0.25.0/x")
    names = ["v0.28.0", "v0.26.0", "v0.25.0", "nightly", "v0.27.0-rc1"]
    listed = [{"tag_name": name, "prerelease": name == "v0.28.0"} for name in names]
    path = "/github/api/v3/repos/wasp-lang/wasp/releases?per_page=20"
    server.answer(path, json_content(listed))
    look(reader)
    assert reader.reads().startswith("Wasp 0.26.0 is out; you have 0.25.0.")


def test_the_collector_may_answer_with_messages(reader: Installed) -> None:
    answer = [{**GRAVE, "title": "From the server"}]
    reader.collector.reply = json_content({"status": "Ok", "messages": answer})
    look(reader)
    assert "CRITICAL: From the server" in reader.reads()


def test_a_channel_that_hangs_does_not_silence_the_others(reader: Installed) -> None:
    reader.collector.reply = status(503)
    reader.collector.server.answer("/news", Stall())
    reader.collector.server.answer(PACKAGE, json_content({"versions": {"0.25.1": {}}}))
    look(reader)
    assert "Wasp 0.25.1 is out" in reader.reads()


BROKEN: list[Reply] = [
    *(html_page(), redirect("/elsewhere"), status(500), Content(b"[]", 404)),
    # Larger than 1 MiB; deep; no list.
    *(Content(b"[" + b" " * 2_000_000 + b"]"), Content(b"[" * 100_000)),
    *(json_content({"messages": "none"}), json_content([GRAVE, fields(level="loud")])),
]


def test_what_is_broken_changes_nothing(reader: Installed) -> None:
    look(reader, GRAVE)
    known = kept(reader)["feed"]
    for reply in BROKEN:
        reader.collector.server.answer("/news", reply)
        look_again(reader)
        assert kept(reader)["feed"] == known, reply
    assert reader.collector.server.count("/elsewhere") == 0
    (reader.cache / "messages.json").write_bytes(b"\xff" * 100)
    look(reader, GRAVE)
    assert reader.reads() == SHOWN


def test_only_what_was_shown_counts_as_that(reader: Installed) -> None:
    """A text that was replaced before anybody has read it."""
    for _ in range(2):
        look(reader, fields(publishedAt=stamp(time.time())))
        assert kept(reader)["shown"] == {}
    assert reader.reads().startswith("Title\n")
    look(reader)
    assert reader.reads() == ""
    assert list(kept(reader)["shown"]) == ["one"]


def test_another_version_is_told_what_concerns_it(reader: Installed) -> None:
    look(reader, {**GRAVE, "affectedVersions": "<0.25.0"})
    assert reader.reads() == ""
    reader.put(reader.prefix, version="0.24.0")
    look(reader)
    assert re.match("!!!+\nCRITICAL", reader.reads())
