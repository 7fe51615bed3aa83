"""Laws of signals and scores: over any values, and against the reference in exact fractions."""

from datetime import date, datetime, timedelta
from fractions import Fraction
from random import Random
from typing import Any

import ibis
import ibis.expr.types as ir
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cx_intel.contracts.health.drivers import account_signals as signals_contract
from cx_intel.contracts.health.drivers import health_score_drivers as drivers_contract
from cx_intel.contracts.health.scores import customer_health_scores as scores_contract
from cx_intel.models.health.drivers import health_score_drivers
from cx_intel.models.health.scores import customer_health_scores
from cx_intel.models.health.signals import account_signals
from cx_intel.settings.portfolio import Portfolio
from cx_intel_tests.helpers.builders import AS_OF, accounts, rows, shipped, values
from cx_intel_tests.helpers.measured_signals import READ
from cx_intel_tests.reference.fleet_health import score_account

pytestmark = pytest.mark.slow

FLEET, NOVACRM = shipped("fleet"), shipped("novacrm")
PRODUCTS = ("GPS Tracking", "Digital Logbook", "Fleet Analytics")
few = settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def account_values(portfolio: Portfolio) -> st.SearchStrategy[dict[str, float | None]]:
    """A value or none for each signal, near the bounds of its curve more often than far."""
    one = st.one_of(
        st.none(),
        st.integers(0, 10).map(float),
        st.sampled_from([14.0, 30.0, 60.0, 80.0, 85.0, 0.4]),
        st.decimals(0, 120, places=2).map(float),
    )
    return st.fixed_dictionaries(dict.fromkeys(portfolio.health.signals, one))


def books(portfolio: Portfolio) -> st.SearchStrategy[list[dict[str, float | None]]]:
    return st.lists(account_values(portfolio), min_size=20, max_size=30)


def scored(
    portfolio: Portfolio,
    book: list[dict[str, float | None]],
    products: list[str] | None = None,
    seed: int = 0,
) -> tuple[ir.Table, ir.Table]:
    """Drivers and scores of accounts A0, A1 ... with these values, the input rows in an order of the seed."""
    given_signals = [
        {"as_of": AS_OF, "account_id": f"A{n}", "signal": s, "value": v, "is_stale": False}
        for n, by_signal in enumerate(book)
        for s, v in by_signal.items()
    ]
    Random(seed).shuffle(given_signals)
    owned: list[dict[str, Any]] = [{"account_id": f"A{n}"} for n in range(len(book))]
    if products:
        for row, listed in zip(owned, products, strict=True):
            row |= {"products": listed, "product_count": listed.count("|") + 1}
    snapshot = accounts(portfolio, owned)
    day: dict[str, Any] = {"portfolio": portfolio, "as_of": AS_OF}
    drivers = health_score_drivers(rows(signals_contract(portfolio), given_signals), snapshot, **day)
    drivers = ibis.memtable(drivers.to_pyarrow(), schema=drivers.schema())
    none_before = rows(scores_contract(portfolio), [])
    return drivers, customer_health_scores(drivers, snapshot, **day, previous=none_before)


def assert_close(found: dict[Any, tuple[Any, ...]], expected: dict[Any, tuple[Any, ...]]) -> None:
    assert set(found) == set(expected)
    for key, row in expected.items():
        assert found[key] == pytest.approx(row, abs=1e-9), key


def logbook_or_not(number: int) -> str:
    return "|".join(PRODUCTS[: 1 + number % 3])


@few
@given(books(FLEET))
def test_fleet_scores_are_those_of_exact_fractions(book: list[dict[str, float | None]]) -> None:
    products = [logbook_or_not(n) for n in range(len(book))]
    drivers, scores = scored(FLEET, book, products)
    expected_drivers, expected_scores = {}, {}
    for n, (by_signal, listed) in enumerate(zip(book, products, strict=True)):
        exact = {s: None if v is None else Fraction(str(v)) for s, v in by_signal.items()}
        result = score_account(exact, listed.split("|"))
        figures = (result["health_score"], *result["dimensions"].values(), result["coverage_pct"])
        expected_scores[f"A{n}"] = (
            *(None if f is None else float(f) for f in figures),
            result["health_tier"],
        )
        for d in result["drivers"]:
            numbers = (d[k] for k in ("value", "signal_score", "weight", "points", "points_lost"))
            expected_drivers[(f"A{n}", d["signal"])] = (
                *(None if x is None else float(x) for x in numbers),
                d["is_measured"],
            )
    dimensions = [f"{name}_score" for name in FLEET.health.dimensions]
    found = values(scores, "health_score", *dimensions, "coverage_pct", "health_tier")
    assert {a: f[:-1] for a, f in found.items()} == {
        a: pytest.approx(f[:-1], abs=1e-9) for a, f in expected_scores.items()
    }
    assert {a: f[-1] for a, f in found.items()} == {a: f[-1] for a, f in expected_scores.items()}
    columns = ("value", "signal_score", "weight", "points", "points_lost", "is_measured")
    assert_close(values(drivers, *columns, by=("account_id", "signal")), expected_drivers)


@few
@given(st.sampled_from([FLEET, NOVACRM]).flatmap(lambda p: st.tuples(st.just(p), books(p))))
def test_what_the_contracts_promise_holds(case: tuple[Portfolio, list[dict[str, float | None]]]) -> None:
    portfolio, book = case
    drivers, scores = scored(portfolio, book)
    tables = {"health_score_drivers": drivers}
    for table, contract in ((drivers, drivers_contract(portfolio)), (scores, scores_contract(portfolio))):
        rules = {rule.name: rule.holds(table) for rule in contract.invariants}
        for column in contract.columns:
            value = table[column.name]
            if column.minimum is not None:
                high = value <= column.maximum if column.maximum is not None else ibis.literal(True)
                rules[column.name] = value.isnull() | ((value >= column.minimum) & high)
        broken = table.agg(**{n: table.count(where=~ibis.coalesce(r, False)) for n, r in rules.items()})
        assert broken.to_pyarrow().to_pylist() == [dict.fromkeys(rules, 0)]
        for cross in contract.cross_invariants:
            assert cross.broken({"self": table, **tables}).count().execute() == 0, cross.name


@few
@given(books(NOVACRM), st.integers(1, 1000))
def test_the_order_of_rows_does_not_matter(book: list[dict[str, float | None]], seed: int) -> None:
    columns = ("health_score", "health_tier", "coverage_pct", "confirmed_tier")
    assert values(scored(NOVACRM, book, seed=seed)[1], *columns) == values(scored(NOVACRM, book)[1], *columns)


@few
@given(books(NOVACRM), st.sampled_from([0.25, 3.0, 1000.0]))
def test_ranks_do_not_depend_on_the_unit(book: list[dict[str, float | None]], factor: float) -> None:
    ranked = ("events_per_day_30d", "distinct_features_30d")
    scaled = [
        {s: v * factor if v is not None and s in ranked else v for s, v in by_signal.items()} for by_signal in book
    ]
    assert values(scored(NOVACRM, scaled)[1], "health_score") == values(scored(NOVACRM, book)[1], "health_score")


@few
@given(books(FLEET))
def test_without_ranks_a_new_account_leaves_the_others_alone(book: list[dict[str, float | None]]) -> None:
    newcomer = dict.fromkeys(FLEET.health.signals, 100.0)
    products = [logbook_or_not(n) for n in range(len(book) + 1)]
    before = values(scored(FLEET, book, products[:-1])[1], "unrounded_score")
    after = values(scored(FLEET, [*book, newcomer], products)[1], "unrounded_score")
    assert {account: after[account] for account in before} == pytest.approx(before)


def world(last: date, seed: int) -> dict[str, list[dict[str, Any]]]:
    """Sixty days of what two fleet customers did up to a day; a longer world begins like a shorter one."""
    draw = Random(seed)
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in READ}
    names = [
        "gps_ping",
        "trip_completed",
        "logbook_entry",
        "admin_login",
        "mobile_session",
        "report_generated",
    ]
    for n in range(60 + (last - AS_OF).days):
        day = AS_OF - timedelta(days=59 - n)
        at = datetime(day.year, day.month, day.day, draw.randrange(23))
        account = draw.choice("AB")
        for k in range(draw.randrange(4)):
            event = {
                "event_id": f"{n}-{k}", "account_id": account, "user_id": f"u{draw.randrange(3)}",
                "event_name": draw.choice(names), "event_timestamp": at, "event_date": day,
            }  # fmt: skip
            found["stg_usage_events"].append(event)
        resolved = at + timedelta(days=draw.randrange(40))
        is_known = resolved.date() <= last
        found["stg_support_tickets"].append(
            {
                "ticket_id": str(n), "account_id": account, "created_at": at, "created_date": day,
                "resolved_at": resolved if is_known else None, "status": "resolved" if is_known else "open",
                "resolution_hours": (resolved - at).total_seconds() / 3600 if is_known else None,
                "satisfaction_score": float(draw.randrange(1, 6)),
            }
        )  # fmt: skip
        response = {"response_id": str(n), "account_id": account, "responded_at": at}
        found["stg_nps_responses"].append(response | {"score": float(draw.randrange(11))})
        activity = {"activity_id": str(n), "account_id": account, "activity_type": "qbr", "status": "done"}
        found["stg_csm_activities"].append(activity | {"completed_at": at if draw.random() < 0.05 else None})
    return found


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 10_000), days=st.integers(1, 60))
def test_nothing_after_as_of_changes_a_signal(seed: int, days: int) -> None:
    def signals(last: date) -> dict[Any, Any]:
        given_rows = world(last, seed)
        tables = {name: rows(contract(FLEET), given_rows[name]) for name, contract in READ.items()}
        snapshot = accounts(FLEET, [{"account_id": a, "vehicle_count": 3} for a in "AB"])
        table = account_signals(snapshot, **tables, portfolio=FLEET, as_of=AS_OF)
        return values(table, "value", by=("account_id", "signal"))

    known_then = signals(AS_OF)
    assert any(value for value in known_then.values())
    assert signals(AS_OF + timedelta(days=days)) == pytest.approx(known_then)
