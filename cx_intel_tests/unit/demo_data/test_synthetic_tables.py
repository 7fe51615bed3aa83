"""How the tables of a synthetic world agree: invoices, MRR and events with the contracts and accounts that they are of."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from cx_intel_tests.helpers.small_worlds import EVENTS_FROM, NOTICE_DAYS, small


def test_invoices_bill_what_is_in_force_on_their_day() -> None:
    built = small("novacrm", accounts=80)
    as_of = date(2026, 11, 1)
    bills = built.table("invoices", as_of).query("status != 'void'")
    lines = built.table("subscriptions", as_of).query("status != 'trial'")
    pairs = bills.merge(lines, on="account_id")
    pairs = pairs[
        (pairs["start_date"] <= pairs["invoice_date"])
        & (pairs["end_date"].isna() | (pairs["end_date"] > pairs["invoice_date"]))
    ]
    billed = pairs.groupby("invoice_id").agg(amount=("amount_y", "sum"), items=("product_name", "count"))
    expected = bills.set_index("invoice_id")
    np.testing.assert_allclose(billed["amount"].reindex(expected.index), expected["amount"])
    assert (billed["items"].reindex(expected.index) == expected["line_items"].str.count(r"\|") + 1).all()
    months = bills["invoice_date"].dt.to_period("M")
    assert not bills.assign(month=months).duplicated(["account_id", "month"]).any()


def test_mrr_history_is_the_contracts_at_the_end_of_each_month() -> None:
    built = small("fleet", accounts=80)
    lines = built.table("subscriptions", date(2026, 11, 30))
    history = built.table("mrr_history", date(2026, 11, 30)).set_index(["account_id", "month"])["mrr"]
    for month in (pd.Timestamp(2023, 1, 1), pd.Timestamp(2024, 7, 1), pd.Timestamp(2026, 11, 1)):
        last = month + pd.offsets.MonthEnd(0)
        force = lines[(lines["start_date"] <= last) & (lines["end_date"].isna() | (lines["end_date"] > last))]
        expected = (force["amount"] / force["billing_period_months"]).groupby(force["account_id"]).sum()
        given = history.xs(month, level="month")
        assert (expected > 0).all()
        np.testing.assert_allclose(given[given > 0].sort_index(), expected.sort_index(), atol=0.005)


def test_customers_who_leave_have_two_months_of_zero_and_then_no_row() -> None:
    history = small("fleet", accounts=90).table("mrr_history", date(2026, 10, 31))
    zeros = history[history["mrr"] == 0].groupby("account_id")["month"].agg(["min", "max", "count"])
    zeros = zeros[zeros["max"] < pd.Timestamp(2026, 9, 1)]
    once = zeros[zeros["count"] == 2]
    assert len(once) > 10
    assert ((once["max"] - once["min"]).dt.days <= 31).all()
    counts = history.groupby("account_id")["month"].agg(["min", "max", "count"])
    assert (counts["max"] < pd.Timestamp(2026, 10, 1)).any()
    assert history["month"].dt.day.eq(1).all()


def test_vehicles_ping_at_most_once_a_day_and_logbooks_need_the_product() -> None:
    built = small("fleet", accounts=90)
    day = date(2026, 10, 7)
    events = built.day("usage_events", day)
    pings = events[events["event_name"] == "gps_ping"]
    assert len(pings) > 300
    assert pings["user_id"].is_unique
    products = built.table("accounts", day).set_index("account_id")["products"]
    entries = events.loc[events["event_name"] == "logbook_entry", "account_id"]
    assert len(entries) > 0
    assert products[entries.unique()].str.contains("Digital Logbook").all()
    assert not products.str.contains("Digital Logbook").all()


@pytest.mark.slow
def test_each_onboarding_step_happens_once_after_signup_and_the_start_of_events() -> None:
    built = small("fleet", accounts=60)
    frames = [built.day("usage_events", EVENTS_FROM + timedelta(days=n)) for n in range(240)]
    events = pd.concat([frame[frame["event_name"].str.startswith("onboarding_")] for frame in frames])
    assert events["event_name"].nunique() == 8
    assert not events.duplicated(["account_id", "event_name"]).any()
    signup = built.table("accounts", date(2026, 11, 1)).set_index("account_id")["signup_date"]
    assert (events["event_timestamp"] >= events["account_id"].map(signup)).all()
    done = events.groupby("account_id").size()
    assert done.max() == 8
    assert done.min() < 6


def test_a_cancelled_contract_shows_its_end_a_month_ahead_and_not_earlier() -> None:
    built = small("fleet", accounts=90)
    final = built.table("subscriptions", date(2026, 11, 1)).set_index("subscription_id")
    left = final[final["end_date"].notna() & (final["end_date"] == final["renewal_date"])]
    left = left[(left["status"] == "cancelled") & (left["end_date"] - left["start_date"] > pd.Timedelta(days=60))]
    seen_ahead = 0
    for subscription, end in left["end_date"].head(20).items():
        ahead, before = ((end - pd.Timedelta(days=n)).date() for n in (NOTICE_DAYS, NOTICE_DAYS + 1))
        assert pd.isna(built.table("subscriptions", before).set_index("subscription_id")["end_date"].get(subscription))
        row = built.table("subscriptions", ahead).set_index("subscription_id").loc[subscription]
        seen_ahead += row["end_date"] == end and row["status"] == "active"
    assert seen_ahead > 0
