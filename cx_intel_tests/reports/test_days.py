"""Earlier days of the pages: which are kept, that each stays as it was published, and how they lead to one another."""

from datetime import date
from pathlib import Path

import pytest

from cx_intel.reports.pages.frame.days import DAYS, MARK, SOURCES, days_kept, days_there, forget_days, put_page
from cx_intel.settings.portfolio import Portfolio
from cx_intel_tests.helpers.builders import portfolio

PAGE = f'<a href="../index.html">home</a> {MARK} <p>figures</p>'


def keeping(keep_days: int, keep_months: int, snapshots_days: int | None = None) -> Portfolio:
    kept = {"reports": {"keep_days": keep_days, "keep_months": keep_months}}
    return portfolio(**kept, retention={"snapshots_days": snapshots_days})


def days(*texts: str) -> list[date]:
    return [date.fromisoformat(text) for text in texts]


ALL = days(
    "2026-11-27", "2026-11-26", "2026-11-25", "2026-11-02", "2026-10-31", "2026-10-30", "2026-09-28", "2026-08-31"
)


@pytest.mark.parametrize(
    ("of", "expected"),
    [
        (keeping(2, 0), days("2026-11-26", "2026-11-25")),
        (keeping(0, 2), days("2026-10-31", "2026-09-28")),
        (keeping(1, 1), days("2026-11-26", "2026-10-31")),
        (keeping(0, 0), []),
        (keeping(9, 9, 40), days("2026-11-26", "2026-11-25", "2026-11-02", "2026-10-31", "2026-10-30")),
    ],
    ids=["days", "the last of each month", "both", "none", "no longer than snapshots"],
)
def test_the_last_days_and_the_last_day_of_each_month_stay(of: Portfolio, expected: list[date]) -> None:
    assert days_kept(ALL, date(2026, 11, 27), of) == expected


def test_an_earlier_day_says_so_and_each_page_leads_to_the_others(tmp_path: Path) -> None:
    of = keeping(2, 0)
    for day, keys in (
        ("2026-11-25", ["dashboard"]),
        ("2026-11-26", ["dashboard", "health"]),
        ("2026-11-27", ["health"]),
    ):
        forget_days(tmp_path, date.fromisoformat(day), of)
        for key in keys:
            put_page(key, PAGE, of, date.fromisoformat(day), tmp_path)
    newest = (tmp_path / "health.html").read_text(encoding="utf-8")
    assert f'<a href="{DAYS}/2026-11-26/health.html">26 Nov 2026</a>' in newest
    assert f'<a href="{DAYS}/2026-11-25/dashboard.html">25 Nov 2026</a>' in newest  # it has no such page
    assert "as they were published then" not in newest
    old = (tmp_path / DAYS / "2026-11-26" / "health.html").read_text(encoding="utf-8")
    assert "The pages of 26 Nov 2026, as they were published then." in old
    assert '<a href="../../health.html">The newest day</a>' in old
    assert '<a href="../../../index.html">' in old
    forget_days(tmp_path, date(2026, 11, 28), of)
    assert days_there(tmp_path) == tuple(days("2026-11-27", "2026-11-26"))


def test_the_pages_of_all_days_share_the_script_that_draws_charts_and_the_newest_hold_it(tmp_path: Path) -> None:
    page = f'<meta content="{SOURCES};">{PAGE}<script>draw()</script><script>other()</script>'
    for day, version, script in ((26, "1", "draw()"), (27, "2", "draw(2)")):
        library = tmp_path / f".charts-{version}.js"
        library.write_text(script, encoding="utf-8")
        html = page.replace("draw()", script)
        put_page("health", html, keeping(2, 0), date(2026, 11, day), tmp_path, library)
        assert f"<script>{script}</script>" in (tmp_path / "health.html").read_text(encoding="utf-8")
        kept = (tmp_path / DAYS / f"2026-11-{day}" / "health.html").read_text(encoding="utf-8")
        assert f'<script src="../charts-{version}.js"></script><script>other()</script>' in kept
        assert f"{SOURCES} 'self' file:;" in kept
        assert (tmp_path / DAYS / f"charts-{version}.js").read_text(encoding="utf-8") == script
    assert (tmp_path / DAYS / "charts-1.js").exists()  # a kept day is drawn by it
    forget_days(tmp_path, date(2026, 11, 28), keeping(1, 0))
    library = tmp_path / ".charts-3.js"
    library.write_text("draw(2)", encoding="utf-8")
    put_page("health", page.replace("draw()", "draw(2)"), keeping(1, 0), date(2026, 11, 28), tmp_path, library)
    assert [file.name for file in sorted((tmp_path / DAYS).glob("*.js"))] == ["charts-2.js", "charts-3.js"]


def test_without_earlier_days_only_the_newest_pages_are_written(tmp_path: Path) -> None:
    assert put_page("health", PAGE, keeping(0, 0), date(2026, 11, 27), tmp_path) == [tmp_path / "health.html"]
    assert not (tmp_path / DAYS).exists()
