"""The three figures that are called ARR, each by its name, and the sentence that reconciles them.

ARR is the book's; some who pay have no health score; and the ledger closed its last month before the day. They are read
here alone, so that dashboard, summary, brief and workbook show the same ones. Which accounts are in the book is
`is_in_book`'s to say.
"""

from dataclasses import dataclass
from datetime import date

from cx_intel.reports.data.report_data import ReportData, total
from cx_intel.reports.words.catalogue import term
from cx_intel.reports.words.language import Language

ARR, ARR_SCORED, ARR_MONTH_END = term("ARR"), term("ARR with a health score"), term("ARR at month end")


@dataclass(frozen=True)
class ArrFigures:
    """The three figures, in the reporting currency.

    Attributes:
        as_of: The day.
        book: ARR of all who pay on `as_of`.
        payers: How many those are.
        scored: ARR of those of them with a health score; None without a health model.
        scored_accounts: How many those are.
        month_end: ARR at the end of the ledger's last month; None when there is none.
        month: That month.
    """

    as_of: date
    book: float
    payers: int
    scored: float | None
    scored_accounts: int
    month_end: float | None
    month: date | None

    def reconciled(self, language: Language) -> str:
        """How the three are related, in a sentence."""
        say, money = language.say, language.money
        parts = [
            say(
                "ARR is {arr}, of the {n} accounts that pay on {day}",
                arr=money(self.book),
                n=language.number(self.payers),
                day=language.day(self.as_of),
            )
        ]
        if self.scored is not None:
            parts.append(
                say(
                    "{arr} of it is of the {n} with a health score",
                    arr=money(self.scored),
                    n=language.number(self.scored_accounts),
                )
            )
        if self.month_end is not None:
            gap = language.signed_money(self.book - self.month_end)
            parts.append(
                say(
                    "the ledger ended {month} at {arr}, and {gap} is what contracts differ from it or changed since",
                    month=language.month(self.month),
                    arr=money(self.month_end),
                    gap=gap,
                )
            )
        return "; ".join(parts) + "."


def arr_figures(data: ReportData) -> ArrFigures:
    """The three figures of a day."""
    book, scores, summary = data.book, data["customer_health_scores"], data.summary
    has_scores = bool(data.portfolio.health)
    scored = book[book["account_id"].isin(set(scores["account_id"]))] if has_scores else book.head(0)
    last = summary.iloc[-1] if len(summary) else None
    return ArrFigures(
        data.as_of,
        total(book["current_arr"]),
        len(book),
        total(scored["current_arr"]) if has_scores else None,
        len(scored),
        None if last is None else float(last["ending_arr"]),
        None if last is None else last["revenue_month"],
    )
