"""A CLI that is Python itself, and has its calls counted by one line."""

from __future__ import annotations

import os
import sys

import pytest

from tests.support.frontends import REPOSITORY
from tests.support.installed import Installed
from tests.support.machines import Run
from tests.support.replies import Stall

CLI = f"""
import sys
sys.path.insert(0, {str(REPOSITORY)!r})
from wasp_installer.background import notify_invocation
notify_invocation(sys.argv[1:], "0.25.0")
print("done")
children = open(f"/proc/self/task/{{__import__('os').getpid()}}/children").read()
print("children:", children)
"""


def call(wasp: Installed, *arguments: str) -> Run:
    return wasp.run([sys.executable, "-B", "-c", CLI, *arguments]).ok()


def test_a_call_sends_one_event(wasp: Installed) -> None:
    for _ in range(2):
        run = call(wasp, "deploy", "fly", "secret")
        assert (run.stdout, run.stderr) == ("done\nchildren: \n", "")
        wasp.settle()
    [delivery] = wasp.collector.deliveries
    assert delivery.properties["deploy_cmd_args"] == "fly"
    assert delivery.properties["wasp_version"] == "0.25.0"


def test_it_returns_at_once_leaves_no_child_and_shows_only_what_counts(wasp: Installed) -> None:
    wasp.collector.reply = Stall()
    assert call(wasp, "build", "--token=SECRET").stdout == "done\nchildren: \n"
    wasp.collector.wait_for(1)
    [(sender, shown)] = wasp.processes().items()
    assert os.getsid(sender) == sender
    assert shown.endswith(" invoked 0.25.0 build")


@pytest.mark.parametrize(
    ("variables", "arguments"),
    [
        ({"WASP_TELEMETRY_DISABLE": ""}, ["version"]),
        ({"DO_NOT_TRACK": "1"}, ["version"]),
        ({}, ["completion:list"]),
        ({}, ["uninstall"]),
        ({"HOME": "/no/such/home"}, ["version"]),
    ],
    ids=["disabled", "do-not-track", "completion", "uninstall", "no-home"],
)
def test_what_is_not_counted(
    wasp: Installed, variables: dict[str, str | None], arguments: list[str]
) -> None:
    run = call(wasp.set(**variables), *arguments)
    assert (run.stdout, run.stderr) == ("done\nchildren: \n", "")
    wasp.settle()
    assert wasp.collector.server.connections == 0
    assert not wasp.cache.exists()


def test_outside_a_project_nothing_is_counted(wasp: Installed) -> None:
    (wasp.folder / ".wasproot").unlink()
    call(wasp, "version")
    wasp.settle()
    assert wasp.collector.server.connections == 0


def test_debugging_prints_the_event(wasp: Installed) -> None:
    run = call(wasp.set(WASP_TELEMETRY_DEBUG="1"), "version")
    assert run.stderr.startswith('{"api_key"')
    wasp.settle()
    assert wasp.collector.deliveries == []
