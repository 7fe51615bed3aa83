"""What a source that has fallen silent, or a delivery that was refused, does to the health of a day.

Whether a source is silent is told by `source_freshness` (`cx_intel.models.core.freshness`). What then happens to signals
stands in `signals.py`, to tiers in `tiers.py`.
"""

from collections.abc import Iterable

import ibis
import ibis.expr.types as ir


def with_staleness(accounts: ir.Table, source_freshness: ir.Table, tables: Iterable[str]) -> ir.Table:
    """The accounts with a column `_stale_<table>` for each canonical table: whether it is frozen on the day."""
    found = source_freshness
    flags = {f"_stale_{table}": (found.is_frozen & (found.source_table == table)).any() for table in tables}
    if not flags:
        return accounts
    flagged = found.agg(**flags)
    return accounts.cross_join(
        flagged.select(**{name: ibis.coalesce(flagged[name], ibis.literal(False)) for name in flags})
    )


def is_delivery_refused(account_snapshot: ir.Table) -> ir.BooleanValue:
    """Whether the contracts of the day are those of an earlier delivery, because that of the day was refused."""
    return ibis.coalesce(account_snapshot.contracts_as_of < account_snapshot.as_of, ibis.literal(False))
