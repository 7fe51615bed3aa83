"""The weekly brief: what changed, whom to call, what it is worth, in two languages, and nothing of it is ever run."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from markdown_it import MarkdownIt

from cx_intel.reports.brief.weekly_brief import Brief, weekly_brief, write_brief
from cx_intel.reports.data.reading import read_report_data
from cx_intel.reports.words.markdown_safety import escaped
from cx_intel.settings.portfolio import Portfolio
from cx_intel.warehouse.duckdb.opening import close_warehouse, open_warehouse
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse
from cx_intel_tests.helpers.builders import AS_OF, shipped
from cx_intel_tests.helpers.report_books import MADE_AT
from cx_intel_tests.helpers.report_tables import (
    HOSTILE,
    WEEK_BEFORE,
    accounts_of,
    drivers,
    due,
    fill,
    listed,
    outlook,
    with_reports,
)

Tables = Mapping[str, Iterable[Mapping[str, Any]]]
Make = Callable[..., Brief]
RATES = {
    "all_renew": 100.0,
    "expected_no_action": 95.96,
    "expected_with_playbooks": 96.91,
    "worst_case": 93.82,
    "simulated_p10": 94.2,
    "simulated_p90": 97.6,
}


@pytest.fixture
def brief(tmp_path: Path) -> Make:
    """Makes the brief of a portfolio with these tables, and with results of checks: name to whether it blocks."""

    def make(tables: Tables, of: Portfolio | None = None, broken: Mapping[str, bool] | None = None) -> Brief:
        of = of or shipped("novacrm")
        path = fill(tmp_path / "warehouse.duckdb", of, tables)
        warehouse = DuckDBWarehouse(open_warehouse(path), of.name)
        try:
            if broken is not None:
                warehouse.record_checks(_results(broken))
            return weekly_brief(read_report_data(warehouse, of, AS_OF, MADE_AT))
        finally:
            close_warehouse(path)

    return make


def _results(broken: Mapping[str, bool]) -> pd.DataFrame:
    same = {"table_name": "dim_account", "failed_rows": 1, "total_rows": 2, "rule": "r"}
    same |= {"what_to_do": "w", "as_of": AS_OF, "checked_at": pd.Timestamp("2025-02-01")}
    checks = [{"check_name": "ok", "passed": True, "severity": "block"}]
    checks += [
        {"check_name": name, "passed": False, "severity": "block" if blocks else "warn"}
        for name, blocks in broken.items()
    ]
    return pd.DataFrame([same | check for check in checks])


def _change(account: str, before: float, after: float, tiers: tuple[str, str]) -> dict[str, Any]:
    return {
        "account_id": account,
        "as_of": AS_OF,
        "compared_as_of": WEEK_BEFORE,
        "health_score_change": after - before,
        "score_from": before,
        "score_to": after,
        "tier_from": tiers[0],
        "tier_to": tiers[1],
        "model_version_from": "novacrm-1",
        "model_version_to": "novacrm-1",
    }


def _part(account: str, signal: str, points: float) -> dict[str, Any]:
    return {
        "account_id": account,
        "as_of": AS_OF,
        "compared_as_of": WEEK_BEFORE,
        "signal": signal,
        "points_change": points,
    }


def _event(account: str, before: str, after: str, day: date = AS_OF) -> dict[str, Any]:
    return {
        "event_id": f"{account}{day}",
        "as_of": day,
        "account_id": account,
        "event_type": "tier_change",
        "from_value": before,
        "to_value": after,
        "reason": "",
    }


NAMES = ("Ada", "Berta", "Cora")
CALM = {
    "account_snapshot": [*accounts_of(NAMES), *accounts_of(NAMES, WEEK_BEFORE, mrr=90)],
    "nrr_outlook": outlook(**RATES),
}


def test_the_headline_says_how_many_calls_and_what_they_are_worth(brief: Make):
    made = brief(CALM | {"cs_intervention_list": listed(NAMES)})
    assert made.title == "Weekly brief: novacrm, as of 31 Jan 2025; compared with 24 Jan 2025"
    worth = "about $1,620 of expected ARR loss; their playbooks are assumed to save $486."
    assert made.headline == f"3 calls this week are {worth}"
    assert f"**{made.headline}**" in made.markdown
    assert "MRR in force: **$300** (+$30 since 24 Jan 2025)" in made.markdown
    assert "Paying customers: **3** (±0 since 24 Jan 2025)" in made.markdown


def test_one_call_is_said_in_the_singular(brief: Make):
    made = brief({"account_snapshot": accounts_of(["Ada"]), "cs_intervention_list": listed(["Ada"])})
    assert made.headline.startswith("1 call this week is about $540")
    assert "1 account, $540 expected loss" in made.markdown


def test_whom_to_call_is_grouped_by_owner_within_capacity_with_why_what_and_when(brief: Make):
    calls = listed(NAMES)
    calls[0] |= {"owner": "Zoe", "expected_arr_loss": 100}
    calls[1] |= {"owner": None, "days_to_renewal": 0, "renewal_date": AS_OF}
    calls[2] |= {"is_within_capacity": False}
    page = brief(CALM | {"cs_intervention_list": calls, "health_score_drivers": drivers(["c0"])}).markdown
    assert page.index("**Without an owner**") < page.index("**Zoe**")
    row = "| 1 | Ada | ▲ High | GPS adoption 36.8\u00a0% (benchmark\u00a080\u00a0%) | CSM-led health review | 7 Feb 2025 |"
    assert f"{row} 2 Mar 2025, in 30 days | $100 | $30 |" in page
    assert "| 2 | Berta | ▲ High | – |" in page
    assert "31 Jan 2025, today" in page
    assert "| Cora |" not in page
    assert "1 more account, $540 expected loss, is beyond the capacity of the owners." in page


def test_what_does_not_fit_a_page_is_counted(brief: Make):
    names = [f"Account {n}" for n in range(50)]
    calls = listed(names)
    for n, row in enumerate(calls):
        row["owner"] = f"Owner {n % 10}"
    page = brief({"account_snapshot": accounts_of(names), "cs_intervention_list": calls}).markdown
    assert page.count("| **Owner ") == 8
    assert page.count("and 2 more in novacrm_cs_review.xlsx") == 8
    assert "2 more owners: see novacrm_cs_review.xlsx." in page


def test_a_single_one_that_would_be_left_out_is_shown(brief: Make):
    names = [f"Account {n}" for n in range(36)]
    calls = listed(names)
    for n, row in enumerate(calls):
        row["owner"] = f"Owner {n % 9}"
    week = [*accounts_of(names), *accounts_of(names, WEEK_BEFORE)]
    page = brief({"account_snapshot": week, "cs_intervention_list": calls[:7]}).markdown
    assert "- **New on the list (7)**" in page
    assert "more" not in page.split("New on the list")[1].splitlines()[0]
    page = brief({"account_snapshot": accounts_of(names), "cs_intervention_list": calls}).markdown
    assert page.count("| **Owner ") == 9
    assert all(f"| {rank} | Account {rank - 1} |" in page for rank in range(1, 37))
    assert " more in " not in page


def test_without_a_workbook_the_table_is_named(brief: Make):
    calls = listed([f"Account {n}" for n in range(5)], owner="Zoe")
    of = with_reports(shipped("novacrm"), exports=["csv"])
    page = brief({"account_snapshot": accounts_of(NAMES), "cs_intervention_list": calls}, of).markdown
    assert "and 2 more in cs_intervention_list" in page


def test_movers_come_with_the_signals_that_moved_them(brief: Make):
    moved = {
        "health_score_changes": [
            _change("c0", 60, 45, ("healthy", "neutral")),
            _change("c1", 50, 58, ("neutral", "neutral")),
            _change("c2", 50, 50.5, ("neutral", "neutral")),
        ],
        "health_score_change_drivers": [
            _part("c0", "events_per_day_30d", -16),
            _part("c0", "model_change", -2),
            _part("c0", "csat_30d", 3),
            _part("c1", "distinct_features_30d", 8),
        ],
    }
    page = brief(CALM | moved).markdown
    label = {name: signal.label for name, signal in shipped("novacrm").health.signals.items()}
    why = f"{label['events_per_day_30d']} −16.0, Change of the model −2.0"
    assert f"| Ada | Ada | −15.0 | 60.0 → 45.0 | ■ healthy → ◆ neutral | {why} | $1,200 |" in page
    assert f"| Berta | Berta | +8.0 | 50.0 → 58.0 | ◆ neutral | {label['distinct_features_30d']} +8.0 |" in page
    assert "| Cora |" not in page


def test_tier_changes_of_the_week_are_told_from_first_to_last(brief: Make):
    mid = AS_OF - timedelta(days=3)
    events = [
        _event("c0", "healthy", "neutral", mid),
        _event("c0", "neutral", "at_risk"),
        _event("c1", "healthy", "neutral", mid),
        _event("c1", "neutral", "healthy"),
        _event("c2", "unknown", "healthy"),
        _event("c2", "critical", "neutral", WEEK_BEFORE),
    ]
    page = brief(CALM | {"lifecycle_events": events}).markdown
    assert "- **Worse tier (1)**: Ada (healthy → at_risk)" in page
    assert "- **Tier no longer, or newly, known (1)**: Cora (unknown → healthy)" in page
    assert "Better tier" not in page


def test_who_is_new_on_the_list_and_why_others_are_off_it(brief: Make):
    names = ("Ada", "Berta", "Cora", "Dora", "Emma")
    accounts = accounts_of(names)
    accounts[1] |= {"is_churned": True, "current_mrr": 0, "current_arr": 0}
    before = listed(names, WEEK_BEFORE)
    before[2] |= {"renewal_date": AS_OF - timedelta(days=1)}
    tables = {
        "account_snapshot": [*accounts, *accounts_of(names, WEEK_BEFORE)],
        "cs_intervention_list": [*listed(["Ada"]), *before[1:]],
        "renewal_pipeline": [row | {"renewal_risk": "Low"} for row in due(names) if row["account_id"] == "c3"],
    }
    page = brief(tables).markdown
    assert "- **New on the list (1)**: Ada ($540 expected loss)" in page
    off = "Berta (churned); Cora (renewed); Dora (at lower risk now); Emma (renews later than in 90 days"
    assert f"- **Off the list (4)**: {off}" in page


def test_the_outlook_is_a_sentence(brief: Make):
    page = brief(CALM).markdown
    assert (
        "If nobody acts, NRR of the book is 96.0% over the next 90 days, with 3 renewals worth $3,600 ARR due" in page
    )
    assert "between 94.2% and 97.6%, and the worst case is 93.8%" in page
    assert "it becomes 96.9%, if they save what is assumed" in page


def test_a_calm_week_says_so(brief: Make):
    made = brief(CALM | {"health_score_changes": [_change("c0", 50, 50.5, ("neutral", "neutral"))]})
    assert made.headline.startswith("Nobody needs a call this week")
    assert "No score moved by a point or more, and no tier changed." in made.markdown
    assert "**Not known.** No check results are kept in this warehouse yet; a refresh writes them." in made.markdown


def test_without_a_snapshot_of_a_week_before_nothing_is_compared(brief: Make):
    far = AS_OF - timedelta(days=11)
    made = brief({"account_snapshot": [*accounts_of(NAMES), *accounts_of(NAMES, far, mrr=1)]})
    assert "no snapshot of a week before, so nothing is compared" in made.title
    for page in (made.markdown, made.html):
        assert "Without a snapshot of a week before, what changed is not known." in page
        assert "No score moved" not in page
    assert "MRR in force: **$300** (month so far +$297 (since 20 Jan 2025))" in made.markdown


def test_without_scores_of_a_week_before_nothing_is_said_of_scores(brief: Make):
    page = brief(CALM).markdown
    assert "There are no scores of a week before, so what moved is not known." in page
    assert "No score moved" not in page


def test_no_account_at_all_is_no_reason_to_fail(brief: Make):
    made = brief({})
    assert "Paying customers: **0**" in made.markdown
    assert "<table" not in made.html


def test_whether_the_numbers_can_be_trusted(brief: Make):
    ok = brief(CALM, broken={})
    assert (
        "**Yes.** All sources are fresh, nothing is in quarantine, and all 1 rules hold as of 31 Jan 2025."
        in ok.markdown
    )


def test_what_is_wrong_with_the_data_is_named(brief: Make):
    stale = {"signal": "csat_30d", "label": "Satisfaction with tickets", "value": None}
    stale |= {"is_measured": False, "is_stale": True}
    row = {"as_of": AS_OF, "source_table": "invoices", "source_file": "f", "row_number": 1, "reason": "r"}
    tables = CALM | {
        "health_score_drivers": drivers(["c0", "c1", "c2"], **stale),
        "quarantine": [row | {"occurrence": n} for n in (1, 2)],
    }
    page = brief(tables, broken={"usual_values": False}).markdown
    assert "**Yes, with care.** Sources fell silent, so these signals are missing: Satisfaction with tickets" in page
    assert "Rows in quarantine: invoices 2. Rules that warn: dim_account: usual_values (1/2)." in page
    failed = brief(tables, broken={"grain_unique": True})
    reason = "Rules that are broken, so that their tables stand as before: dim_account: grain_unique (1/2)."
    assert f"**Not yet.** {reason}" in failed.markdown
    assert 'class="trust bad"' in failed.html


def test_german_has_german_words_numbers_and_dates(brief: Make):
    same = {"recommended_playbook": "CSM-led health review"}
    tables = {
        "account_snapshot": [*accounts_of(NAMES, mrr=1234.5), *accounts_of(NAMES, WEEK_BEFORE, mrr=1234.5)],
        "cs_intervention_list": listed(NAMES, **same, expected_arr_loss=2345.67, renewal_risk="Critical"),
        "nrr_outlook": outlook(**RATES),
        "health_score_drivers": drivers(["c0", "c1", "c2"]),
    }
    made = brief(tables, shipped("fleet"))
    assert made.title == "Wochenbericht: fleet, Stand 31.01.2025; verglichen mit dem 24.01.2025"
    assert made.headline.startswith("3 Anrufe in dieser Woche gelten einem erwarteten ARR-Verlust von 7.037\u00a0€")
    assert "Laufender MRR: **3.704\u00a0€** (±0\u00a0€ seit 24.01.2025)" in made.markdown
    assert "| ▼ Kritisch | GPS adoption 36,8\u00a0% (Richtwert\u00a080\u00a0%) |" in made.markdown
    assert "liegt die NRR des Bestands über die nächsten 90 Tage bei 96,0\u00a0%" in made.markdown
    assert '<html lang="de">' in made.html


class _Tags(HTMLParser):
    """The tags of a page with their attributes, and its text."""

    def __init__(self, page: str):
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_hostile_names_do_no_harm_in_html_or_markdown(brief: Make):
    moves = {
        "health_score_changes": [_change(f"c{n}", 60, 40, ("healthy", "neutral")) for n in range(5)],
        "lifecycle_events": [_event(f"c{n}", "healthy", "neutral") for n in range(len(HOSTILE))],
    }
    book = [*accounts_of(HOSTILE), *accounts_of(HOSTILE, WEEK_BEFORE)]
    made = brief({"account_snapshot": book, "cs_intervention_list": listed(HOSTILE)} | moves)
    rendered = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(made.markdown)
    for page in (made.html, rendered):
        found = _Tags(page)
        assert not [tag for tag, _ in found.tags if tag in ("script", "a", "img", "iframe", "em", "code")]
        assert not [attrs for _, attrs in found.tags if any(name.startswith("on") for name in attrs)]
        assert "<script>alert(1)</script>" in found.text
        assert '=HYPERLINK("http://x.example","click")' in found.text
        assert "**bold** _and_ `code`" in found.text
    table = rendered.split("<table>")[1].split("</table>")[0]
    assert {line.count("<td") for line in table.split("<tr>")[2:]} == {9}


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("Müller & Söhne GmbH (Köln) - 1.5 %", "Müller & Söhne GmbH (Köln) - 1.5 %"),
        ("at_risk __init__ _x_", r"at_risk \_\_init\_\_ \_x\_"),
        ("a|b\nc\r\n d", r"a\|b c d"),
        ("<b>&lt;", "&lt;b&gt;&amp;lt;"),
        ("see http://x.y www.x.y a@b.c", "see http&#58;//x.y www&#46;x.y a&#64;b.c"),
        ("back\\slash *x* [y](z) ~~d~~", r"back\\slash \*x\* \[y\](z) \~\~d\~\~"),
        (None, "None"),
    ],
)
def test_only_what_would_mean_something_is_escaped(text: object, safe: str):
    assert escaped(text) == safe


def test_the_page_needs_nothing_from_anywhere(brief: Make):
    page = brief(CALM).html
    assert "http" not in page.replace('http-equiv="Content-Security-Policy"', "")
    assert "default-src 'none'" in page


def test_both_files_are_written_whole(brief: Make, tmp_path: Path):
    made = brief(CALM)
    files = write_brief(made, tmp_path / "reports")
    assert files["md"].read_text(encoding="utf-8") == made.markdown
    assert files["html"].read_text(encoding="utf-8") == made.html
    assert {path.name for path in (tmp_path / "reports").iterdir()} == {"brief.md", "brief.html"}
