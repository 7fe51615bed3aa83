"""Deliveries of subscriptions one after the other, and the periods that follow, for tests.

Rows of any contract are made in `builders.py`; text as a source writes it is in `staged_rows.py`.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.staging.billing import stg_subscriptions
from cx_intel.contracts.subscriptions import subscription_periods as contract_of_periods
from cx_intel.models.subscriptions.periods import subscription_periods
from cx_intel.settings.portfolio import Portfolio
from cx_intel_tests.helpers.builders import AS_OF, portfolio, rows
from cx_intel_tests.helpers.made_once import made

Row = Mapping[str, Any]
SMALL = portfolio()


class Loads:
    """The periods after each load.

    Attributes:
        of: The portfolio.
        periods: subscription_periods as they stand.
    """

    def __init__(self, of: Portfolio = SMALL):
        self.of = of
        self._rows: list[dict[str, Any]] = []
        self.periods = rows(contract_of_periods(of), self._rows)

    def load(self, as_of: date, *given: Row, quarantined: Iterable[str] = ()) -> "Loads":
        """A refresh of a day whose delivery has these subscriptions; of others only rows that were quarantined."""
        staged = [_filled(row) for row in given]
        ids = [*(row["subscription_id"] for row in staged), *quarantined]
        periods = made(
            subscription_periods,
            rows(stg_subscriptions(self.of), staged),
            ibis.memtable({"subscription_id": ids}, schema={"subscription_id": "string"}),
            portfolio=self.of,
            as_of=as_of,
            previous=self.periods,
        )
        self._rows = periods.to_pylist()
        self.periods = rows(contract_of_periods(self.of), self._rows)
        return self

    def __getitem__(self, subscription_id: str) -> list[dict[str, Any]]:
        """The periods of a subscription in order."""
        found = (row for row in self._rows if row["subscription_id"] == subscription_id)
        return sorted(found, key=lambda row: row["valid_from"])

    def counting(self, subscription_id: str) -> list[tuple[date, date | None, float]]:
        """(counts_from, counts_until, MRR) of what counts of a subscription, in order."""
        return [
            (row["counts_from"], row["counts_until"], float(row["mrr_amount"]))
            for row in self[subscription_id]
            if row["is_counting"]
        ]


def counting_together(cases: Mapping[str, Mapping[date, Sequence[Row]]]) -> dict[str, list[Any]]:
    """What counts of the subscription `s` of each case, a case being the rows that each day delivers of it.

    Those that are loaded on the same days are loaded together, each an account of its own.
    """
    found = {}
    for days in dict.fromkeys(tuple(deliveries) for deliveries in cases.values()):
        together = {case: deliveries for case, deliveries in cases.items() if tuple(deliveries) == days}
        loads = Loads()
        for day in days:
            given = [(case, row) for case, deliveries in together.items() for row in deliveries[day]]
            own = ({"account_id": case, "subscription_id": f"{case}: {row['subscription_id']}"} for case, row in given)
            loads.load(day, *({**row, **ids} for (_, row), ids in zip(given, own, strict=True)))
        found |= {case: loads.counting(f"{case}: s") for case in together}
    return found


def periods_of(of: Portfolio, given: Iterable[Row], as_of: date = AS_OF) -> ir.Table:
    """subscription_periods after a single load of these subscriptions."""
    listed = list(given)
    return Loads(of).load(as_of, *listed).periods if listed else rows(contract_of_periods(of), [])


def _filled(row: Row) -> dict[str, Any]:
    filled = {"account_id": "A", "occurrence": 1, "mrr_amount": 100, "start_date": date(2024, 1, 1)} | dict(row)
    filled.setdefault("list_mrr_amount", filled["mrr_amount"])
    return filled
