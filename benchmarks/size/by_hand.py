"""The core tables of usage by hand-written SQL of DuckDB, from the definitions: what a refresh is measured against.

Typed and judged events (known account, readable time, one row an id and day, the last by file and row), their day, hour and
category, and usage by account and day. Nothing here comes from the program's own SQL. Prints seconds of the processor.

    python benchmarks/size/by_hand.py FILES FORMAT WAREHOUSE
"""

import json
import sys
import time
from pathlib import Path

import duckdb

CATEGORIES = {
    "reporting": ("dashboard_viewed", "report_created", "export_generated"),
    "crm_core": ("contact_added", "deal_updated", "note_added"),
    "communication": ("email_sent", "meeting_logged", "task_completed"),
    "advanced": ("api_call", "integration_configured", "workflow_created"),
    "platform": ("search_performed", "filter_applied", "user_invited"),
}


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
        "accounts": f"SELECT trim(account_id) AS account_id FROM read_csv('{files}/accounts.csv', all_varchar = true)",
        "stg_usage_events": f"""
            WITH typed AS (
                SELECT trim(event_id) AS event_id, trim(account_id) AS account_id, trim(user_id) AS user_id,
                    lower(trim(event_name)) AS event_name, try_cast(event_timestamp AS TIMESTAMP) AS event_timestamp,
                    properties, filename, file_row_number
                FROM {read}),
            judged AS (
                SELECT *, event_timestamp::DATE AS event_date, hour(event_timestamp) AS event_hour,
                    CASE {cases} ELSE 'other' END AS event_category
                FROM typed WHERE event_timestamp IS NOT NULL AND account_id IN (FROM accounts))
            SELECT * EXCLUDE (filename, file_row_number) FROM judged QUALIFY row_number() OVER (
                PARTITION BY event_id, event_date ORDER BY filename DESC, file_row_number DESC) = 1""",
        "fct_usage": f"""
            SELECT account_id, event_date, count(*) AS total_events, count(DISTINCT user_id) AS active_users,
                count(DISTINCT event_name) AS distinct_features_used,
                count(DISTINCT event_category) FILTER (event_category <> 'other') AS distinct_categories_used, {counts},
                min(event_timestamp) AS first_event_at, max(event_timestamp) AS last_event_at,
                count(DISTINCT event_hour) AS active_hours
            FROM stg_usage_events GROUP BY ALL""",
    }


def main() -> None:
    files, file_format, warehouse = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    found = {}
    with duckdb.connect(str(warehouse)) as connection:
        for table, query in statements(files, file_format).items():
            began = time.process_time()
            connection.execute(f"CREATE TABLE {table} AS {query}")
            found[table] = round(time.process_time() - began, 2)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
