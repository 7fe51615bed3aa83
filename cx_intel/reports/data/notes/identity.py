"""What must be known of ids that no link leads to an account: the MRR of those that are accounts themselves, and lost rows.

Sentences in the language of the portfolio, for pages, brief and summary; the figures are those of `unmatched_accounts`
(`cx_intel.contracts.identity`).
"""

from cx_intel.reports.data.report_data import ReportData, total
from cx_intel.reports.words.language import Language


def unmatched(data: ReportData, language: Language) -> list[str]:
    """How many ids belong to no account that a source of accounts delivers, and what hangs on them."""
    rows = data["unmatched_accounts"]
    if rows.empty:
        return []
    own, without, found = rows[rows["account_id"].notna()], rows[rows["account_id"].isna()], []
    if len(own):
        found.append(
            language.count(
                "{n} id of another system is an account of its own, as no link leads to one: {mrr} of MRR.",
                "{n} ids of other systems are accounts of their own, as no link leads to one: {mrr} of MRR.",
                len(own),
                mrr=language.money(total(own["mrr"].dropna())),
            )
        )
    if len(without):
        found.append(
            language.count(
                "{n} id of another system belongs to no account: its rows, {rows} of them, are in quarantine.",
                "{n} ids of other systems belong to no account: their rows, {rows} of them, are in quarantine.",
                len(without),
                rows=language.number(int(without["row_count"].sum())),
            )
        )
    return found
