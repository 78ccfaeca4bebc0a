"""`wasp telemetry`, and WASP_TELEMETRY_DEBUG."""

from __future__ import annotations

import json
import re
import time

import pytest

from tests.support.installed import HOUR, Installed

ENABLED = "Telemetry: ENABLED\n"


def test_status(wasp: Installed) -> None:
    before = wasp.files()
    said = wasp.called("telemetry").ok().stdout
    assert said.startswith(f"{ENABLED}In this project, ")
    assert said.count(": an event next time\n") == 2
    assert wasp.files() == before
    wasp.used("version")
    wasp.used("deploy", "fly")
    said = wasp.called("telemetry").ok().stdout
    assert "project, wasp build: an event next time\n" in said
    found = re.search(r"other commands: no event until (20\S+ \S+)\n", said)
    assert found
    following = time.mktime(time.strptime(found[1], "%Y-%m-%d %H:%M:%S"))
    assert abs(following - time.time() - 12 * HOUR) < 60
    wasp.age(-40 * 24 * HOUR)  # the clock was set back
    assert "other commands: no event until 20" in wasp.called("telemetry").ok().stdout
    assert wasp.called("telemetry", folder=wasp.here).ok().stdout.count("not a Wasp project") == 1


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ({"WASP_TELEMETRY_URL": "http://collector.invalid/"}, "http://collector.invalid/ is not"),
        ({"WASP_TELEMETRY_URL": "https://127.0.0.1:99999/"}, ":99999/ is not an https"),
        ({"HOME": "/no/such/home"}, "you have no home folder"),
        ({"HOME": ""}, "HOME is not set"),
        ({"DO_NOT_TRACK": "1", "HOME": ""}, "DO_NOT_TRACK is set"),
        ({"WASP_TELEMETRY_DISABLE": "", "HOME": ""}, "WASP_TELEMETRY_DISABLE is"),
    ],
    ids=str,
)
def test_enabled_is_not_said_where_nothing_is_ever_sent(
    wasp: Installed, variables: dict[str, str | None], reason: str
) -> None:
    wasp.set(**variables)
    before = wasp.files()
    for words in ((), ("show",), ("on",)):
        run = wasp.called("telemetry", *words).ok()
        said = run.stdout + run.stderr
        assert "ENABLED" not in said
        assert "DISABLED (" in said
        assert reason in said
        assert "api_key" not in said
    assert wasp.files() == before


def test_off_and_on(wasp: Installed) -> None:
    assert "DISABLED" in wasp.called("telemetry", "off").ok().stdout
    said = wasp.called("telemetry").ok().stdout
    assert said == "Telemetry: DISABLED (you turned it off: wasp telemetry off)\n"
    wasp.used("version")
    assert wasp.collector.deliveries == []
    for _ in range(2):
        assert wasp.called("telemetry", "on").ok().stdout.startswith(ENABLED)
    wasp.used("version")
    assert len(wasp.collector.deliveries) == 1


def test_show_prints_what_is_then_sent(wasp: Installed) -> None:
    shown = wasp.called("telemetry", "show").ok()
    assert shown.stderr.count("an event next time\n") == 2
    assert wasp.collector.deliveries == []
    wasp.used("version")
    assert shown.stdout == wasp.collector.deliveries[0].body.decode() + "\n"
    again = wasp.called("telemetry", "show").ok()
    assert again.stdout == shown.stdout
    assert "other commands: no event until 20" in again.stderr
    command = f"exec '{wasp.launcher}' telemetry show >/dev/full"
    assert wasp.run(["/bin/sh", "-c", command]).code == 1


def test_show_outside_a_project_prints_a_sample(wasp: Installed) -> None:
    before = wasp.files()
    wasp.set(WASP_TELEMETRY_CONTEXT="gitpod")
    shown = wasp.called("telemetry", "show", folder=wasp.here).ok()
    assert "nothing is sent. This is a sample:" in shown.stderr
    assert wasp.files() == before
    wasp.used("version")
    sample, sent = json.loads(shown.stdout), wasp.collector.events[0]
    sent["distinct_id"] = "bf3fa7a8-1c11-4f82-9542-ec1a2d28786b"
    sent["properties"]["project_hash"] = "6d7e561d62b955d1"
    assert sample == sent


def test_any_other_word_gets_the_usage(wasp: Installed) -> None:
    for word, code in (("--help", 0), ("-h", 0), ("maybe", 2), ("on off", 2)):
        run = wasp.called("telemetry", *word.split())
        assert (run.code, run.stdout) == (code, "")
        assert run.stderr.startswith("usage: wasp telemetry ")


def test_what_cannot_be_kept_is_named(wasp: Installed) -> None:
    config = wasp.home / ".config"
    config.write_text("a file in the way")
    in_the_way = f"[Errno 20] Not a directory: '{config}/wasp'"
    no_home = "HOME is not set. Set WASP_TELEMETRY_DISABLE instead."
    for home, reason in ((str(wasp.home), in_the_way), ("", no_home)):
        run = wasp.set(HOME=home).called("telemetry", "off")
        assert (run.code, run.stdout, run.stderr) == (7, "", f"error: {reason}\n")


def test_debugging_prints_and_sends_nothing(wasp: Installed, shell: str) -> None:
    wasp.set(WASP_TELEMETRY_DEBUG="1", WASP_TELEMETRY_KEY="key")
    run = wasp.called("deploy", "fly", "x", shell=shell).ok()
    event = json.loads(run.stderr)
    assert (event["api_key"], event["properties"]["deploy_cmd_args"]) == ("key", "fly")
    assert run.stdout == "0.25.0 3\n"
    assert wasp.collector.server.connections == 0
    assert not list(wasp.cache.glob("project-*"))
