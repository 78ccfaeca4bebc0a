"""Telemetry beside whole commands where nothing that it reads is as it should be.

tests/telemetry has the same for each of its parts: files, answers, variables and paths.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.certificates import Authority
from tests.support.collector import Collector
from tests.support.installed import SHELLS, Installed
from tests.support.replies import Raw
from tests.support.scale import Scale
from tests.torture.tallies import Tally

pytestmark = pytest.mark.timeout(3600)

AREA = "Telemetry input"
NEWS = "/news"
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
CACHED = ("secret", "signature", "messages.json", "messages-0.25.0", "lock")


def check_event(body: bytes) -> None:
    """Nothing but what is promised."""
    event = json.loads(body.decode("ascii"))
    assert list(event) == EVENT_KEYS
    assert event["event"] == "cli"
    assert re.fullmatch(DISTINCT_ID, event["distinct_id"])
    properties = event["properties"]
    assert list(properties) == list(PROPERTIES)
    for name, pattern in PROPERTIES.items():
        assert re.fullmatch(pattern, str(properties[name])), (name, properties[name])
    assert properties["context"].isprintable()


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
            path.symlink_to({"nowhere": elsewhere / "new", "itself": path}[self.kind])


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
    dict.fromkeys(CACHED, b"\0\xff{"),
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
