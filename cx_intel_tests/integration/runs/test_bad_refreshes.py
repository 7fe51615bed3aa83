"""Bad input through whole refreshes: what stops leaves all tables as they were, what goes on quarantines what it must."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from cx_intel_tests.helpers.small_company import AS_OF, SmallCompany

pytestmark = pytest.mark.slow  # a refresh each

SHORT = ("accounts", "subscriptions", "usage_events")


@pytest.fixture
def company(tmp_path: Path) -> SmallCompany:
    """Without health and what rests on it, so that a refresh is short."""
    made = SmallCompany(tmp_path)
    made.only(*SHORT)
    return made


def header_only(company: SmallCompany, *tables: str) -> None:
    for table in tables:
        file = company.data / f"{table}.csv"
        file.write_text(file.read_text().splitlines()[0] + "\n")


def test_a_company_without_accounts_is_refreshed_and_reported(tmp_path: Path) -> None:
    company = SmallCompany(tmp_path)
    company.write()
    header_only(company, *company.tables)
    outcome = company.refresh(write=False, reports=True)
    assert (outcome.succeeded, outcome.failures) == (True, [])
    assert outcome.tables["dim_account"] == outcome.tables["renewal_pipeline"] == 0


def test_a_company_of_one_account_is_refreshed_and_reported(tmp_path: Path) -> None:
    company = SmallCompany(tmp_path)
    company.tables = {t: [r for r in rows if r["account_id"] == "A02"] for t, rows in company.tables.items()}
    outcome = company.refresh(reports=True)
    assert (outcome.succeeded, outcome.failures) == (True, [])
    assert outcome.tables["cs_intervention_list"] == 1


def test_a_company_without_events_or_tickets_is_refreshed(tmp_path: Path) -> None:
    company = SmallCompany(tmp_path)
    company.leave_out("renewals", "playbooks", "rollups")
    company.write()
    header_only(company, "usage_events", "support_tickets")
    outcome = company.refresh(write=False)
    assert (outcome.succeeded, outcome.failures) == (True, [])
    assert company.values("account_signals", "value", where="signal = 'logins_30d'")["A01"] == 0


@pytest.fixture(scope="module")
def refreshed(tmp_path_factory: pytest.TempPathFactory) -> SmallCompany:
    made = SmallCompany(tmp_path_factory.mktemp("refreshed"))
    made.only(*SHORT)
    assert made.refresh().succeeded
    return made


def cut_off(company: SmallCompany) -> None:
    file = company.data / "usage_events.csv"
    whole = gzip.compress(file.read_bytes())
    file.with_name("usage_events.csv.gz").write_bytes(whole[: len(whole) // 2])
    company.source("usage_events", path="${SMALL_DATA}/usage_events.csv.gz")


def other_encoding(company: SmallCompany) -> None:
    file = company.data / "usage_events.csv"
    file.write_bytes(file.read_bytes().replace(b"login", b"l\xf6gin", 1))


def wrong_types(company: SmallCompany) -> None:
    for row in company.tables["usage_events"]:
        row["event_timestamp"] = "yesterday"


def renamed_column(company: SmallCompany) -> None:
    file = company.data / "usage_events.csv"
    file.write_text(file.read_text().replace("event_timestamp", "timestamp", 1))


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (cut_off, "usage_events.csv.gz: the gzip file is damaged or cut off"),
        (other_encoding, "usage_events.csv: row 1, column 1 is not utf-8 text"),
        (wrong_types, "event_timestamp: 'yesterday' is not a time (YYYY-MM-DDTHH:MM:SS, or as date_formats say)"),
        (renamed_column, "has no column 'event_timestamp', which usage_events requires (did you mean 'timestamp'?)"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_what_stops_is_told_and_the_tables_of_the_source_stay(
    refreshed: SmallCompany, tmp_path: Path, spoil: Callable[[SmallCompany], None], told: str
) -> None:
    company = refreshed.copied(tmp_path)
    before = company.frames()
    company.write()
    spoil(company)
    outcome = company.refresh(write=spoil is wrong_types or spoil is cut_off)
    assert not outcome.succeeded
    assert told in " ".join(outcome.failures)
    after = company.frames()
    unspoilt = [
        t for t in before if t not in ("raw_usage_events", "rejected_rows", "quarantine")
    ]  # the others tell of the rows
    assert [t for t in unspoilt if not after[t].equals(before[t])] == []


def test_events_of_an_account_that_comes_later_are_quarantined_and_come_back(company: SmallCompany) -> None:
    late = company.tables["accounts"].pop()
    company.tables["subscriptions"] = [s for s in company.tables["subscriptions"] if s["account_id"] != "A12"]
    company.source("usage_events", max_quarantined_pct=20)
    assert company.refresh().succeeded
    reasons = set(company.query("SELECT source_table, reason FROM quarantine"))
    assert reasons == {("usage_events", "account_id 'A12' is not among the accounts")}
    assert company.query("SELECT count(*) FROM fct_usage WHERE account_id = 'A12'") == [(0,)]
    company.tables["accounts"].append(late)
    assert company.refresh(AS_OF).succeeded
    assert company.query("SELECT count(*) FROM quarantine") == [(0,)]
    assert company.query("SELECT count(*) FROM fct_usage WHERE account_id = 'A12'") == [(10,)]
