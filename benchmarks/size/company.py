"""Makes the files of a company of a stated size: exports as a CRM, a billing system, a help desk and a product give them.

By DuckDB, from hashes of row numbers, so that two runs give the same files. What is measured over them is in `run.py`,
the hand-written SQL beside it in `by_hand.py`.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb

DAYS = 400
"""Days of events, a file each; the day after them is that of the next day's file."""
LAST = date(2026, 9, 30)
EVENTS_OF_AN_ACCOUNT = 500
NAMES = (
    "dashboard_viewed",
    "report_created",
    "export_generated",
    "contact_added",
    "deal_updated",
    "note_added",
    "email_sent",
    "meeting_logged",
    "task_completed",
    "api_call",
    "integration_configured",
    "workflow_created",
    "search_performed",
    "filter_applied",
    "user_invited",
    "page_viewed",
)


@dataclass(frozen=True)
class Company:
    """A company whose files lie in a folder.

    Attributes:
        folder: Where they are made.
        events: Rows of usage, over all days.
        file_format: Of the events: csv or parquet; everything else is CSV.
    """

    folder: Path
    events: int
    file_format: str

    @property
    def accounts(self) -> int:
        return self.events // EVENTS_OF_AN_ACCOUNT

    def make(self) -> None:
        """Writes all files up to `LAST`."""
        (self.folder / "usage_events").mkdir(parents=True)
        with duckdb.connect() as connection:
            for name, query in self._queries().items():
                connection.execute(f"COPY ({query}) TO '{self.folder / name}.csv' (HEADER)")
            for n in range(DAYS):
                self._make_day(connection, LAST - timedelta(days=DAYS - 1 - n))

    def add_day(self, day: date) -> None:
        """Writes the file of a later day, as it comes in overnight."""
        with duckdb.connect() as connection:
            self._make_day(connection, day)

    def _make_day(self, connection: duckdb.DuckDBPyConnection, day: date) -> None:
        rows, number = self.events // DAYS, (day - date(2020, 1, 1)).days
        names = ", ".join(f"'{name}'" for name in NAMES)
        query = f"""
            SELECT printf('EVT-%d-%07d', {number}, i) AS event_id,
                printf('ACC-%06d', 1 + hash(i, {number}, 1) % {self.accounts}) AS account_id,
                printf('ACC-%06d-U%02d', 1 + hash(i, {number}, 1) % {self.accounts}, 1 + hash(i, {number}, 2) % 12) AS user_id,
                [{names}][1 + (hash(i, {number}, 3) % {len(NAMES)})::INTEGER] AS event_name,
                TIMESTAMP '{day.isoformat()}' + to_milliseconds((hash(i, {number}, 4) % 86400000)::BIGINT) AS event_timestamp,
                CASE WHEN i % 4 = 0 THEN printf('{{"page": "/p/%d"}}', hash(i, {number}, 5) % 1000) END AS properties
            FROM range({rows}) AS rows(i) ORDER BY event_timestamp"""
        file = self.folder / "usage_events" / f"{day.isoformat()}.{self.file_format}"
        connection.execute(f"COPY ({query}) TO '{file}' (FORMAT {self.file_format})")

    def _queries(self) -> dict[str, str]:
        count, first = self.accounts, LAST - timedelta(days=1000)
        return {
            "accounts": f"""
                SELECT printf('ACC-%06d', i) AS account_id, printf('Customer %d', i) AS company_name,
                    ['software', 'retail', 'health', 'media'][1 + (hash(i, 1) % 4)::INTEGER] AS industry,
                    1 + hash(i, 2) % 900 AS employee_count,
                    ['starter', 'growth', 'enterprise'][1 + (hash(i, 3) % 3)::INTEGER] AS plan_tier,
                    printf('Owner %d', hash(i, 4) % 40) AS account_owner,
                    ['DE', 'AT', 'CH', 'US', 'GB'][1 + (hash(i, 5) % 5)::INTEGER] AS country,
                    DATE '{first}' + (hash(i, 6) % 900)::INTEGER AS signup_date,
                    CASE WHEN hash(i, 7) % 12 = 0 THEN 'churned' ELSE 'active' END AS status
                FROM range(1, {count + 1}) AS rows(i)""",
            "subscriptions": f"""
                SELECT printf('SUB-%06d', i) AS subscription_id, printf('ACC-%06d', i) AS account_id,
                    'novacrm_platform' AS product_name,
                    ['starter', 'growth', 'enterprise'][1 + (hash(i, 3) % 3)::INTEGER] AS plan_tier,
                    [49, 149, 499][1 + (hash(i, 3) % 3)::INTEGER] AS mrr_amount,
                    DATE '{first}' + (hash(i, 6) % 900)::INTEGER AS start_date,
                    CASE WHEN hash(i, 7) % 12 = 0 THEN DATE '{LAST}' - (hash(i, 8) % 90)::INTEGER END AS end_date,
                    CASE WHEN hash(i, 7) % 12 = 0 THEN 'cancelled' ELSE 'active' END AS status
                FROM range(1, {count + 1}) AS rows(i)""",
            "support_tickets": f"""
                SELECT printf('TKT-%07d', i) AS ticket_id, printf('ACC-%06d', 1 + hash(i, 1) % {count}) AS account_id,
                    TIMESTAMP '{LAST}' - to_minutes((hash(i, 2) % 500000)::BIGINT) AS created_at,
                    CASE WHEN hash(i, 3) % 10 > 0 THEN TIMESTAMP '{LAST}' - to_minutes((hash(i, 2) % 500000)::BIGINT)
                        + to_minutes((hash(i, 4) % 6000)::BIGINT) END AS resolved_at,
                    ['p1', 'p2', 'p3', 'p4'][1 + (hash(i, 5) % 4)::INTEGER] AS priority, 'bug' AS category,
                    CASE WHEN hash(i, 3) % 10 > 0 THEN 'resolved' ELSE 'open' END AS status,
                    CASE WHEN hash(i, 6) % 3 = 0 THEN 1 + hash(i, 7) % 5 END AS satisfaction_score
                FROM range({count * 5}) AS rows(i)""",
        }
