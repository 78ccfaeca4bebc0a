"""The queries of docs/telemetry-team.md, as they stand there, on events whose numbers are known."""

from __future__ import annotations

import datetime
import json
import os
import re
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from unittest import mock

import pytest

import telemetry_ping
from tests.telemetry.scenario import USER_ID, Machine, World, at_time, populate
from tests.telemetry.warehouse import NOW, TYPINGS, Database

DOCUMENT: Final = Path(__file__, "../../../docs/telemetry-team.md").resolve().read_text("utf-8")
QUERIES: Final[dict[str, str]] = dict(
    re.findall(r"^#+ ([^\n]+)\n+```sql\n(.*?)^```", DOCUMENT, re.DOTALL | re.MULTILINE)
)
#: A comparison that could be left out.
CONDITION: Final = re.compile(
    r"NOT match\(.*'\)|(?<!NOT )(?<=AND )match\(.*'\)$|event = '[^']+'|notEmpty\([^)]+\)"
    r"|event IN \([^)]+\)|toString\(properties\.is_build\) IN \('true', '1'\)"
    r"|toDate\(timestamp\) > [^)]*\)\) - INTERVAL \d+ DAY|(?<=WHERE )toStartOfWeek.*DAY",
    re.MULTILINE,
)
#: What is true of those in tests/telemetry/scenario.py, row by row.
EXPECTED: Final = {
    "How many tried to install Wasp, per day?": "03-18 2 1, 03-17 1 0, 02-17 1 1",
    "How many tried to install Wasp, per operating system?": "linux 3, osx 2, windows 1",
    "How many people use Wasp, per day?": "03-18 1, 03-17 1, 03-16 1, 03-11 1, 03-10 1, 03-09 1, "
    "03-02 1, 03-01 2, 02-23 1, 02-19 1, 02-18 1, 02-17 1",
    "How many people use Wasp, per week?": "03-16 3, 03-09 2, 03-02 1, 02-23 2, 02-16 4, 02-09 2, "
    "02-02 2",
    "How many people use Wasp, per month?": "03-01 7, 02-01 7",
    "How many of them are new, and how many return, per week?": "03-16 0 3, 03-09 0 2, 03-02 1 0, "
    "02-23 1 1, 02-16 3 1, 02-09 1 1, 02-02 2 0",
    "How many new users come back in their second week?": "02-23 1 0, 02-16 3 1, 02-09 1 0, "
    "02-02 2 1",
    "On how many days do people use Wasp?": "1 4, 2 2, 3 1",
    "In how many half days is a project worked on?": "1 5, 2 2, 3 1",
    "Which versions are in use?": "0.24.1 3, 0.24.0 2, 0.25.0 1, 0.26.0-rc1 1",
    "How much of it is continuous integration?": "03-16 1 5 0.20, 03-09 2 5 0.40, 03-02 0 1 0.00, "
    "02-23 0 3 0.00, 02-16 1 6 0.17, 02-09 1 3 0.33, 02-02 0 2 0.00",
    "In which places is Wasp used?": " 3, CI 1, CI NON_INTERACTIVE_SHELL 1, CI lab 1, "
    "NON_INTERACTIVE_SHELL 1, gitpod 1, gitpod CI 1, gitpod NON_INTERACTIVE_SHELL 1",
    "How many users and projects have built?": "8 3 9 3",
    "How many build, per week?": "03-16 2 2, 02-16 2 2, 02-09 1 1",
    "How many users and projects have deployed?": "4 5",
    "With which provider, and which steps?": "deploy 3 3, fly 3 4, cmd 1 1, setup 1 1",
    "How many deploy, per week?": "03-16 1 1, 03-09 2 3, 02-09 1 1",
    "How much is deployed from continuous integration?": "03-09 2",
    "How many projects are there?": "9 8",
    "How many projects are new, per week?": "03-09 1, 03-02 1, 02-23 1, 02-16 3, 02-09 1, 02-02 2",
}
PAGE: Final = Path(__file__, "../../../docs/telemetry.md").resolve().read_text("utf-8")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    populated = World(tmp_path_factory.mktemp("world"))
    populate(populated)
    return populated


@pytest.fixture(scope="module", params=TYPINGS)
def database(world: World, request: pytest.FixtureRequest) -> Iterator[Database]:
    """With properties as they were sent, and as PostHog may make them."""
    with world.collector.database(world.folder, TYPINGS[request.param]) as connection:
        yield connection


@pytest.fixture
def small_world(tmp_path: Path) -> World:
    return World(tmp_path)


def answer(database: Database, query: str) -> str:
    """Its rows in a line."""
    return ", ".join(" ".join(map(as_text, row)) for row in database.execute(query).fetchall())


def as_text(value: object) -> str:
    if isinstance(value, datetime.date):
        return f"{value:%m-%d}"
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def of_world(world: World, question: str) -> str:
    with world.collector.database(world.folder) as connection:
        return answer(connection, QUERIES[question])


def test_every_question_has_its_query_and_every_query_its_truth() -> None:
    assert DOCUMENT.count("```sql") == len(QUERIES)
    assert set(QUERIES) == set(EXPECTED)


@pytest.mark.parametrize("question", EXPECTED)
def test_a_query_finds_the_truth_by_all_its_conditions(database: Database, question: str) -> None:
    assert answer(database, QUERIES[question]) == EXPECTED[question]
    conditions = CONDITION.findall(QUERIES[question])
    assert conditions
    for condition in conditions:
        without = QUERIES[question].replace(condition, "true")
        assert answer(database, without) != EXPECTED[question], condition


@pytest.fixture
def hogql(monkeypatch: pytest.MonkeyPatch) -> Any:
    """PostHog's own parser, which looks for its exceptions in PostHog itself."""
    for name in ("posthog", "posthog.hogql", "posthog.hogql.errors"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    errors = vars(sys.modules["posthog.hogql.errors"])
    errors.update({f"{kind}Error": Exception for kind in ("BaseHogQL", "Syntax", "NotImplemented")})
    return pytest.importorskip("hogql_parser")


@pytest.mark.parametrize("question", EXPECTED)
def test_posthog_can_read_the_query(hogql: Any, question: str) -> None:
    parsed = json.loads(hogql.parse_select_json(QUERIES[question]))
    assert "error" not in parsed, parsed
    assert parsed["node"] == "SelectQuery"
    assert "error" in json.loads(hogql.parse_select_json(f"{QUERIES[question]} no query"))


def test_the_examples_are_what_is_sent() -> None:
    install, cli = map(json.loads, re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL))
    sent = {**telemetry_ping.install_event(), "distinct_id": install["distinct_id"]}
    assert json.dumps(install) == json.dumps(sent)
    context = {"WASP_TELEMETRY_CONTEXT": "gitpod", "CI": "1"}
    with mock.patch.dict(os.environ, context, clear=True):
        sent = telemetry_ping.cli_event(
            distinct_id=cli["distinct_id"],
            project_hash=cli["properties"]["project_hash"],
            is_build=False,
            deploy_cmd_args="fly;deploy",
            wasp_version="0.25.0",
        )
    assert json.dumps(cli) == json.dumps(sent)


def test_the_macros_mean_what_clickhouse_means(database: Database) -> None:
    friday = "TIMESTAMP '2023-04-21 10:20:30'"
    for expression, value in [
        (f"toStartOfWeek({friday})", datetime.date(2023, 4, 16)),
        (f"toStartOfWeek({friday}, 0)", datetime.date(2023, 4, 16)),
        (f"toStartOfWeek({friday}, 1)", datetime.date(2023, 4, 17)),
        ("toStartOfWeek(DATE '2023-04-16')", datetime.date(2023, 4, 16)),
        ("toStartOfWeek(DATE '2023-04-16', 1)", datetime.date(2023, 4, 10)),
        (
            f"toStartOfInterval({friday}, INTERVAL 12 HOUR)",
            datetime.datetime.fromisoformat("2023-04-21"),
        ),
        (f"dateDiff('day', {friday}, TIMESTAMP '2023-04-22 00:00:00')", 1),
        ("splitByChar(';', 'a;;b')", ["a", "", "b"]),
        ("match('on CI', '(^| )CI$')", True),
        ("notEmpty('')", False),
        ("notEmpty(NULL)", None),
        ("now()", NOW),
        ("toString(true)", "true"),
    ]:
        assert database.execute(f"SELECT {expression}").fetchall() == [(value,)], expression


def test_no_install_can_be_joined_to_a_user_or_to_another_install(database: Database) -> None:
    sql = "SELECT distinct_id FROM events WHERE event = ?"
    installs = database.execute(sql, ["install-script:run"]).fetchall()
    user_ids = database.execute(sql, ["cli"]).fetchall()
    assert len(set(installs)) == len(installs)
    assert not set(installs) & set(user_ids)


def test_a_second_machine_is_a_second_user_unless_an_id_says_who_it_is(small_world: World) -> None:
    for user_id in ("", "", "me", "me"):
        variables = {USER_ID: user_id} if user_id else {}
        Machine(small_world, variables).call(at_time("03-06", 9), "build")
    assert of_world(small_world, "How many people use Wasp, per week?") == "03-02 3"


def test_work_around_midnight_can_lose_a_day(small_world: World) -> None:
    question = "How many people use Wasp, per day?"
    machine = Machine(small_world, {})
    machine.call(at_time("03-06", 20), "start")
    machine.call(at_time("03-07", 8), "start")
    assert of_world(small_world, question) == "03-06 1"
    machine.call(at_time("03-07", 9), "start")
    assert of_world(small_world, question) == "03-07 1, 03-06 1"


def test_a_deploy_shows_with_the_next_event(small_world: World) -> None:
    machine = Machine(small_world, {})
    machine.call(at_time("03-06", 9), "start")
    machine.call(at_time("03-06", 15), "deploy", "fly")
    assert of_world(small_world, "How many deploy, per week?") == ""
    machine.call(at_time("03-09", 9), "build")
    assert of_world(small_world, "How many deploy, per week?") == "03-09 1 1"


def test_of_several_deploys_in_a_pause_the_last_one_shows(small_world: World) -> None:
    machine = Machine(small_world, {})
    for hour, command in enumerate(["start", "deploy fly setup", "deploy fly deploy"]):
        machine.call(at_time("03-06", 9 + hour), *command.split())
    machine.call(at_time("03-07", 9), "start")
    told = of_world(small_world, "With which provider, and which steps?")
    assert told == "deploy 1 1, fly 1 1"


def test_work_from_nine_to_six_is_half_a_day_and_a_build_in_it_another(small_world: World) -> None:
    question = "In how many half days is a project worked on?"
    machine = Machine(small_world, {})
    for hour in range(9, 18):
        machine.call(at_time("03-06", hour), "start")
    assert of_world(small_world, question) == "1 1"
    machine.call(at_time("03-06", 18), "build")
    assert of_world(small_world, question) == "2 1"
