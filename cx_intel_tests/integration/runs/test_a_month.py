"""Twenty-six mornings of the small company with all that goes wrong in a month: the tables end as if nothing had.

A file comes late, events are corrected, one is turned away, a file is damaged, a source is away, a refresh is killed, a
column appears. After each refresh every sensor looks, and the runs that they ask for are made. What became of single
mishaps is tested in `test_backfill.py`, `test_crashes.py`, `test_bad_refreshes.py` and `test_alerts.py`.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest

from cx_intel.orchestration.assets.partitions import PARTITION_TAG, RANGE_TAGS, range_tags
from cx_intel.orchestration.build import build_definitions
from cx_intel.orchestration.runs import QUIET
from cx_intel.orchestration.sensors.late_events import RUN_KEY_TAG
from cx_intel_tests.helpers.listener import Listener, listening
from cx_intel_tests.helpers.processes import FILES, refreshing
from cx_intel_tests.helpers.small_company import SmallCompany, ordered

pytestmark = pytest.mark.slow

DAYS = [date(2025, 1, 9) + timedelta(days=n) for n in range(26)]
FIRST, LAST = DAYS[0], date(2025, 2, 3)
LATE = (date(2025, 1, 13), date(2025, 1, 14))
"""The usage file still is that of the day before."""
WRONG, CORRECTED = date(2025, 1, 17), date(2025, 1, 20)
"""Logins of a day are delivered under another name."""
ORPHAN = date(2025, 1, 18)
"""An event of an account that nobody knows; it is turned away from then on."""
DAMAGED = date(2025, 1, 22)
"""The times of three accounts' events cannot be read: more of the file than may be turned away."""
AWAY = (date(2025, 1, 25), date(2025, 1, 26))
"""The file of the tickets is not there."""
KILLED = date(2025, 1, 30)
COLUMN = date(2025, 2, 1)
"""The accounts have their seats from this day on."""
SENSORS = ("small_late_events", "small_alerts", "small_tier_changes", "small_killed_runs")
LEFT_TO_THE_LAST_DAY = (
    "dim_account",
    "dim_date",
    "dim_product",
    "fct_tickets",
    "health_score_change_drivers",
    "health_score_changes",
    "nrr_by_segment",
    "nrr_summary",
    "published",
    "revenue_cohort_analysis",
    "sla_adherence",
)
"""What each refresh makes anew as a whole, and no snapshot reads: made once, so that the month takes minutes."""

MADE_ANEW = {
    date(2025, 1, 15): (date(2025, 1, 13), date(2025, 1, 15)),
    date(2025, 1, 20): (date(2025, 1, 17), date(2025, 1, 20)),
    date(2025, 1, 23): (date(2025, 1, 22), date(2025, 1, 23)),
    date(2025, 1, 27): (date(2025, 1, 25), date(2025, 1, 27)),
}
"""The morning on which something was late or missing: the snapshots that the sensor of late events had made."""
TOLD = {
    date(2025, 1, 10): ["Ben: an account changed"],
    date(2025, 1, 14): ["usage_events: the source is late or incomplete"],
    date(2025, 1, 15): ["Resolved: usage_events: the source is late or incomplete"],
    date(2025, 1, 20): ["Ben: an account changed"],
    date(2025, 1, 22): ["2 problems"],  # the rejected rows, and the run that they stopped
    date(2025, 1, 23): ["Resolved: 2 problems", "Ann: 3 accounts changed", "Ben: 3 accounts changed"],
    date(2025, 1, 24): ["Ann: an account changed", "Ben: 2 accounts changed"],
    date(2025, 1, 25): ["small_refresh for 2025-01-25 failed"],
    date(2025, 1, 26): ["small_refresh for 2025-01-26 failed"],
    date(2025, 1, 27): ["Resolved: 2 problems"],
    date(2025, 1, 30): [
        "small_refresh for 2025-01-30 failed",
        "Ben: an account changed",
        "Resolved: small_refresh for 2025-01-30 failed",
    ],
    date(2025, 2, 2): ["Ben: an account changed"],
}
"""The morning: the titles of its messages, in order."""
PROBLEMS = [
    "usage_events: the source is late or incomplete",
    "stg_usage_events: quarantined_share failed",
    "small_refresh for 2025-01-22 failed",
    "small_refresh for 2025-01-25 failed",
    "small_refresh for 2025-01-26 failed",
    "small_refresh for 2025-01-30 failed",
]
"""What was told when it began and when it was over."""
CHANGES = [
    # 57.5 with 3 logins; the first ticket takes 25 points
    ("A02", "2025-01-10", "fair to poor"),
    # found once the logins of the 17th are known: 6 logins and a ticket make 40, the second ticket 17.5
    ("A02", "2025-01-17", "poor to fair"),
    ("A02", "2025-01-20", "fair to poor"),
    # 8 logins make 70; those of the 22nd are told for the 23rd, because the refresh for the 22nd failed, and only once
    *((account, "2025-01-23", "fair to good") for account in ("A01", "A07", "A11", "A04", "A08", "A10")),
    *((account, "2025-01-24", "fair to good") for account in ("A09", "A06", "A12")),
    # the ticket that was opened on the 30th is resolved on the 2nd
    ("A06", "2025-01-30", "good to fair"),
    ("A06", "2025-02-02", "fair to good"),
]
"""Account, day and tiers of every change that an owner was told of, in order."""


def as_delivered(company: SmallCompany, day: date) -> None:
    """Writes the files of a morning, with what is wrong with them."""
    company.tables = SmallCompany(company.folder).tables
    company.source("usage_events", max_quarantined_pct=20, stale_after_days=1)
    events = company.tables["usage_events"]
    orphan = {"event_id": "E-orphan", "account_id": "A99", "event_timestamp": f"{ORPHAN}T10:00:00"}
    events.insert(0, events[0] | orphan)
    if day in LATE:
        events[:] = [event for event in events if event["event_timestamp"] < f"{LATE[0]}"]
    if WRONG <= day < CORRECTED:
        events[:] = [e | {"event_name": "logon"} if f"{WRONG}" in e["event_timestamp"] else e for e in events]
    if day >= COLUMN:
        for number, account in enumerate(company.tables["accounts"]):
            account["seats"] = 10 * number
        seats = {"type": "integer", "description": "Seats under contract.", "unit": "seats"}
        company.settings["account_attributes"] = {"seats": seats}
    company.write(until=day)
    if day == DAMAGED:
        file = company.data / "usage_events.csv"
        file.write_text(file.read_text().replace("T08:", "T8h"))
    if day in AWAY:
        (company.data / "support_tickets.csv").unlink()


@dataclass
class Month:
    """The company, who watches it, and what was seen."""

    company: SmallCompany
    instance: dg.DagsterInstance
    listener: Listener
    cursors: dict[str, str | None] = field(default_factory=dict)
    told: dict[date, list[str]] = field(default_factory=dict)
    made_anew: dict[date, tuple[date, ...]] = field(default_factory=dict)

    def morning(self, day: date) -> None:
        """The refresh of a day, and all that it leads to."""
        as_delivered(self.company, day)
        before = len(self.listener.taken)
        if day == KILLED:
            self.kill_refresh(day)
            assert self.look() == []
        left_out = () if day == LAST else LEFT_TO_THE_LAST_DAY
        assert self.run({PARTITION_TAG: day.isoformat()}, left_out) is (day not in (DAMAGED, *AWAY))
        while requests := self.look():
            for request in requests:
                self.made_anew[day] = tuple(date.fromisoformat(request.tags[tag]) for tag in RANGE_TAGS)
                assert self.run({**request.tags, RUN_KEY_TAG: request.run_key or ""}, left_out)
        if titles := self.listener.titles[before:]:
            self.told[day] = [title.removeprefix("[small] ") for title in titles]

    def kill_refresh(self, day: date) -> None:
        """A refresh that is killed once the changes of the accounts are written, and before it says that it ended."""
        with refreshing(self.company, day) as process:
            while (step := process.step()) and (step[1] != "lifecycle_events" or step[2] is None):
                pass
            assert step
            process.kill()

    def run(self, tags: dict[str, str], left_out: tuple[str, ...] = ()) -> bool:
        """One run of the refresh job."""
        job = build_definitions(self.company.environment).resolve_job_def("small_refresh")
        keys = [k for k in job.asset_layer.executable_asset_keys if k.path[-1] not in (*FILES, *left_out)]
        result = job.execute_in_process(
            run_config=QUIET, instance=self.instance, asset_selection=keys, tags=tags, raise_on_error=False
        )
        return result.success

    def look(self) -> list[dg.RunRequest]:
        """Every sensor looks twice; the runs that they ask for, each key once as in Dagster."""
        requests: list[dg.RunRequest] = []
        sensors = {sensor.name: sensor for sensor in build_definitions(self.company.environment).sensors or ()}
        for name in SENSORS * 2:
            context = dg.build_sensor_context(instance=self.instance, cursor=self.cursors.get(name))
            result: Any = sensors[name](context)
            if isinstance(result, dg.SensorResult):
                self.cursors[name] = result.cursor
                requests += [r for r in result.run_requests or [] if r.run_key not in {q.run_key for q in requests}]
        return requests


@contextmanager
def month(folder: Path) -> Iterator[Month]:
    company = SmallCompany(folder)
    with listening() as listener, company.instance() as instance:
        company.variables["CX_ALERT_URLS"] = listener.url()
        yield Month(company, instance, listener)


def said(listener: Listener, pattern: str) -> list[Any]:
    """What the messages say in lines of a pattern, in order."""
    return re.findall(pattern, "\n".join(message["message"] for message in listener.taken), re.MULTILINE)


def expected(clean: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """The tables of a clean run, but for what follows by definition from the day on which rows came.

    Seats are known from the day on which they came, each subscription from the load that first shows it. The row turned
    away stands in the quarantine of the days that were made since it came: those from its own on, and the one before it,
    which was made anew later.
    """
    first, column, quarantined_since = (pd.Timestamp(day) for day in (FIRST, COLUMN, MADE_ANEW[CORRECTED][0]))
    tables = dict(clean)
    for name, rows in tables.items():
        if {"as_of", "seats"} <= set(rows):
            tables[name] = rows.assign(seats=rows.seats.astype("Int64").mask(rows.as_of < column))
    history = pd.concat([clean["account_history"]] * 2, ignore_index=True)
    is_before = history.index < len(clean["account_history"])
    tables["account_history"] = history.assign(
        valid_from=history.valid_from.mask(is_before, first).mask(~is_before, column),
        valid_to=history.valid_to.mask(is_before, column),
        seats=history.seats.astype("Int64").mask(is_before),
    )
    periods = clean["subscription_periods"]
    first_shown = periods.start_date.clip(lower=first)
    tables["subscription_periods"] = periods.assign(known_from=first_shown, first_seen_on=first_shown)
    tables["source_freshness"] = by_rows(clean["source_freshness"])
    quarantine = clean["quarantine"]
    tables["quarantine"] = quarantine[quarantine.as_of >= quarantined_since]
    return tables


def by_rows(freshness: pd.DataFrame) -> pd.DataFrame:
    """What rows tell of how new sources are: deliveries are those of the loads, which differ."""
    return freshness[freshness.judged_by == "rows"].reset_index(drop=True)


@pytest.mark.timeout(1800)  # some forty refreshes
def test_a_month_ends_as_if_nothing_had_happened(tmp_path: Path) -> None:
    with month(tmp_path / "month") as lived:
        for day in DAYS:
            lived.morning(day)
    assert lived.made_anew == MADE_ANEW
    # each day the same titles; in which order the sensors of a day look is nobody's promise
    assert {day: sorted(titles) for day, titles in lived.told.items()} == {d: sorted(t) for d, t in TOLD.items()}
    assert said(lived.listener, r"^\*\*(.+)\*\*$") == said(lived.listener, r"^- Resolved: (.+)$") == PROBLEMS
    assert said(lived.listener, r"^- .+ \((A\d\d), (\S+)\): (\w+ to \w+)") == CHANGES

    with month(tmp_path / "clean") as clean:
        as_delivered(clean.company, LAST)
        assert clean.run(range_tags(FIRST, LAST))
    found, wanted = lived.company.frames(), expected(clean.company.frames())
    found["source_freshness"] = by_rows(found["source_freshness"])
    assert set(found) == set(wanted)
    for name, rows in wanted.items():
        same_columns = ordered(found[name][list(rows)])  # a column that came later stands last
        pd.testing.assert_frame_equal(same_columns, ordered(rows), check_dtype=False, check_exact=True, obj=name)
        assert set(found[name]) == set(rows)
