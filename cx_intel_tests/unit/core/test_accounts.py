"""What the CRM said and when, accounts as they were known on a day, and the account dimension."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

import ibis.expr.types as ir
import pytest

from cx_intel.contracts import core
from cx_intel.contracts.revenue.ledger import fct_revenue
from cx_intel.contracts.staging.tables import STAGING
from cx_intel.models.core.accounts import account_history, account_snapshot, attributes_on, dim_account
from cx_intel.settings.portfolio import Portfolio
from cx_intel_tests.helpers.builders import accounts, no_history, portfolio, rows, values
from cx_intel_tests.helpers.made_once import kept_once, made
from cx_intel_tests.helpers.subscription_loads import Loads, periods_of

BOOK = portfolio(
    ["support_tickets"],
    revenue={
        "basis": "subscriptions",
        "products": [
            {"name": "suite", "display_name": "Suite", "feature_category": "core"},
            {"name": "extra", "type": "add_on", "display_name": "Extra", "feature_category": "more"},
        ],
    },
)
FIRST, SECOND, THIRD, FOURTH = (date(2025, 1, day) for day in (10, 11, 12, 13))
AS_OF = date(2025, 1, 31)


def loaded(*given: dict[str, Any]) -> ir.Table:
    return rows(STAGING["accounts"](BOOK), given)


class History:
    """Loads of the CRM, one after the other."""

    def __init__(self) -> None:
        self.table = rows(core.account_history(BOOK), [])

    def load(self, day: date, *given: dict[str, Any]) -> "History":
        known = made(account_history, loaded(*given), portfolio=BOOK, as_of=day, previous=self.table)
        self.table = rows(core.account_history(BOOK), known.to_pylist())
        return self

    def of(self, account: str) -> list[tuple[Any, ...]]:
        found = self.table.filter(self.table.account_id == account).to_pyarrow().to_pylist()
        return sorted((r["valid_from"], r["valid_to"], r["plan_tier"]) for r in found)


def crm(account: str, plan: str | None = "starter", **more: Any) -> dict[str, Any]:
    return {"account_id": account, "plan_tier": plan} | more


class TestHistory:
    def test_the_first_load_holds_until_further_notice(self) -> None:
        assert History().load(FIRST, crm("A")).of("A") == [(FIRST, None, "starter")]

    def test_a_load_of_the_same_changes_nothing(self) -> None:
        assert History().load(FIRST, crm("A", None)).load(SECOND, crm("A", None)).of("A") == [(FIRST, None, None)]

    def test_a_change_closes_the_row_and_opens_another(self) -> None:
        found = History().load(FIRST, crm("A"), crm("B")).load(THIRD, crm("A", "growth"), crm("B"))
        assert found.of("A") == [(FIRST, THIRD, "starter"), (THIRD, None, "growth")]
        assert found.of("B") == [(FIRST, None, "starter")]

    def test_an_account_that_vanishes_is_closed_and_may_return(self) -> None:
        found = History().load(FIRST, crm("A")).load(SECOND).load(FOURTH, crm("A"))
        assert found.of("A") == [(FIRST, SECOND, "starter"), (FOURTH, None, "starter")]

    def test_a_day_may_be_run_again_with_other_contents(self) -> None:
        history = History().load(FIRST, crm("A")).load(SECOND, crm("A", "growth"))
        again = [history.load(SECOND, crm("A", "growth")).of("A") for _ in range(2)]
        assert again == [[(FIRST, SECOND, "starter"), (SECOND, None, "growth")]] * 2
        assert history.load(SECOND, crm("A")).of("A") == [(FIRST, None, "starter")]
        assert history.load(SECOND, crm("A", "enterprise")).of("A")[1] == (SECOND, None, "enterprise")

    def test_no_row_is_valid_for_less_than_a_day(self) -> None:
        history = History().load(FIRST, crm("A")).load(FIRST, crm("A", "growth")).load(FIRST)
        assert history.of("A") == []


class TestAttributesOnADay:
    @pytest.mark.parametrize(
        ("day", "plan"),
        [(date(2024, 6, 1), "starter"), (FIRST, "starter"), (SECOND, "starter"), (THIRD, "growth"), (AS_OF, "growth")],
    )
    def test_the_row_that_held_then_and_before_the_first_load_the_oldest(self, day: date, plan: str) -> None:
        history = History().load(FIRST, crm("A")).load(THIRD, crm("A", "growth")).table
        assert values(attributes_on(history, day), "plan_tier") == {"A": plan}

    def test_an_account_that_has_left_the_source_is_not_there(self) -> None:
        history = History().load(FIRST, crm("A"), crm("B")).load(THIRD, crm("B")).table
        assert set(values(attributes_on(history, SECOND), "plan_tier")) == {"A", "B"}
        assert set(values(attributes_on(history, AS_OF), "plan_tier")) == {"B"}

    def test_who_signs_up_later_is_not_there_yet(self) -> None:
        history = History().load(FIRST, crm("A", signup_date=SECOND), crm("B", signup_date=None)).table
        assert set(values(attributes_on(history, FIRST), "plan_tier")) == {"B"}
        assert set(values(attributes_on(history, SECOND), "plan_tier")) == {"A", "B"}


def subscription(account: str, amount: float, start: date, end: date | None = None, **more: Any) -> dict[str, Any]:
    row = {"subscription_id": f"{account}-{start}-{amount}", "account_id": account, "product_name": "suite"}
    return row | {"mrr_amount": amount, "start_date": start, "end_date": end, "status": "active"} | more


def snapshot(
    subscriptions: list[dict[str, Any]] | None = None,
    ledger: list[dict[str, Any]] | None = None,
    of: Portfolio = BOOK,
    as_of: date = AS_OF,
    also: Iterable[dict[str, Any]] = (),
    periods: ir.Table | None = None,
    **attributes: Any,
) -> ir.Table:
    """The snapshot of account A, who signed up on 15 March 2024 unless it is said otherwise; `also` of others like it."""
    account = {
        "account_id": "A",
        "signup_date": date(2024, 3, 15),
        "status": "active",
        "valid_from": FIRST,
    } | attributes
    return kept_once(
        account_snapshot,
        rows(core.account_history(of), [account, *(account | other for other in also)]),
        periods_of(of, subscriptions or [], as_of) if periods is None else periods,
        rows(STAGING["invoices"](of), []),
        rows(STAGING["mrr_history"](of), [{"account_id": "Z", "month": date(2025, 1, 1)}]),
        rows(fct_revenue(of), ledger or []),
        portfolio=of,
        as_of=as_of,
    )


def figure(table: ir.Table, *columns: str) -> Any:
    return values(table, *columns)["A"]


LONG_AGO = date(2024, 3, 15)


class TestSnapshot:
    @pytest.mark.slow
    def test_what_is_paid_is_what_is_in_force_on_the_day(self) -> None:
        given = [
            subscription("A", 100, LONG_AGO),
            subscription("A", 7, LONG_AGO, AS_OF),  # ends today
            subscription("A", 20, LONG_AGO, date(2025, 2, 1)),  # ends tomorrow
            subscription("A", 3, AS_OF, product_name="more"),  # begins today
            subscription("A", 900, date(2025, 2, 1)),
            subscription("A", 800, LONG_AGO, status="trial"),
            subscription("A", 700, date(2025, 1, 5), date(2025, 1, 5)),
        ]
        assert figure(snapshot(given), "current_mrr", "current_arr") == (123, 1476)

    @pytest.mark.parametrize(
        ("loads", "day", "expected"),
        [
            pytest.param([FIRST], FIRST, FIRST, id="delivered on the day"),
            pytest.param([FIRST], SECOND, FIRST, id="that of the day was not taken over", marks=pytest.mark.slow),
            pytest.param([FIRST, SECOND], FIRST, FIRST, id="of an earlier day", marks=pytest.mark.slow),
            pytest.param([FIRST, None], SECOND, SECOND, id="the day shows that all are gone"),
            pytest.param([FIRST, None], THIRD, THIRD, id="nothing is left to show", marks=pytest.mark.slow),
        ],
    )
    def test_of_which_delivery_the_contracts_are(self, loads: list[date | None], day: date, expected: date) -> None:
        made = Loads(BOOK)
        for load, on in zip(loads, (FIRST, SECOND), strict=False):
            made.load(on, *([subscription("A", 100, LONG_AGO)] if load else []))
        assert figure(snapshot(periods=made.periods, as_of=day), "contracts_as_of") == expected

    def test_counts_tell_in_force_from_ever_and_add_ons_from_the_platform(self) -> None:
        given = [
            subscription("A", 100, LONG_AGO, plan_tier="starter"),
            subscription("A", 10, date(2024, 5, 1), product_name="extra", plan_tier="gold"),
            subscription("A", 10, date(2024, 5, 1), date(2024, 9, 1), product_name="extra", subscription_id="left"),
            subscription("A", 10, date(2025, 5, 1), product_name="extra"),
        ]
        columns = ("active_subscription_count", "total_subscription_count", "active_addon_count")
        assert figure(snapshot(given), *columns) == (2, 3, 1)
        dates = ("first_subscription_date", "latest_subscription_date")
        assert figure(snapshot(given), *dates) == (LONG_AGO, date(2024, 5, 1))

    def test_the_subscribed_tier_is_that_of_the_newest_platform_in_force(self) -> None:
        given = [
            subscription("A", 100, LONG_AGO, plan_tier="starter"),
            subscription("A", 200, date(2024, 9, 1), plan_tier="growth"),
            subscription("A", 300, date(2024, 10, 1), date(2024, 11, 1), plan_tier="enterprise"),
            subscription("A", 10, date(2024, 12, 1), product_name="extra", plan_tier="gold"),
        ]
        assert figure(snapshot(given), "subscribed_plan_tier") == "growth"

    def test_without_subscriptions_everything_is_nothing(self) -> None:
        columns = ("current_mrr", "active_subscription_count", "subscribed_plan_tier", "renewal_date", "is_overdue")
        assert figure(snapshot(), *columns) == (0, 0, None, None, False)

    @pytest.mark.slow
    def test_who_has_nothing_in_force_and_had_before_has_churned(self) -> None:
        def is_churned(*given: dict[str, Any], as_of: date = date(2025, 7, 10)) -> Any:
            return figure(snapshot(list(given), as_of=as_of), "is_churned")

        left = subscription("A", 100, LONG_AGO, date(2025, 6, 28))
        assert is_churned(left)
        assert not is_churned(left, as_of=date(2025, 6, 27))
        # one that returned pays, though the ledger's last month has nothing of it
        assert not is_churned(left, subscription("A", 100, date(2025, 7, 2)))
        # nobody who never paid can leave
        assert not is_churned()
        assert not is_churned(subscription("A", 100, LONG_AGO, status="trial"))
        assert not is_churned(subscription("A", 100, date(2025, 8, 1)))

    @pytest.mark.slow
    def test_on_other_bases_the_ledger_says_who_has_churned(self) -> None:
        def ledger(*months: tuple[int, float]) -> list[dict[str, Any]]:
            return [{"account_id": "A", "revenue_month": date(2024, m, 1), "mrr": mrr} for m, mrr in months]

        def of_horizon(*months: tuple[int, float], later: float | None = None) -> Any:
            known = [] if later is None else [{"account_id": "A", "revenue_month": date(2025, 2, 1), "mrr": later}]
            return [*ledger(*months), {"account_id": "A", "revenue_month": date(2025, 1, 1), "mrr": 50}, *known]

        of = portfolio(["support_tickets", "mrr_history"], revenue={"basis": "mrr_history"})
        contract = [subscription("A", 100, LONG_AGO)]
        assert not figure(snapshot(contract, of_horizon((12, 50)), of=of), "is_churned")
        assert figure(snapshot(contract, ledger((11, 50), (12, 0)), of=of), "is_churned")
        # nobody who never paid can leave, and what the ledger says of later months is not known yet
        assert not figure(snapshot(contract, of=of), "is_churned")
        assert not figure(snapshot(contract, of_horizon((12, 50), later=0), of=of), "is_churned")
        assert figure(snapshot(contract, ledger((11, 50), (12, 0)), of=of), "current_mrr") == 100

    def test_without_segment_country_or_owner_an_account_is_of_none(self) -> None:
        assert figure(snapshot(), "segment", "country", "owner") == ("(none)", "(none)", "(none)")
        assert figure(snapshot(segment="SMB"), "segment", "country", "owner") == ("SMB", "(none)", "(none)")

    @pytest.mark.slow
    def test_without_subscriptions_as_a_source_the_ledger_says_what_is_paid(self) -> None:
        of = portfolio(
            sources=[{"kind": "files", "table": t, "path": "x.csv"} for t in ("accounts", "mrr_history")],
            revenue={"basis": "mrr_history"},
        )
        ledger = [{"account_id": "A", "revenue_month": date(2025, m, 1), "mrr": 10 * m} for m in (1, 2)]
        found = snapshot([subscription("A", 999, LONG_AGO)], ledger, of=of)
        assert figure(found, "current_mrr", "horizon_month") == (10, date(2025, 1, 1))

    def test_tenure_in_days_and_complete_months(self) -> None:
        cases = [
            (AS_OF, 0, 0),
            (date(2025, 1, 1), 30, 0),
            (date(2024, 12, 31), 31, 1),
            (date(2024, 3, 15), 322, 10),
            (date(2024, 1, 31), 366, 12),
            (None, None, None),
        ]
        others = [{"account_id": str(signup), "signup_date": signup} for signup, _, _ in cases]
        found = values(snapshot(also=others), "tenure_days", "tenure_months")
        assert {str(signup): found[str(signup)] for signup, _, _ in cases} == {str(s): (d, m) for s, d, m in cases}

    def test_every_stage_of_life_is_reached(self) -> None:
        cases = [
            (date(2020, 1, 1), "trial", "trial"),
            (date(2020, 1, 1), "churned", "churned"),
            (date(2024, 11, 2), "active", "onboarding"),
            (date(2024, 11, 1), "active", "growing"),
            (date(2024, 2, 1), "active", "growing"),
            (date(2024, 1, 31), "active", "mature"),
            (None, "active", "mature"),
        ]
        others = [{"account_id": f"{day} {status}", "signup_date": day, "status": status} for day, status, _ in cases]
        found = values(snapshot(also=others), "lifecycle_stage")
        assert [found[other["account_id"]] for other in others] == [stage for _, _, stage in cases]

    @pytest.mark.slow
    def test_stages_may_be_the_portfolios_own(self) -> None:
        stages = {"rules": [{"if": {"current_mrr": {"at_least": 100}}, "value": "big"}], "else": "small"}
        of = portfolio(lifecycle={"stages": stages})
        assert figure(snapshot([subscription("A", 100, LONG_AGO)], of=of), "lifecycle_stage") == "big"
        assert figure(snapshot([subscription("A", 99, LONG_AGO)], of=of), "lifecycle_stage") == "small"


def test_dim_account_adds_how_support_served() -> None:
    def ticket(number: int, status: str, hours: float | None, **more: Any) -> dict[str, Any]:
        created = "2025-01-30 10:00:00"
        row = {"ticket_id": f"T{number}", "account_id": "A", "created_at": created, "created_date": date(2025, 1, 30)}
        resolved = f"2025-01-30 {10 + int(hours)}:00:00" if hours else None
        return row | {"status": status, "resolved_at": resolved, "resolution_hours": hours, "priority": "p1"} | more

    given = [
        ticket(1, "resolved", 2.0, satisfaction_score=4.0),
        ticket(2, "resolved", 5.0, satisfaction_score=1.0),
        ticket(3, "resolved", 8.0),
        ticket(4, "open", None),
        ticket(5, "escalated", None, priority="p4"),
    ]
    for row in given:
        row.update({k: as_time(row[k]) for k in ("created_at", "resolved_at")})
    tickets = rows(STAGING["support_tickets"](BOOK), given)
    found = dim_account(
        accounts(BOOK, [{"account_id": "A"}, {"account_id": "B"}]),
        tickets,
        *no_history(BOOK),
        portfolio=BOOK,
        as_of=AS_OF,
    )
    columns = ("lifetime_tickets", "open_tickets", "avg_csat", "avg_resolution_hours", "sla_breaches")
    # two were resolved late; the open one that is late too stands in fct_tickets and sla_adherence
    assert values(found, *columns) == {"A": (5, 2, 2.5, 5.0, 2), "B": (0, 0, None, None, 0)}


def as_time(text: str | None) -> Any:
    return datetime.fromisoformat(text) if text else None
