"""What pages add up for chosen accounts: of all accounts it is the published figure, of some what plain SQL says."""

import math
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

import pytest

from cx_intel.reports.charts.movements import waterfall
from cx_intel.reports.charts.revenue import retention_rows
from cx_intel.reports.data.cells import cells
from cx_intel.reports.data.figures.kpis import SUMS, kpi_parts, kpis
from cx_intel.reports.data.figures.money import SUMMED, money_figures, money_script
from cx_intel.reports.data.figures.retention import retention
from cx_intel.reports.data.reading import read_report_data
from cx_intel.reports.data.report_data import ReportData
from cx_intel_tests.helpers.builders import shipped
from cx_intel_tests.helpers.small_worlds import as_text, delivered
from cx_intel_tests.helpers.whole_graph import WholeGraph

DAY = date(2025, 1, 31)
pytestmark = pytest.mark.slow


class Made(NamedTuple):
    data: ReportData
    sql: Any


@pytest.fixture(scope="module", params=["fleet", "novacrm"])
def made(request: pytest.FixtureRequest) -> Made:
    name = request.param
    graph = WholeGraph(shipped(name), DAY)
    graph.run({table: as_text(frame) for table, frame in delivered(name, 60, DAY).items()})
    data = read_report_data(graph.warehouse, graph.portfolio, DAY, datetime(2025, 2, 1, tzinfo=UTC))
    return Made(data, lambda query: graph.database.connection.execute(query.format(s=name)).fetchall())


def chosen_of(data: ReportData, owner: str) -> set[int]:
    by_cell = cells(data)
    place = by_cell.columns.index("owner")
    return {number for number, row in enumerate(by_cell.rows) if row[place] == owner}


def test_the_parts_of_all_accounts_are_the_published_figures(made: Made) -> None:
    data, parts = made.data, kpi_parts(made.data)
    published = {kpi.key: kpi.value for kpi in kpis(data)}
    assert {key: round(math.fsum(parts[f"{key}@0"]), 6) for key in SUMS} == {key: published[key] for key in SUMS}
    sums, figures = money_script(data)["sums"], money_figures(data)
    assert {name: round(math.fsum(sums[name]), 6) for name in SUMMED} == {name: figures[name] for name in SUMMED}


def test_the_parts_of_retention_are_the_published_rates(made: Made) -> None:
    months = made.data.summary.tail(12)
    for suffix in ("ttm_pct", "pct"):
        rows = retention_rows(made.data, suffix, 12)
        for month in months.to_dict("records"):
            of_month = [row for row in rows if row["at"] == str(month["revenue_month"])]
            then, now, kept = (math.fsum(row[name] for row in of_month) for name in ("then", "now", "kept"))
            assert (100 * now / then, 100 * kept / then) == pytest.approx(
                (month[f"nrr_{suffix}"], month[f"grr_{suffix}"])
            )
    assert retention(months.iloc[-1]) is not None


def test_the_parts_of_the_movements_are_the_published_waterfall(made: Made) -> None:
    last = made.data.summary.iloc[-1]
    added: dict[int, float] = {}
    for row in waterfall(made.data).data["waterfall"]:
        added[row["order"]] = round(added.get(row["order"], 0) + row["amount"], 6)
    signs = {"starting": 1, "new": 1, "reactivation": 1, "expansion": 1, "contraction": -1, "churned": -1, "ending": 1}
    assert [added[order] for order in sorted(added)] == [
        sign * float(last[f"{name}_mrr"]) for name, sign in signs.items()
    ]


def test_the_parts_of_an_owner_are_what_sql_says(made: Made) -> None:
    owner = made.sql(
        "SELECT owner FROM {s}.account_snapshot WHERE current_mrr > 0 GROUP BY 1 ORDER BY count(*) DESC, 1"
    )[0][0]
    chosen, parts, sums = chosen_of(made.data, owner), kpi_parts(made.data), money_script(made.data)["sums"]
    added = lambda found: round(math.fsum(part for cell, part in enumerate(found) if cell in chosen), 6)
    book = f"FROM {{s}}.account_snapshot WHERE owner = '{owner}' AND current_mrr > 0 AND NOT is_churned"
    assert (added(parts["arr@0"]), added(parts["customers@0"])) == made.sql(
        f"SELECT sum(current_arr)::DOUBLE, count(*) {book}"
    )[0]
    due = f"FROM {{s}}.renewal_pipeline WHERE owner = '{owner}' AND is_within_window"
    assert [added(sums[name]) for name in ("due", "exposed", "exposed_accounts", "loss")] == list(
        made.sql(
            "SELECT coalesce(sum(current_arr), 0)::DOUBLE, coalesce(sum(exposed_arr), 0)::DOUBLE, "
            f"count(*) FILTER (exposed_arr > 0), coalesce(sum(expected_arr_loss), 0)::DOUBLE {due}"
        )[0]
    )
    assert added(parts["exposed_arr@0"]) == added(sums["exposed"])


def test_the_sentence_is_in_keeping_with_the_outlook(made: Made) -> None:
    figures = money_figures(made.data)
    lost = dict(
        made.sql(
            "SELECT scenario, (12 * (starting_mrr - ending_mrr))::DOUBLE FROM {s}.nrr_outlook "
            "WHERE segment = 'all' AND scenario NOT LIKE 'simulated%'"
        )
    )
    of_the_book = figures["loss"], figures["loss"] - figures["saved"]
    assert of_the_book == pytest.approx((lost["expected_no_action"], lost["expected_with_playbooks"]), abs=0.5)
    assert figures["low"] <= figures["high"]
