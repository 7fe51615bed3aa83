"""Answers at the terminal: which account is meant, why it has its score, and what differs between two days."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from cx_intel.reports.ask.accounts import find_account
from cx_intel.reports.ask.answer import Answer, NoAnswer
from cx_intel.reports.ask.differences import difference
from cx_intel.reports.ask.explanation import explain
from cx_intel.settings.portfolio import Portfolio
from cx_intel.warehouse.duckdb.access.opening import reading
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse
from cx_intel_tests.helpers.builders import AS_OF, shipped
from cx_intel_tests.helpers.report_books import book_tables
from cx_intel_tests.helpers.report_rows import SCRIPT, dim_row
from cx_intel_tests.helpers.report_tables import WEEK_BEFORE, accounts_of, drivers, due, fill, listed

FLEET = shipped("fleet")
NAMES = ["Ada GmbH", "Adam AG", "Cora"]


@contextmanager
def warehouse_of(path: Path, tables: dict[str, Any], of: Portfolio = FLEET) -> Iterator[DuckDBWarehouse]:
    fill(path / "w.duckdb", of, tables)
    with reading(path / "w.duckdb") as database:
        yield DuckDBWarehouse(database, of.name)


def section(answer: Answer, title: str) -> dict[str, tuple[str, ...]]:
    """Its rows by their first text."""
    (found,) = [s for s in answer.sections if s.title.startswith(title)]
    return {row[0]: row[1:] for row in found.rows}


@pytest.mark.parametrize(
    ("text", "account"),
    [("c1", "c1"), ("C1", "c1"), ("ada  gmbh", "c0"), ("adam", "c1"), ("COR", "c2")],
)
def test_an_account_is_found_by_id_name_or_a_part_of_it(tmp_path: Path, text: str, account: str) -> None:
    rows = [dim_row(row) for row in accounts_of(NAMES)]
    with warehouse_of(tmp_path, {"dim_account": rows}) as warehouse:
        assert find_account(text, {"fleet": warehouse}).account_id == account


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("ada", "'ada' may be any of 2 accounts: Ada GmbH (c0, fleet), Adam AG (c1, fleet). Give the id."),
        ("Kora", "There is no account 'Kora'; spelt alike are Cora (c2, fleet)."),
        ("zzz", "There is no account 'zzz'."),
        (" ", "Name an account: its id, its name, or a part of its name."),
    ],
)
def test_an_account_that_is_unclear_is_asked_back(tmp_path: Path, text: str, told: str) -> None:
    rows = [dim_row(row) for row in accounts_of(NAMES)]
    with warehouse_of(tmp_path, {"dim_account": rows}) as warehouse, pytest.raises(NoAnswer) as raised:
        find_account(text, {"fleet": warehouse})
    assert str(raised.value) == told


def test_the_same_name_in_two_portfolios_is_told_with_both(tmp_path: Path) -> None:
    rows = [dim_row(row) for row in accounts_of(["Ada"])]
    with warehouse_of(tmp_path, {"dim_account": rows}) as one, pytest.raises(NoAnswer, match=r"\(c0, fleet\).*novacrm"):
        find_account("Ada", {"fleet": one, "novacrm": one})


@pytest.mark.slow
def test_an_account_is_explained_from_score_to_money(tmp_path: Path) -> None:
    """c0 is in the lowest tier: 15 of 100 over all signals alike, Critical, 840 expected loss."""
    tables = book_tables(FLEET, [SCRIPT, "Beta AG", "Gamma KG"])
    with warehouse_of(tmp_path, tables) as warehouse:
        told = explain(warehouse, FLEET, "c0")
    assert told.title == f"{SCRIPT}, c0 as of 31 Jan 2025 (fleet)"
    assert told.lines[0] == "Owner: Ada Owner. Segment: SMB. ARR €1,200."
    assert told.lines[1].startswith("Health: 15.0 of 100, Red; 100% of it measured. What loses most points: ")
    renewal = section(told, "Renewal and what to do")
    assert renewal["Renewal risk"] == ("Critical",)
    assert renewal["Playbook"] == ("Executive call",)
    assert renewal["Expected loss"] == ("€840",)
    assert FLEET.health is not None
    assert len(section(told, "What makes the score")) == len(FLEET.health.signals)
    (moved,) = [s for s in told.sections if s.title == "What moved"]
    assert moved.lines[0] == "Since 24 Jan 2025: −5.0 points"
    assert section(told, "Score over time") == {"24 Jan 2025": ("20.0", "Red"), "31 Jan 2025": ("15.0", "Red")}
    assert section(told, "Money") == {"Jan 2025": ("€100.00", "flat", "±€0.00")}
    assert section(told, "About")["Industry"] == ("Transport",)
    assert told.sections[-1].title == "How far to trust it"


@pytest.mark.slow
def test_an_explanation_is_of_a_day_that_there_is_and_of_an_account_that_there_is(tmp_path: Path) -> None:
    with warehouse_of(tmp_path, book_tables(FLEET, ["Alpha", "Beta"])) as warehouse:
        before = explain(warehouse, FLEET, "c0", WEEK_BEFORE)
        assert "20.0 of 100" in before.lines[1]
        with pytest.raises(NoAnswer, match="no snapshot of 2020-01-01; of the 2 that can be read the nearest are of"):
            explain(warehouse, FLEET, "c0", date(2020, 1, 1))
        with pytest.raises(NoAnswer, match="There is no account 'nobody' in fleet"):
            explain(warehouse, FLEET, "nobody")


def test_an_account_without_score_and_renewal_is_explained_by_what_there_is(tmp_path: Path) -> None:
    snapshot = accounts_of(["Gone"])
    with warehouse_of(tmp_path, {"account_snapshot": snapshot, "dim_account": [dim_row(snapshot[0])]}) as warehouse:
        told = explain(warehouse, FLEET, "c0")
    assert told.lines[1] == "Health: the account is not in the health population, so it has no score."
    (renewal,) = [s for s in told.sections if s.title.startswith("Renewal")]
    assert (renewal.rows, renewal.lines) == ((), ("No renewal within 270 days.",))


def test_nothing_can_be_explained_before_the_first_refresh(tmp_path: Path) -> None:
    told = "There is no snapshot yet"
    with warehouse_of(tmp_path, {"dim_account": []}) as warehouse, pytest.raises(NoAnswer, match=told):
        explain(warehouse, FLEET, "c0")


def scored(account: str, score: float, tier: str, day: date) -> dict[str, Any]:
    return {
        "as_of": day,
        "account_id": account,
        "account_name": {"c0": "Ada", "c1": "Berta"}[account],
        "current_mrr": 100,
        "current_arr": 1200,
        "health_score": score,
        "unrounded_score": score,
        "health_tier": tier,
        "confirmed_tier": tier,
        "is_healthy": tier == "Green",
        "is_frozen": False,
        "model_version": "1",
    }


def two_days() -> dict[str, Any]:
    """Ada falls from 80 to 60, Berta pays twice as much, Cora leaves, Dora comes; Ada joins the list, Berta is off it."""
    then, now = accounts_of(["Ada", "Berta", "Cora"], WEEK_BEFORE), accounts_of(["Ada", "Berta", "x", "Dora"])
    now[1] |= {"current_mrr": 200, "current_arr": 2400}
    del now[2]
    lost = {"points": 60.0, "points_lost": 40.0, "weight": 1.0, "signal_score": 60.0}
    event = {
        "event_id": "e1",
        "as_of": AS_OF,
        "account_id": "c0",
        "event_type": "tier_change",
        "from_value": "Green",
        "to_value": "Amber",
        "reason": "Green to Amber",
    }
    return {
        "account_snapshot": [*then, *now],
        "customer_health_scores": [
            scored("c0", 80.0, "Green", WEEK_BEFORE),
            scored("c1", 90.0, "Green", WEEK_BEFORE),
            scored("c0", 60.0, "Amber", AS_OF),
            scored("c1", 90.0, "Green", AS_OF),
        ],
        "health_score_drivers": [
            *drivers(["c0"], WEEK_BEFORE, **lost | {"points": 80.0, "signal_score": 80.0, "value": 80.0}),
            *drivers(["c0"], AS_OF, **lost),
        ],
        "renewal_pipeline": [
            *due(["Ada", "Berta"], WEEK_BEFORE, renewal_risk="High"),
            due(["Ada"])[0],
            due(["Ada", "Berta"], renewal_risk="Low", exposed_arr=0)[1],
        ],
        "cs_intervention_list": [listed(["Ada", "Berta"], WEEK_BEFORE)[1], *listed(["Ada"])],
        "lifecycle_events": [event],
    }


@pytest.mark.slow
def test_two_days_are_compared_figure_by_figure_and_account_by_account(tmp_path: Path) -> None:
    with warehouse_of(tmp_path, two_days()) as warehouse:
        told = difference(warehouse, FLEET, WEEK_BEFORE, AS_OF)
    assert told.title == "fleet: from 24 Jan 2025 to 31 Jan 2025"
    assert section(told, "Figures") == {
        "ARR": ("€3,600", "€4,800", "+€1,200"),
        "Paying customers": ("3", "3", "±0"),
        "Exposed ARR, next 90 days": ("€2,400", "€1,200", "−€1,200"),
        "Accounts to call": ("1", "1", "±0"),
        "Expected loss on the list": ("€540", "€540", "±€0"),
        "Tier Green": ("2", "1", "−1"),
        "Tier Amber": ("0", "1", "+1"),
    }
    assert section(told, "Customers that came") == {"came": ("Dora", "€1,200"), "went": ("Cora", "€1,200")}
    assert section(told, "Customers whose ARR") == {"Berta": ("€1,200", "€2,400", "+€1,200")}
    assert section(told, "Scores that fell") == {"Ada": ("80.0 → 60.0", "−20.0", "GPS adoption −20.0")}
    assert section(told, "Tiers") == {"Ada": ("Green → Amber", "€1,200")}
    assert section(told, "Renewal risks") == {"Berta": ("High → Low", "€1,200")}
    assert section(told, "The intervention list") == {
        "new": ("Ada", "€540 expected loss"),
        "off": ("Berta", "at lower risk now"),
    }
    assert section(told, "Lifecycle events") == {str(AS_OF): ("Ada", "Green → Amber")}
    assert "Scores that rose most" not in {s.title for s in told.sections}


def test_days_that_cannot_be_compared_are_told(tmp_path: Path) -> None:
    with warehouse_of(tmp_path, two_days()) as warehouse:
        with pytest.raises(NoAnswer, match="is not before"):
            difference(warehouse, FLEET, AS_OF, WEEK_BEFORE)
        with pytest.raises(NoAnswer, match="There is no snapshot of 2025-01-30"):
            difference(warehouse, FLEET, AS_OF - timedelta(days=1), AS_OF)


def test_many_accounts_are_counted_after_the_first_ten(tmp_path: Path) -> None:
    names = [f"Company {n}" for n in range(13)]
    tables = {"account_snapshot": [*accounts_of(["One"], WEEK_BEFORE), *accounts_of(names)]}
    with warehouse_of(tmp_path, tables) as warehouse:
        told = difference(warehouse, FLEET, WEEK_BEFORE, AS_OF)
    (came,) = [s for s in told.sections if s.title.startswith("Customers that came")]
    assert (len(came.rows), came.lines) == (10, ("The first 10 of 12.",))
