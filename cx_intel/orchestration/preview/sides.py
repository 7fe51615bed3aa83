"""A preview: the newest day read as it is judged now and as other settings judge it, and the two compared.

Which warehouse is opened, and what the settings are, is decided by the command (`cx_intel.cli.commands.preview`). How a
day is judged stands in `day.py`; what differs, in `cx_intel.reports.preview.comparison`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

import ibis

from cx_intel.orchestration.preview.day import CHAIN, SCORES, judged_day
from cx_intel.orchestration.preview.past import past_compared
from cx_intel.reports.ask.answer import known_day
from cx_intel.reports.data.reading import read_report_data
from cx_intel.reports.data.report_data import ReportData
from cx_intel.reports.pages.frame.page import Page
from cx_intel.reports.preview.comparison import Comparison, Terms, comparison
from cx_intel.reports.preview.page import preview as page_of
from cx_intel.reports.preview.scope import differing, not_loaded, previewed, without_figures
from cx_intel.reports.words.labels import in_english
from cx_intel.settings.portfolio import Portfolio
from cx_intel.warehouse.overlaid import overlaid
from cx_intel.warehouse.protocol import Warehouse


@dataclass(frozen=True)
class Preview:
    """A preview: what differs, and both sides."""

    found: Comparison
    before: ReportData
    after: ReportData

    def page(self, *, has_links: bool = True) -> Page:
        """The page in the language of the portfolio; with links where the page of accounts is beside it."""
        return page_of(self.found, self.before, self.after, has_links=has_links)

    def in_english(self) -> "Preview":
        """The same with texts in English, as a terminal has them."""
        sides = (replace(data, portfolio=in_english(data.portfolio)) for data in (self.before, self.after))
        return Preview(self.found, *sides)


def preview(
    warehouse: Warehouse,
    old: Portfolio | None,
    new: Portfolio,
    *,
    scaled: Sequence[str] = (),
    has_backtest: bool = True,
) -> Preview:
    """What the settings would change of the newest day; nothing is written.

    Args:
        warehouse: The open warehouse, or a published copy.
        old: The settings before; None: those that the warehouse was last refreshed by, whatever they were.
        new: The settings to be judged by.
        scaled: Weights that follow from others that were set.
        has_backtest: Whether past days are scored once more too.

    Raises:
        NoAnswer: There is no snapshot, or the settings need what only a load by them brings.
    """
    as_of = known_day(warehouse, None)
    loaded = old or new
    given = previewed(loaded, new)
    beside = judged_day(warehouse, loaded, as_of, "before") if old else None
    judged = judged_day(warehouse, given, as_of, "after", beside=beside, may_take_stored=old is not None)
    known = overlaid(warehouse, beside.tables) if beside else warehouse
    before, after = _read(known, loaded, as_of), _read(overlaid(warehouse, judged.tables), given, as_of)
    otherwise = _scored_otherwise(warehouse, known, as_of) if old else 0
    past, why = past_compared(warehouse, old, given, is_stored=not otherwise) if has_backtest else ((), "")
    terms = Terms(
        settings=tuple(differing(loaded, given)),
        scaled=tuple(scaled),
        not_loaded=not_loaded(loaded, new),
        without_figures=without_figures(loaded, new),
        no_backtest=why,
        is_against_stored=old is None,
        scored_otherwise=otherwise,
    )
    return Preview(comparison(before, after, terms, past), before, after)


def _read(warehouse: Warehouse, portfolio: Portfolio, as_of: date) -> ReportData:
    return read_report_data(warehouse, portfolio, as_of, datetime.now(UTC), tables=CHAIN, with_state=False)


def _scored_otherwise(warehouse: Warehouse, known: Warehouse, as_of: date) -> int:
    """The accounts whose score in the warehouse is not what the settings before give."""
    if not (warehouse.exists(SCORES) and known.exists(SCORES)):
        return 0
    sides = []
    for side in (warehouse, known):
        rows = side.table(SCORES)
        sides.append(rows.filter(rows.as_of == ibis.literal(as_of)).select("account_id", "health_score", "health_tier"))
    stored, computed = ({row["account_id"]: row for row in warehouse.rows(rows)} for rows in sides)
    return sum(stored.get(account) != computed.get(account) for account in {*stored, *computed})
