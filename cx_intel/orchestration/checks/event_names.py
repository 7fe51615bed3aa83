"""The check that the events which signals count are delivered at all: a name misspelt in the YAML would count nothing.

The measures themselves are in `cx_intel.models.health.measures`; it is asked of the signals, which read them.
"""

from collections.abc import Iterator
from datetime import date, timedelta

import dagster as dg
import ibis
import pandas as pd

from cx_intel.contracts.contract import Contract
from cx_intel.orchestration.checks.contract_checks import Finding
from cx_intel.orchestration.checks.rules import Rule
from cx_intel.settings.health.measures import Measure, Ratio
from cx_intel.settings.portfolio import Portfolio
from cx_intel.warehouse.protocol import Warehouse

CHECK = "measured_events_occur"
SIGNALS = "account_signals"
EVENTS = "stg_usage_events"
DAYS = 92
"""An event that no account had in so long is taken as misspelt."""
TEXT = f"Every event that a signal counts occurred in the last {DAYS} days."
OFTEN = 20
"""Names that are listed as those that did occur."""


def event_specs(contract: Contract, key: dg.AssetKey, portfolio: Portfolio) -> list[dg.AssetCheckSpec]:
    """The spec of the check, for signals that count named events; none for other tables."""
    return [dg.AssetCheckSpec(CHECK, asset=key, description=TEXT)] if _counted(contract, portfolio) else []


def _counted(contract: Contract, portfolio: Portfolio) -> dict[str, set[str]]:
    """Signal: the events that it counts, in lower case as they are staged; signals without named events are left out."""
    if contract.table != SIGNALS or "usage_events" not in portfolio.tables or portfolio.health is None:
        return {}
    named = {name: set(_events(signal.measure)) for name, signal in portfolio.health.signals.items()}
    return {name: events for name, events in named.items() if events}


def _events(measure: Measure) -> Iterator[str]:
    if isinstance(measure, Ratio):
        yield from _events(measure.numerator)
        yield from _events(measure.denominator)
    else:
        yield from (event.lower() for event in getattr(measure, "events", None) or ())


def measured_events(contract: Contract, as_of: date, portfolio: Portfolio, warehouse: Warehouse) -> list[Finding]:
    """What the check finds: signals that count an event which nobody had; nothing where no event is there at all.

    Args:
        contract: The table's contract.
        as_of: The day.
        portfolio: Its settings.
        warehouse: Where the staged events are.
    """
    counted = _counted(contract, portfolio)
    if not counted or not warehouse.exists(EVENTS):
        return []
    events = warehouse.table(EVENTS)
    recent = events.event_date.between(ibis.literal(as_of - timedelta(days=DAYS - 1)), ibis.literal(as_of))
    names = events.filter(recent).group_by("event_name").agg(events=lambda t: t.count())
    seen = {row["event_name"]: row["events"] for row in warehouse.rows(names)}
    absent = (
        {signal: sorted(asked - set(seen)) for signal, asked in counted.items() if asked - set(seen)} if seen else {}
    )
    often = sorted(seen, key=lambda name: (-seen[name], name))[:OFTEN]
    told = "; ".join(f"{signal} counts {', '.join(missing)}" for signal, missing in absent.items())
    recovery = f"{told or 'Nothing'}: compare the spelling under health.signals with the events: {', '.join(often)}."
    sample = pd.DataFrame([{"signal": s, "event_name": e} for s, missing in absent.items() for e in missing])
    rule = Rule(CHECK, CHECK, TEXT, recovery, "warn")
    return [Finding(rule, len(absent), len(counted), sample if absent else None)]
