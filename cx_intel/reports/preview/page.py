"""The page that says what other settings would change, in the language of the portfolio; a terminal prints the same.

Which accounts, how much ARR, whom to call, what becomes of NRR. The facts stand in `comparison.py`; how a page becomes
HTML in `cx_intel.reports.pages.frame.layout`, and text for a terminal in `cx_intel.cli.commands.preview`.
"""

from collections.abc import Sequence
from typing import Any

from cx_intel.reports.charts.drawing.palette import Mark, risk_marks, tier_marks
from cx_intel.reports.data.report_data import ReportData
from cx_intel.reports.data.terms import SCENARIOS
from cx_intel.reports.pages.frame.page import Cell, Heading, Page, Section, Table
from cx_intel.reports.preview.comparison import Comparison, Listed, TierChange, TierSize
from cx_intel.reports.preview.foretold import foretold
from cx_intel.reports.preview.scope import LOADED
from cx_intel.reports.words.catalogue import term
from cx_intel.reports.words.language import MISSING
from cx_intel.reports.words.rounding import is_missing

NO_BACKTEST = {
    "none_yet": term("There is no back-test of this portfolio yet: `cx-intel backtest` makes it."),
    "same_scores": term("The back-test stays as it is: nothing differs that a score follows from."),
    "needs_the_warehouse": term(
        "The back-test of other settings reads the warehouse itself, which a run holds: ask again when it has ended."
    ),
}
"""Why the back-test is not compared."""
QUESTION = term("What would change if other settings judged the same day?")
CHANGES, LISTED = 200, 200
"""Accounts that a table shows."""


def preview(found: Comparison, before: ReportData, after: ReportData, *, has_links: bool = True) -> Page:
    """The page.

    Args:
        found: What differs.
        before: The day as it is judged now.
        after: The same day as the other settings judge it; its language is the page's.
        has_links: Whether the page of accounts is beside it.
    """
    return _Words(found, before, after, has_links).page()


class _Words:
    """Puts the facts of a comparison into words and tables."""

    def __init__(self, found: Comparison, before: ReportData, after: ReportData, has_links: bool):
        self.found, self.f, self.say, self.has_links = found, after.language, after.language.say, has_links
        self.has_renewals = bool(before.portfolio.renewals or after.portfolio.renewals)
        self.tiers = {mark.name: mark for data in (before, after) for mark in tier_marks(data.portfolio)}
        self.risks = {mark.name: mark for mark in risk_marks(self.f)}

    def page(self) -> Page:
        say = self.say
        sections = [
            Section(say("Settings that differ"), tables=[self._settings()], notes=self._notes()),
            Section(say("Tiers"), tables=[self._tiers()]),
            Section(say("Accounts that change tier"), tables=[self._changes()]),
        ]
        if self.has_renewals:
            sections += [
                Section(say("Intervention list"), tables=[self._list()]),
                Section(say("Outlook"), tables=[self._outlook()]),
            ]
        if self.found.backtest:
            sections.append(foretold(self.found.backtest, self.f))
        return Page("preview", say("Preview"), say(QUESTION), self._answer(), sections)

    def _answer(self) -> list[str]:
        say, f, found = self.say, self.f, self.found
        if not found.changes:
            told = [say("No account changes tier; {n} have a score.", n=f.number(found.scored))]
        else:
            text = term(
                "{n} of {all} accounts change tier, with {arr} of {whole} ARR: {down} to a lower one, {up} to a higher one."
            )
            told = [
                say(
                    text,
                    n=f.number(len(found.changes)),
                    all=f.number(found.scored),
                    arr=f.money(found.changed_arr),
                    whole=f.money(found.scored_arr),
                    down=f.number(len(found.worse)),
                    up=f.number(len(found.better)),
                )
            ]
        was, now = (f.number(n) for n in found.healthy)
        moved = MISSING if found.mean_change is None else f.number(found.mean_change, 1)
        told.append(
            say(
                "Healthy accounts: {was} now, {now} then. A score moves by {points} points on average.",
                was=was,
                now=now,
                points=moved,
            )
        )
        if self.has_renewals:
            n, arr = found.risk_changes
            told.append(
                f.count(
                    "Renewal risk changes for {n} account, with {arr} ARR.",
                    "Renewal risk changes for {n} accounts, with {arr} ARR.",
                    n,
                    arr=f.money(arr),
                )
            )
            told.append(self._called())
        return told

    def _called(self) -> str:
        """The list in a sentence."""
        f, rows = self.f, self.found.list
        sides = [[r for r in rows if rank(r) is not None] for rank in (lambda r: r.rank_before, lambda r: r.rank_after)]
        losses = [sum(r.loss_before for r in sides[0]), sum(r.loss_after for r in sides[1])]
        text = term(
            "Accounts to call: {was} now, {now} then ({joined} new, {left} off the list); expected loss {loss_was} now, "
            "{loss_now} then."
        )
        return self.say(
            text,
            was=f.number(len(sides[0])),
            now=f.number(len(sides[1])),
            joined=f.number(sum(r.rank_before is None for r in rows)),
            left=f.number(sum(r.rank_after is None for r in rows)),
            loss_was=f.money(losses[0]),
            loss_now=f.money(losses[1]),
        )

    def _notes(self) -> list[str]:
        """How far the preview goes."""
        say, terms = self.say, self.found.terms
        told = []
        if terms.scaled:
            text = term("Scaled, so that the weights of a level sum to 1: {keys}.")
            told.append(say(text, keys=", ".join(terms.scaled)))
        for block, keys in terms.not_loaded.items():
            some = ", ".join(keys[:3]) + (f" (+{len(keys) - 3})" if len(keys) > 3 else "")
            told.append(say("Not in this preview: {keys}. Why: {why}.", keys=some, why=say(LOADED[block])))
        if terms.without_figures:
            text = term("These differ too, and no figure of a day follows from them: {blocks}.")
            told.append(say(text, blocks=", ".join(terms.without_figures)))
        if terms.no_backtest:
            told.append(say(NO_BACKTEST[terms.no_backtest]))
        if terms.is_against_stored:
            text = term(
                "Compared with what the last refresh wrote. Its settings are not kept: a change of sources, revenue or "
                "currency since then is not in this preview, and shows with a refresh."
            )
            told.append(say(text))
        if terms.scored_otherwise:
            text = term(
                "{n} accounts have another score in the warehouse than the settings before give: they changed since the "
                "last refresh. Both sides of this comparison are computed."
            )
            told.append(say(text, n=self.f.number(terms.scored_otherwise)))
        return told

    def _settings(self) -> Table:
        say = self.say
        rows = [[Cell(key), Cell(written(was)), Cell(written(now))] for key, was, now in self.found.terms.settings]
        headings = [Heading(say("Key")), Heading(say("Now")), Heading(say("Then"))]
        return self._table(say("Keys of the YAML"), headings, rows, empty=say("No setting is known to differ."))

    def _tiers(self) -> Table:
        say, f = self.say, self.f
        headings = [Heading(say("Tier"))]
        headings += [
            Heading(text, "number")
            for text in (
                say("Accounts now"),
                say("Accounts then"),
                say("Change"),
                say("ARR now"),
                say("ARR then"),
                say("Change of ARR"),
            )
        ]

        def cells(size: TierSize) -> list[Cell]:
            gap, arr = size.accounts_after - size.accounts_before, size.arr_after - size.arr_before
            return [
                self._tier(size.tier),
                Cell(f.number(size.accounts_before), size.accounts_before),
                Cell(f.number(size.accounts_after), size.accounts_after),
                Cell(f.signed(gap, f.number(abs(gap))), gap),
                Cell(f.money(size.arr_before), size.arr_before),
                Cell(f.money(size.arr_after), size.arr_after),
                Cell(f.signed_money(arr), arr),
            ]

        return self._table(say("Accounts and ARR by tier"), headings, [cells(size) for size in self.found.tiers])

    def _changes(self) -> Table:
        say, f = self.say, self.f
        headings = [
            Heading(say("Account")),
            Heading(say("ARR"), "number"),
            Heading(say("Tier now")),
            Heading(say("Tier then")),
            Heading(say("Score now"), "number"),
            Heading(say("Score then"), "number"),
            Heading(say("What moved it most")),
        ]

        def cells(change: TierChange) -> list[Cell]:
            moved = ", ".join(f"{label} {f.points(points)}" for label, points in change.moved)
            return [
                self._account(change),
                Cell(f.money(change.current_arr), change.current_arr),
                self._tier(change.tier_before),
                self._tier(change.tier_after),
                Cell(f.number(change.score_before, 1), change.score_before),
                Cell(f.number(change.score_after, 1), change.score_after),
                Cell(moved or MISSING),
            ]

        rows = [cells(change) for change in self.found.changes]
        return self._table(
            say("The largest first"), headings, rows, limit=CHANGES, empty=say("No account changes tier.")
        )

    def _list(self) -> Table:
        say, f = self.say, self.f
        headings = [
            Heading(say("Rank now"), "number"),
            Heading(say("Rank then"), "number"),
            Heading(say("Account")),
            Heading(say("ARR"), "number"),
            Heading(say("Risk now")),
            Heading(say("Risk then")),
            Heading(say("Expected loss now"), "number"),
            Heading(say("Expected loss then"), "number"),
        ]

        def cells(row: Listed) -> list[Cell]:
            off = len(self.found.list) + 1
            return [
                Cell(say("new") if row.rank_before is None else f.number(row.rank_before), row.rank_before or 0),
                Cell(say("off") if row.rank_after is None else f.number(row.rank_after), row.rank_after or off),
                self._account(row),
                Cell(f.money(row.current_arr), row.current_arr),
                self._mark(row.risk_before, self.risks),
                self._mark(row.risk_after, self.risks),
                Cell(f.money(row.loss_before), row.loss_before),
                Cell(f.money(row.loss_after), row.loss_after),
            ]

        rows = [cells(row) for row in self.found.list]
        caption = say("Whom to call within 90 days, in the order of then")
        return self._table(caption, headings, rows, limit=LISTED, empty=say("Nobody, on either side."))

    def _outlook(self) -> Table:
        say, f = self.say, self.f
        texts = (
            say("NRR of renewals now"),
            say("NRR of renewals then"),
            say("NRR of the book now"),
            say("NRR of the book then"),
        )
        headings = [Heading(say("Scenario")), *(Heading(text, "number") for text in texts)]
        rates = [
            (s.scenario, (s.nrr_before, s.nrr_after, s.book_nrr_before, s.book_nrr_after)) for s in self.found.outlook
        ]
        order = list(SCENARIOS)
        rows = [
            [Cell(say(SCENARIOS[name]), order.index(name)), *(Cell(f.percent(rate), rate) for rate in four)]
            for name, four in sorted(rates, key=lambda row: order.index(row[0]))
        ]
        exposed = say(
            "NRR of the next 90 days; exposed ARR {was} now, {now} then",
            was=f.money(self.found.exposed[0]),
            now=f.money(self.found.exposed[1]),
        )
        return self._table(exposed, headings, rows)

    def _table(
        self, caption: str, headings: Sequence[Heading], rows: list[list[Cell]], *, limit: int = 0, empty: str = ""
    ) -> Table:
        shown = rows[:limit] if limit else rows
        where = self.say("`cx-intel preview --format json` gives all.") if len(shown) < len(rows) else ""
        return Table(caption, headings, shown, where, len(rows), empty=empty)

    def _account(self, row: TierChange | Listed) -> Cell:
        return Cell(row.account_name or row.account_id, account=row.account_id if self.has_links else "")

    def _tier(self, name: str | None) -> Cell:
        return Cell(self.say("no score"), len(self.tiers)) if name is None else self._mark(name, self.tiers)

    def _mark(self, name: str | None, marks: dict[str, Mark]) -> Cell:
        if name is None:
            return Cell(MISSING, len(marks))
        mark = marks.get(name)
        return Cell(mark.label if mark else name, list(marks).index(name) if mark else len(marks), mark)


def written(value: Any) -> str:
    """The value of a setting, as people read it."""
    if is_missing(value) if not isinstance(value, list | dict) else False:
        return MISSING
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list):
        return ", ".join(written(item) for item in value) or MISSING
    return str(value)
