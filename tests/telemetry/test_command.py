"""`wasp telemetry`, and WASP_TELEMETRY_DEBUG."""

from __future__ import annotations

import json
import re
import time

import pytest

from tests.support.filesystems import give_away, small_filesystem
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
        (
            {"WASP_TELEMETRY_URL": "http://collector.invalid/"},
            "http://collector.invalid/ is not an https",
        ),
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


def test_a_home_of_another_user_is_no_place_to_send_from(wasp: Installed) -> None:
    give_away(wasp.home)
    assert "DISABLED (you have no home" in wasp.called("telemetry").ok().stdout


def test_off_and_on(wasp: Installed) -> None:
    assert "DISABLED" in wasp.called("telemetry", "off").ok().stdout
    said = wasp.called("telemetry").ok().stdout
    assert said == "Telemetry: DISABLED (you turned it off: wasp telemetry off)\n"
    wasp.used("version")
    assert wasp.collector.deliveries == []
    assert wasp.called("telemetry", "on").ok().stdout.startswith(ENABLED)
    assert wasp.called("telemetry", "on").ok().stdout.startswith(ENABLED)
    wasp.used("version")
    assert len(wasp.collector.deliveries) == 1
    said = wasp.set(DO_NOT_TRACK="1").called("telemetry", "on").ok().stdout
    assert said == "Telemetry: DISABLED (DO_NOT_TRACK is set)\n"


def test_show_prints_what_is_then_sent(wasp: Installed) -> None:
    shown = wasp.called("telemetry", "show").ok()
    assert shown.stderr.count("an event next time\n") == 2
    assert wasp.collector.deliveries == []
    wasp.used("version")
    assert shown.stdout == wasp.collector.deliveries[0].body.decode() + "\n"
    again = wasp.called("telemetry", "show").ok()
    assert again.stdout == shown.stdout
    assert "other commands: no event until 20" in again.stderr


def test_what_cannot_be_printed_is_an_error(wasp: Installed) -> None:
    command = f"exec '{wasp.launcher}' telemetry show >/dev/full"
    assert wasp.run(["/bin/sh", "-c", command]).code == 1


def test_show_outside_a_project_prints_a_sample(wasp: Installed) -> None:
    before = wasp.files()
    wasp.set(WASP_TELEMETRY_CONTEXT="gitpod")
    shown = wasp.called("telemetry", "show", folder=wasp.here).ok()
    assert "nothing is sent. This is a sample:" in shown.stderr
    sample = json.loads(shown.stdout)
    assert wasp.files() == before
    wasp.used("version")
    sent = wasp.collector.deliveries[0].event
    assert sample["distinct_id"] == "bf3fa7a8-1c11-4f82-9542-ec1a2d28786b"
    assert sample["properties"]["project_hash"] == "6d7e561d62b955d1"
    sample["distinct_id"] = sent["distinct_id"]
    sample["properties"]["project_hash"] = sent["properties"]["project_hash"]
    assert sample == sent


@pytest.mark.parametrize(("word", "code"), [("--help", 0), ("-h", 0), ("maybe", 2), ("on off", 2)])
def test_any_other_word_gets_the_usage(wasp: Installed, word: str, code: int) -> None:
    run = wasp.called("telemetry", *word.split())
    assert run.code == code
    assert run.stderr.startswith("usage: wasp telemetry ")
    assert run.stdout == ""


def test_what_cannot_be_kept_is_named(wasp: Installed) -> None:
    config = wasp.home / ".config"
    config.write_text("a file in the way")
    run = wasp.called("telemetry", "off")
    assert (run.code, run.stdout, run.stderr) == (
        7,
        "",
        f"error: [Errno 20] Not a directory: '{config}/wasp'\n",
    )
    run = wasp.set(HOME="").called("telemetry", "off")
    assert (run.code, run.stdout) == (7, "")
    assert run.stderr == "error: HOME is not set. Set WASP_TELEMETRY_DISABLE instead.\n"


def test_a_full_disk_is_named_to_who_asks(wasp: Installed) -> None:
    cache = wasp.base / "small"
    with small_filesystem(cache, "size=64k,mode=700"):
        (cache / "filler").write_bytes(b"x" * 65536)
        run = wasp.set(XDG_CACHE_HOME=str(cache)).called("telemetry", "show")
    assert (run.code, run.stdout) == (7, "")
    assert re.search("^error: .*No space", run.stderr, re.MULTILINE)


def test_debugging_prints_and_sends_nothing(wasp: Installed, shell: str) -> None:
    wasp.set(WASP_TELEMETRY_DEBUG="1")
    run = wasp.called("deploy", "fly", "x", shell=shell).ok()
    event = json.loads(run.stderr)
    assert event["properties"]["deploy_cmd_args"] == "fly"
    assert run.stdout == "0.25.0 3\n"
    assert wasp.collector.server.connections == 0
    assert not list(wasp.cache.glob("project-*"))
