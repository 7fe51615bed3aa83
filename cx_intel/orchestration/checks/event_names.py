"""The check that the events which signals count are delivered at all: a name misspelt in the YAML would count nothing.

The measures themselves are in `cx_intel.models.health.measures`; it is a check of the signals, which read them.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta

import dagster as dg
import ibis
import pandas as pd

from cx_intel.contracts.contract import Contract
from cx_intel.orchestration.checks.check import Check, CheckContext, RuleResult
from cx_intel.orchestration.checks.rules import Rule
from cx_intel.settings.health.measures import Measure, Ratio
from cx_intel.settings.portfolio import Portfolio

CHECK = "measured_events_occur"
SIGNALS = "account_signals"
EVENTS = "stg_usage_events"
DAYS = 92
"""An event that no account had in so long is taken as misspelt."""
TEXT = f"Every event that a signal counts occurred in the last {DAYS} days."
OFTEN = 20
"""Names that are listed as those that did occur."""


class EventNames(Check):
    """The events that signals count occur."""

    def specs(self, key: dg.AssetKey) -> Sequence[dg.AssetCheckSpec]:
        counted = _counted(self.contract, self.portfolio)
        return [dg.AssetCheckSpec(CHECK, asset=key, description=TEXT)] if counted else []

    def run(self, context: CheckContext) -> list[RuleResult]:
        """Signals that count an event which nobody had; no result before any event is staged."""
        counted, warehouse = _counted(self.contract, self.portfolio), context.warehouse
        if not counted or not warehouse.exists(EVENTS):
            return []
        events = warehouse.table(EVENTS)
        first, last = ibis.literal(context.as_of - timedelta(days=DAYS - 1)), ibis.literal(context.as_of)
        names = events.filter(events.event_date.between(first, last)).group_by("event_name").agg(events=ibis._.count())
        seen = {row["event_name"]: row["events"] for row in warehouse.rows(names)}
        missing = {signal: sorted(wanted - set(seen)) for signal, wanted in counted.items() if wanted - set(seen)}
        absent = missing if seen else {}
        often = sorted(seen, key=lambda name: (-seen[name], name))[:OFTEN]
        told = "; ".join(f"{signal} counts {', '.join(events)}" for signal, events in absent.items())
        recovery = (
            f"{told or 'Nothing'}: compare the spelling under health.signals with the events: {', '.join(often)}."
        )
        sample = pd.DataFrame([{"signal": s, "event_name": e} for s, events in absent.items() for e in events])
        rule = Rule(CHECK, CHECK, TEXT, recovery, "warn")
        return [RuleResult(rule, len(absent), len(counted), sample if absent else None)]


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
