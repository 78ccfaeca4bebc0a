"""A feed of messages that we take is one that the real `wasp news` takes."""

from __future__ import annotations

import os
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
    environment = {
        **os.environ,
        "HOME": str(tmp_path),
        "LANG": "C.UTF-8",
        "WASP_NEWS_SERVER_URL": f"{plain.url}/",
        "waspc_datadir": str(wasp_package / "data"),
    }
    taken = []
    for changes in [*RIGHT, *WRONG]:
        feed = [fields(**changes)]
        plain.answer("/", json_content(feed))
        command = [str(wasp_package / "wasp-bin"), "news"]
        run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True)
        try:
            messages.messages_from(feed)
        except messages.BROKEN:
            continue
        taken.append(changes)
        assert run.returncode == 0, (changes, run.stdout)
    assert taken == RIGHT
    assert plain.count("/") == len([*RIGHT, *WRONG])
