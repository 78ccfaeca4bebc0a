"""A feed of messages that we take is one that the real `wasp news` takes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import telemetry_messages as messages

from tests.support.replies import json_content
from tests.support.server import Server
from tests.telemetry.test_messages import RIGHT, WRONG, fields

pytestmark = pytest.mark.real


def test_what_is_taken_here_is_taken_there(
    plain: Server, wasp_package: Path, tmp_path: Path
) -> None:
    taken = []
    for changes in [*RIGHT, *WRONG]:
        feed = [fields(**changes)]
        plain.answer("/", json_content(feed))
        run = subprocess.run(
            [str(wasp_package / "wasp-bin"), "news"],
            cwd=tmp_path,
            env={
                "HOME": str(tmp_path),
                "LANG": "C.UTF-8",
                "PATH": "/usr/bin:/bin",
                "WASP_NEWS_SERVER_URL": f"{plain.url}/",
                "WASP_TELEMETRY_DISABLE": "1",
                "WASP_TELEMETRY_URL": f"{plain.url}/",
                "waspc_datadir": str(wasp_package / "data"),
            },
            capture_output=True,
        )
        try:
            messages.messages_from(feed)
        except messages.BROKEN:
            continue
        taken.append(changes)
        assert run.returncode == 0, (changes, run.stdout)
    assert taken == RIGHT
    assert plain.count("/") == len([*RIGHT, *WRONG])
