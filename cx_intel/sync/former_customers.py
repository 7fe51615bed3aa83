"""What was written of accounts that are customers no longer: their score and tier are emptied, so that nobody reads an old one.

Only fields that a sync has written are touched, and the flag says that they left. What stands of customers is decided in
`wanted.py`.
"""

from collections.abc import Iterator
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd

from cx_intel.contracts.write_back import KEY, REFUSED, UNDO
from cx_intel.sync.audit import Audit
from cx_intel.sync.values import FLAG
from cx_intel.sync.wanted import WANTED, Wanted
from cx_intel.sync.writers.writer import ACCOUNT, COMPANY

LEFT = "true"
"""What the flag of somebody who left says."""


def fields_of_former_customers(wanted: Wanted, audit: Audit) -> pd.DataFrame:
    """What is to stand in the fields of accounts that pay nothing and have no score on the day, in the columns of `WANTED`.

    A field whose last value was an undo is nobody's of ours any more, and left out.

    Args:
        wanted: The portfolio, its tables and the day.
        audit: What was sent before.
    """
    return pd.DataFrame(list(_rows(wanted, audit)), columns=list(WANTED), dtype=object)


def _rows(wanted: Wanted, audit: Audit) -> Iterator[tuple[str | None, ...]]:
    fields = audit.rows()
    fields = fields.filter(fields.object.isin((COMPANY, ACCOUNT)), fields.outcome != REFUSED)
    newest = ibis.window(group_by=[*KEY], order_by=[fields.written_at.desc(), fields.batch_id.desc()])
    last = fields.mutate(place=ibis.row_number().over(newest)).filter(lambda t: (t.place == 0) & (t.operation != UNDO))
    former = last.semi_join(_former(wanted), "account_id").order_by("target", "record_key", "field")
    for row in wanted.warehouse.rows(former.select(*KEY, "account_id", "kind")):
        if not wanted.is_erased(row["account_id"]):
            yield _row(row)


def _row(field: dict[str, Any]) -> tuple[str | None, ...]:
    record, key = field["object"], field["record_key"]
    value = LEFT if field["kind"] == FLAG else None
    return (field["target"], record, record, key, key, field["account_id"], field["field"], field["kind"], value)


def _former(wanted: Wanted) -> ir.Table:
    """The accounts that are known on the day, pay nothing, and have no score."""
    held, scores = (wanted.warehouse.table(name) for name in ("account_snapshot", "customer_health_scores"))
    known = held.filter(held.as_of == wanted.as_of, ibis.coalesce(held.current_mrr, 0) == 0)
    return known.anti_join(scores.filter(scores.as_of == wanted.as_of), "account_id").select("account_id")
