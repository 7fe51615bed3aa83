"""The plan of a sync: what would change, field by field, against what was last sent and what stands at the vendor now.

An expression over three tables; nothing is sent here (`sync.py`), and what was sent is read in `audit.py`. A field that
stands otherwise than it was last sent was edited by somebody, and is left alone.
"""

from datetime import date

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.contract import conform
from cx_intel.contracts.write_back import (
    CANNOT,
    EDITED,
    KEY,
    NO_RECORD,
    REJECTED_BEFORE,
    SEND,
    write_back_plan,
)
from cx_intel.settings.portfolio import Portfolio
from cx_intel.sync.writers.writer import DIMENSION

STAGED_WANTED, STAGED_PRESENT = "write_back_wanted", "write_back_present"
"""Staged writes that are discarded when a sync ends."""
WANTED_LIKE = ibis.schema(
    dict.fromkeys(
        ("target", "object", "found_in", "found_key", "record_key", "account_id", "field", "kind", "value"), "string"
    )
)
PRESENT_LIKE = ibis.schema(dict.fromkeys(("target", "object", "record_key", "record_id", "field", "value"), "string"))


def planned(
    wanted: ir.Table,
    present: ir.Table,
    last: ir.Table,
    *,
    portfolio: Portfolio,
    sync_id: str,
    undoes: str | None,
    as_of: date,
    retries: bool = False,
    overwrites: bool = False,
) -> ir.Table:
    """The rows of `write_back_plan`: every field that does not stand as it is wanted.

    Args:
        wanted: What is to stand there, of the columns of `WANTED_LIKE`.
        present: What stands there, of the columns of `PRESENT_LIKE`.
        last: What was last sent and refused of each field, as `Audit.last` gives it.
        portfolio: Its settings.
        sync_id: Of the sync.
        undoes: The sync that it undoes.
        as_of: The day of the values.
        retries: Only what was refused before is sent, and that again.
        overwrites: What was edited at the vendor is sent too.
    """
    records = present.group_by("target", found_in="object", found_key="record_key").agg(
        record_id=present.record_id.max()
    )
    stands = present.group_by(*KEY).agg(old_value=present.value.max())  # an id may be that of two records
    order = ibis.window(group_by=[*KEY], order_by=wanted.account_id)
    wanted = wanted.mutate(place=ibis.row_number().over(order)).filter(lambda t: t.place == 0).drop("place")
    w = wanted.left_join(records, ["target", "found_in", "found_key"])
    w = w.select(*wanted.columns, "record_id")
    w = w.left_join(stands, list(KEY)).select(*w.columns, "old_value")
    w = w.left_join(last, list(KEY)).select(*w.columns, "is_sent", "sent_value", "refused_value", "is_refused")
    is_dimension = w.object == DIMENSION
    rows = w.mutate(
        old_value=ibis.ifelse(is_dimension, w.sent_value, w.old_value),
        is_sent=ibis.coalesce(w.is_sent, False),
        was_refused=ibis.coalesce(w.is_refused, False),
        is_refused=ibis.coalesce(w.is_refused, False) & w.refused_value.identical_to(w.value),
    )
    stands_as_refused = rows.was_refused & rows.old_value.identical_to(rows.refused_value)  # it was taken all the same
    is_edited = rows.is_sent & ~rows.old_value.identical_to(rows.sent_value) & ~stands_as_refused
    action = ibis.cases(
        (rows.record_id.isnull(), NO_RECORD),
        ((rows.object == DIMENSION) & rows.value.isnull(), CANNOT),
        (is_edited & ~ibis.literal(overwrites), EDITED),
        (rows.is_refused & ~ibis.literal(retries), REJECTED_BEFORE),
        else_=SEND,
    )
    differing = rows.mutate(action=action).filter(rows.record_id.isnull() | ~rows.old_value.identical_to(rows.value))
    if retries:
        differing = differing.filter(differing.is_refused & (differing.action == SEND))
    numbered = differing.mutate(
        sync_id=ibis.literal(sync_id),
        undoes=ibis.literal(undoes, type="string"),
        as_of=ibis.literal(as_of),
        new_value=differing.value,
        record_number=1
        + ibis.dense_rank().over(ibis.window(group_by=["target", "object", "action"], order_by=differing.record_key)),
    )
    return conform(numbered, write_back_plan(portfolio))
