"""Makes the assets of a sync with other systems: its plan, its audit and what was refused, in one step of a job of its own.

What is sent, and how, is in `cx_intel.sync`; here Dagster gets to see the plan, and the checks on what was refused or
edited. The refresh leaves these assets out: nothing is sent because somebody looks at a day again.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd

from cx_intel.contracts.catalog import contract_of
from cx_intel.contracts.write_back import AUDIT, EDITED, NO_RECORD, PLAN, REJECTED, WRITE_BACK
from cx_intel.orchestration.assets.metadata import column_schema, markdown_table
from cx_intel.orchestration.assets.tables import OWNER, key_of
from cx_intel.settings.portfolio import Portfolio
from cx_intel.sources.errors import SourceError
from cx_intel.sync.opening import opened_sync
from cx_intel.sync.outcome import Outcome
from cx_intel.warehouse.protocol import Warehouse

REJECTED_SHARE, EDITED_CHECK = "rejected_share", "fields_as_sent"
SHOWN = 200
"""Rows of the plan that Dagster shows."""
READ = ("customer_health_scores", "account_snapshot", "lifecycle_events")


class SyncConfig(dg.Config):
    """What the launchpad asks for."""

    dry_run: bool = False


def write_back_assets(portfolio: Portfolio, variables: Mapping[str, str], home: Path) -> list[dg.AssetsDefinition]:
    """The step that syncs a portfolio with other systems; none where it writes nothing back.

    Args:
        portfolio: Its settings.
        variables: Hold the secrets.
        home: Where it is remembered who was erased.
    """
    if portfolio.write_back is None:
        return []
    keys = {table: key_of(portfolio, table) for table in WRITE_BACK}
    deps = [key_of(portfolio, table) for table in READ if table != READ[-1] or portfolio.renewals]

    @dg.multi_asset(
        name=f"{portfolio.name}__write_back",
        specs=[_spec(portfolio, table, deps if table == PLAN else [keys[PLAN]]) for table in WRITE_BACK],
        check_specs=[
            dg.AssetCheckSpec(REJECTED_SHARE, asset=keys[REJECTED], description=_share_text(portfolio)),
            dg.AssetCheckSpec(EDITED_CHECK, asset=keys[PLAN], description=EDITED_TEXT),
        ],
        required_resource_keys={"warehouse"},
        can_subset=False,
    )
    def write_back(context: dg.AssetExecutionContext, config: SyncConfig) -> Iterator[Any]:
        warehouse: Warehouse = context.resources.warehouse.of(portfolio.name)
        settings = portfolio.write_back
        is_dry = config.dry_run or settings is None or not settings.enabled
        try:
            with opened_sync(portfolio, warehouse, variables, home) as sync:
                outcome, audit = sync.plan()
                for line in outcome.lines():
                    context.log.info(line)
                if not is_dry:
                    sync.run(outcome, audit)
        except SourceError as error:
            raise dg.Failure(str(error), allow_retries=False) from error
        for table, key in keys.items():
            yield dg.MaterializeResult(asset_key=key, metadata=_metadata(table, portfolio, warehouse, outcome, is_dry))
        yield _rejected_result(portfolio, outcome)
        yield _edited_result(portfolio, warehouse, outcome)
        if outcome.failures:
            raise dg.Failure(" ".join(outcome.failures), allow_retries=False)

    return [write_back]


EDITED_TEXT = "Fields stand at the vendor as they were last sent: nobody has edited them there."


def _share_text(portfolio: Portfolio) -> str:
    assert portfolio.write_back is not None
    return f"Vendors refuse at most {portfolio.write_back.max_rejected_pct:g} % of the records of a sync."


def _spec(portfolio: Portfolio, table: str, deps: list[dg.AssetKey]) -> dg.AssetSpec:
    contract = contract_of(table, portfolio)
    return dg.AssetSpec(
        key_of(portfolio, table),
        deps=deps,
        description=contract.description,
        group_name=f"{portfolio.name}_write_back",
        kinds={"duckdb", "python"},
        owners=[OWNER],
        tags={"portfolio": portfolio.name, "layer": contract.layer, "kept": contract.kind},
        metadata={"dagster/column_schema": column_schema(contract), "grain": ", ".join(contract.grain)},
    )


def _metadata(table: str, portfolio: Portfolio, warehouse: Warehouse, outcome: Outcome, is_dry: bool) -> dict[str, Any]:
    told: dict[str, Any] = {"sync_id": outcome.sync_id, "as_of": outcome.as_of.isoformat(), "dry_run": is_dry}
    if table == PLAN:
        counts = pd.DataFrame(
            [(*key, n) for key, n in outcome.planned.items()], columns=["target", "object", "action", "fields"]
        )
        rows = warehouse.table(PLAN)
        shown = rows.select("target", "object", "account_id", "field", "old_value", "new_value", "action")
        frame = pd.DataFrame(warehouse.rows(shown.limit(SHOWN)), columns=list(shown.columns), dtype=object)
        told |= {
            "dagster/row_count": warehouse.count(rows),
            "planned": dg.MetadataValue.md(markdown_table(counts.astype(object))),
            "plan": dg.MetadataValue.md(markdown_table(frame)),
            "edited_at_vendor": outcome.count(EDITED),
            "without_record": outcome.count(NO_RECORD),
        }
    elif table == AUDIT:
        told |= {"fields_sent": outcome.sent, "confirmed": outcome.confirmed, "requests": outcome.requests}
        told |= {"tasks_done": outcome.tasks_done}
        told |= {"failures": " ".join(outcome.failures)} if outcome.failures else {}
    else:
        told |= {"rejected": outcome.rejected, "rejected_in_all": outcome.dead, "rejected_pct": outcome.rejected_pct}
    return told


def _rejected_result(portfolio: Portfolio, outcome: Outcome) -> dg.AssetCheckResult:
    assert portfolio.write_back is not None
    to_do = f"write_back_rejected has the vendors' reasons; mend them and run `cx-intel sync retry {portfolio.name}`."
    return dg.AssetCheckResult(
        passed=outcome.rejected_pct <= portfolio.write_back.max_rejected_pct,
        asset_key=key_of(portfolio, REJECTED),
        check_name=REJECTED_SHARE,
        severity=dg.AssetCheckSeverity.ERROR,
        description=f"{outcome.rejected_records} of {outcome.records} records were refused.",
        metadata={"rejected_pct": outcome.rejected_pct, "what_to_do": to_do},
    )


def _edited_result(portfolio: Portfolio, warehouse: Warehouse, outcome: Outcome) -> dg.AssetCheckResult:
    plan = warehouse.table(PLAN)
    edited = plan.filter(plan.action == EDITED).select("target", "account_id", "field", "old_value", "sent_value")
    frame = pd.DataFrame(warehouse.rows(edited.limit(SHOWN)), columns=list(edited.columns), dtype=object)
    to_do = f"They are left alone. To send them all the same: `cx-intel sync {portfolio.name} --overwrite-edits`."
    return dg.AssetCheckResult(
        passed=not outcome.count(EDITED),
        asset_key=key_of(portfolio, PLAN),
        check_name=EDITED_CHECK,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{outcome.count(EDITED)} fields were edited at the vendor since they were sent.",
        metadata={"edited": dg.MetadataValue.md(markdown_table(frame)), "what_to_do": to_do},
    )
