"""Pages of a company with a moving ledger, as files that a browser opens, and what SQL says of their tables."""

from pathlib import Path
from typing import Any

import duckdb
import pytest

from cx_intel.reports.pages.frame import layout
from cx_intel.reports.pages.frame.layout import chart_library, render, write_whole
from cx_intel.reports.pages.frame.publishing import MENU, PAGES
from cx_intel_tests.helpers.browsing import Tab
from cx_intel_tests.helpers.builders import AS_OF, shipped
from cx_intel_tests.helpers.report_books import book_tables, read_book
from cx_intel_tests.helpers.report_ledger import answered_tickets, moving_ledger
from cx_intel_tests.helpers.report_rows import account_row
from cx_intel_tests.helpers.report_tables import fill

OF = shipped("novacrm")
NAMES = [f"Company {n}" for n in range(12)]
OWNER = "Ben Owner"
Sql = Any


def acted_on(accounts: int) -> dict[str, list[dict[str, Any]]]:
    """An entry of each account: every second one done, every third one kept, and the rest lost or open."""
    entries = [
        {
            "account_id": f"c{n}",
            "renewal_date": AS_OF,
            "entry_id": f"c{n}@{AS_OF}",
            "playbook": "Call",
            "current_arr": 100 * n,
        }
        | {"status": "open" if n % 2 else "done", "outcome": ("renewed", "lost", "open")[n % 3], "is_compared": False}
        for n in range(accounts)
    ]
    actions = [
        {
            "action_id": "x0",
            "entry_id": entries[0]["entry_id"],
            "account_id": "c0",
            "renewal_date": AS_OF,
            "status": "done",
        }
        | {"acted_on": AS_OF, "is_newest": True, "outcome": "renewed"}
    ]
    outcomes = [{"playbook": "Call", "entries": accounts, "done_entries": accounts // 2, "listed_arr": 0}]
    return {"intervention_entries": entries, "actions": actions, "playbook_outcomes": outcomes}


def build(root: Path, *pages: str) -> Path:
    """Writes the pages, and the warehouse beside them."""
    accounts = [account_row(n, name) for n, name in enumerate(NAMES)]
    tables = book_tables(OF, NAMES)
    tables |= {"fct_revenue": moving_ledger(accounts), "fct_tickets": answered_tickets(accounts)}
    tables |= acted_on(len(NAMES))
    book = read_book(fill(root / "warehouse.duckdb", OF, tables), OF)
    library = chart_library(root).read_text(encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layout, "PACKED_FROM", 0)  # as where a chart has many cells
        for key in pages:
            write_whole(root / f"{key}.html", render(PAGES[key][1](book), book, MENU, library).encode())
    return root


def connected(site: Path) -> Sql:
    """Asks the warehouse: rows of a query with its gaps filled."""
    connection = duckdb.connect(str(site / "warehouse.duckdb"), read_only=True)
    connection.execute(f"USE {OF.name}")
    return lambda query, *gaps: connection.execute(query, gaps).fetchall()


def opened(tab: Tab, site: Path, page: str, query: str = "") -> Any:
    tab.page.goto("about:blank")
    tab.page.goto((site / f"{page}.html").as_uri() + query)
    tab.page.wait_for_selector("html[data-filtered]", state="attached")
    return tab.page


def rows(page: Any, table: str) -> list[list[Any]]:
    """The rows of a table that are not filtered out: what each cell sorts by, else its text."""
    found = page.evaluate(
        "id => [...document.querySelectorAll(`#${id} tbody tr`)].filter(row => row.dataset.out !== 'yes')"
        ".map(row => [...row.cells].map(cell => cell.dataset.sort || cell.textContent.trim()))",
        table,
    )
    return [[plain(cell) for cell in row] for row in found]


def plain(value: Any) -> Any:
    try:
        return round(float(value), 4)
    except (TypeError, ValueError):
        return "–" if value is None else str(value)


def plainly(found: list[tuple[Any, ...]]) -> list[list[Any]]:
    return [[plain(cell) for cell in row] for row in found]


def moved(sql: Sql, month: Any, movement: str = "", owner: str = "") -> list[str]:
    return [
        name
        for (name,) in sql(
            "SELECT account_name FROM fct_revenue JOIN dim_account USING (account_id) WHERE revenue_month = ? "
            "AND revenue_movement <> 'flat' AND (? = '' OR revenue_movement = ?) AND (? = '' OR owner = ?) "
            "ORDER BY abs(net_mrr_change) DESC, account_id",
            month,
            movement,
            movement,
            owner,
            owner,
        )
    ]
