"""The example atlas with its MRR from invoices: every figure of every story, worked by hand."""

import pytest

from cx_intel_tests.helpers.atlas import (
    APRIL,
    APRIL_END,
    BY_INVOICES,
    DELIVERIES,
    JUNE,
    MAY,
    MAY_END,
    Atlas,
    waterfall,
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def by_invoices(tmp_path_factory: pytest.TempPathFactory) -> Atlas:
    return Atlas(tmp_path_factory.mktemp("invoices"), "atlas_invoices").refresh(*DELIVERIES)


class TestByInvoices:
    """examples/atlas_invoices.yaml, on the same files."""

    def test_every_story_has_its_mrr(self, by_invoices: Atlas) -> None:
        assert by_invoices.months(list(BY_INVOICES)) == BY_INVOICES

    def test_waterfall(self, by_invoices: Atlas) -> None:
        assert waterfall(by_invoices) == {
            APRIL: (16_330.36, 0, 0, 0, 0, 0, 16_330.36, 61, 0),
            MAY: (16_330.36, 200, 150, 150, 100, 680, 16_050.36, 61, 2),  # S-07 and S-15 were not billed
            JUNE: (16_050.36, 0, 600, 410, 0, 900, 16_160.36, 60, 2),  # S-11-A and S-21 were not
        }

    def test_retention_of_june(self, by_invoices: Atlas) -> None:
        # of the 16,350 of June 2025 S-11-A, S-15 and S-21 (980) are gone; S-02 and S-18 came later
        ((nrr, grr),) = by_invoices.rows(
            "SELECT nrr_ttm_pct, grr_ttm_pct FROM nrr_summary WHERE revenue_month = ?", JUNE
        )
        assert (nrr, grr) == pytest.approx((100 * 15_830 / 16_350, 100 * 15_370 / 16_350))

    def test_where_contracts_and_invoices_differ(self, by_invoices: Atlas) -> None:
        assert by_invoices.rows(
            "SELECT revenue_month, account_id, contract_mrr, invoice_mrr FROM mrr_reconciliation "
            "WHERE revenue_month >= ? AND contract_mrr <> invoice_mrr ORDER BY 1, 2",
            MAY,
        ) == [
            (MAY, "S-07", 600, 0),
            (MAY, "S-08", 200, 100),
            (MAY, "S-15", 80, 0),
            (MAY, "S-18", 130, 130.36),
            (JUNE, "S-17", 0, 90),
            (JUNE, "S-18", 130, 130.36),
            (JUNE, "S-21", 700, 0),
        ]

    def test_the_sums_of_both_bases_are_those_of_the_two_ledgers(self, by_invoices: Atlas) -> None:
        assert by_invoices.rows(
            "SELECT sum(contract_mrr), sum(invoice_mrr), sum(ledger_mrr), any_value(median_ratio), "
            "any_value(round_multiple) FROM mrr_reconciliation WHERE revenue_month = ?",
            JUNE,
        ) == [(16_770, 16_160.36, 16_160.36, 1, None)]

    def test_the_refund_is_beside_mrr_and_told(self, by_invoices: Atlas) -> None:
        assert by_invoices.rows(
            "SELECT account_id, revenue_month, mrr, unapplied_credit FROM fct_revenue WHERE unapplied_credit <> 0"
        ) == [("S-09", MAY, 150, 50)]
        assert any("credit" in warning for warning in by_invoices.outcomes[MAY_END].warnings)
        assert not any("credit" in warning for warning in by_invoices.outcomes[APRIL_END].warnings)

    def test_the_setup_fee_is_beside_mrr(self, by_invoices: Atlas) -> None:
        found = by_invoices.rows("SELECT account_id, id, revenue_month, amount, why FROM non_recurring")
        assert found == [("S-02", "I-S-02-FEE", MAY, 500, "product_name 'setup_fee'")]

    def test_restatement(self, by_invoices: Atlas) -> None:
        assert by_invoices.rows("SELECT account_id, revenue_month, published, now FROM restatements ORDER BY 1") == [
            ("(all)", MAY, 16_000.36, 16_050.36),
            ("S-16", MAY, 400, 450),
        ]

    def test_how_much_of_each_month_is_delivered(self, by_invoices: Atlas) -> None:
        # S-07 and S-15 do not answer for May, S-21 not for June; the end of S-11-A is announced
        found = by_invoices.rows(
            "SELECT revenue_month, due_mrr, answered_mrr, is_counted FROM mrr_delivery WHERE revenue_month >= ? ORDER BY 1",
            MAY,
        )
        assert found == [(MAY, 16_330.36, 15_650.36, True), (JUNE, 16_050.36, 15_350.36, True)]
