"""The example atlas, three deliveries in order through the real job: every figure of every story, worked by hand.

What is expected here follows from the files and the definitions on the page docs/definitions.md alone.
"""

import shutil
from datetime import date, datetime
from pathlib import Path

import pytest

from cx_intel_tests.helpers.atlas import (
    APRIL,
    APRIL_END,
    BY_CONTRACTS,
    DELIVERIES,
    EXAMPLES,
    JUNE,
    JUNE_END,
    MAY,
    MAY_END,
    Atlas,
    replayed_and_stored,
    waterfall,
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> Atlas:
    """By contracts, after the three deliveries; what stood after two is kept beside it."""
    folder = tmp_path_factory.mktemp("atlas")
    atlas = Atlas(folder / "home", "atlas").refresh(APRIL_END, MAY_END)
    shutil.copytree(folder / "home", folder / "after_may")
    return atlas.refresh(JUNE_END)


@pytest.fixture(scope="module")
def after_may(atlas: Atlas) -> Atlas:
    return Atlas(atlas.folder.parent / "after_may", "atlas")


class TestByContracts:
    """examples/atlas.yaml."""

    def test_every_story_has_its_mrr(self, atlas: Atlas) -> None:
        assert atlas.months(list(BY_CONTRACTS)) == BY_CONTRACTS

    def test_the_forty_plain_accounts_pay_ten_thousand_a_month(self, atlas: Atlas) -> None:
        assert atlas.rows(
            "SELECT DISTINCT count(*) OVER m, sum(mrr) OVER m FROM fct_revenue WHERE account_id LIKE 'A-%' "
            "WINDOW m AS (PARTITION BY revenue_month)"
        ) == [(40, 10_000.0)]

    def test_movements_of_the_stories(self, atlas: Atlas) -> None:
        moved = atlas.rows(
            "SELECT account_id, revenue_month, revenue_movement, net_mrr_change FROM fct_revenue "
            "WHERE revenue_month >= '2026-01-01' AND revenue_movement <> 'flat' ORDER BY revenue_month, account_id"
        )
        assert moved == [
            ("S-05", date(2026, 2, 1), "churn", -150),
            ("S-18", date(2026, 3, 1), "new", 130),
            ("S-02", MAY, "new", 200),
            ("S-05", MAY, "reactivation", 150),
            ("S-06", MAY, "expansion", 100),
            ("S-16", MAY, "expansion", 50),
            ("S-01", JUNE, "expansion", 60),
            ("S-11-A", JUNE, "churn", -200),
            ("S-11-B", JUNE, "expansion", 200),
            ("S-15", JUNE, "churn", -80),
            ("S-17", JUNE, "churn", -90),
            ("S-19", JUNE, "expansion", 50),
        ]

    def test_waterfall(self, atlas: Atlas) -> None:
        # April: 10,000 of the plain accounts and 6,330 of the stories
        assert waterfall(atlas) == {
            APRIL: (16_330, 0, 0, 0, 0, 0, 16_330, 61, 0),
            MAY: (16_330, 200, 150, 150, 0, 0, 16_830, 63, 0),
            JUNE: (16_830, 0, 0, 310, 0, 370, 16_770, 60, 3),
        }

    def test_retention(self, atlas: Atlas) -> None:
        rates = {
            month: figures
            for month, *figures in atlas.rows(
                "SELECT revenue_month, nrr_pct, grr_pct, nrr_ttm_pct, grr_ttm_pct FROM nrr_summary"
            )
        }
        assert rates[MAY] == pytest.approx(
            [
                100 * (16_330 + 150) / 16_330,
                100,
                # of May 2025: 14,450, since S-06, S-18, S-19 and S-21 came later; S-16 pays 50 more
                100 * 14_500 / 14_450,
                100,
            ]
        )
        # of June 2025: 16,350, of which S-11-A, S-15 and S-17 (370) are gone
        assert rates[JUNE] == pytest.approx(
            [
                100 * (16_830 + 310 - 370) / 16_830,
                100 * (16_830 - 370) / 16_830,
                100 * 16_440 / 16_350,
                100 * 15_980 / 16_350,
            ]
        )

    def test_what_was_published_after_may_is_restated_by_s_16_alone(self, atlas: Atlas, after_may: Atlas) -> None:
        assert waterfall(after_may)[MAY] == (16_330, 200, 150, 100, 0, 0, 16_780, 64, 0)
        assert after_may.rows("SELECT count(*) FROM restatements") == [(0,)]
        assert atlas.rows(
            "SELECT refresh_at, revenue_month, account_id, figure, published, now, difference, cause "
            "FROM restatements ORDER BY account_id"
        ) == [
            (JUNE_END, MAY, "(all)", "ending_mrr", 16_780, 16_830, 50, "changed amount"),
            (JUNE_END, MAY, "S-16", "mrr", 400, 450, 50, "changed amount"),
        ]

    def test_a_closed_may_stands_and_june_brings_in_the_restated(self, after_may: Atlas, tmp_path: Path) -> None:
        shutil.copytree(after_may.folder, tmp_path / "home")
        text = (EXAMPLES / "atlas.yaml").read_text(encoding="utf-8")
        (tmp_path / "atlas.yaml").write_text(
            text.replace("  basis: subscriptions\n", "  basis: subscriptions\n  closed_through: 2026-05-31\n"),
            encoding="utf-8",
        )
        closed = Atlas(tmp_path / "home", "atlas", tmp_path).refresh(JUNE_END)
        assert closed.months(["S-16"]) == {"S-16": (400, 400, 450)}
        found = closed.rows(
            "SELECT revenue_month, starting_mrr, restated_mrr, expansion_mrr, churned_mrr, ending_mrr, nrr_pct "
            "FROM nrr_summary WHERE revenue_month >= ? ORDER BY 1",
            MAY,
        )
        assert found[0][:6] == (MAY, 16_330, 0, 100, 0, 16_780)
        assert found[1][:6] == (JUNE, 16_780, 50, 310, 370, 16_770)
        assert found[1][6] == pytest.approx(100 * (16_830 + 310 - 370) / 16_830)

    def test_current_arr_is_twelve_times_what_is_in_force_on_the_day(self, atlas: Atlas) -> None:
        assert atlas.rows(
            "SELECT as_of, sum(current_arr), count(*) FILTER (current_mrr > 0) FROM account_snapshot GROUP BY 1 ORDER BY 1"
        ) == [
            (APRIL_END, 195_960, 62),
            (MAY_END, 201_360, 64),
            (JUNE_END, 201_240, 60),
        ]  # S-10-A has its own until June

    def test_a_merged_account_is_neither_new_nor_gone_and_its_past_is_the_survivors(
        self, atlas: Atlas, after_may: Atlas
    ) -> None:
        assert after_may.months(["S-10", "S-10-A"]) == {"S-10": (300, 300, None), "S-10-A": (50, 50, None)}
        assert atlas.months(["S-10", "S-10-A"]) == {"S-10": (350, 350, 350), "S-10-A": (None, None, None)}
        assert atlas.rows("SELECT count(*) FROM dim_account WHERE account_id = 'S-10-A'") == [(0,)]
        assert atlas.rows("SELECT account_id FROM subscription_periods WHERE subscription_id = 'C-10-A'") == [("S-10",)]

    def test_who_has_left(self, atlas: Atlas) -> None:
        assert atlas.rows("SELECT account_id FROM dim_account WHERE is_churned ORDER BY 1") == [
            ("S-11-A",),
            ("S-15",),
            ("S-17",),
        ]

    def test_the_returned_customer_is_in_the_book_in_the_month_of_the_return(self, atlas: Atlas) -> None:
        assert atlas.rows(
            "SELECT as_of, current_mrr, is_churned FROM account_snapshot WHERE account_id = 'S-05' ORDER BY 1"
        ) == [(APRIL_END, 0, True), (MAY_END, 150, False), (JUNE_END, 150, False)]

    def test_cancelled_partial_overdue_and_late_renewals(self, atlas: Atlas) -> None:
        pipeline = atlas.rows(
            "SELECT as_of, account_id, renewal_date, days_to_renewal, is_overdue, renewal_risk, renewal_probability, "
            "exposed_arr, announced_contraction_mrr FROM renewal_pipeline "
            "WHERE account_id IN ('S-03', 'S-04', 'S-07', 'S-21') AND as_of >= ? ORDER BY 2, 1",
            MAY_END,
        )
        end, new_year, late, overdue = date(2026, 8, 1), date(2027, 1, 1), date(2026, 5, 20), date(2026, 6, 20)
        assert pipeline == [
            (MAY_END, "S-03", end, 62, False, "Cancelled", 0, 4_800, 0),
            (JUNE_END, "S-03", end, 32, False, "Cancelled", 0, 4_800, 0),
            (MAY_END, "S-04", new_year, 215, False, "Low", 0.95, 0, 0),
            (JUNE_END, "S-04", new_year, 185, False, "Low", 0.95, 0, 50),
            (MAY_END, "S-07", late, -11, True, "Low", 0.95, 0, 0),  # renewed in June, into the next year
            (MAY_END, "S-21", overdue, 20, False, "Low", 0.95, 0, 0),
            (JUNE_END, "S-21", overdue, -10, True, "High", 0.6, 8_400, 0),
        ]

    def test_intervention_list(self, atlas: Atlas) -> None:
        listed = atlas.rows(
            "SELECT as_of, priority_rank, account_id, renewal_risk, expected_arr_loss, recommended_playbook, due_date "
            "FROM cs_intervention_list ORDER BY 1, 2"
        )
        assert listed == [
            (MAY_END, 1, "S-03", "Cancelled", 4_800, "Win-back call", date(2026, 6, 3)),
            (JUNE_END, 1, "S-03", "Cancelled", 4_800, "Win-back call", date(2026, 7, 3)),
            (JUNE_END, 2, "S-21", "High", 3_360, "CSM call", date(2026, 7, 1)),  # 8,400 x (1 - 0.6)
        ]

    def test_outlook_of_june(self, atlas: Atlas) -> None:
        # due: S-03 (400, lost) and S-21 (700); 50 of S-04 end within the window; the book is 16,770
        rows = atlas.rows(
            "SELECT scenario, renewals_due, starting_mrr, ending_mrr, announced_contraction_mrr, book_starting_mrr, "
            "book_nrr_pct FROM nrr_outlook WHERE as_of = ? AND segment = 'all'",
            JUNE_END,
        )
        found = {scenario: tuple(figures) for scenario, *figures in rows if not scenario.startswith("simulated")}
        kept = {
            "all_renew": 700,
            "expected_no_action": 420,  # 700 x 0.6
            "expected_with_playbooks": 476,  # 700 x (0.6 + 0.4 x 0.2)
            "worst_case": 0,
        }
        assert {scenario: figures[:5] for scenario, figures in found.items()} == {
            scenario: (2, 1_100, mrr, 50, 16_770) for scenario, mrr in kept.items()
        }
        assert {scenario: figures[5] for scenario, figures in found.items()} == pytest.approx(
            {scenario: 100 * (16_770 - 1_100 - 50 + mrr) / 16_770 for scenario, mrr in kept.items()}
        )

    def test_lifecycle_events(self, atlas: Atlas) -> None:
        assert atlas.rows(
            "SELECT as_of, account_id, event_type, from_value, to_value FROM lifecycle_events ORDER BY 1, 2"
        ) == [
            (MAY_END, "S-03", "cancellation_announced", "in force", "2026-08-01"),
            (JUNE_END, "S-12", "tier_change", "good", "watch"),
            (JUNE_END, "S-21", "tier_change", "good", "watch"),
        ]

    def test_tickets(self, atlas: Atlas) -> None:
        assert atlas.rows(
            "SELECT ticket_id, status, source_status, resolved_at, resolution_hours, paused_hours, sla_elapsed_hours, "
            "sla_target_hours, is_sla_breach, is_open_breach FROM fct_tickets ORDER BY 1"
        ) == [
            ("T-1", "resolved", "solved", datetime(2026, 4, 8, 8), 24, 0, 24, 48, False, False),
            ("T-12", "open", "reopened", None, None, 0, 1_383, 12, True, True),  # 57 days and 15 hours
            ("T-13", "resolved", "solved", datetime(2026, 6, 9, 13), 28, 22, 6, 12, False, False),
            ("T-2", "resolved", "solved", datetime(2026, 4, 14, 18), 10, 0, 10, 4, True, False),
            ("T-21", "open", "open", None, None, 0, 38, 48, False, False),
        ]

    def test_adherence(self, atlas: Atlas, after_may: Atlas) -> None:
        columns = (
            "SELECT ticket_month, dimension_value, resolved_tickets, within_sla, sla_breaches, unjudged_tickets, "
            "open_breaches, sla_adherence_pct, adherence_incl_open_pct FROM sla_adherence "
            "WHERE dimension_type = 'priority' AND ticket_month >= ? ORDER BY 1, 2"
        )
        assert after_may.rows(columns, MAY) == [(MAY, "p2", 1, 1, 0, 0, 0, 100, 100)]
        assert atlas.rows(columns, APRIL) == [
            (APRIL, "p1", 1, 0, 1, 0, 0, 0, 0),
            (APRIL, "p3", 1, 1, 0, 0, 0, 100, 100),
            (MAY, "p2", 0, 0, 0, 0, 1, None, 0),  # reopened: nothing is judged, and a promise is broken
            (JUNE, "p2", 1, 1, 0, 0, 0, 100, 100),
            (JUNE, "p3", 0, 0, 0, 0, 0, None, None),
        ]

    def test_the_unknown_status_is_quarantined_with_what_to_write(self, atlas: Atlas) -> None:
        assert atlas.rows("SELECT as_of, source_table, reason FROM quarantine ORDER BY 1") == [
            (
                day,
                "subscriptions",
                "status: 'hibernating' is no known status: state under revenue.subscription_statuses what it means: "
                "counting, ended, never, trial or paused",
            )
            for day in DELIVERIES
        ]

    def test_segments_sum_to_the_total_the_account_without_one_included(self, atlas: Atlas) -> None:
        assert atlas.rows(
            "SELECT segment, ending_mrr FROM nrr_by_segment WHERE revenue_month = ? ORDER BY 1", JUNE
        ) == [
            ("(none)", 60),
            ("large", 6_000),
            ("mid", 8_710),
            ("small", 2_000),
        ]
        assert atlas.rows("SELECT owner, total_arr FROM owner_health_summary WHERE as_of = ? ORDER BY 1", JUNE_END) == [
            ("(none)", 720),
            ("Ines", 24_000),
            ("Ken", 24_000),
            ("Mara", 152_520),
        ]

    @pytest.mark.parametrize("day", DELIVERIES)
    def test_what_later_deliveries_told_moves_nothing_of_a_day_but_what_was_merged_since(
        self, atlas: Atlas, day: date
    ) -> None:
        """Prices, restatements, ends, a ticket opened again: only S-10-A, merged into S-10 in June, is S-10 before too."""
        merged = {"S-10", "S-10-A"} if day < JUNE_END else set()
        for table, both in replayed_and_stored(atlas, day).items():
            if merged and table.endswith("_health_summary"):
                continue  # counts both
            made, stored = (sorted(repr(row) for row in rows if merged.isdisjoint(row.values())) for rows in both)
            assert made == stored, table

    def test_no_check_has_failed(self, atlas: Atlas) -> None:
        assert [(outcome.succeeded, outcome.warnings) for outcome in atlas.outcomes.values()] == [(True, [])] * 3
