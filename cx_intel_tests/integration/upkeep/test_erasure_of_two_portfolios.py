"""Two portfolios over one list of customers: each is erased by itself, with a proof of its own, and says where else to look."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cx_intel.cli.app import app
from cx_intel.privacy.erase import Erasure, erase
from cx_intel.privacy.places import Home
from cx_intel_tests.helpers.small_company import AS_OF, SmallCompany
from cx_intel_tests.helpers.traces import cells_with, files_with

pytestmark = pytest.mark.slow  # refreshes and erasures


@pytest.fixture
def company(tmp_path: Path) -> SmallCompany:
    """The small company, and beside it in the same home `renamed`, which reads the same files."""
    made = SmallCompany(tmp_path)
    made.only("accounts", "subscriptions")
    made.settings["reports"] = {"exports": []}
    other = SmallCompany(tmp_path, "renamed")
    other.settings = made.settings | {"name": "renamed"}
    assert made.refresh(AS_OF).failures == []
    assert other.refresh(AS_OF).failures == []
    return made


def taken_out(company: SmallCompany, portfolio: str, account: str = "A02") -> Erasure:
    home = Home(company.home, company.warehouse, company.home / "warehouse.lock", company.variables)
    return erase(home, portfolio, "account", account)


def accounts(company: SmallCompany, portfolio: str) -> set[str]:
    return {row[0] for row in company.query(f"SELECT account_id FROM {portfolio}.stg_accounts")}


def test_one_portfolio_is_erased_and_the_other_is_named(company: SmallCompany) -> None:
    done = taken_out(company, "small")
    assert (done.remains, done.also_in) == ((), ("renamed",))
    assert "A02" not in accounts(company, "small")
    assert "A02" in accounts(company, "renamed")
    assert not (company.home / "privacy" / "pending.json").exists()
    assert taken_out(company, "small", "A03").remains == ()


def test_erased_in_both_nothing_is_left_anywhere(company: SmallCompany) -> None:
    assert files_with(company.home), "the search finds what is there"
    taken_out(company, "small")
    assert "warehouse.duckdb" in files_with(company.home)  # the other portfolio's rows
    done = taken_out(company, "renamed")
    assert (done.remains, done.also_in) == ((), ())
    assert files_with(company.home) == {}
    assert cells_with(company.home) == []


def test_what_is_left_of_the_own_rows_is_still_found(company: SmallCompany) -> None:
    (company.home / "notes.txt").write_text("called Company 2 today")
    assert taken_out(company, "small").remains == ("notes.txt: its bytes",)


def test_the_command_says_where_else_somebody_has_the_id(company: SmallCompany) -> None:
    result = CliRunner().invoke(
        app, ["erase", "small", "--account", "A02", "--yes"], env=company.variables | {"COLUMNS": "300"}
    )
    assert result.exit_code == 0
    assert "Erased: ids and names are nowhere in the rows and files of small." in result.output
    assert "cx-intel erase renamed --account A02" in result.output
