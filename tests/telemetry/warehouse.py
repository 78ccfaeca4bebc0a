"""A database that understands the queries for PostHog: DuckDB, with what ClickHouse has besides."""

from __future__ import annotations

import datetime
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import duckdb

Database = duckdb.DuckDBPyConnection

NOW: Final = datetime.datetime.fromisoformat("2026-03-18 15:00:00")

# What ClickHouse has and DuckDB has not, or has with another meaning.
MACROS: Final = f"""
CREATE MACRO now() AS TIMESTAMP '{NOW}';
CREATE MACRO toDate(t) AS CAST(t AS DATE);
CREATE MACRO toStartOfMonth(t) AS CAST(date_trunc('month', t) AS DATE);
-- Odd modes begin on Monday, even ones, and so the default 0, on Sunday.
CREATE MACRO toStartOfWeek
    (t) AS CAST(date_trunc('week', t + INTERVAL 1 DAY) - INTERVAL 1 DAY AS DATE),
    (t, mode) AS CASE WHEN mode % 2 = 1 THEN CAST(date_trunc('week', t) AS DATE)
        ELSE CAST(date_trunc('week', t + INTERVAL 1 DAY) - INTERVAL 1 DAY AS DATE) END;
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

TABLE: Final = """
CREATE TABLE events AS FROM read_json($file, format = 'newline_delimited', columns = {
    event: 'VARCHAR',
    distinct_id: 'VARCHAR',
    timestamp: 'TIMESTAMP',
    properties: 'STRUCT(
        os VARCHAR,
        project_hash VARCHAR,
        is_build KIND,
        deploy_cmd_args VARCHAR,
        wasp_version VARCHAR,
        context VARCHAR
    )'
})
"""


@dataclass(frozen=True)
class Typing:
    """What PostHog may make of the properties: of empty ones, and of those that are true or false.

    The latter depends on what somebody has chosen for the property in its settings.
    """

    blank: str | None = ""
    kind: str = "BOOLEAN"
    truth: tuple[Any, Any] = (False, True)

    def of(self, value: Any) -> Any:
        if isinstance(value, bool):
            return self.truth[value]
        return self.blank if value == "" else value


TYPINGS: Final = {
    "empty-boolean": Typing(),
    "null-text": Typing(None, "VARCHAR", ("false", "true")),
    "empty-number": Typing("", "UTINYINT", (0, 1)),
}


@dataclass
class Collector:
    """Keeps what it is sent as PostHog does: with the time at which it came."""

    events: list[dict[str, Any]] = field(default_factory=list)

    def receive(self, at: datetime.datetime, body: bytes) -> None:
        event = json.loads(body)
        properties = event["properties"]
        distinct_id = event.get("distinct_id") or properties.pop("distinct_id")
        kept = {"event": event["event"], "distinct_id": distinct_id, "properties": properties}
        self.events.append({**kept, "timestamp": at.isoformat(" ")})

    def database(self, folder: Path, typing: Typing = TYPINGS["empty-boolean"]) -> Database:
        """All events."""
        file = folder / f"events-{typing.kind}.jsonl"
        with file.open("w", encoding="utf-8") as output:
            for event in self.events:
                properties = {name: typing.of(value) for name, value in event["properties"].items()}
                print(json.dumps({**event, "properties": properties}), file=output)
        connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
        connection.execute(TABLE.replace("KIND", typing.kind), {"file": str(file)})
        connection.execute(MACROS)
        return connection
