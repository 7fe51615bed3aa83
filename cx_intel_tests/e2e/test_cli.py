"""The command `cx-intel` as a user types it, over a portfolio that was refreshed; what needs none: `test_cli_at_first.py`."""

import json
import re
import subprocess
from datetime import date

import pytest
from typer.testing import CliRunner

from cx_intel.cli.app import app
from cx_intel_tests.helpers.command_line import DONE, FAILED, MISUSE, cx_intel, fresh, here
from cx_intel_tests.helpers.small_company import AS_OF, SmallCompany


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> SmallCompany:
    """Refreshed once by the command."""
    return fresh(tmp_path_factory.mktemp("company"))


@pytest.fixture(scope="module")
def refreshed(company: SmallCompany) -> subprocess.CompletedProcess[str]:
    return cx_intel(company, "refresh", "small", "--as-of", AS_OF.isoformat())


def test_a_refresh_shows_its_progress_and_ends_with_a_summary(
    company: SmallCompany, refreshed: subprocess.CompletedProcess[str]
) -> None:
    assert (refreshed.returncode, refreshed.stderr) == (DONE, "")
    text = refreshed.stdout
    assert text.startswith("Refreshing small\n")
    assert f"small as of {AS_OF}" in text
    assert re.search(r"revenue +[0-9]+ +[0-9]+ +[0-9,]+ +[0-9.]+", text)
    assert " 0 warned, 0 failed" in text
    assert "MRR, Jan 2025" in text
    assert "€7,610.00" in text
    assert "Rows in quarantine" in text
    assert str(company.warehouse) in text.replace("\n", "")
    assert company.values("nrr_summary", "ending_mrr", by="revenue_month")[date(2025, 1, 1)] == 7610


@pytest.mark.usefixtures("refreshed")
def test_list_tells_what_there_is_and_when_it_was_refreshed(company: SmallCompany) -> None:
    found = here(company, "list")
    assert found.exit_code == DONE
    line = next(line for line in found.stdout.splitlines() if "small" in line)
    assert "EUR" in line
    assert "files" in line
    assert AS_OF.isoformat() in line


@pytest.mark.usefixtures("refreshed")
def test_show_gives_the_first_rows_of_a_table(company: SmallCompany) -> None:
    found = here(company, "show", "dim_account", "--rows", "3")
    assert found.exit_code == DONE
    assert "account_id" in found.stdout
    assert found.stdout.count("Company ") == 3


@pytest.mark.usefixtures("refreshed")
def test_show_names_a_table_that_is_not_there(company: SmallCompany) -> None:
    found = here(company, "show", "dim_acount")
    assert found.exit_code == MISUSE
    assert "There is no table 'dim_acount' in small (did you mean 'dim_account'?)" in found.stderr


@pytest.mark.usefixtures("refreshed")
def test_show_takes_a_condition_columns_and_a_format(company: SmallCompany) -> None:
    where = "current_arr > 12000 AND account_id <> 'A12'"
    found = here(
        company, "show", "dim_account", "--where", where, "--columns", "account_id, current_arr", "--format", "csv"
    )
    assert (found.exit_code, found.stdout) == (DONE, "account_id,current_arr\nA11,13200.00\n")
    markdown = here(company, "show", "dim_account", "--rows", "1", "--columns", "account_id", "--format", "markdown")
    assert (markdown.stdout, markdown.stderr) == (
        "| account_id |\n| --- |\n| A01 |\n",
        "1 of 12 rows; --rows gives more.\n",
    )


@pytest.mark.usefixtures("refreshed")
@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--where", "segmnt = 'SMB'"), "There is no column 'segmnt' (did you mean 'segment'?)"),
        (("--where", "segment = SMB"), "text is written in quotes: 'SMB'"),
        (("--where", "account_id IN (SELECT 1)"), "is not one condition"),
        (("--where", "1 = 1; DROP TABLE dim_account"), "is not one condition"),
        (("--where", "1 = 1) UNION (SELECT 1"), "is no condition"),
        (("--where", "segment > DATE 'x'"), "fails: "),
        (("--columns", "acount_id"), "has no column 'acount_id' (did you mean 'account_id'?)"),
    ],
)
def test_show_explains_a_condition_or_column_that_it_cannot_use(
    company: SmallCompany, words: tuple[str, ...], told: str
) -> None:
    found = here(company, "show", "dim_account", *words)
    assert (found.exit_code, told in found.stderr) == (MISUSE, True), found.output


@pytest.mark.usefixtures("refreshed")
def test_open_prints_where_a_page_is_and_suggests_one(company: SmallCompany) -> None:
    found = here(company, "open", "small", "revenue", DISPLAY="", WAYLAND_DISPLAY="")
    assert (found.exit_code, found.stdout) == (DONE, f"{company.home / 'reports' / 'small' / 'revenue.html'}\n")
    other = here(company, "open", "small", "revenu")
    assert (other.exit_code, "has no page 'revenu' (did you mean 'revenue'?)" in other.stderr) == (MISUSE, True)


@pytest.mark.usefixtures("refreshed")
def test_show_gives_the_rows_of_a_day(company: SmallCompany) -> None:
    found = here(company, "show", "account_snapshot", "--rows", "1", "--as-of", AS_OF.isoformat())
    assert (found.exit_code, found.stderr) == (DONE, "1 of 12 rows; --rows gives more.\n")
    assert AS_OF.isoformat() in found.stdout
    none = here(company, "show", "quarantine")
    assert (none.exit_code, none.stdout, none.stderr) == (DONE, "", "The table 'quarantine' has no rows.\n")
    other = here(company, "show", "account_snapshot", "--as-of", "2020-01-01")
    assert (other.exit_code, other.stdout) == (MISUSE, "")
    assert f"has no rows as of 2020-01-01; its days are from {AS_OF} to {AS_OF}." in other.stderr
    whole = here(company, "show", "dim_account", "--as-of", AS_OF.isoformat())
    assert whole.exit_code == MISUSE
    assert "The table 'dim_account' has no column as_of" in whole.stderr


@pytest.mark.usefixtures("refreshed")
def test_explain_metric_shows_a_figure_under_each_definition(company: SmallCompany) -> None:
    told = here(company, "explain-metric", "nrr_ttm_pct", "--portfolio", "small")
    assert told.exit_code == DONE, told.output
    assert "nrr_ttm_pct of January 2025:" in told.output
    assert "(this" in told.output  # the column may break after it
    for definition in ("closed cohort", "monthly", "compounded monthly", "bridge", "renewal base"):
        assert definition in told.output


@pytest.mark.usefixtures("refreshed")
def test_explain_metric_names_the_figures_and_months_that_there_are(company: SmallCompany) -> None:
    told = here(company, "explain-metric", "happiness", "--portfolio", "small")
    assert (told.exit_code, "there are nrr_ttm_pct" in told.output) == (MISUSE, True)
    told = here(company, "explain-metric", "arpa", "--portfolio", "small", "--month", "2031-01")
    assert (told.exit_code, "has no month 2031-01; it has " in told.output) == (MISUSE, True)


@pytest.mark.usefixtures("refreshed")
def test_explain_tells_of_an_account_by_a_part_of_its_name(company: SmallCompany) -> None:
    told = here(company, "explain", "company 10")
    assert told.exit_code == DONE, told.output
    assert f"Company 10, A10 as of {AS_OF:%d %b %Y} (small)" in told.output
    assert "Owner: Ben. Segment: SMB. ARR €12,000." in told.output
    unclear = here(company, "explain", "company 1")  # not Company 10, 11 and 12
    assert (unclear.exit_code, "Company 1, A01" in unclear.output) == (DONE, True)
    unknown = here(company, "explain", "compny 7", "--portfolio", "small")
    assert (unknown.exit_code, "spelt alike are Company 7 (A07, small)" in unknown.stderr) == (MISUSE, True)
    day = here(company, "explain", "A10", "--as-of", "2020-01-01")
    assert (day.exit_code, "There is no snapshot of 2020-01-01" in day.stderr) == (MISUSE, True)


@pytest.mark.usefixtures("refreshed")
def test_diff_names_days_without_a_snapshot(company: SmallCompany) -> None:
    told = here(company, "diff", "2025-01-24", AS_OF.isoformat())
    assert (told.exit_code, "There is no snapshot of 2025-01-24" in told.stderr) == (MISUSE, True)


@pytest.mark.usefixtures("refreshed")
def test_sql_answers_a_query_as_table_csv_or_json(company: SmallCompany) -> None:
    query = "SELECT account_id, current_arr FROM dim_account WHERE account_id >= 'A10' ORDER BY 1"
    table = here(company, "sql", query)
    assert (table.exit_code, "12000.00" in table.stdout, table.stderr) == (DONE, True, "")
    written = here(company, "sql", query, "--format", "csv", "--rows", "1")
    assert (written.stdout, written.stderr) == (
        "account_id,current_arr\nA10,12000.00\n",
        "These are the first 1 rows; --rows 0 gives all.\n",
    )
    plain = here(company, "sql", query, "--format", "json", "--rows", "0")
    assert json.loads(plain.stdout)[1] == {"account_id": "A11", "current_arr": 13200.0}
    live = here(company, "sql", "SELECT count(*) AS n FROM raw_accounts", "--live", "--format", "csv")
    assert live.stdout == "n\n12\n"
    piped = CliRunner().invoke(app, ["sql", "-", "--format", "csv"], env=company.variables, input="SELECT 1 AS one")
    assert piped.stdout == "one\n1\n"
    wrong = here(company, "sql", "DELETE FROM dim_account")
    assert (wrong.exit_code, "Only one query that reads" in wrong.stderr) == (MISUSE, True)
    none = here(company, "sql", "FROM dim_account LIMIT 0")
    assert (none.exit_code, none.stdout, none.stderr) == (DONE, "", "The query gives no rows.\n")


@pytest.mark.slow
@pytest.mark.usefixtures("refreshed")
def test_a_failing_run_exits_with_one_and_says_what_failed(company: SmallCompany) -> None:
    (company.data / "subscriptions.csv").write_text("subscription_id,account_id\nS01,A01\n")
    found = cx_intel(company, "refresh", "--as-of", AS_OF.isoformat())
    assert found.returncode == FAILED
    assert "failed raw_subscriptions" in found.stdout or "failed stg_subscriptions" in found.stdout
    assert found.stderr.strip().endswith("Failed: small")
    assert "Traceback" not in found.stdout + found.stderr
    assert company.values("nrr_summary", "ending_mrr", by="revenue_month")[date(2025, 1, 1)] == 7610
