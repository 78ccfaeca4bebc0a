"""The launcher's text: whatever the folder is called, the shell gets it back."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.toolboxes import real_tool
from wasp_installer import launcher

# Any byte that a file name may hold, and those often that a shell may trip over.
awkward = st.sampled_from(list("'\"\\$`*?[]{}()<>|&;#~! \t\n=%-@"))
folder_names = st.text(
    st.one_of(awkward, st.characters(codec="utf-8", exclude_characters="/\0")),
    min_size=1,
    max_size=30,
).filter(lambda name: name not in (".", "..") and len(os.fsencode(name)) < 200)


@settings(max_examples=80, deadline=None)
@given(folder_names)
def test_the_folder_may_have_any_name(name: str) -> None:
    with tempfile.TemporaryDirectory() as base:
        root = Path(base, name)
        binary = root / "0.25.0" / "wasp-bin"
        binary.parent.mkdir(parents=True)
        binary.write_text('#!/bin/sh\nprintf "%s|%s" "$waspc_datadir" "$1"\n')
        binary.chmod(0o755)
        script = Path(base) / f"{len(name)}-launcher-of-test"
        script.write_bytes(launcher.content("0.25.0", str(root), ""))
        command = [str(real_tool("sh")), str(script), name]
        environment = {"WASP_TELEMETRY_DISABLE": "1", **_closed_addresses()}
        run = subprocess.run(command, capture_output=True, env=environment, check=True)
        assert os.fsdecode(run.stdout) == f"{root}/0.25.0/data|{name}"


def _closed_addresses() -> dict[str, str]:
    return {name: os.environ[name] for name in ("WASP_TELEMETRY_URL", "WASP_NEWS_SERVER_URL")}
