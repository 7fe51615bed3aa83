"""The walk through atlas in docs/definitions.md: every row that it quotes is delivered, every figure the tests' own."""

import csv
import re
from functools import cache

import pytest

from cx_intel.settings.yaml.loader import load_portfolio
from cx_intel_tests.helpers.atlas import BY_CONTRACTS, BY_INVOICES, DELIVERIES, EXAMPLES, FILES, PAGE, Months

QUOTED_ROW = re.compile(r"^- (\d{4}-\d\d-\d\d), `(\w+)` (\S+): (.+)$", re.MULTILINE)
QUOTED_CELL = re.compile(r"`(\w+)` ([^,]+)")


@cache
def delivered(day: str, table: str) -> dict[str, dict[str, str]]:
    """The rows of a file by their first column, the id."""
    with (FILES / day / f"{table}.csv").open(newline="", encoding="utf-8") as file:
        return {next(iter(row.values())): row for row in csv.DictReader(file)}


def quoted_rows() -> list[tuple[str, str, str, str]]:
    return QUOTED_ROW.findall(PAGE.read_text(encoding="utf-8"))


@pytest.mark.parametrize(("day", "table", "row", "cells"), quoted_rows())
def test_a_row_on_the_page_is_delivered_as_it_stands_there(day: str, table: str, row: str, cells: str) -> None:
    if cells == "no row":
        assert row not in delivered(day, table)
        return
    found = delivered(day, table)[row]
    quoted = QUOTED_CELL.findall(cells)
    assert quoted
    assert {name: found[name] or "empty" for name, _ in quoted} == dict(quoted)


def test_every_story_of_the_files_is_on_the_page_with_rows_of_its_own() -> None:
    chapters = re.split(r"^### ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    told = {chapter.split(":")[0]: chapter for chapter in chapters if chapter.startswith("S-")}
    without = {"S-11"}  # the parent that has no contract
    in_files = {account for account in delivered(DELIVERIES[-1].isoformat(), "accounts") if account.startswith("S-")}
    assert set(told) == in_files - without == set(BY_CONTRACTS)
    assert [story for story, chapter in told.items() if not QUOTED_ROW.search(chapter)] == []


def test_the_page_shows_the_figures_of_the_stories() -> None:
    def shown(months: Months) -> list[str]:
        return ["" if mrr is None else f"{mrr:,.2f}" for mrr in months]

    page = PAGE.read_text(encoding="utf-8").splitlines()
    for story, months in BY_CONTRACTS.items():
        row = "| " + " | ".join([story, *shown(months), *shown(BY_INVOICES[story])]) + " |"
        assert row in page


def test_forty_accounts_are_plain_and_never_change() -> None:
    contracts = [
        {row["account_id"]: row for row in delivered(day.isoformat(), "subscriptions").values()} for day in DELIVERIES
    ]
    plain = [account for account in contracts[0] if account.startswith("A-")]
    assert len(plain) == 40
    assert all(later[account] == contracts[0][account] for later in contracts for account in plain)
    assert (
        sum(int(contracts[0][account]["unit_amount"]) for account in plain)
        == 20 * 120_000 + 10 * 240_000 + 10 * 720_000
    )


@pytest.mark.parametrize("name", ["atlas", "atlas_invoices"])
def test_both_portfolios_are_valid(name: str) -> None:
    assert load_portfolio(EXAMPLES / f"{name}.yaml").name == name
