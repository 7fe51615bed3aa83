"""Which price and status of a subscription held when, load after load, on rows worked out by hand."""

from datetime import date
from typing import Any

import pytest

from cx_intel.settings.portfolio import Portfolio
from cx_intel_tests.helpers.builders import portfolio
from cx_intel_tests.helpers.subscription_loads import Loads, counting_together

JANUARY, APRIL, MAY, JUNE = date(2025, 1, 1), date(2025, 4, 30), date(2025, 5, 31), date(2025, 6, 30)
NEXT_YEAR = date(2026, 1, 1)


def s(mrr: float = 100, subscription_id: str = "s", **more: Any) -> dict[str, Any]:
    row = {"subscription_id": subscription_id, "mrr_amount": mrr, "start_date": JANUARY, "status": "active"}
    return row | more


def book(revenue: dict[str, Any] | None = None, **source: Any) -> Portfolio:
    files = [{"kind": "files", "table": t, "path": f"{t}.csv"} for t in ("accounts", "subscriptions")]
    return portfolio(revenue={"basis": "subscriptions"} | (revenue or {}), sources=[files[0], files[1] | source])


CONVERTED: dict[str, Any] = {"status": "trialing", "trial_end": APRIL}
OLD = s(end_date=date(2025, 5, 15))
CASES: dict[str, tuple[dict[date, list[dict[str, Any]]], list[Any]]] = {
    "what the first load shows holds from its own start": ({MAY: [s()]}, [(JANUARY, None, 100)]),
    "status: none given": ({MAY: [s(status=None)]}, [(JANUARY, None, 100)]),
    "status: any case, any sign between": ({MAY: [s(status="Past-Due")]}, [(JANUARY, None, 100)]),
    "status: trial": ({MAY: [s(status="trialing")]}, []),
    "status: trial with an end": ({MAY: [s(**CONVERTED)]}, [(APRIL, None, 100)]),
    "status: converted trial": ({MAY: [s(trial_end=APRIL)]}, [(APRIL, None, 100)]),
    "status: draft": ({MAY: [s(status="draft")]}, []),
    "status: ended": ({MAY: [s(status="canceled", end_date=APRIL)]}, [(JANUARY, APRIL, 100)]),
    "status: ended, never seen in force": ({MAY: [s(status="canceled")]}, []),
    "status: paused, dated": ({MAY: [s(status="paused", paused_at=APRIL)]}, [(JANUARY, APRIL, 100)]),
    "status: paused": ({MAY: [s(status="paused")]}, [(JANUARY, MAY, 100)]),
    "ends as it begins": ({MAY: [s(end_date=JANUARY)]}, []),
    "a discount ends on its own day": (
        {MAY: [s(80, list_mrr_amount=100, discount_until=JUNE)]},
        [(JANUARY, JUNE, 80), (JUNE, None, 100)],
    ),
    "an early renewal takes over on its start": (
        {MAY: [OLD, s(110, "t", start_date=date(2025, 4, 20))]},
        [(JANUARY, date(2025, 4, 20), 100)],
    ),
    **{
        f"another counts beside it: {why}": ({MAY: [OLD, s(110, "t", **new)]}, [(JANUARY, date(2025, 5, 15), 100)])
        for why, new in {
            "longer than 31 days": {"start_date": date(2025, 4, 13)},
            "another product": {"start_date": APRIL, "product_name": "other"},
            "within the older": {"start_date": APRIL, "end_date": date(2025, 5, 10)},
            "not counting": {"start_date": APRIL, "status": "draft"},
        }.items()
    },
    "a price raised under the same id holds from the load that shows it": (
        {MAY: [s()], JUNE: [s(150)]},
        [(JANUARY, JUNE, 100), (JUNE, None, 150)],
    ),
    "a dated change holds from its date": (
        {MAY: [s()], JUNE: [s(150, changed_at=date(2025, 6, 3))]},
        [(JANUARY, date(2025, 6, 3), 100), (date(2025, 6, 3), None, 150)],
    ),
    "the date of an earlier change dates no later one": (
        {MAY: [s(changed_at=date(2025, 4, 3))], JUNE: [s(150, changed_at=date(2025, 4, 3))]},
        [(JANUARY, JUNE, 100), (JUNE, None, 150)],
    ),
    "a start dated back moves the first period": (
        {MAY: [s()], JUNE: [s(150, start_date=date(2024, 11, 1))]},
        [(date(2024, 11, 1), JUNE, 100), (JUNE, None, 150)],
    ),
    "a subscription that is gone ends on that day": ({MAY: [s()], JUNE: []}, [(JANUARY, JUNE, 100)]),
    "a trial that converts was no customer before": (
        {MAY: [s(status="trialing")], JUNE: [s()]},
        [(JUNE, None, 100)],
    ),
    "one cancelled without an end stops when that is known": (
        {MAY: [s()], JUNE: [s(status="cancelled")]},
        [(JANUARY, JUNE, 100)],
    ),
    "one that comes back was away in between": (
        {APRIL: [s()], MAY: [], JUNE: [s()]},
        [(JANUARY, MAY, 100), (JUNE, None, 100)],
    ),
    "a pause lasts from the load that shows it to one that does not": (
        {APRIL: [s()], MAY: [s(status="paused")], JUNE: [s()]},
        [(JANUARY, MAY, 100), (JUNE, None, 100)],
    ),
}


@pytest.fixture(scope="module")
def counting() -> dict[str, list[Any]]:
    """What counts of each of CASES."""
    return counting_together({case: deliveries for case, (deliveries, _) in CASES.items()})


@pytest.mark.parametrize("case", CASES)
def test_what_counts(case: str, counting: dict[str, list[Any]]) -> None:
    assert counting[case] == CASES[case][1]


class TestChangesInPlace:
    def test_a_change_dated_before_the_start_holds_from_it_however_often_the_day_is_read(self) -> None:
        start = date(2025, 4, 27)
        loads = Loads().load(APRIL, s(5, start_date=start, end_date=JUNE))
        changed = s(1, start_date=start, end_date=JUNE, changed_at=date(2025, 2, 15))
        found = loads.load(MAY, changed)["s"]
        assert [(row["valid_from"], row["valid_to"], row["first_seen_on"]) for row in found] == [(start, None, APRIL)]
        assert loads.counting("s") == [(start, JUNE, 1)]
        assert loads.load(MAY, changed)["s"] == found

    @pytest.mark.slow
    def test_a_correction_holds_from_the_beginning(self) -> None:
        loads = Loads(book({"corrections": ["s"]})).load(MAY, s()).load(JUNE, s(150))
        assert loads.counting("s") == [(JANUARY, None, 150)]

    def test_a_day_run_again_replaces_what_it_wrote(self) -> None:
        loads = Loads().load(APRIL, s()).load(MAY, s(150))
        for _ in range(2):
            assert loads.load(MAY, s(150)).counting("s") == [(JANUARY, MAY, 100), (MAY, None, 150)]
        assert loads.load(MAY, s(120)).counting("s") == [(JANUARY, MAY, 100), (MAY, None, 120)]
        assert loads.load(MAY, s()).counting("s") == [(JANUARY, None, 100)]

    def test_the_order_of_rows_changes_nothing(self) -> None:
        one = Loads().load(MAY, s(), s(7, "t")).load(JUNE, s(150), s(8, "t"))
        other = Loads().load(MAY, s(7, "t"), s()).load(JUNE, s(8, "t"), s(150))
        assert [one["s"], one["t"]] == [other["s"], other["t"]]


class TestMissingRows:
    def test_a_quarantined_row_is_not_missing(self) -> None:
        assert Loads().load(MAY, s()).load(JUNE, quarantined=["s"]).counting("s") == [(JANUARY, None, 100)]

    @pytest.mark.slow
    def test_a_source_that_delivers_changes_misses_none(self) -> None:
        found = Loads(book(delivers="changes")).load(MAY, s()).load(JUNE)
        assert found.counting("s") == [(JANUARY, None, 100)]

    @pytest.mark.slow
    def test_what_never_existed_leaves_no_trace(self) -> None:
        assert Loads(book(missing_rows="never_existed")).load(MAY, s()).load(JUNE)["s"] == []

    @pytest.mark.slow
    def test_a_return_within_the_grace_is_no_end(self) -> None:
        loads = Loads(book({"grace_days": 40})).load(APRIL, s()).load(MAY)
        assert loads.counting("s") == [(JANUARY, date(2025, 7, 10), 100)]
        assert loads.load(JUNE, s()).counting("s") == [(JANUARY, JUNE, 100), (JUNE, None, 100)]


class TestStatuses:
    def test_the_words_of_a_portfolio(self) -> None:
        of = book({"subscription_statuses": {"Frozen Plan": "never"}})
        assert Loads(of).load(MAY, s(status="frozen-plan")).counting("s") == []


class TestDiscounts:
    def test_a_discount_ends_on_its_own_day_after_loads_that_show_the_same_and_after_one_run_again(self) -> None:
        row = s(80, list_mrr_amount=100, discount_until=date(2025, 7, 15))
        loads = Loads().load(MAY, row).load(JUNE, row).load(JUNE, s(70)).load(JUNE, row)
        assert loads.counting("s") == [(JANUARY, date(2025, 7, 15), 80), (date(2025, 7, 15), None, 100)]


class TestEnds:
    def known(self, loads: Loads) -> Any:
        return loads["s"][-1]["end_date"], loads["s"][-1]["end_known_from"]

    @pytest.mark.slow
    def test_an_end_is_known_from_its_announcement_or_the_load_that_shows_it(self) -> None:
        assert self.known(Loads().load(MAY, s(cancel_at=NEXT_YEAR))) == (NEXT_YEAR, None)
        loads = Loads().load(APRIL, s()).load(MAY, s(cancel_at=NEXT_YEAR))
        assert self.known(loads) == (NEXT_YEAR, MAY)
        assert self.known(loads.load(JUNE, s(cancel_at=NEXT_YEAR))) == (NEXT_YEAR, MAY)
        assert self.known(loads.load(JUNE, s())) == (None, None)
        dated = Loads().load(APRIL, s()).load(MAY, s(cancel_at=NEXT_YEAR, canceled_at=date(2025, 5, 7)))
        assert self.known(dated) == (NEXT_YEAR, date(2025, 5, 7))

    def test_the_end_of_a_term_and_a_cancellation(self) -> None:
        term = Loads(book(end_date={"means": "term"})).load(MAY, s(end_date=NEXT_YEAR))
        assert term["s"][0]["end_kind"] == "term"
        assert term.load(MAY, s(end_date=NEXT_YEAR, cancel_at=JUNE))["s"][0]["end_kind"] == "cancellation"

    def test_never_is_no_end(self) -> None:
        assert self.known(Loads().load(MAY, s(end_date=date(9999, 12, 31)))) == (None, None)


class TestOverlaps:
    def test_the_early_renewal_counts_from_its_start(self) -> None:
        loads = Loads().load(MAY, OLD, s(110, "t", start_date=date(2025, 4, 20)))
        assert loads.counting("t") == [(date(2025, 4, 20), None, 110)]

    @pytest.mark.slow
    def test_either_rule_can_be_forced(self) -> None:
        early, late = s(110, "t", start_date=date(2025, 4, 20)), s(110, "t", start_date=date(2025, 2, 1))
        summed = Loads(book({"overlaps": "sum"})).load(MAY, OLD, early)
        assert summed.counting("s") == [(JANUARY, date(2025, 5, 15), 100)]
        newest = Loads(book({"overlaps": "newest"})).load(MAY, OLD, late)
        assert newest.counting("s") == [(JANUARY, date(2025, 2, 1), 100)]


class TestGrace:
    def test_an_unannounced_end_counts_until_the_grace_runs_out_or_its_successor_begins(self) -> None:
        of, ended = book({"grace_days": 10}), s(end_date=APRIL)
        assert Loads(of).load(MAY, ended).counting("s") == [(JANUARY, date(2025, 5, 10), 100)]
        follows = Loads(of).load(MAY, ended, s(110, "t", start_date=date(2025, 5, 4)))
        assert follows.counting("s") == [(JANUARY, date(2025, 5, 4), 100)]

    def test_an_announced_end_has_none(self) -> None:
        loads = Loads(book({"grace_days": 10})).load(MAY, s(end_date=APRIL, canceled_at=date(2025, 4, 1)))
        assert loads.counting("s") == [(JANUARY, APRIL, 100)]
