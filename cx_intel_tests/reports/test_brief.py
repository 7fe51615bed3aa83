"""The weekly brief: what changed, whom to call, what it is worth, in two languages, and nothing of it is ever run."""

from datetime import timedelta
from typing import Any

from cx_intel_tests.helpers.builders import AS_OF, shipped
from cx_intel_tests.helpers.report_briefs import CALM, NAMES, Make, change, event
from cx_intel_tests.helpers.report_tables import WEEK_BEFORE, accounts_of, drivers, due, listed, with_reports


def _part(account: str, signal: str, points: float, cause: str = "measure") -> dict[str, Any]:
    return {
        "account_id": account,
        "as_of": AS_OF,
        "compared_as_of": WEEK_BEFORE,
        "signal": signal,
        "cause": cause,
        "points_change": points,
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
    assert "and 2 more in Intervention list" in page


def test_movers_come_with_the_signals_that_moved_them(brief: Make):
    moved = {
        "health_score_changes": [
            change("c0", 60, 45, ("healthy", "neutral")),
            change("c1", 50, 58, ("neutral", "neutral")),
            change("c2", 50, 50.5, ("neutral", "neutral")),
        ],
        "health_score_change_drivers": [
            _part("c0", "events_per_day_30d", -16),
            _part("c0", "events_per_day_30d", -2, "weight"),
            _part("c0", "csat_30d", 3),
            _part("c1", "distinct_features_30d", 8),
        ],
    }
    page = brief(CALM | moved).markdown
    label = {name: signal.label for name, signal in shipped("novacrm").health.signals.items()}
    why = f"{label['events_per_day_30d']} −16.0, Other weights in the settings −2.0"
    assert f"| Ada | Ada | −15.0 | 60.0 → 45.0 | ■ Healthy → ◆ Neutral | {why} | $1,200 |" in page
    assert f"| Berta | Berta | +8.0 | 50.0 → 58.0 | ◆ Neutral | {label['distinct_features_30d']} +8.0 |" in page
    assert "| Cora |" not in page


def test_what_moved_scores_beside_the_accounts_is_told_in_plain_words(brief: Make):
    lost = {"value_from": 5.0, "value_to": None}
    moved = {
        "health_score_changes": [
            change("c0", 60, 45, ("healthy", "neutral")),
            change("c1", 50, 58, ("neutral", "neutral")),
            change("c2", 50, 53, ("neutral", "neutral")),
        ],
        "health_score_change_drivers": [
            _part("c0", "csat_30d", -9, "missing_evidence") | lost,
            _part("c0", "events_per_day_30d", -6, "missing_evidence"),
            _part("c1", "events_per_day_30d", 8, "population"),
            _part("c2", "csat_30d", -1, "scorecard"),
            _part("c2", "events_per_day_30d", 4),
        ],
    }
    page = brief(CALM | moved).markdown
    label = {name: signal.label for name, signal in shipped("novacrm").health.signals.items()}
    assert f"| No longer measured: {label['csat_30d']} −15.0 |" in page
    assert f"| {label['events_per_day_30d']}, ranked among customers +8.0 |" in page
    assert (
        "Of 3 scores that moved by a point or more, 1 moved mainly by what was measured of the account itself; the others "
        "mainly by: evidence that came or went 1, the moves of others, by rank 1."
    ) in page


def test_tier_changes_of_the_week_are_told_from_first_to_last(brief: Make):
    mid = AS_OF - timedelta(days=3)
    events = [
        event("c0", "healthy", "neutral", mid),
        event("c0", "neutral", "at_risk"),
        event("c1", "healthy", "neutral", mid),
        event("c1", "neutral", "healthy"),
        event("c2", "unknown", "healthy"),
        event("c2", "critical", "neutral", WEEK_BEFORE),
    ]
    page = brief(CALM | {"lifecycle_events": events}).markdown
    assert "- **Worse tier (1)**: Ada (Healthy → At risk)" in page
    assert "- **Tier no longer, or newly, known (1)**: Cora (unknown → Healthy)" in page
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
    made = brief(CALM | {"health_score_changes": [change("c0", 50, 50.5, ("neutral", "neutral"))]})
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
    assert "Rows in quarantine: Invoices 2. Rules that warn: Accounts today: “" in page
    failed = brief(tables, broken={"grain_unique": True})
    reason = "Rules that are broken, so that their tables stand as before: Accounts today: “"
    assert f"**Not yet.** {reason}" in failed.markdown
    assert 'class="trust bad"' in failed.html
