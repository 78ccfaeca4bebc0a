"""Telemetry beside whole commands where nothing that it reads is as it should be.

tests/telemetry has the same for each of its parts: files, answers, variables and paths.
"""

from __future__ import annotations

import itertools
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.certificates import Authority
from tests.support.collector import Collector
from tests.support.installed import SHELLS, Installed
from tests.support.replies import Raw
from tests.support.scale import Scale
from tests.torture.conftest import Tally

pytestmark = pytest.mark.timeout(3600)

AREA = "Telemetry input"
#: Nothing but what is promised, in this order.
EVENT = re.compile(
    r'\{"api_key": ".*", "event": "cli", "distinct_id": "([0-9a-fA-F-]{36}|[0-9a-f]{64})", '
    r'"properties": \{"project_hash": "[0-9a-f]{16}", "is_build": (true|false), '
    r'"deploy_cmd_args": "", "wasp_version": "0.25.0", '
    r'"os": "linux", "context": "[^\\\\]{0,200}"\}\}'
)
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
    {"LANG": "no_SUCH", "LC_ALL": "C", "PYTHONHOME": "/nowhere", "ENV": "/dev/null", "PATH": ""},
]
CACHED = ("secret", "signature", "messages.json", "messages-0.25.0", "lock")
#: What is in the place of files of the cache: a content, or what makes something else of it.
ODD_CACHES: list[dict[str, bytes | Callable[[Path], object]]] = [
    {},
    dict.fromkeys(CACHED, b"\0\xff{"),
    dict.fromkeys(("lock", "messages.json.new", "secret.new"), os.mkfifo),
    {
        "lock": lambda path: path.symlink_to("../../../made-outside"),
        "signature": lambda path: path.symlink_to(path),
        "secret": Path.mkdir,
    },
]
ODD_ANSWERS = [
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    b"\x1b[2J" * 1000,
    b"HTTP/1.1 200 OK\r\n\r\n" + b"[" * 100_000,
    b"HTTP/1.1 100 Continue\r\n\r\n" * 1000,
    b"",
]
#: A shell of its own may complain of a locale.
COMPLAINT = "W: /usr/bin/mksh: setlocale: No such file or directory\n"


@pytest.mark.parametrize("shell", SHELLS)
def test_whole_commands_are_what_they_were(
    tmp_path: Path,
    authority: Authority,
    collector: Collector,
    shell: str,
    scale: Scale,
    tally: Tally,
) -> None:
    wasp = Installed(tmp_path, authority, collector).set(WASP_AUTO_NEWS_DISABLE=None)
    usual = dict(wasp.environment)
    worlds = list(itertools.product(ODD_FOLDERS, ODD_VARIABLES, ODD_CACHES, ODD_ANSWERS))
    chosen = scale.sample(worlds, 7)
    for name, variables, planted, answer in chosen:
        folder = wasp.home / name
        folder.mkdir(exist_ok=True)
        (folder / ".wasproot").touch()
        shutil.rmtree(wasp.cache, ignore_errors=True)
        wasp.cache.mkdir(parents=True, mode=0o700)
        for file, content in planted.items():
            path = wasp.cache / file
            content(path) if callable(content) else path.write_bytes(content)
        collector.reply = Raw(answer)
        collector.server.answer("/news", Raw(answer))
        before = outside_of_telemetry(wasp)
        wasp.environment = {**usual, **variables}
        run = wasp.used("opted-out", folder=folder, shell=shell).ok()
        assert (run.stdout, run.stderr.replace(COMPLAINT, "")) == ("1 1\n", "")
        assert outside_of_telemetry(wasp) == before
        assert len(collector.deliveries) <= 1
        for delivery in collector.deliveries:
            assert EVENT.fullmatch(delivery.body.decode("ascii")), delivery.body
        collector.forget()
    tally(AREA, "Whole commands in odd surroundings", len(chosen))


def outside_of_telemetry(wasp: Installed) -> list[Path]:
    kept = {wasp.home / ".cache", wasp.home / ".local"}
    return sorted(path for path in wasp.base.rglob("*") if not {*path.parents, path} & kept)
