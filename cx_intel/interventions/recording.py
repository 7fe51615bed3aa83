"""Writes down what was done with entries of the intervention list: in the warehouse, where a refresh reads it.

Whoever learns of it writes here: the command `cx-intel action`, and what reads tasks back from a vendor. What the actions mean
and what comes of them is decided by the models (`cx_intel.models.renewals.interventions`); which entry a person means is found
in `cx_intel.reports.ask.entries`.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime

import ibis
import pyarrow as pa

from cx_intel.contracts.renewals.interventions import GIVEN, given_actions
from cx_intel.contracts.staging.values import ACTION_STATUSES, DISMISSED, SNOOZED
from cx_intel.settings.portfolio import Portfolio
from cx_intel.warehouse.protocol import Warehouse


@dataclass(frozen=True)
class GivenAction:
    """What was done with an entry of the list.

    Attributes:
        action_id: Its own, for ever: the same id given again takes the place of the earlier one.
        account_id: The account.
        renewal_date: With the account it is the entry.
        status: open, done, snoozed or dismissed.
        acted_at: When, aware.
        acted_by: Who.
        reason: Why; of a dismissed one there has to be one.
        snoozed_until: Of a snoozed one, and of no other, the day on which it is due again.

    Raises:
        ValueError: It is none of these, or lacks what its status needs.
    """

    action_id: str
    account_id: str
    renewal_date: date
    status: str
    acted_at: datetime
    acted_by: str | None = None
    reason: str | None = None
    snoozed_until: date | None = None

    def __post_init__(self) -> None:
        if self.status not in ACTION_STATUSES:
            raise ValueError(f"a status is one of {', '.join(ACTION_STATUSES)}, not {self.status!r}")
        if (self.status == SNOOZED) != (self.snoozed_until is not None):
            raise ValueError("exactly a snoozed entry has a day until which it is")
        if self.status == DISMISSED and not self.reason:
            raise ValueError("a dismissed entry has a reason")


def record(warehouse: Warehouse, portfolio: Portfolio, actions: Sequence[GivenAction]) -> None:
    """Writes the actions down, all of them or none; one that is known by its id already takes the place of the old one."""
    contract = given_actions(portfolio)
    schema = contract.schema()
    with warehouse.transaction():
        for action in actions:
            stated = asdict(action) | {"acted_at": action.acted_at.astimezone(UTC).replace(tzinfo=None)}
            row = pa.Table.from_pylist([{name: stated[name] for name in schema}], schema=schema.to_pyarrow())
            rows = ibis.memtable(row, schema=schema)
            warehouse.replace_rows(GIVEN, rows, like=schema, where=("action_id", action.action_id))
