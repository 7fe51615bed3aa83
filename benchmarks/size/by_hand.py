"""The core tables by hand-written SQL of DuckDB, from the definitions: what a refresh is measured against, and compared with.

Typed and judged events (known account, readable time, one row an id and day, the last by file and row) and usage by account
and day here, since they depend on the format of the files; all else in `by_hand.sql`. Nothing of it comes from the program's
own SQL. Prints seconds of the processor by table.

    python benchmarks/size/by_hand.py FILES FORMAT WAREHOUSE 2026-09-30 [--against WAREHOUSE_OF_THE_PROGRAM]

With `--against` nothing is made: the tables are compared with the program's of the same names, in the columns made by hand,
and for each it is told how many rows differ; a table or column that the program lacks ends it.
"""

import argparse
import json
import re
import time
from datetime import date
from pathlib import Path

import duckdb

CATEGORIES = {
    "reporting": ("dashboard_viewed", "report_created", "export_generated"),
    "crm_core": ("contact_added", "deal_updated", "note_added"),
    "communication": ("email_sent", "meeting_logged", "task_completed"),
    "advanced": ("api_call", "integration_configured", "workflow_created"),
    "platform": ("search_performed", "filter_applied", "user_invited"),
}
WATERFALL = "waterfall"
"""Of all segments, which the program makes two tables of."""


def statements(files: Path, file_format: str) -> dict[str, str]:
    """Table: the statement that makes it."""
    pattern = f"{files}/usage_events/*.{file_format}"
    read = (
        f"read_parquet('{pattern}', filename = true, file_row_number = true)"
        if file_format == "parquet"
        else "(SELECT *, row_number() OVER () AS file_row_number "
        f"FROM read_csv('{pattern}', all_varchar = true, filename = true))"
    )
    cases = " ".join(
        f"WHEN event_name IN ({', '.join(map(repr, names))}) THEN '{category}'"
        for category, names in CATEGORIES.items()
    )
    counts = ", ".join(
        f"count(*) FILTER (event_category = '{name}') AS {name}_events" for name in [*CATEGORIES, "other"]
    )
    return {
        "stg_usage_events": f"""
            WITH typed AS (
                SELECT trim(event_id) AS event_id, trim(account_id) AS account_id, trim(user_id) AS user_id,
                    lower(trim(event_name)) AS event_name, try_cast(event_timestamp AS TIMESTAMP) AS event_timestamp,
                    properties, filename, file_row_number
                FROM {read}),
            judged AS (
                SELECT *, event_timestamp::DATE AS event_date, hour(event_timestamp) AS event_hour,
                    CASE {cases} ELSE 'other' END AS event_category
                FROM typed WHERE event_timestamp IS NOT NULL AND account_id IN (SELECT account_id FROM stg_accounts))
            SELECT * EXCLUDE (filename, file_row_number) FROM judged QUALIFY row_number() OVER (
                PARTITION BY event_id, event_date ORDER BY filename DESC, file_row_number DESC) = 1""",
        "fct_usage": f"""
            SELECT account_id, event_date, count(*) AS total_events, count(DISTINCT user_id) AS active_users,
                count(DISTINCT event_name) AS distinct_features_used,
                count(DISTINCT event_category) FILTER (event_category <> 'other') AS distinct_categories_used, {counts},
                min(event_timestamp) AS first_event_at, max(event_timestamp) AS last_event_at,
                count(DISTINCT event_hour) AS active_hours,
                count(*) FILTER (event_name = 'api_call') AS api_calls,
                count(*) FILTER (event_name = 'report_created') AS reports_created,
                count(*) FILTER (event_name = 'workflow_created') AS workflows_created,
                100 * distinct_categories_used / {len(CATEGORIES)} AS feature_breadth_pct,
                total_events >= 10 AND distinct_features_used >= 5 AS is_power_usage_day
            FROM stg_usage_events GROUP BY ALL""",
    }


def made(connection: duckdb.DuckDBPyConnection, files: Path, file_format: str, as_of: date) -> dict[str, float]:
    """Makes the tables; what each took of the processor."""
    connection.execute(f"SET VARIABLE as_of = DATE '{as_of}'")
    connection.execute(f"SET VARIABLE files = '{files}'")
    text = (Path(__file__).parent / "by_hand.sql").read_text(encoding="utf-8")
    queries = {re.findall(r"CREATE TABLE (\w+)", s.query)[0]: s.query for s in connection.extract_statements(text)}
    of_events = {t: f"CREATE TABLE {t} AS {query}" for t, query in statements(files, file_format).items()}
    staged = {table: query for table, query in queries.items() if table.startswith("stg_")}
    found = {}
    for table, query in (staged | of_events | queries).items():  # the staged ones stay first, events come after them
        began = time.process_time()
        connection.execute(query)
        found[table] = round(time.process_time() - began, 2)
    return found


def differences(connection: duckdb.DuckDBPyConnection, program: Path) -> dict[str, int]:
    """Table: how many rows one side has and the other has not, in the columns made by hand; figures to six digits."""
    connection.execute(f"ATTACH '{program}' AS program (READ_ONLY)")
    found = {}
    tables = "SELECT table_name FROM duckdb_tables() WHERE database_name = {0} AND {1}"
    own = connection.execute(tables.format("current_database()", "true")).fetchall()
    theirs = connection.execute(tables.format("'program'", "schema_name = 'large'")).fetchall()
    if alone := sorted({table for (table,) in set(own) - set(theirs)} - {WATERFALL}):
        raise SystemExit(f"tables that the program does not make: {', '.join(alone)}")
    for (table,) in sorted(set(own) & set(theirs)):
        sides = [_columns(connection, name) for name in (table, f"program.large.{table}")]
        if alone := [name for name in sides[0] if name not in sides[1]]:
            raise SystemExit(f"columns of {table} that the program does not make: {', '.join(alone)}")
        # figures are compared as they are typed by the program
        cells = ", ".join(
            f"round({name}::DOUBLE, 6) AS {name}" if kind == "DOUBLE" else f"{name}::{kind} AS {name}"
            for name in sides[0]
            for kind in [sides[1][name]]
        )
        mine, made = (f"SELECT {cells} FROM {name}" for name in (table, f"program.large.{table}"))
        ((rows,),) = connection.execute(
            f"SELECT count(*) FROM (({mine} EXCEPT ALL {made}) UNION ALL ({made} EXCEPT ALL {mine}))"
        ).fetchall()
        found[table] = rows
    return found


def _columns(connection: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    return {row[0]: row[1] for row in connection.execute(f"DESCRIBE {table}").fetchall()}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("files", type=Path)
    arguments.add_argument("format", choices=["parquet", "csv"])
    arguments.add_argument("warehouse", type=Path)
    arguments.add_argument("as_of", type=date.fromisoformat)
    arguments.add_argument("--against", type=Path)
    given = arguments.parse_args()
    with duckdb.connect(str(given.warehouse)) as connection:
        if given.against:
            print(json.dumps(differences(connection, given.against)))
        else:
            print(json.dumps(made(connection, given.files, given.format, given.as_of)))


if __name__ == "__main__":
    main()
