"""The check that ends are written as days: one at the last second of a day is probably the last day in force.

What an end means is stated by `end_date` of the source (`cx_intel.settings.sources.base`); ends with a follower just
one day later are told by the contracts of `subscription_periods` and `stg_invoices`.
"""

from collections.abc import Mapping

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.contract import CrossInvariant
from cx_intel.settings.portfolio import Portfolio

LAST_MINUTE = r"[T ]23:59(:[0-9]{2}([.,][0-9]+)?)?"
"""How the last minute of a day is written after the day."""
OF_UTC = r" ?(Z|UTC|[+-]00(:?00)?)?"


def ends_are_days(table: str, columns: tuple[str, ...], portfolio: Portfolio) -> tuple[CrossInvariant, ...]:
    """That no end of a source carries the last minute of its day; nothing to ask where ends are last days in force.

    Args:
        table: The canonical table.
        columns: Its ends.
        portfolio: Its zone. An end in another zone lies on another day, so that its time says nothing.
    """
    if table not in portfolio.tables:
        return ()
    source = portfolio.source_of(table)
    if source.end_date.is_ == "last_day_in_force" or source.time_zone != portfolio.time_zone:
        return ()
    raw, pattern = f"raw_{table}", LAST_MINUTE + (OF_UTC if source.time_zone == "UTC" else "") + "$"

    def at_the_last_minute(tables: Mapping[str, ir.Table]) -> ir.Table:
        rows = tables[raw]
        cells = [rows[name].cast("string") for name in columns if name in rows.columns]
        found = [ibis.coalesce(cell.re_search(pattern), ibis.literal(False)) for cell in cells]
        return rows.filter(ibis.or_(*found)) if found else rows.filter(ibis.literal(False))

    return (
        CrossInvariant(
            "ends_are_days",
            f"No end ({', '.join(columns)}) carries the last minute of a day, such as 23:59:59.",
            (raw,),
            at_the_last_minute,
            "Such a day is counted as the first one without, and is probably the last one in force: write `end_date: {is: "
            f"last_day_in_force}}` on the source of {table}. Else deliver days without a time.",
            "warn",
        ),
    )
