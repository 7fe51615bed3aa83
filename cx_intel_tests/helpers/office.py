"""An office that hears of a portfolio: runs that end as a test wants, a clock to set, and a listener for the messages.

The runs are real Dagster runs on an instance of their own, of an asset that fails, or finds rows, as it is told; no
warehouse is needed. Refreshes of real tables are in `small_company.py`.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg

from cx_intel.orchestration.alerts.dispatcher import Dispatcher
from cx_intel.orchestration.alerts.incidents import FRESHNESS
from cx_intel.orchestration.alerts.messages import LIFECYCLE, PROBLEMS
from cx_intel.settings.environment import Environment
from cx_intel.settings.portfolio import Portfolio
from cx_intel_tests.helpers import builders
from cx_intel_tests.helpers.listener import Listener, listening

SECRET = "very-secret-token"
"""Stands in an address, and nowhere else."""
STAGED = dg.AssetKey(["small", "stg_usage_events"])
EVENTS = dg.AssetKey(["small", "lifecycle_events"])
SAMPLE = "| event_id |\n| --- |\n| E-1 |"


def lifecycle_event(number: int, owner: str | None = "Ann", **changes: Any) -> dict[str, Any]:
    """A change of tier of account A<number>."""
    return {
        "event_id": f"event-{number}",
        "as_of": "2025-01-31",
        "account_id": f"A{number}",
        "account_name": f"Company {number}",
        "owner": owner,
        "event_type": "tier_change",
        "signal": None,
        "to_value": "Red",
        "reason": "Green to Red: Logins -30 points",
        "playbook": "Call them",
    } | changes


class Office:
    """One portfolio, its event log, its outbox, and who listens."""

    def __init__(self, home: Path, listener: Listener, instance: dg.DagsterInstance, automation: dict[str, Any]):
        self.listener, self.instance = listener, instance
        self.variables = {"CX_ALERT_URLS": listener.url()}
        self.home, self.now = home, time.time()
        self.portfolio = portfolio_with_renewals(automation=automation)

    @property
    def environment(self) -> Environment:
        return Environment(
            home=self.home,
            portfolios=self.home,
            lock_wait_seconds=1,
            variables=self.variables,
            ui_url="https://dagster.example",
        )

    @property
    def dispatcher(self) -> Dispatcher:
        """Made anew each time, as after a restart."""
        return Dispatcher(self.portfolio, self.environment, clock=lambda: self.now)

    def look(self, topic: str = PROBLEMS) -> str:
        return self.dispatcher.look(self.instance, topic)

    def look_at_tiers(self) -> str:
        return self.look(LIFECYCLE)

    def run(
        self,
        day: str = "2025-01-31",
        *,
        broken: int = 0,
        stale: bool = False,
        error: str = "",
        events: Sequence[dict[str, Any]] = (),
    ) -> str:
        """A run for a day: rows that break a blocking rule, a stale source, an error, changes of accounts. Its id."""
        warn, block = dg.AssetCheckSeverity.WARN, dg.AssetCheckSeverity.ERROR

        @dg.asset(
            key=STAGED,
            check_specs=[dg.AssetCheckSpec(c, asset=STAGED) for c in ("not_null", f"{FRESHNESS}usage_events", "odd")],
        )
        def staged() -> Iterator[Any]:
            found = {
                "description": f"{broken} of 9 rows: event_id is never null.",
                "metadata": {"what_to_do": "Mend the rows.", "sample_event_id": dg.MetadataValue.md(SAMPLE)},
            }
            yield dg.AssetCheckResult(
                passed=not broken, check_name="not_null", severity=block, **(found if broken else {})
            )
            yield dg.AssetCheckResult(
                passed=not stale,
                check_name=f"{FRESHNESS}usage_events",
                severity=warn,
                description="The newest row is 9 days old.",
            )
            yield dg.AssetCheckResult(passed=False, check_name="odd", severity=warn, description="Odd, no more.")
            if broken or error:
                raise dg.Failure(error or "stg_usage_events was not replaced")
            yield dg.Output(None)

        @dg.asset(key=EVENTS, deps=[STAGED])
        def happened() -> dg.MaterializeResult:
            return dg.MaterializeResult(metadata={"news": dg.MetadataValue.json(list(events))})

        job = dg.define_asset_job("small_refresh", tags={"portfolio": "small"})
        definitions = dg.Definitions(assets=[staged, happened], jobs=[job])
        result = definitions.resolve_job_def("small_refresh").execute_in_process(
            instance=self.instance, raise_on_error=False, tags={"dagster/partition": day}
        )
        assert result.success is not bool(broken or error)
        return result.run_id


@contextmanager
def office(home: Path, automation: dict[str, Any] | None = None) -> Iterator[Office]:
    """An office for the length of a test."""
    with listening() as listener, dg.DagsterInstance.ephemeral() as instance:
        yield Office(home, listener, instance, automation or {})


def portfolio_with_renewals(**blocks: Any) -> Portfolio:
    """The minimal portfolio with health and renewals."""
    risks = ("Critical", "High", "Medium", "Low")
    tiers = {"good": "Low", "fair": "Medium", "poor": "High"}
    return builders.portfolio(
        tables=("usage_events",),
        health=builders.health({"logins": {"kind": "event_count", "window_days": 30}}),
        renewals={
            "risk": [{"if": {"health_tier": t}, "risk": r} for t, r in tiers.items()],
            "probability": dict.fromkeys(risks, 0.5),
        },
        playbooks=[{"risk": r, "action": "Call", "due_in_days": 7, "save_rate": 0.2} for r in risks],
        **blocks,
    )
