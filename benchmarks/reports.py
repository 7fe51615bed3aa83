"""How large the reports of ten thousand accounts are, how long they take to make, and how soon a page can be used.

    python benchmarks/reports.py [accounts]

Pages are opened in headless Chromium from disk; "usable" is when every chart is drawn or the table stands. For the
figures that tests hold, see `cx_intel_tests/reports/test_pages.py`.
"""

import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from cx_intel.reports.pages.frame.publishing import publish
from cx_intel_tests.helpers.builders import shipped
from cx_intel_tests.helpers.report_books import read_book
from cx_intel_tests.reports.test_pages import multiplied
from cx_intel_tests.reports.test_pages_browser import ARGUMENTS, CHROMIUM


def main(accounts: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root, of = Path(folder), shipped("fleet")
        path = multiplied(root / "warehouse.duckdb", of, accounts)
        started = time.perf_counter()
        book = read_book(path, of)
        gathered = time.perf_counter()
        publish(book, root / "first")
        published = time.perf_counter()
        made = publish(book, root / "made")
        again = time.perf_counter()
        print(
            f"{len(book.accounts):,} accounts: gathered in {gathered - started:.1f} s, "
            f"made in {published - gathered:.1f} s, with the script at hand in {again - published:.1f} s"
        )
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            for key, file in made.pages.items():
                usable = opened(page, file)
                then = used(page, key)
                print(f"{key:<10} {file.stat().st_size / 1e6:5.2f} MB  usable in {usable:5.2f} s  {then}")
            browser.close()


def opened(page: Page, file: Path) -> float:
    started = time.perf_counter()
    page.goto(file.as_uri())
    page.wait_for_selector("html[data-ready=yes]", state="attached")
    return time.perf_counter() - started


def used(page: Page, key: str) -> str:
    """Something that a reader does on the page, and how long it takes."""
    started = time.perf_counter()
    if key == "dashboard":
        page.wait_for_selector("html[data-filtered]", state="attached")
        started = time.perf_counter()
        page.select_option("#filter-segment", "SMB")
        page.wait_for_selector("html[data-filtered*=SMB]", state="attached")
        return f"filtered in {time.perf_counter() - started:.2f} s"
    if key == "accounts":
        page.fill("#search", "a1")
        page.wait_for_function("!document.getElementById('count').textContent.startsWith('(10')")
        searched = time.perf_counter()
        page.locator("#accounts tbody a").first.click()
        page.wait_for_selector("#account[data-shown]")
        return f"searched in {searched - started:.2f} s, account opened in {time.perf_counter() - searched:.2f} s"
    return ""


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_008)
