"""The check that a staged table keeps most of what its source delivered: how much was turned away, and why.

A few bad rows go to quarantine and the run goes on; above `max_quarantined_pct` of the source the table stays as it
was. What is wrong with a row is decided by `cx_intel.models.staging.rows`; the other checks are in `checks.py`.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date

import dagster as dg
import ibis
import ibis.expr.types as ir
import pandas as pd

from cx_intel.contracts.contract import Contract
from cx_intel.orchestration.checks.contract_checks import SAMPLE_ROWS, Finding
from cx_intel.orchestration.checks.rules import Rule
from cx_intel.settings.portfolio import Portfolio
from cx_intel.warehouse.protocol import Warehouse

CHECK = "quarantined_share"
NAMED_REASONS = 3
ACCOUNTS = "stg_accounts"
NOT_IN_QUARANTINE = (
    "The quarantine is made after the accounts, so these rows are not in it this time: the sample names the reasons."
)


def share_specs(contract: Contract, key: dg.AssetKey, portfolio: Portfolio) -> list[dg.AssetCheckSpec]:
    """The spec of the check, for a staged table; none for others."""
    if contract.layer != "staging":
        return []
    return [dg.AssetCheckSpec(CHECK, asset=key, description=_text(_limit(contract, portfolio)), blocking=True)]


def quarantined_share(
    contract: Contract,
    raw: ir.Table,
    kept: ir.Table,
    *,
    judged: Callable[[], ir.Table],
    days: Sequence[date],
    portfolio: Portfolio,
    warehouse: Warehouse,
) -> Finding:
    """How many of the delivered rows were turned away.

    Of a table by day these are the rows of the days handled; where its source delivers everything anew, also all of
    them, if that share is the larger: a row whose time cannot be read belongs to no day.

    Args:
        contract: The staged table's contract.
        raw: The delivered rows.
        kept: The rows that were staged.
        judged: The delivered rows with their `_reason`, null for those that fit; asked for when it is needed.
        days: The days handled; none for a whole table.
        portfolio: Its settings.
        warehouse: Where it is executed.
    """
    limit = _limit(contract, portfolio)
    if not days:
        # every delivered row is kept or turned away, so that nothing need be judged again to see that all fit
        total, fitting = warehouse.count(raw), warehouse.count(kept)
        if total == fitting:
            return Finding(_rule(contract, limit, ""), 0, total, None, limit)
    delivered, among = judged(), {"all": ibis.literal(True)}
    if days:
        day = delivered[contract.day_column]
        handled = day.between(ibis.literal(min(days)), ibis.literal(max(days))) & day.isin(list(days))
        among["days"] = ibis.coalesce(handled, ibis.literal(False))
    is_bad = delivered["_reason"].notnull()
    (row,) = warehouse.rows(
        delivered.agg(
            **{f"total_{name}": delivered.count(where=rows) for name, rows in among.items()},
            **{f"bad_{name}": delivered.count(where=rows & is_bad) for name, rows in among.items()},
        )
    )
    worst = max(among, key=lambda name: (_share(row, name), name == "days"))
    total, bad = int(row[f"total_{worst}"]), int(row[f"bad_{worst}"])
    reasons = _reasons(delivered.filter(among[worst] & is_bad), warehouse) if bad else None
    return Finding(_rule(contract, limit, _named(reasons)), bad, total, reasons, limit)


def _limit(contract: Contract, portfolio: Portfolio) -> float:
    return portfolio.source_of(contract.table.removeprefix("stg_")).max_quarantined_pct


def _share(row: Mapping[str, int], name: str) -> float:
    return float(row[f"bad_{name}"]) / float(row[f"total_{name}"]) if row[f"total_{name}"] else 0.0


def _text(limit: float) -> str:
    return f"At most {limit:g} % of the delivered rows are turned away (max_quarantined_pct of the source)."


def _rule(contract: Contract, limit: float, reasons: str) -> Rule:
    where = NOT_IN_QUARANTINE if contract.table == ACCOUNTS else "Each row is in quarantine."
    recovery = (
        f"{reasons}Mend these rows at the source or the mapping in the portfolio's YAML, then refresh; or raise "
        f"max_quarantined_pct of the source, now {limit:g}, if so many are to be expected. {where}"
    )
    return Rule(CHECK, CHECK, _text(limit), recovery, "block")


def _reasons(bad: ir.Table, warehouse: Warehouse) -> pd.DataFrame:
    """The most frequent reasons, whatever the values they quote, each with one reason as it stands."""
    kinds = bad.select(reason=bad["_reason"].re_replace("'[^']*'", "..."), example=bad["_reason"])
    counted = kinds.group_by("reason").agg(rows=kinds.count(), example=kinds.example.min())
    found: pd.DataFrame = warehouse.execute(counted.order_by(ibis.desc("rows"), "reason").limit(SAMPLE_ROWS))
    return found


def _named(reasons: pd.DataFrame | None) -> str:
    if reasons is None:
        return ""
    listed = "; ".join(f"{r.example} ({r.rows} rows)" for r in reasons.head(NAMED_REASONS).itertuples())
    return f"Most frequent, each with an example: {listed}. "
