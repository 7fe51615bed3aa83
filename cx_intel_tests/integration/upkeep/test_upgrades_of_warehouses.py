"""A warehouse that an earlier version wrote: today's refresh goes on with it, backs it up first, and comes to the same figures.

The fixtures are of the oldest version with a command line and of the one before this edition, made by
`tools/upgrade_fixture.py` and named after their days. A layout that cannot be carried over has to end with what to do.
"""

import zipfile
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from cx_intel.warehouse.duckdb.upkeep.backups import backups
from cx_intel_tests.helpers.small_company import AS_OF, SmallCompany

EARLIER = Path(__file__).parents[2] / "helpers" / "earlier_warehouses"
OLDEST = "of_2026_11_22"
"""Its tables have other columns than today's; those of a later one may have the same."""
NEXT = AS_OF + timedelta(days=1)
FIGURES = ("nrr_summary", "nrr_by_segment", "revenue_cohort_analysis", "dim_account", "stg_subscriptions")

pytestmark = pytest.mark.slow  # refreshes


def company_in(folder: Path) -> SmallCompany:
    made = SmallCompany(folder)
    made.only("accounts", "subscriptions")
    made.settings["reports"] = {"exports": []}
    return made


@pytest.fixture(scope="module")
def today(tmp_path_factory: pytest.TempPathFactory) -> SmallCompany:
    """The same two days by today's program alone."""
    made = company_in(tmp_path_factory.mktemp("today"))
    for day in (AS_OF, NEXT):
        assert made.refresh(day).failures == []
    return made


def unpacked(name: str, company: SmallCompany) -> None:
    """The warehouse of an earlier version, in the place of the company's."""
    folder = company.folder / "exported"
    with zipfile.ZipFile(EARLIER / f"{name}.zip") as packed:
        packed.extractall(folder)
    load = folder / "load.sql"
    load.write_text(load.read_text(encoding="utf-8").replace("'@/", f"'{folder}/"), encoding="utf-8")
    company.home.mkdir()
    with duckdb.connect(str(company.warehouse)) as connection:
        connection.execute(f"IMPORT DATABASE '{folder}'")


def figures(company: SmallCompany) -> dict[str, list[tuple[object, ...]]]:
    return {table: company.query(f"SELECT * FROM {table} ORDER BY ALL") for table in FIGURES}


@pytest.mark.parametrize("name", sorted(file.stem for file in EARLIER.glob("*.zip")))
def test_todays_refresh_goes_on_with_it(name: str, today: SmallCompany, tmp_path: Path) -> None:
    company = company_in(tmp_path)
    unpacked(name, company)
    before = company.query("SELECT count(*) FROM account_snapshot WHERE as_of = DATE '2025-01-31'")
    outcome = company.refresh(NEXT)
    assert outcome.failures == []
    reasons = {backup.manifest["reason"] for backup in backups(company.home)}
    assert reasons == {"before the tables of small change"} or (name != OLDEST and not reasons)
    assert figures(company) == figures(today)
    days = "SELECT as_of, count(*) FROM account_snapshot GROUP BY 1 ORDER BY 1"
    assert company.query(days) == today.query(days)
    assert company.query("SELECT count(*) FROM account_snapshot WHERE as_of = DATE '2025-01-31'") == before
    assert company.refresh(NEXT).failures == []


def test_there_are_fixtures_and_they_are_small() -> None:
    sizes = [file.stat().st_size for file in EARLIER.glob("*.zip")]
    assert len(sizes) >= 2
    assert max(sizes) < 200_000
