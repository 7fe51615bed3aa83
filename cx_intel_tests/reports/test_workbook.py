"""The workbook for leaders: text that is never run, formats of the currency and language, the line of the capacity."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from cx_intel.reports.data.reading import read_report_data
from cx_intel.reports.workbook.cells import LONGEST_TEXT, shown_text
from cx_intel.reports.workbook.workbook import HEADER_ROW, write_workbook
from cx_intel.settings.portfolio import Portfolio
from cx_intel.warehouse.duckdb.access.opening import reading
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse
from cx_intel_tests.helpers.builders import AS_OF, shipped
from cx_intel_tests.helpers.report_books import MADE_AT
from cx_intel_tests.helpers.report_tables import HOSTILE, accounts_of, due, fill, listed, outlook


def _workbook(of: Portfolio, folder: Path, tables: Mapping[str, Iterable[Mapping[str, Any]]]) -> Workbook:
    path = fill(folder / "warehouse.duckdb", of, {"nrr_outlook": [], **tables})
    with reading(path) as database:
        write_workbook(read_report_data(DuckDBWarehouse(database, of.name), of, AS_OF, MADE_AT), folder / "review.xlsx")
    return load_workbook(folder / "review.xlsx")


@pytest.fixture(scope="module")
def german(tmp_path_factory: pytest.TempPathFactory) -> Workbook:
    beyond = [row | {"is_within_capacity": row["priority_rank"] not in (2, 4)} for row in listed(HOSTILE)]
    beyond[0] |= {"renewal_risk": "Critical", "health_tier": "Red"}
    return _workbook(
        shipped("fleet"),
        tmp_path_factory.mktemp("german"),
        {
            "account_snapshot": accounts_of(HOSTILE),
            "cs_intervention_list": beyond,
            "renewal_pipeline": due(HOSTILE, expansion_potential_arr=0),
            "nrr_outlook": outlook(all_renew=100.0, expected_no_action=95.96, worst_case=93.8),
        },
    )


def _by_title(sheet: Worksheet, row: int) -> dict[str, Any]:
    titles = [cell.value for cell in sheet[HEADER_ROW]]
    return dict(zip(titles, sheet[row], strict=True))


def test_no_cell_is_a_formula_and_hostile_names_stand_as_they_are(german: Workbook):
    cells = [cell for sheet in german for line in sheet.iter_rows() for cell in line if cell.value is not None]
    assert {cell.data_type for cell in cells} == {"s", "n", "d"}
    names = [_by_title(german["Verlängerungen"], HEADER_ROW + 1 + n)["Kunde"] for n in range(len(HOSTILE))]
    written = {name.replace("\r", "\n") for name in HOSTILE}  # XML reads a return as a new line
    assert {cell.value.replace("\r", "\n").replace("_x000D_", "\n") for cell in names} == written
    assert {cell.quotePrefix for cell in names if cell.value[0] in "=+@-"} == {True}
    assert not [cell for cell in cells if cell.hyperlink]


def test_control_characters_and_endless_text_are_no_reason_to_fail():
    assert shown_text("a\x00b\x1fc") == ("a\ufffdb\ufffdc", False)
    assert shown_text("=1+1") == ("=1+1", True)
    assert shown_text("x" * 40_000) == ("x" * LONGEST_TEXT, False)


def test_sheets_and_titles_are_in_the_portfolio_language(german: Workbook):
    assert german.sheetnames == ["Übersicht", "Interventionsliste", "Verlängerungen"]
    titles = [cell.value for cell in german["Interventionsliste"][HEADER_ROW]]
    assert titles[:3] == ["Rang", "Kunde", "Segment"]
    assert "Rettbarer ARR (Annahme)" in titles
    assert "_" not in "".join(titles)


def test_amounts_days_and_rates_have_the_formats_of_the_portfolio(german: Workbook):
    row = _by_title(german["Interventionsliste"], HEADER_ROW + 1)
    assert (row["ARR"].value, row["ARR"].number_format) == (1200, '#,##0 [$€-407];-#,##0 [$€-407];"–"')
    assert (row["Verlängerung"].value, row["Verlängerung"].number_format) == (datetime(2025, 3, 2), "dd.mm.yyyy")
    assert (row["Health Score"].value, row["Health Score"].number_format) == (45.5, "0.0")
    assert row["Rettbarer ARR (Annahme)"].value == pytest.approx(162)
    rate = _by_title(german["Verlängerungen"], HEADER_ROW + 1)["Wahrscheinlichkeit der Verlängerung"]
    assert (rate.value, rate.number_format) == (0.55, '0.0" "%')


def test_the_capacity_line_is_drawn_below_the_accounts_within_it(german: Workbook):
    sheet = german["Interventionsliste"]
    rows = [_by_title(sheet, HEADER_ROW + 1 + n) for n in range(len(HOSTILE))]
    assert [row["Rang"].value for row in rows] == [1, 3, *range(5, len(HOSTILE) + 1), 2, 4]
    assert [row["Kapazität"].value for row in rows][-3:] == ["innerhalb", "darüber hinaus", "darüber hinaus"]
    thick = [n for n, row in enumerate(rows) if row["Rang"].border.top and row["Rang"].border.top.style == "thick"]
    assert thick == [len(HOSTILE) - 2]
    assert "(15 Kunden je Person): 2, mit 1.080\u00a0€ erwartetem Verlust" in sheet["A4"].value


def test_risk_and_tier_are_told_by_text_and_colour(german: Workbook):
    first, second = (_by_title(german["Interventionsliste"], HEADER_ROW + n) for n in (1, 2))
    assert (first["Verlängerungsrisiko"].value, second["Verlängerungsrisiko"].value) == ("Kritisch", "Hoch")
    colours = {row["Verlängerungsrisiko"].fill.fgColor.rgb for row in (first, second)}
    assert len(colours) == 2
    assert (first["Stufe"].value, first["Stufe"].fill.fill_type) == ("Rot", "solid")


def test_lists_can_be_filtered_scrolled_and_printed(german: Workbook):
    sheet = german["Interventionsliste"]
    assert sheet.freeze_panes == "C6"
    assert sheet.auto_filter.ref == f"A{HEADER_ROW}:T{HEADER_ROW + len(HOSTILE)}"
    assert (sheet.page_setup.orientation, sheet.print_title_rows) == ("landscape", f"${HEADER_ROW}:${HEADER_ROW}")
    assert sheet.column_dimensions["B"].width == pytest.approx(34, abs=1)


def test_a_list_that_one_page_would_shrink_beyond_reading_takes_two_with_the_name_on_each(german: Workbook):
    sheet = german["Interventionsliste"]
    assert (sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight) == (2, 0)
    assert sheet.print_title_cols == "$A:$B"
    assert german["Übersicht"].page_setup.fitToWidth in (1, None)


def test_numbers_stand_off_from_the_text_beside_them(german: Workbook):
    row = _by_title(german["Interventionsliste"], HEADER_ROW + 1)
    assert [(row[title].alignment.horizontal, row[title].alignment.indent) for title in ("Kunde", "ARR")] == [
        ("left", 1),
        ("right", 1),
    ]


def test_the_summary_says_what_is_assumed(german: Workbook):
    sheet = german["Übersicht"]
    told = {row[0].value: row[1].value for row in sheet.iter_rows(max_col=2) if row[0].value}
    arr = [row[1].value for row in sheet.iter_rows(max_col=2) if row[0].value == "ARR"]
    assert arr[0] == 12 * 100 * len(HOSTILE)
    assert told["Anzurufende Kunden"] == len(HOSTILE)
    assert told["davon innerhalb der Kapazität"] == len(HOSTILE) - 2
    assert told["Erwartet, niemand handelt"] == pytest.approx(0.9596)
    assert told["Kritisch"] == "Krisengespräch durch den CSM"
    text = " ".join(str(cell.value) for row in sheet.iter_rows() for cell in row if cell.value)
    assert "keine Messwerte" in text
    assert "Rettungsquote (Annahme)" in text
    assert "15 Kunden je betreuende Person" in text


def test_equal_data_make_equal_bytes(tmp_path: Path):
    tables = {"cs_intervention_list": listed(HOSTILE), "renewal_pipeline": due(HOSTILE)}
    path = fill(tmp_path / "warehouse.duckdb", shipped("fleet"), {"nrr_outlook": [], **tables})
    with reading(path) as database:
        data = read_report_data(DuckDBWarehouse(database, "fleet"), shipped("fleet"), AS_OF, MADE_AT)
    for name in ("one.xlsx", "two.xlsx"):
        write_workbook(data, tmp_path / name)
    assert (tmp_path / "one.xlsx").read_bytes() == (tmp_path / "two.xlsx").read_bytes()


@pytest.mark.parametrize("names", [[], ["Only Ltd"]])
def test_an_empty_list_and_one_account_in_english(tmp_path: Path, names: list[str]):
    same = {"recommended_playbook": "CSM save plan", "health_tier": "at_risk"}
    made = _workbook(
        shipped("novacrm"),
        tmp_path,
        {"cs_intervention_list": listed(names, **same), "renewal_pipeline": due(names, **same)},
    )
    sheet = made["Intervention list"]
    row = _by_title(sheet, HEADER_ROW + 1)
    assert row["Account"].value == (names[0] if names else None)
    if names:
        assert row["ARR"].number_format == '[$$-409]#,##0;-[$$-409]#,##0;"–"'
        assert sheet["A3"].value.startswith("Accounts cancelled, or at Critical or High risk, within 90 days: 1;")
    else:
        assert sheet["A3"].value == "No account is cancelled, or at Critical or High risk, within 90 days."
        assert sheet.auto_filter.ref == f"A{HEADER_ROW}:T{HEADER_ROW + 1}"
