"""The example of four vendors on a made-up company's exports, three deliveries, against the truth that came with them.

The files are no part of the project: VENDORS_DATA names their folder, without which the test is skipped. In it are
`delivery=<day>/{hubspot,stripe,zendesk,segment}` and `truth`.
"""

import os
from datetime import date
from pathlib import Path

import duckdb
import pytest

import cx_intel
from cx_intel.orchestration.build import build_definitions
from cx_intel.orchestration.instance import instance_of
from cx_intel.orchestration.runs import refresh
from cx_intel.settings.environment import read_environment

EXAMPLE = Path(cx_intel.__file__).parents[1] / "examples" / "four_vendors.yaml"
NAME = EXAMPLE.stem

pytestmark = pytest.mark.slow  # three refreshes

DIFFERENCES = {
    "mrr": """
        SELECT account_id, month, mrr, truth FROM (
          SELECT account_id, strftime(revenue_month, '%Y-%m') AS month, mrr FROM fct_revenue WHERE mrr <> 0)
        FULL JOIN (
          SELECT account_id, revenue_month AS month, mrr_usd::decimal(18, 2) AS truth
          FROM truth('mrr_by_account_month') WHERE truth <> 0) USING (account_id, month)
        WHERE mrr IS DISTINCT FROM truth""",
    "ids": """
        SELECT system, external_id, m.account_id, t.company_id FROM truth('identity_links') t
        LEFT JOIN (FROM identity_map WHERE valid_to IS NULL) m USING (system, external_id)
        WHERE m.account_id IS DISTINCT FROM t.company_id""",
    "tickets": """
        SELECT ticket_id FROM fct_tickets f FULL JOIN (
          SELECT * FROM truth('tickets_truth') WHERE company_id <> '' AND state <> 'left_out') t USING (ticket_id)
        WHERE (f.account_id, f.status, round(f.resolution_hours, 4)) IS DISTINCT FROM
          (t.company_id, t.state, round(t.resolution_hours::double, 4))
          OR coalesce(f.is_sla_breach, false) <> (t.is_breach::boolean OR t.is_open_breach::boolean)""",
    "usage": """
        SELECT account_id, month, events, truth FROM (
          SELECT account_id, strftime(event_date, '%Y-%m') AS month, sum(total_events) AS events FROM fct_usage GROUP BY ALL)
        FULL JOIN (SELECT account_id, month, events::int AS truth FROM truth('usage_by_account_month'))
        USING (account_id, month) WHERE events IS DISTINCT FROM truth""",
    "nps": """
        (SELECT account_id, score FROM stg_nps_responses EXCEPT ALL
          SELECT company_id, score::double FROM truth('nps_truth') WHERE company_id <> '')
        UNION ALL (SELECT company_id, score::double FROM truth('nps_truth') WHERE company_id <> '' EXCEPT ALL
          SELECT account_id, score FROM stg_nps_responses)""",
    "unmatched MRR": """
        SELECT system, external_id FROM truth('unmatched') t LEFT JOIN unmatched_accounts u USING (system, external_id)
        WHERE t.mrr_2025_06_usd::decimal(18, 2) > 0 AND t.mrr_2025_06_usd::decimal(18, 2) IS DISTINCT FROM u.mrr""",
}


@pytest.fixture(scope="module")
def refreshed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The warehouse after all deliveries, and the folder of the truth."""
    if not (given := os.environ.get("VENDORS_DATA")):
        pytest.skip("VENDORS_DATA does not name the folder of the files")
    folder, data = tmp_path_factory.mktemp("vendors"), Path(given)
    (folder / "portfolios").mkdir()
    (folder / "segment").mkdir()
    (folder / "portfolios" / EXAMPLE.name).write_text(EXAMPLE.read_text(encoding="utf-8"), encoding="utf-8")
    for delivery in sorted(data.glob("delivery=*")):
        for file in (delivery / "segment").iterdir():
            (folder / "segment" / file.name).symlink_to(file)
        environment = read_environment(
            {
                "CX_HOME": str(folder / "home"),
                "CX_PORTFOLIOS": str(folder / "portfolios"),
                "EXPORTS": str(delivery),
                "SEGMENT": str(folder / "segment"),
            }
        )
        day = date.fromisoformat(delivery.name.removeprefix("delivery="))
        with pytest.MonkeyPatch.context() as patch:
            patch.delenv("DAGSTER_HOME", raising=False)
            with instance_of(folder / "home") as instance:
                outcome = refresh(build_definitions(environment), NAME, day, instance, without=("dashboard", "exports"))
        assert outcome.succeeded, outcome.failures
    return folder / "home" / "warehouse.duckdb", data / "truth"


@pytest.mark.parametrize("of", DIFFERENCES)
def test_nothing_differs_from_the_truth(refreshed: tuple[Path, Path], of: str) -> None:
    warehouse, truth = refreshed
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        connection.execute(f"USE {NAME}")
        query = DIFFERENCES[of]
        for name in {part.split("'")[1] for part in query.split("truth(")[1:]}:
            query = query.replace(
                f"truth('{name}')", f"read_csv('{truth}/{name}.csv', all_varchar = true, header = true)"
            )
        assert connection.execute(query).fetchall() == []
