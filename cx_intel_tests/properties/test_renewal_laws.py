"""Laws of renewals: dates against plain arithmetic of calendars, amounts that always tie, order that never matters."""

import calendar
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cx_intel.contracts.renewals.layer import cs_intervention_list as list_contract
from cx_intel.contracts.renewals.layer import renewal_pipeline as pipeline_contract
from cx_intel.models.expressions.anniversaries import months_until, with_anniversary
from cx_intel.models.renewals.actions import cs_intervention_list
from cx_intel.models.renewals.outlook import KEPT, Prospect, nrr_outlook, simulate
from cx_intel_tests.helpers.builders import AS_OF, accounts, shipped, values
from cx_intel_tests.helpers.renewal_tables import broken, days_from, drivers, kept, pipeline_of

pytestmark = pytest.mark.slow  # many examples

FLEET = shipped("fleet")
KEPT_DAYS = FLEET.renewals.keep_overdue_days if FLEET.renewals else 0
FEW = settings(max_examples=5, deadline=None)
DAYS = st.dates(date(2019, 1, 1), date(2029, 12, 31))


def later(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


@FEW
@given(
    days=st.lists(DAYS, min_size=40, max_size=40, unique=True),
    as_of=DAYS,
    step=st.sampled_from([1, 3, 7, 12, 24]),
    at_least=st.sampled_from([0, 1]),
)
def test_anniversaries_are_the_first_on_or_after_the_day(
    days: list[date], as_of: date, step: int, at_least: int
) -> None:
    table = ibis.memtable({"day": [*days, as_of, date(2020, 2, 29)]}, schema={"day": "date"})
    least = ibis.literal(at_least * step)
    reached = with_anniversary(
        table, "anniversary", table.day, to=ibis.literal(as_of), step=ibis.literal(step), at_least=least
    )
    found = reached.mutate(until=months_until(as_of, reached.day))
    for row in found.to_pyarrow().to_pylist():
        count = at_least * step
        while later(row["day"], count) < as_of:
            count += step
        assert row["anniversary"] == later(row["day"], count), (row, as_of)
        if row["day"] >= as_of:
            assert later(as_of, row["until"]) >= row["day"]
            assert row["until"] == 0 or later(as_of, row["until"] - 1) < row["day"]


ACCOUNTS = st.lists(
    st.fixed_dictionaries(
        {
            "health_tier": st.sampled_from(["Green", "Amber", "Red", "unknown"]),
            "segment": st.sampled_from(["SMB", "Mid-Market", "Enterprise", "(none)"]),
            "owner": st.sampled_from(["A", "B", "(none)"]),
            "current_mrr": st.decimals(0, 100_000, places=2),
            "renewal_date": st.integers(-5, 300).map(days_from),
            "is_churned": st.booleans(),
            "is_cancelled": st.booleans(),
            "lapsed_mrr": st.sampled_from([0, 0, 25]),
        }
    ),
    max_size=25,
)


def named(book: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"account_id": f"a{n:02}", **row} for n, row in enumerate(book)]


@FEW
@given(book=ACCOUNTS)
def test_the_pipeline_and_the_list_keep_their_contracts(book: list[dict[str, Any]]) -> None:
    pipeline = kept(pipeline_of(FLEET, named(book)))
    listed = kept(cs_intervention_list(pipeline, drivers(FLEET, []), portfolio=FLEET, as_of=AS_OF))
    assert broken(pipeline, pipeline_contract(FLEET)) == []
    assert broken(listed, list_contract(FLEET), renewal_pipeline=pipeline) == []


@FEW
@given(book=ACCOUNTS, order=st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(book: list[dict[str, Any]], order: Any) -> None:
    shuffled = named(book)
    order.shuffle(shuffled)
    one, other = (kept(pipeline_of(FLEET, rows)) for rows in (named(book), shuffled))
    columns = one.columns
    assert values(one, *columns) == values(other, *columns)
    lists = (cs_intervention_list(t, drivers(FLEET, []), portfolio=FLEET, as_of=AS_OF) for t in (one, other))
    first, second = (values(t, "priority_rank", "is_within_capacity") for t in lists)
    assert first == second


@FEW
@given(book=ACCOUNTS, days=st.integers(1, 60))
def test_a_renewal_comes_nearer_day_by_day(book: list[dict[str, Any]], days: int) -> None:
    now, then = (
        values(pipeline_of(FLEET, named(book), AS_OF + timedelta(days=n)), "days_to_renewal") for n in (0, days)
    )
    assert {k: now[k] - days for k in now if now[k] - days >= -KEPT_DAYS} == {k: v for k, v in then.items() if k in now}


@settings(max_examples=50, deadline=None)
@given(
    renewals=st.lists(
        st.tuples(st.integers(1, 10**7), st.sampled_from([0.0, 0.3, 0.55, 0.92, 1.0]), st.integers(0, 2)),
        min_size=1,
        max_size=40,
    ),
    seed=st.integers(0, 2**32),
)
def test_draws_stay_within_what_is_at_stake_and_scale_with_it(
    renewals: list[tuple[int, float, int]], seed: int
) -> None:
    amounts, probabilities, codes = (np.array(x) for x in zip(*renewals, strict=True))
    kept_mrr = simulate(amounts, probabilities, codes, segments=3, draws=100, seed=seed)
    at_stake = np.bincount(codes, weights=amounts, minlength=3)
    certain = np.bincount(codes, weights=amounts * (probabilities == 1), minlength=3)
    assert (kept_mrr <= at_stake[:, np.newaxis]).all()
    assert (kept_mrr >= certain[:, np.newaxis]).all()
    doubled = simulate(amounts * 2, probabilities, codes, segments=3, draws=100, seed=seed)
    assert (doubled == kept_mrr * 2).all()
    alone = simulate(amounts, probabilities, np.zeros_like(codes), segments=1, draws=100, seed=seed)
    assert (alone[0] == kept_mrr.sum(axis=0)).all()


def outlook_of(book: list[dict[str, Any]]) -> dict[str, float]:
    """Scenario: NRR of the whole book in 90 days, with nobody on the list."""
    pipeline = pipeline_of(FLEET, book).to_pandas()
    snapshot = accounts(FLEET, [{k: v for k, v in row.items() if k != "health_tier"} for row in book]).to_pandas()
    nobody = pd.DataFrame({"account_id": [], "is_within_capacity": []})
    found = nrr_outlook(pipeline, nobody, snapshot, portfolio=FLEET, as_of=AS_OF)
    return {row["scenario"]: row["book_nrr_pct"] for row in found[found["segment"] == "all"].to_dict("records")}


@FEW
@given(book=ACCOUNTS.filter(len), who=st.integers(0, 24), ends=st.integers(1, 90))
def test_an_announced_end_within_the_window_never_raises_the_outlook(
    book: list[dict[str, Any]], who: int, ends: int
) -> None:
    before = [row | {"is_cancelled": False, "is_churned": False, "current_mrr": row["current_mrr"] + 1} for row in book]
    after = [dict(row) for row in before]
    after[who % len(book)] |= {"is_cancelled": True, "renewal_date": days_from(ends)}
    now, then = outlook_of(named(before)), outlook_of(named(after))
    assert set(now) == set(then)
    assert {scenario: then[scenario] <= now[scenario] + 1e-9 for scenario in now} == dict.fromkeys(now, True)


SHARES = st.integers(0, 1000).map(lambda n: n / 1000)


@given(prospect=st.builds(Prospect, SHARES, SHARES, st.booleans(), st.booleans(), st.booleans()))
def test_playbooks_never_lose_and_nothing_beats_renewing(prospect: Prospect) -> None:
    kept_share = {scenario: KEPT[scenario](prospect) for scenario in KEPT}
    assert 0 <= kept_share["expected_no_action"] <= kept_share["expected_with_playbooks"] <= kept_share["all_renew"]
    assert 0 <= kept_share["worst_case"] <= kept_share["expected_no_action"]
    assert kept_share["all_renew"] == 1
