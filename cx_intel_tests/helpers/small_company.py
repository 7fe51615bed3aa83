"""A company of a dozen accounts as files: CSVs, a portfolio YAML, and refreshes through the real job.

For tests of whole refreshes, of days in a row and of crashes. Everything follows from the calendar, so that figures can
be worked by hand; `SmallCompany.tables` and `.settings` may be changed before `write`. Tables for single models are
made by `builders.py`.

    company = SmallCompany(tmp_path)
    company.write()
    outcome = company.refresh(AS_OF)
    company.values("nrr_summary", "ending_mrr", by="revenue_month")
"""

import csv
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pandas as pd
from ruamel.yaml import YAML

from cx_intel.orchestration.build import build_definitions
from cx_intel.orchestration.instance import instance_of
from cx_intel.orchestration.runs import Outcome, refresh
from cx_intel.settings.environment import Environment, read_environment

AS_OF = date(2025, 1, 31)
EVENTS_FROM = date(2025, 1, 1)
EVENTS_UNTIL = date(2025, 2, 10)
DATED = {
    "accounts": "signup_date",
    "subscriptions": "start_date",
    "usage_events": "event_timestamp",
    "support_tickets": "created_at",
}
"""Table: the column that tells when a row came to be known."""

REPORTS = ("dashboard", "exports")

SETTINGS: dict[str, Any] = {
    "backtest": {"in_refresh": False},
    "currency": {"reporting": "EUR", "rates": {"CHF": 1.05}},
    "time_zone": "UTC",
    "as_of": {"default": AS_OF, "earliest": date(2024, 12, 1)},
    "sources": [{"kind": "files", "table": t, "path": "${SMALL_DATA}/" + f"{t}.csv"} for t in DATED],
    "revenue": {
        "basis": "subscriptions",
        "products": [{"name": "suite", "display_name": "Suite", "feature_category": "core"}],
    },
    "usage": {"categories": {"core": ["login"]}},
    "health": {
        "version": "small-1",
        "signals": {
            "logins_30d": {
                "label": "Logins in 30 days",
                "measure": {"kind": "event_count", "events": ["login"], "window_days": 30},
            },
            "open_tickets": {"label": "Open tickets", "measure": {"kind": "tickets", "figure": "unresolved"}},
        },
        "dimensions": {
            "usage": {
                "weight": 0.5,
                "signals": {"logins_30d": {"weight": 1, "curve": {"linear": {"zero": 0, "full": 20}}}},
            },
            "support": {
                "weight": 0.5,
                "signals": {"open_tickets": {"weight": 1, "curve": {"steps": [[0, 100], [1, 50]], "else": 0}}},
            },
        },
        "tiers": {
            "levels": [
                {"name": "good", "at_least": 70, "is_healthy": True},
                {"name": "fair", "at_least": 40, "is_healthy": False},
                {"name": "poor", "at_least": 0, "is_healthy": False},
            ]
        },
    },
    "renewals": {
        "risk": [
            {"if": {"health_tier": "poor"}, "risk": "Critical"},
            {"if": {"health_tier": "fair"}, "risk": "High"},
            {"if": {"health_tier": "good"}, "risk": "Low"},
        ],
        "probability": {"Critical": 0.3, "High": 0.5, "Medium": 0.75, "Low": 0.9},
        "outlook": {"draws": 100, "seed": 1},
    },
    "playbooks": [
        {"risk": risk, "action": f"Play {risk}", "due_in_days": 7, "save_rate": 0.2}
        for risk in ("Critical", "High", "Medium", "Low")
    ],
    "rollups": ["segment"],
}


def accounts() -> list[dict[str, Any]]:
    """A01 to A12, signed up on the 15th of each month from January 2024; A12 bills in CHF."""
    return [
        {
            "account_id": f"A{n:02}",
            "account_name": f"Company {n}",
            "segment": "Enterprise" if n % 3 == 0 else "SMB",
            "country": "CH" if n == 12 else "DE",
            "owner": "Ann" if n % 2 else "Ben",
            "status": None if n == 3 else "active",  # A03 leaves
            "signup_date": date(2024, n, 15),
            "currency": "CHF" if n == 12 else "EUR",
        }
        for n in range(1, 13)
    ]


def subscriptions() -> list[dict[str, Any]]:
    """From signup on, 100 a month for A01, 200 for A02 ... A03 ended in December; A04 took seats for 50 in January."""
    rows = [
        {
            "subscription_id": f"S{n:02}",
            "account_id": f"A{n:02}",
            "product_name": "suite",
            "amount": 100 * n,
            "currency": "CHF" if n == 12 else "EUR",
            "start_date": date(2024, n, 15),
            "end_date": date(2024, 12, 20) if n == 3 else None,
            "status": "active",
        }
        for n in range(1, 13)
    ]
    more = rows[3] | {"subscription_id": "S04b", "product_name": "seats", "amount": 50, "start_date": date(2025, 1, 10)}
    return [*rows, more]


def usage_events() -> list[dict[str, Any]]:
    """Each account but A05 logs in every third day, A01 on the 1st, A02 on the 2nd ...; on even days it reports too."""
    rows = []
    for offset in range((EVENTS_UNTIL - EVENTS_FROM).days + 1):
        day = EVENTS_FROM + timedelta(days=offset)
        for n in (n for n in range(1, 13) if (offset - n + 1) % 3 == 0 and n != 5):
            for name in ("login", "report") if day.day % 2 == 0 else ("login",):
                at = datetime(day.year, day.month, day.day, 8 + n % 4)
                rows.append(
                    {
                        "event_id": f"E-{day:%m%d}-{n:02}-{name}",
                        "account_id": f"A{n:02}",
                        "user_id": f"U{n:02}",
                        "event_name": name,
                        "event_timestamp": at.isoformat(),
                    }
                )
    return rows


def support_tickets() -> list[dict[str, Any]]:
    """A02 has two open tickets, A01 one that was resolved in two hours, A06 one that is resolved in February."""
    given: list[tuple[str, str, str, str | None, str]] = [
        ("T1", "A02", "2025-01-10T09:00:00", None, "open"),
        ("T2", "A02", "2025-01-20T09:00:00", None, "escalated"),
        ("T3", "A01", "2025-01-15T09:00:00", "2025-01-15T11:00:00", "resolved"),
        ("T4", "A06", "2025-01-30T09:00:00", "2025-02-02T09:00:00", "resolved"),
    ]
    return [
        {
            "ticket_id": ticket,
            "account_id": account,
            "created_at": created,
            "resolved_at": resolved,
            "priority": "p1",
            "status": status,
            "satisfaction_score": 5 if resolved else None,
        }
        for ticket, account, created, resolved, status in given
    ]


class SmallCompany:
    """The files of the company in `folder`, and its refreshes into `folder/home`.

    Attributes:
        tables: Table: its rows, to be written as CSV.
        settings: The portfolio's YAML.
    """

    def __init__(self, folder: Path, name: str = "small"):
        self.folder, self.name = folder, name
        self.data, self.portfolios, self.home = folder / "data", folder / "portfolios", folder / "home"
        self.variables = {
            "CX_HOME": str(self.home),
            "CX_PORTFOLIOS": str(self.portfolios),
            "CX_LOCK_WAIT_SECONDS": "5",
            "SMALL_DATA": str(self.data),
        }
        self.tables = {
            "accounts": accounts(),
            "subscriptions": subscriptions(),
            "usage_events": usage_events(),
            "support_tickets": support_tickets(),
        }
        self.settings: dict[str, Any] = {"name": name, **SETTINGS}

    def only(self, *tables: str, without: tuple[str, ...] = ("health", "renewals", "playbooks", "rollups")) -> None:
        """Leaves other sources and whole blocks out, so that a refresh is short."""
        self.leave_out(*without)
        self.settings["sources"] = [s for s in self.settings["sources"] if s["table"] in tables]

    def leave_out(self, *blocks: str) -> None:
        """Leaves whole blocks out, which need not be there."""
        self.settings = {name: block for name, block in self.settings.items() if name not in blocks}

    def source(self, table: str, **changes: Any) -> None:
        """Changes the settings of one source."""
        self.settings["sources"] = [s | changes if s["table"] == table else s for s in self.settings["sources"]]

    def write(self, until: date | None = None) -> None:
        """Writes the files; with `until`, what an export at the end of that day would hold."""
        self.data.mkdir(parents=True, exist_ok=True)
        self.write_settings()
        for table, rows in self.tables.items():
            known = [row for row in rows if until is None or str(row[DATED[table]])[:10] <= until.isoformat()]
            columns = dict.fromkeys(name for row in rows for name in row)
            with (self.data / f"{table}.csv").open("w", newline="", encoding="utf-8") as file:
                writer = csv.DictWriter(file, list(columns))
                writer.writeheader()
                writer.writerows(known)

    def write_settings(self) -> None:
        """Writes the portfolio's YAML alone."""
        self.portfolios.mkdir(parents=True, exist_ok=True)
        with (self.portfolios / f"{self.name}.yaml").open("w", encoding="utf-8") as file:
            YAML(typ="safe", pure=True).dump(self.settings, file)

    @property
    def environment(self) -> Environment:
        return read_environment(self.variables)

    @property
    def warehouse(self) -> Path:
        return self.home / "warehouse.duckdb"

    @contextmanager
    def instance(self) -> Iterator[dg.DagsterInstance]:
        """The company's own Dagster instance, as `cx-intel` makes it."""
        before = os.environ.get("DAGSTER_HOME")
        try:
            with instance_of(self.home) as instance:
                yield instance
        finally:
            os.environ.pop("DAGSTER_HOME")
            if before is not None:
                os.environ["DAGSTER_HOME"] = before

    def copied(self, folder: Path) -> "SmallCompany":
        """A company in another folder with the same files, home and settings: where a test changes what others read."""
        copy = SmallCompany(folder, self.name)
        copy.tables, copy.settings = deepcopy(self.tables), deepcopy(self.settings)
        shutil.copytree(self.folder, copy.folder, symlinks=True, dirs_exist_ok=True)
        instance = copy.home / "dagster.yaml"
        instance.write_text(instance.read_text().replace(str(self.home), str(copy.home)))
        return copy

    def keep(self) -> None:
        """Keeps the home as it is now, for `bring_back`."""
        shutil.copytree(self.home, self.folder / "kept")

    def bring_back(self) -> None:
        """The home as it was kept, for the next test of a module or the next kill."""
        shutil.rmtree(self.home)
        shutil.copytree(self.folder / "kept", self.home)

    def refresh(
        self, day: date = AS_OF, *, write: bool = True, reports: bool = False, rebuild: bool = False
    ) -> Outcome:
        """Writes the files and refreshes the portfolio for the day, by the job of the command line and the UI.

        Reports and exports, which take as long as all tables, are left out unless `reports`.
        """
        if write:
            self.write()
        definitions = build_definitions(self.environment)
        with self.instance() as instance:
            without = () if reports else REPORTS
            return refresh(definitions, self.name, day, instance, without=without, rebuild=rebuild)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows that SQL gives; the portfolio's tables need no schema."""
        with duckdb.connect(str(self.warehouse), read_only=True) as connection:
            connection.execute(f"USE {self.name}")
            return connection.execute(sql).fetchall()

    def values(self, table: str, *columns: str, by: str = "account_id", where: str = "true") -> dict[Any, Any]:
        """The rows by key: one column's value, or a tuple of several."""
        listed = ", ".join((by, *columns))
        found = self.query(f"SELECT {listed} FROM {table} WHERE {where}")
        assert len({key for key, *_ in found}) == len(found), f"{by} repeats in {table}"
        return {key: rest[0] if len(columns) == 1 else tuple(rest) for key, *rest in found}

    def frames(self) -> dict[str, pd.DataFrame]:
        """Every table of the portfolio, rows and columns in a fixed order."""
        with duckdb.connect(str(self.warehouse), read_only=True) as connection:
            names = connection.execute(
                "SELECT table_name FROM information_schema.tables WHERE table_schema = ? "
                "AND table_type = 'BASE TABLE' ORDER BY 1",
                [self.name],
            ).fetchall()
            tables = {name: connection.execute(f'FROM "{self.name}"."{name}"').df() for (name,) in names}
        return {name: ordered(frame) for name, frame in tables.items()}


def ordered(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows in an order that follows from their contents alone."""
    return frame.sort_values(list(frame.columns), ignore_index=True)
