"""The queries of docs/telemetry-team.md, as they stand there, on events whose numbers are known."""

from __future__ import annotations

import datetime
import json
import re
import sys
import types
from collections.abc import Iterator
from typing import Any, Final

import duckdb
import pytest

from tests.support.frontends import REPOSITORY

DOCUMENT: Final = (REPOSITORY / "docs" / "telemetry-team.md").read_text("utf-8")
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
#: What is true of the events below, row by row.
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
NOW: Final = "2026-03-18 15:00:00"
#: Day, hour, user, project, version, a build or the words of a deploy, and the context. Wasp itself
#: counts those without Python, by the bare path. The last 30 days begin on 02-17, the last 28 on
#: 02-19, and weeks on 02-02, 02-09 and so on.
EVENTS: Final = """
02-02 09 laptop laptop's-app 0.23.0
02-02 11 bare path 0.24.1
02-09 09 laptop laptop's-app 0.23.0 build
02-09 10 runner runner's-app 0.25.0 build | CI
02-09 12 odd odd's-app 0.23.0 fly;deploy | NO_CI
02-16 09 bare path 0.24.1 build
02-16 10 lab lab's-app 0.24.0 | CI lab
02-17 10 bare-script path 0.24.1 | NON_INTERACTIVE_SHELL
02-17 10 runner runner's-app 0.25.0 | CI
02-18 10 desktop desktop's-app 0.24.0 build
02-19 10 desktop desktop's-app 0.24.0
02-23 09 cloud cloud's-app 0.24.0 | gitpod
03-01 09 cloud cloud's-app 0.24.0 | gitpod
03-01 10 lab lab's-app 0.24.0 | CI lab
03-02 10 bare-cloud path 0.24.1 | gitpod NON_INTERACTIVE_SHELL
03-09 09 laptop laptop's-app 0.25.0 fly;deploy
03-09 11 runner runner's-app 0.25.0 fly;deploy | CI
03-10 09 laptop laptop's-blog 0.25.0 fly;setup
03-10 09 gitpod-runner its-app 0.25.0 fly | gitpod CI
03-11 10 bare path 0.24.1 fly;cmd
03-16 10 bare-script path 0.24.1 deploy | NON_INTERACTIVE_SHELL
03-17 10 laptop laptop's-app 0.26.0-rc1 build
03-17 10 bare-runner path 0.24.1 build | CI NON_INTERACTIVE_SHELL
03-18 09 desktop desktop's-app 0.25.0
03-18 13 desktop desktop's-app 0.25.0 build
"""
INSTALLS: Final = {
    "install-script:run": "02-16 linux, 02-17 linux, 03-17 osx, 03-18 windows, 03-18 linux",
    "npm-package:postinstall": "02-16 osx, 02-17 linux, 03-18 osx",
}
#: What PostHog may make of empty properties, and of those that are true or false.
TYPINGS: Final[dict[str, tuple[str | None, str, tuple[object, object]]]] = {
    "empty-boolean": ("", "BOOLEAN", (False, True)),
    "null-text": (None, "VARCHAR", ("false", "true")),
    "empty-number": ("", "UTINYINT", (0, 1)),
}
#: DuckDB, with what ClickHouse has besides, or with another meaning.
DATABASE: Final = """
CREATE TABLE events (event VARCHAR, distinct_id VARCHAR, timestamp TIMESTAMP, properties STRUCT(
    os VARCHAR, project_hash VARCHAR, is_build {kind}, deploy_cmd_args VARCHAR,
    wasp_version VARCHAR, context VARCHAR));
CREATE MACRO now() AS TIMESTAMP '{now}';
CREATE MACRO toDate(t) AS CAST(t AS DATE);
CREATE MACRO toStartOfMonth(t) AS CAST(date_trunc('month', t) AS DATE);
-- Mode 1 begins on Monday; without one, on Sunday.
CREATE MACRO toStartOfWeek
    (t) AS CAST(date_trunc('week', t + INTERVAL 1 DAY) - INTERVAL 1 DAY AS DATE),
    (t, mode) AS CAST(date_trunc('week', t) AS DATE);
CREATE MACRO toStartOfInterval(t, length) AS time_bucket(length, t);
CREATE MACRO dateDiff(unit, a, b) AS date_diff(unit, a, b);
CREATE MACRO uniq(x) AS count(DISTINCT x);
CREATE MACRO uniqIf(x, condition) AS count(DISTINCT CASE WHEN condition THEN x END);
CREATE MACRO argMax(x, y) AS arg_max(x, y);
CREATE MACRO match(text, pattern) AS regexp_matches(text, pattern);
CREATE MACRO toString(x) AS CAST(x AS VARCHAR);
CREATE MACRO countIf(condition) AS count(CASE WHEN condition THEN 1 END);
CREATE MACRO notEmpty(text) AS text <> '';
CREATE MACRO splitByChar(separator, text) AS string_split(text, separator);
CREATE MACRO arrayJoin(list) AS unnest(list);
"""


def events() -> Iterator[tuple[str, str, str, list[object]]]:
    """Name, user, time, and properties in the order of the table."""
    for line in EVENTS.strip().splitlines():
        call, _, context = line.partition(" | ")
        day, hour, user, project, version, *done = call.split()
        build, deploy = done == ["build"], "".join(done).replace("build", "")
        sent = ["linux", project, build, deploy, version, context]
        yield "cli", user, f"2026-{day} {hour}:00:00", sent
    for event, installs in INSTALLS.items():
        for number, install in enumerate(installs.split(", ")):
            day, system = install.split()
            yield event, str(number), f"2026-{day} 12:00:00", [system, "", False, "", "", ""]
    # PostHog may be sent other events, too, with properties of the same names.
    for number, day in enumerate(("02-09", "03-17")):
        for context in ("", "CI"):
            sent = ["linux", day, True, "fly;deploy", "0.25.0", context]
            yield "$pageview", f"{number}{context}", f"2026-{day} 12:00:00", sent


@pytest.fixture(scope="module", params=TYPINGS)
def database(request: pytest.FixtureRequest) -> Iterator[duckdb.DuckDBPyConnection]:
    blank, kind, truth = TYPINGS[request.param]
    with duckdb.connect(config={"autoinstall_known_extensions": "false"}) as connection:
        connection.execute(DATABASE.format(kind=kind, now=NOW))
        for *columns, sent in events():
            kept = [truth[it] if isinstance(it, bool) else (it or blank) for it in sent]
            row = "INSERT INTO events SELECT ?, ?, ?, row(?, ?, ?, ?, ?, ?)"
            connection.execute(row, [*columns, *kept])
        yield connection


def as_text(value: object) -> str:
    if isinstance(value, datetime.date):
        return f"{value:%m-%d}"
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def answer(database: duckdb.DuckDBPyConnection, query: str) -> str:
    """Its rows in a line."""
    return ", ".join(" ".join(map(as_text, row)) for row in database.execute(query).fetchall())


def test_every_question_has_its_query_and_every_query_its_truth() -> None:
    assert DOCUMENT.count("```sql") == len(QUERIES)
    assert set(QUERIES) == set(EXPECTED)


@pytest.mark.parametrize("question", EXPECTED)
def test_a_query_finds_the_truth_by_all_its_conditions(
    database: duckdb.DuckDBPyConnection, question: str
) -> None:
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


def test_posthog_can_read_every_query(hogql: Any) -> None:
    for query in QUERIES.values():
        parsed = json.loads(hogql.parse_select_json(query))
        assert parsed.get("node") == "SelectQuery", parsed
        assert "error" in json.loads(hogql.parse_select_json(f"{query} no query"))
