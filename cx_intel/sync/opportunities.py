"""What is to stand at the renewal opportunities of an account: the risk flag, and where it is asked for the forecast category.

Which opportunities there are is read from Salesforce with the accounts (`salesforce.py`), so that nothing has to be known
of them here before. Who is at risk is decided in `wanted.py`.
"""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

import ibis.expr.types as ir
import pandas as pd

from cx_intel.contracts.renewals.pipeline import WINDOW_DAYS
from cx_intel.settings.outputs.write_back import OpportunityWriting
from cx_intel.sync.audit import Audit
from cx_intel.sync.values import FLAG, TEXT
from cx_intel.sync.wanted import WANTED, Wanted
from cx_intel.sync.writers.salesforce import FORECAST
from cx_intel.sync.writers.writer import CLOSES_ON, OF_ACCOUNT, OPPORTUNITY

SALESFORCE = "salesforce"


def opportunities_wanted(
    wanted: Wanted, settings: OpportunityWriting, present: ir.Table, audit: Audit
) -> Iterator[pd.DataFrame]:
    """The values, in the columns of `WANTED`.

    The flag is set while the account is at risk and the renewal is due within 90 days, or overdue, and taken away after. The
    forecast category goes back to what it was when the flag does.

    Args:
        wanted: The portfolio, its tables and the day.
        settings: The fields.
        present: What stands at the vendor.
        audit: What was sent before.
    """
    accounts, last_day = wanted.accounts_of(SALESFORCE), wanted.as_of + timedelta(days=WINDOW_DAYS)
    before = _forecasts_before(audit) if settings.forecast_category else {}
    rows = []
    for key, (account_key, closes_on) in _opportunities(wanted, present).items():
        if account_key not in accounts:
            continue
        account_id, is_at_risk = accounts[account_key]
        is_flagged = is_at_risk and date.fromisoformat(closes_on) <= last_day
        record = (SALESFORCE, OPPORTUNITY, OPPORTUNITY, key, key, account_id)
        rows.append((*record, settings.risk_flag, FLAG, "true" if is_flagged else "false"))
        forecast = settings.forecast_category if is_flagged else before.get(key)
        if forecast:
            rows.append((*record, FORECAST, TEXT, forecast))
    if rows:
        yield pd.DataFrame(rows, columns=list(WANTED), dtype=object)


def _opportunities(wanted: Wanted, present: ir.Table) -> dict[str, tuple[str, str]]:
    """Key of an open renewal: the key of its account, and when it closes."""
    read = present.filter(present.object == OPPORTUNITY, present.field.isin([OF_ACCOUNT, CLOSES_ON]))
    found: dict[str, dict[str, Any]] = {}
    for row in wanted.warehouse.rows(read.select("record_key", "field", "value").order_by("record_key")):
        found.setdefault(row["record_key"], {})[row["field"]] = row["value"]
    return {k: (one[OF_ACCOUNT], one[CLOSES_ON]) for k, one in found.items() if one[OF_ACCOUNT] and one[CLOSES_ON]}


def _forecasts_before(audit: Audit) -> Mapping[str, str]:
    """Opportunity whose forecast category was changed: what it was before."""
    rows = audit.before(None)
    rows = rows.filter(rows.object == OPPORTUNITY, rows.field == FORECAST)
    return {row["record_key"]: row["value"] for row in audit.warehouse.rows(rows) if row["value"]}
