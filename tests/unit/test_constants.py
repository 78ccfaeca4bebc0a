"""What both getters have: install.py in its modules, and the sh program in sh/state.sh."""

from __future__ import annotations

import re

import telemetry_ping
from tests.support.frontends import REPOSITORY
from wasp_installer import programs
from wasp_installer.getting import connections, npm_program, transport
from wasp_installer.placing import archives, unpacking

STATE = dict(re.findall(r"^(\w+)=(\S+)$", (REPOSITORY / "sh/state.sh").read_text(), re.MULTILINE))


def test_both_getters_have_the_same() -> None:
    python = {
        "REDIRECT_LIMIT": connections._REDIRECT_LIMIT,
        "ANSWER_LIMIT": transport.JSON_LIMIT,
        "UNPACKED_LIMIT": archives.UNPACKED_LIMIT,
        "ENTRY_LIMIT": unpacking.ENTRY_LIMIT,
        "HELPER_LIMIT_S": round(programs.HELPER_LIMIT_S),
        "NPM_FETCH_LIMIT_S": round(npm_program.FETCH_LIMIT_S),
        "TELEMETRY_URL": telemetry_ping.DEFAULT_URL,
        "TELEMETRY_KEY": telemetry_ping.DEFAULT_KEY,
        "TELEMETRY_DEADLINE_S": telemetry_ping.DEADLINE_S,
    }
    assert {name: STATE[name] for name in python} == {n: str(v) for n, v in python.items()}
    assert transport.ARCHIVE_LIMIT == archives.UNPACKED_LIMIT
