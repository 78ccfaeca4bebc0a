"""Helper programs of the sh program: what counts as an answer, and how long they may take."""

from __future__ import annotations

import pytest

from tests.support.functions import call_functions
from tests.support.machines import Machine

#: What a helper does, and what it has answered then.
HELPERS = {
    "echo said": "said",
    "echo said >&2": "",
    "echo said; exit 1": "",
    "exec sleep 3": "",
    "sleep 2; echo late": "",
    "trap '' TERM; while :; do sleep 0.1; done": "",
}


@pytest.mark.parametrize("limiter", ["timeout", "perl"])
def test_what_a_helper_answers_in_time(machine: Machine, limiter: str) -> None:
    """By timeout or by perl, of which macOS has the latter."""
    machine.toolbox.remove("timeout").link(limiter)
    calls = [f'HELPER_LIMIT_S=1\nask sh -c "{helper}" || :' for helper in HELPERS]
    told = call_functions(machine, calls, together=True)
    assert dict(zip(HELPERS, told)) == HELPERS


def test_without_either_a_helper_has_all_the_time(machine: Machine) -> None:
    machine.toolbox.remove("timeout")
    assert call_functions(machine, ["HELPER_LIMIT_S=1\nask sh -c 'sleep 2; echo late'"]) == ["late"]
