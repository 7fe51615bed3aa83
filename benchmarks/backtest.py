"""What the back-test of a large company costs: past month ends scored once more, and what the score told.

    python benchmarks/backtest.py [--accounts 5000] [--months 36] [--events 20] [--basis subscriptions] [--folder FOLDER]

Makes the files of a company from hashes of row numbers, refreshes it once without a back-test, and then runs
`cx-intel backtest` in a process of its own; printed are its seconds of the processor and by the clock and the largest
memory. The goal is two minutes on two cores for 5,000 accounts and 36 months. `--basis invoices` bills each month, where
the ledger's horizon follows from the invoices of each day.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import duckdb
from ruamel.yaml import YAML

EXAMPLE = Path(__file__).parent.parent / "examples/novacrm_csv.yaml"
FIRST, LAST = date(2023, 1, 1), date(2026, 9, 30)
NAMES = (
    "dashboard_viewed",
    "report_created",
    "contact_added",
    "deal_updated",
    "email_sent",
    "api_call",
    "search_performed",
)
ENDS = "CASE WHEN hash(i, 7) % 4 = 0 THEN begun + 60 + (hash(i, 8) % 900)::INTEGER END"
BEGUN = f"DATE '{FIRST}' + (hash(i, 6) % 700)::INTEGER"


def queries(accounts: int, events: int) -> dict[str, str]:
    """The files of the company: a quarter of the accounts leaves, each has so many events a month while it is there."""
    amount = "[49, 149, 499][1 + (hash(i, 3) % 3)::INTEGER]"
    made = f"SELECT i, printf('A%06d', i) AS account_id, {BEGUN} AS begun FROM range(1, {accounts + 1}) AS rows(i)"
    known = f"(SELECT *, {ENDS} AS ended FROM ({made}))"
    is_there = f"day >= begun AND (ended IS NULL OR day < ended) AND day <= DATE '{LAST}'"
    days = (LAST - FIRST).days + 1
    return {
        "accounts": f"""
            SELECT account_id, 'Customer ' || i AS company_name, 1 + hash(i, 2) % 900 AS employee_count,
                ['starter', 'growth', 'enterprise'][1 + (hash(i, 3) % 3)::INTEGER] AS plan_tier,
                'Owner ' || hash(i, 4) % 40 AS account_owner, begun AS signup_date,
                CASE WHEN ended <= DATE '{LAST}' THEN 'churned' ELSE 'active' END AS status FROM {known}""",
        "subscriptions": f"""
            SELECT 'S' || i AS subscription_id, account_id, 'novacrm_platform' AS product_name, {amount} AS mrr_amount,
                begun AS start_date, CASE WHEN ended <= DATE '{LAST}' THEN ended END AS end_date, 'active' AS status
            FROM {known}""",
        "invoices": f"""
            SELECT 'I' || i || '-' || n AS invoice_id, account_id, day AS invoice_date, {amount} AS amount, 'USD' AS currency,
                'paid' AS status, 'novacrm_platform' AS line_items
            FROM (SELECT *, (begun + to_months(n::INTEGER))::DATE AS day FROM {known}, range(46) AS months(n))
            WHERE {is_there}""",
        "usage_events": f"""
            SELECT 'E' || i || '-' || n AS event_id, account_id, account_id || '-U' || hash(i, n, 2) % 12 AS user_id,
                [{", ".join(f"'{name}'" for name in NAMES)}][1 + (hash(i, n, 3) % {len(NAMES)})::INTEGER] AS event_name,
                day + to_seconds((hash(i, n, 4) % 86400)::BIGINT) AS event_timestamp
            FROM (SELECT *, DATE '{FIRST}' + (hash(i, n, 1) % {days})::INTEGER AS day
                FROM {known}, range({events * days // 30}) AS events(n)) WHERE {is_there}""",
        "support_tickets": f"""
            SELECT 'T' || i || '-' || n AS ticket_id, account_id, day::TIMESTAMP AS created_at,
                CASE WHEN hash(i, n, 3) % 10 > 0 THEN day + to_minutes((hash(i, n, 4) % 6000)::BIGINT) END AS resolved_at,
                ['p1', 'p2', 'p3', 'p4'][1 + (hash(i, n, 5) % 4)::INTEGER] AS priority,
                CASE WHEN hash(i, n, 3) % 10 > 0 THEN 'resolved' ELSE 'open' END AS status,
                CASE WHEN hash(i, n, 6) % 3 = 0 THEN 1 + hash(i, n, 7) % 5 END AS satisfaction_score
            FROM (SELECT *, DATE '{FIRST}' + (hash(i, n, 9) % {days})::INTEGER AS day FROM {known}, range(15) AS tickets(n))
            WHERE {is_there}""",
    }


def write(folder: Path, *, accounts: int, months: int, events: int, basis: str) -> None:
    """The files and the example portfolio that reads them."""
    files, portfolios = folder / "files", folder / "portfolios"
    files.mkdir(parents=True)
    portfolios.mkdir()
    with duckdb.connect() as connection:
        for name, query in queries(accounts, events).items():
            kind = "parquet" if name == "usage_events" else "csv"
            connection.execute(f"COPY ({query}) TO '{files / name}.{kind}' (FORMAT {kind})")
    with EXAMPLE.open(encoding="utf-8") as file:
        settings = YAML(typ="safe", pure=True).load(file)
    settings |= {"name": "past", "as_of": {"default": LAST, "earliest": FIRST}, "reports": {"enabled": False}}
    settings["revenue"]["basis"] = basis
    settings["backtest"] = {"months": months, "in_refresh": False}
    for source in settings["sources"]:
        kind = "parquet" if source["table"] == "usage_events" else "csv"
        source["path"] = str(files / f"{source['table']}.{kind}")
    with (portfolios / "past.yaml").open("w", encoding="utf-8") as file:
        YAML(typ="safe", pure=True).dump(settings, file)


def run(folder: Path, *words: str) -> str:
    """The command in a process of its own: what it took."""
    began = time.perf_counter()
    variables = {"CX_HOME": str(folder / "home"), "CX_PORTFOLIOS": str(folder / "portfolios")}
    process = subprocess.Popen([sys.executable, "-m", "cx_intel", *words], env=os.environ | variables)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"cx-intel {' '.join(words)} failed")
    took = time.perf_counter() - began
    gigabytes = used.ru_maxrss * (1024 if sys.platform == "linux" else 1) / 1e9
    return f"{used.ru_utime + used.ru_stime:.1f} s of the processor, {took:.1f} s by the clock, {gigabytes:.2f} GB"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--accounts", type=int, default=5000)
    arguments.add_argument("--months", type=int, default=36)
    arguments.add_argument("--events", type=int, default=20, help="of an account and month")
    arguments.add_argument("--basis", choices=("subscriptions", "invoices"), default="subscriptions")
    arguments.add_argument(
        "--folder", type=Path, help="Where files and home are made and stay; default: a passing one."
    )
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as passing:
        folder = given.folder or Path(passing)
        if not (folder / "files").exists():
            write(folder, accounts=given.accounts, months=given.months, events=given.events, basis=given.basis)
            print("refresh without a back-test:", run(folder, "refresh", "past"))
        print("back-test:", run(folder, "backtest", "past"))


if __name__ == "__main__":
    main()
