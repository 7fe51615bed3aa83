"""Whole refreshes of a small company whose sources have faults: bad rows, too many of them, no rate, an unset variable."""

from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest

from cx_intel_tests.helpers.small_company import AS_OF, SmallCompany

pytestmark = pytest.mark.slow  # whole refreshes


@pytest.fixture(scope="module")
def faults(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """One company whose files get worse; without health and renewals, which would only take time."""
    company = SmallCompany(tmp_path_factory.mktemp("faults"))
    company.only("accounts", "subscriptions", "usage_events")
    company.source("subscriptions", max_quarantined_pct=10)
    contracts, events = company.tables["subscriptions"], company.tables["usage_events"]
    contracts[0]["amount"] = "a hundred"
    contracts.append(contracts[0] | {"subscription_id": "S50", "account_id": "A77", "amount": 5})
    # two bad rows of fourteen are above 10 %, so that the second one comes with many good ones
    contracts += [contracts[1] | {"subscription_id": f"S6{n}", "amount": 0} for n in range(9)]
    found: dict[str, Any] = {"company": company, "first": company.refresh(), "tables": company.frames()}

    late = events[0] | {"event_id": "late", "event_timestamp": "2025-01-20T03:00:00"}
    company.tables["usage_events"] = [
        e | {"user_id": "U99"} if e["event_id"] == "E-0110-01-login" else e
        for e in events
        if not e["event_id"].startswith("E-0105")
    ] + [late]
    contracts[1]["amount"] = contracts[3]["amount"] = "?"
    found |= {"second": company.refresh(), "after": company.frames(), "rebuilt": built(company)}
    return found


class TestFaultsOfSources:
    def test_bad_rows_go_to_quarantine_with_their_reason_and_the_run_goes_on(self, faults: dict[str, Any]) -> None:
        assert faults["first"].succeeded
        found = faults["tables"]["quarantine"][["source_table", "row_number", "reason"]].values.tolist()
        assert found == [
            ["subscriptions", 1, "amount: 'a hundred' is not a number (write 1234.50)"],
            ["subscriptions", 14, "account_id 'A77' is not among the accounts"],
        ]
        assert "S01" not in set(faults["tables"]["stg_subscriptions"]["subscription_id"])

    def test_too_many_bad_rows_stop_the_run_before_the_table_is_replaced(self, faults: dict[str, Any]) -> None:
        assert not faults["second"].succeeded
        for table in ("stg_subscriptions", "fct_revenue", "account_snapshot", "nrr_summary"):
            assert faults["after"][table].equals(faults["tables"][table]), table

    def test_the_failure_names_the_rule_the_share_the_reasons_and_what_to_do(self, faults: dict[str, Any]) -> None:
        check, stopped = (text for text in faults["second"].failures if text.startswith("stg_subscriptions"))
        assert check.startswith("stg_subscriptions: quarantined_share: 4 of 23 rows: At most 10 % ")
        assert "was not replaced, it stays as it was" in stopped
        assert "amount: '?' is not a number (write 1234.50) (3 rows)" in stopped
        assert "account_id 'A77' is not among the accounts (1 rows)" in stopped
        assert "raise max_quarantined_pct of the source, now 10" in stopped

    def test_quarantine_still_shows_every_bad_row(self, faults: dict[str, Any]) -> None:
        assert set(faults["after"]["quarantine"]["row_number"]) == {1, 2, 4, 14}

    def test_late_removed_and_changed_events_restage_their_days_alone(self, faults: dict[str, Any]) -> None:
        before, after = faults["tables"]["fct_usage"], faults["after"]["fct_usage"]
        columns = ["account_id", "event_date", "total_events", "first_event_at"]
        changed = pd.concat([before, after])[columns].drop_duplicates(keep=False)["event_date"]
        assert {f"{day:%m-%d}" for day in changed} == {"01-05", "01-20"}
        names = faults["after"]["stg_usage_events"].set_index("event_id")["user_id"]
        assert names["E-0110-01-login"] == "U99"
        assert faults["rebuilt"] == {"2025-01-05", "2025-01-10", "2025-01-20", AS_OF.isoformat()}


def built(company: SmallCompany) -> set[str]:
    """The days of the staged events that the newest run built."""
    with company.instance() as instance:
        records = instance.fetch_materializations(dg.AssetKey(["small", "stg_usage_events"]), limit=1000).records
    newest = max(record.storage_id for record in records)
    run = next(record.run_id for record in records if record.storage_id == newest)
    partitions = [record.partition_key for record in records if record.run_id == run]
    return {str(day) for day in partitions}


def test_a_currency_without_a_rate_stops_before_anything_is_written(tmp_path: Path) -> None:
    company = SmallCompany(tmp_path)
    company.only("accounts", "subscriptions")
    company.settings = company.settings | {"currency": {"reporting": "EUR"}}
    outcome = company.refresh()
    assert not outcome.succeeded
    stopped = next(text for text in outcome.failures if text.startswith("raw_subscriptions"))
    assert "subscriptions has amounts in CHF, without a rate; nothing was written" in stopped
    assert not {"raw_subscriptions", "stg_subscriptions", "fct_revenue"} & set(company.frames())


def test_an_unset_variable_stops_its_own_portfolio_and_no_other(tmp_path: Path) -> None:
    company, other = SmallCompany(tmp_path), SmallCompany(tmp_path, name="other")
    for each in (company, other):
        each.only("accounts", "subscriptions")
    other.source("accounts", path="${NOT_SET_ANYWHERE}/accounts.csv")
    other.write()
    assert company.refresh().succeeded
    outcome = other.refresh()
    assert not outcome.succeeded
    assert any("NOT_SET_ANYWHERE" in text for text in outcome.failures)
