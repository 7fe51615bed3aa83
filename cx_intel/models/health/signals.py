"""Signals: one number about an account at `as_of`, as the portfolio declares them, in long form.

Here leaf measures come together into signals, and missing is told from zero. What each measure counts is in
`measures.py`; how signals become scores, in `health.py`.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from functools import reduce
from operator import or_

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.contract import conform
from cx_intel.contracts.health.drivers import account_signals as account_signals_contract
from cx_intel.models.expressions.joins import beside
from cx_intel.models.expressions.literals import number
from cx_intel.models.health.freshness import with_staleness
from cx_intel.models.health.measures import Sources, figures, is_zero_when_none, source_table
from cx_intel.models.health.population import health_population, health_settings, with_attributes
from cx_intel.settings.health.measures import AttributeValue, Constant, DaysSinceEvent, Measure, MrrChange, Ratio
from cx_intel.settings.portfolio import Portfolio


def account_signals(
    account_snapshot: ir.Table,
    fct_revenue: ir.Table,
    fct_usage: ir.Table,
    stg_usage_events: ir.Table,
    stg_support_tickets: ir.Table,
    stg_nps_responses: ir.Table,
    stg_csm_activities: ir.Table,
    stg_metrics: ir.Table,
    source_freshness: ir.Table,
    *,
    portfolio: Portfolio,
    as_of: date,
) -> ir.Table:
    """Every declared signal of every account of the health population, from what was known at `as_of`.

    Grain: as_of, account_id, signal. Reads only rows dated up to `as_of`, of event tables only the windows
    asked for. `value` is null where the signal is missing: its source is absent or frozen, its denominator is
    0 or missing, or it is a mean over nothing. Over a source that is there, counts and ratios are 0 when
    nothing happened, and days since an event that never was count from signup. `is_stale` says that a source
    it reads has fallen silent (`is_frozen` of `source_freshness`).

    Raises:
        ValueError: The portfolio has no health block.
        KeyError: A signal is an attribute that accounts do not have.
    """
    sources = Sources(
        fct_revenue=fct_revenue,
        fct_usage=fct_usage,
        stg_usage_events=stg_usage_events,
        stg_support_tickets=stg_support_tickets,
        stg_nps_responses=stg_nps_responses,
        stg_csm_activities=stg_csm_activities,
        stg_metrics=stg_metrics,
        portfolio=portfolio,
        as_of=as_of,
    )
    measures = {name: signal.measure for name, signal in health_settings(portfolio).signals.items()}
    leaves = _Leaves(measures.values())
    tables = {leaf: source_table(measure, portfolio) for leaf, measure in leaves.by_column.items()}
    present = {leaf: measure for leaf, measure in leaves.by_column.items() if _is_present(tables[leaf], portfolio)}
    attributes = {m.attribute for m in leaves.by_column.values() if isinstance(m, AttributeValue)}
    accounts = health_population(account_snapshot, portfolio)
    accounts = with_attributes(accounts, {"signup_date", "horizon_month", *attributes})
    accounts = with_staleness(accounts, source_freshness, sorted({t for t in tables.values() if t in portfolio.tables}))
    accounts = _with_figures(accounts, sources, present)

    def is_stale(measure: Measure) -> ir.BooleanValue:
        flags = {f"_stale_{tables[leaf]}" for leaf in leaves.of(measure)}
        found = [accounts[flag] for flag in sorted(flags) if flag in accounts.columns]
        return reduce(or_, found) if found else ibis.literal(False)

    def value(measure: Measure) -> ir.FloatingValue:
        if isinstance(measure, Ratio):
            ratio = value(measure.numerator) / value(measure.denominator).nullif(0) * measure.times
            return (
                ratio
                if measure.at_most is None
                else ibis.cases((ratio > measure.at_most, measure.at_most), else_=ratio)
            )
        return _leaf_value(accounts, leaves.column(measure), measure, present, as_of)

    missing = ibis.null("float64")
    wide = accounts.select(
        "account_id",
        **{f"value_of_{n}": ibis.cases((is_stale(m), missing), else_=value(m)) for n, m in measures.items()},
        **{f"stale_{n}": is_stale(m) for n, m in measures.items()},
    )
    long = wide.cross_join(_names(measures))
    rows = long.select(
        "account_id",
        "signal",
        as_of=ibis.literal(as_of),
        value=ibis.cases(*((long.signal == n, long[f"value_of_{n}"]) for n in measures), else_=missing),
        is_stale=ibis.cases(*((long.signal == n, long[f"stale_{n}"]) for n in measures), else_=ibis.literal(False)),
    )
    return conform(rows, account_signals_contract(portfolio))


class _Leaves:
    """The leaf measures of all signals, equal ones once, each under a column of its own."""

    def __init__(self, measures: Iterable[Measure]):
        self.by_column: dict[str, Measure] = {}
        self._columns: dict[str, str] = {}
        for measure in measures:
            self._add(measure)

    def _add(self, measure: Measure) -> None:
        if isinstance(measure, Ratio):
            self._add(measure.numerator)
            self._add(measure.denominator)
        elif (key := measure.model_dump_json()) not in self._columns:
            self._columns[key] = column = f"leaf_{len(self._columns)}"
            self.by_column[column] = measure

    def column(self, measure: Measure) -> str:
        return self._columns[measure.model_dump_json()]

    def of(self, measure: Measure) -> list[str]:
        """The columns of the leaves that a measure rests on."""
        if isinstance(measure, Ratio):
            return [*self.of(measure.numerator), *self.of(measure.denominator)]
        return [self.column(measure)]


def _is_present(table: str | None, portfolio: Portfolio) -> bool:
    return table is None or table in portfolio.tables


def _with_figures(accounts: ir.Table, sources: Sources, present: Mapping[str, Measure]) -> ir.Table:
    for table in figures(sources, present):
        accounts = beside(accounts, table, "account_id")
    ledger = {column: m for column, m in present.items() if isinstance(m, MrrChange)}
    if ledger:
        revenue = sources.fct_revenue.select("account_id", "revenue_month", "net_mrr_change")
        accounts = beside(accounts, revenue.rename(horizon_month="revenue_month"), "account_id", "horizon_month")
        accounts = accounts.mutate(**dict.fromkeys(ledger, accounts.net_mrr_change))
    return accounts


def _leaf_value(
    accounts: ir.Table, column: str, measure: Measure, present: Mapping[str, Measure], as_of: date
) -> ir.FloatingValue:
    if column not in present:
        return ibis.null("float64")
    if isinstance(measure, Constant):
        return number(measure.value)
    if isinstance(measure, AttributeValue):
        return accounts[measure.attribute].cast("float64")
    value = accounts[column].cast("float64")
    if isinstance(measure, DaysSinceEvent):
        since_signup = ibis.literal(as_of).delta(accounts.signup_date, unit="day")
        never = ibis.cases((since_signup < 0, 0), else_=since_signup).cast("float64")
        return ibis.coalesce(value, never)
    return ibis.coalesce(value, 0.0) if is_zero_when_none(measure) else value


def _names(measures: Iterable[str]) -> ir.Table:
    """A row for each signal; spelt as a union because every engine has that."""
    tables = [ibis.literal(name).name("signal").as_table() for name in measures]
    return tables[0] if len(tables) == 1 else ibis.union(*tables)
