"""The queries of docs/telemetry-team.md, as they stand there, on events whose numbers are known."""

from __future__ import annotations

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
from tests.telemetry.population import (
    BUILD,
    FLY_DEPLOY,
    FLY_SETUP,
    FRIDAY,
    MONDAY_AFTER,
    MONDAY_BEFORE,
    OTHERS,
    SATURDAY,
    Day,
    Machine,
    Rows,
    World,
    at_time,
    populate,
)
from tests.telemetry.truth import EXPECTED, Truth
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
PAGE: Final = Path(__file__, "../../../docs/telemetry.md").resolve().read_text("utf-8")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    populated = World(tmp_path_factory.mktemp("world"))
    populate(populated)
    return populated


@pytest.fixture(scope="module")
def truth(world: World) -> Truth:
    return Truth(world)


@pytest.fixture(scope="module", params=TYPINGS)
def database(world: World, request: pytest.FixtureRequest) -> Iterator[Database]:
    """With properties as they were sent, and as PostHog may make them."""
    with world.collector.database(world.folder, TYPINGS[request.param]) as connection:
        yield connection


@pytest.fixture
def small_world(tmp_path: Path) -> World:
    return World(tmp_path)


def answer(world: World, question: str) -> Rows:
    with world.collector.database(world.folder) as connection:
        return connection.execute(QUERIES[question]).fetchall()


def test_every_question_has_its_query_and_every_query_its_truth() -> None:
    assert DOCUMENT.count("```sql") == len(QUERIES)
    assert set(QUERIES) == set(EXPECTED)


@pytest.mark.parametrize("question", EXPECTED)
def test_a_query_finds_the_truth(database: Database, truth: Truth, question: str) -> None:
    rows = database.execute(QUERIES[question]).fetchall()
    assert rows == EXPECTED[question](truth)
    assert rows
    assert all(any(column) for column in zip(*rows)), "a column of nothing proves nothing"


@pytest.mark.parametrize("question", EXPECTED)
def test_every_condition_of_a_query_matters(
    database: Database, truth: Truth, question: str
) -> None:
    conditions = CONDITION.findall(QUERIES[question])
    assert conditions
    for condition in conditions:
        without = QUERIES[question].replace(condition, "true")
        rows = database.execute(without).fetchall()
        assert rows != EXPECTED[question](truth), condition


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
        (f"toStartOfWeek({friday})", Day(2023, 4, 16)),
        (f"toStartOfWeek({friday}, 0)", Day(2023, 4, 16)),
        (f"toStartOfWeek({friday}, 1)", Day(2023, 4, 17)),
        ("toStartOfWeek(DATE '2023-04-16')", Day(2023, 4, 16)),
        ("toStartOfWeek(DATE '2023-04-16', 1)", Day(2023, 4, 10)),
        (f"toStartOfInterval({friday}, INTERVAL 12 HOUR)", at_time(Day(2023, 4, 21), 0)),
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
        Machine(small_world, "me", user_id=user_id).call(at_time(FRIDAY, 9), BUILD)
    assert answer(small_world, "How many people use Wasp, per week?") == [(MONDAY_BEFORE, 3)]


def test_work_around_midnight_can_lose_a_day(small_world: World) -> None:
    question = "How many people use Wasp, per day?"
    machine = Machine(small_world, "owl")
    machine.call(at_time(FRIDAY, 20), OTHERS[0])
    machine.call(at_time(SATURDAY, 8), OTHERS[0])
    assert answer(small_world, question) == [(FRIDAY, 1)]
    machine.call(at_time(SATURDAY, 9), OTHERS[0])
    assert answer(small_world, question) == [(SATURDAY, 1), (FRIDAY, 1)]


def test_a_deploy_shows_with_the_next_event(small_world: World) -> None:
    machine = Machine(small_world, "me")
    machine.call(at_time(FRIDAY, 9), OTHERS[0])
    machine.call(at_time(FRIDAY, 15), FLY_DEPLOY)
    assert answer(small_world, "How many deploy, per week?") == []
    machine.call(at_time(MONDAY_AFTER, 9), BUILD)
    assert answer(small_world, "How many deploy, per week?") == [(MONDAY_AFTER, 1, 1)]


def test_of_several_deploys_in_a_pause_the_last_one_shows(small_world: World) -> None:
    machine = Machine(small_world, "me")
    for hour, command in enumerate([OTHERS[0], FLY_SETUP, FLY_DEPLOY]):
        machine.call(at_time(FRIDAY, 9 + hour), command)
    machine.call(at_time(SATURDAY, 9), OTHERS[0])
    rows = answer(small_world, "With which provider, and which steps?")
    assert rows == [("deploy", 1, 1), ("fly", 1, 1)]


def test_work_from_nine_to_six_is_half_a_day_and_a_build_in_it_another(small_world: World) -> None:
    machine = Machine(small_world, "me")
    for hour in range(9, 18):
        machine.call(at_time(FRIDAY, hour), OTHERS[0])
    assert answer(small_world, "In how many half days is a project worked on?") == [(1, 1)]
    machine.call(at_time(FRIDAY, 18), BUILD)
    assert answer(small_world, "In how many half days is a project worked on?") == [(2, 1)]
