"""Puts the facts of the weekly brief into words and figures: what stands where on the page, all of it plain text.

One view serves the Markdown and the HTML; escaping is left to their templates, so nothing here may be trusted to be
harmless. The facts come from `brief_facts.py` and `brief_trust.py`, the words from `brief_words.py`.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, TypeVar

from cx_intel.contracts.health.changes import MODEL_CHANGE
from cx_intel.contracts.health.scores import UNKNOWN
from cx_intel.reports.brief.facts import Facts, Mover
from cx_intel.reports.brief.trust import Trust
from cx_intel.reports.brief.words import FORMS, TEXTS
from cx_intel.reports.charts.palette import risk_marks, tier_marks
from cx_intel.reports.data.signal_words import signal_in_language
from cx_intel.reports.words.formats import MISSING, Formats
from cx_intel.reports.workbook.book import workbook_name
from cx_intel.reports.workbook.words import words_in
from cx_intel.settings.portfolio import Portfolio

OWNERS, CALLS_OF_OWNER, NAMES = 8, 3, 6
"""How many are shown; the rest is counted, so that the brief stays a page. One more is shown, not counted."""
Row = dict[str, Any]
T = TypeVar("T")


def view_of(portfolio: Portfolio, facts: Facts, trust: Trust) -> dict[str, Any]:
    """What the templates show: texts by their place on the page."""
    return _Teller(portfolio, facts).view(trust)


class _Teller:
    def __init__(self, portfolio: Portfolio, facts: Facts):
        language = portfolio.reports.language
        self.portfolio, self.facts = portfolio, facts
        self.formats = Formats(language, portfolio.currency.reporting)
        self.texts, self.forms = TEXTS[language], FORMS[language]
        self.risks = words_in(language).risks
        self.risk_marks = {mark.name: mark for mark in risk_marks()}
        self.tier_marks = {mark.name: mark for mark in tier_marks(portfolio)}
        self.order = {name: place for place, name in enumerate(self.tier_marks)}

    def view(self, trust: Trust) -> dict[str, Any]:
        facts = self.facts
        compared = (
            self.say("compared", day=self.formats.day(facts.compared_as_of))
            if facts.compared_as_of
            else self.texts["not_compared"]
        )
        subtitle = self.say("subtitle", portfolio=self.portfolio.name, as_of=self.formats.day(facts.as_of))
        within = [row for row in facts.listed if row["is_within_capacity"]]
        return {
            "language": self.formats.language,
            "t": self.texts,
            "title": self.texts["title"],
            "subtitle": f"{subtitle}; {compared}",
            "headline": self.headline(within),
            "tiles": self.tiles(),
            "closed_month": self.closed_month(),
            "movers": [
                {"title": self.texts[name], "rows": [self.mover(m) for m in moved]}
                for name, moved in (("falls", facts.falls), ("rises", facts.rises))
                if moved
            ],
            "news": self.news(),
            "no_news": self.no_news(),
            "owners": self.owners(within),
            "after_calls": self.after_calls(within),
            "outlook": self.outlook(),
            "trust": {"level": trust.level, "label": self.texts[trust.level], "sentences": self.trust(trust)},
        }

    def say(self, text: str, **gaps: object) -> str:
        return self.texts[text].format(**gaps)

    def count(self, form: str, number: int, **gaps: object) -> str:
        return self.forms[form][number != 1].format(n=self.formats.number(number), **gaps)

    def total(self, rows: Sequence[Row], column: str = "expected_arr_loss") -> str:
        return self.formats.money(sum(row[column] for row in rows))

    def headline(self, within: Sequence[Row]) -> str:
        if not within:
            return self.texts["no_call"]
        savable = sum(_savable(row) for row in within)
        return self.count("headline", len(within), loss=self.total(within), savable=self.formats.money(savable))

    def tiles(self) -> list[Row]:
        facts, formats = self.facts, self.formats
        mrr, customers = facts.money[facts.as_of]
        before = facts.money.get(facts.compared_as_of) if facts.compared_as_of else None
        mrr_notes, customer_notes = [], []
        if before and facts.compared_as_of:
            day = formats.day(facts.compared_as_of)
            gap, more = mrr - before[0], customers - before[1]
            mrr_notes.append(self.say("since", change=formats.signed(gap, formats.money(gap)), day=day))
            customer_notes.append(self.say("since", change=formats.signed(more, formats.number(more)), day=day))
        if facts.month_base and facts.month_base != facts.compared_as_of:
            gap = mrr - facts.money[facts.month_base][0]
            change = formats.signed(gap, formats.money(gap))
            mrr_notes.append(self.say("month_so_far", change=change, day=formats.day(facts.month_base)))
        tiles = [
            {"label": self.texts["tile_mrr"], "value": formats.money(mrr), "notes": mrr_notes},
            {"label": self.texts["tile_customers"], "value": formats.number(customers), "notes": customer_notes},
        ]
        if self.portfolio.renewals:
            of_arr = self.say("of_arr", arr=self.total(facts.listed, "current_arr"))
            tiles.append({"label": self.texts["tile_at_stake"], "value": self.total(facts.listed), "notes": [of_arr]})
        if nrr := self.nrr("expected_no_action"):
            note = self.say("with_playbooks", nrr=self.nrr("expected_with_playbooks"))
            tiles.append({"label": self.texts["tile_nrr"], "value": nrr, "notes": [note]})
        return tiles

    def nrr(self, scenario: str) -> str:
        row = self.facts.outlook.get(scenario)
        return self.formats.percent(row["book_nrr_pct"]) if row else ""

    def closed_month(self) -> str:
        row = self.facts.closed_month
        if row is None:
            return ""
        money = self.formats.money
        return self.say(
            "closed_month",
            month=self.formats.month(row["revenue_month"]),
            mrr=money(row["ending_mrr"]),
            new=money(row["new_mrr"] + row["reactivation_mrr"]),
            expansion=money(row["expansion_mrr"]),
            contraction=money(row["contraction_mrr"]),
            churn=money(row["churned_mrr"]),
            nrr=self.formats.percent(row["nrr_pct"]),
        )

    def mover(self, mover: Mover) -> Row:
        formats = self.formats
        reasons = [
            self.say("points", signal=self.label(signal), points=formats.points(points))
            for signal, points in mover.reasons
        ]
        tiers = [mover.tier_from, mover.tier_to] if mover.tier_from != mover.tier_to else [mover.tier_to]
        return {
            "account": _name(mover.account),
            "owner": mover.account["owner"] or self.texts["nobody"],
            "arr": formats.money(mover.account["current_arr"]),
            "score": f"{formats.number(mover.score_from, 1)} → {formats.number(mover.score_to, 1)}",
            "change": formats.points(mover.change),
            "tiers": [self.tier(name) for name in tiers],
            "why": ", ".join(reasons) or MISSING,
        }

    def tier(self, name: str) -> Row:
        mark = self.tier_marks.get(name, self.tier_marks[UNKNOWN])
        return {"name": name, "glyph": mark.glyph, "colour": mark.colour}

    def label(self, signal: str) -> str:
        declared = self.portfolio.health.signals.get(signal) if self.portfolio.health else None
        if declared is None:
            return self.texts["model_change"] if signal == MODEL_CHANGE else signal
        return declared.label

    def news(self) -> list[Row]:
        """Lists of accounts under a heading each: tiers, drops, the intervention list."""
        facts, changes = self.facts, {"worse": [], "better": [], "sideways": []}  # type: ignore[var-annotated]
        for event in facts.tier_changes:
            text = f"{event['from_value']} → {event['to_value']}"
            changes[self.direction(event)].append((_name(event), text))
        named = [(name, changes[name]) for name in ("worse", "better", "sideways")]
        named.append(("drops", [(_name(e), self.drop(e)) for e in facts.drops]))
        money = self.formats.money
        joined = [(_name(r), self.say("loss_of", loss=money(r["expected_arr_loss"]))) for r in facts.joined]
        named += [("joined", joined), ("left", [(_name(r), self.texts[r["became"]]) for r in facts.left])]
        return [
            {
                "title": self.texts[name],
                "count": self.formats.number(len(shown) + left),
                "items": [{"account": account, "text": text} for account, text in shown],
                "more": self.say("and_more", n=self.formats.number(left)) if left else "",
            }
            for name, (shown, left) in ((name, _fitting(items, NAMES)) for name, items in named)
            if shown
        ]

    def no_news(self) -> str:
        """What may be said where no score moved and nothing else is told: only what was compared."""
        if self.facts.compared_as_of is None:
            return self.texts["change_unknown"]
        if self.portfolio.health is None:
            return ""
        return self.texts["nothing_changed" if self.facts.has_score_changes else "score_change_unknown"]

    def direction(self, event: Row) -> str:
        before, after = event["from_value"], event["to_value"]
        if UNKNOWN in (before, after) or before not in self.order or after not in self.order:
            return "sideways"
        return "worse" if self.order[after] > self.order[before] else "better"

    def drop(self, event: Row) -> str:
        language = self.formats.language
        unit = self.portfolio.health.signals[event["signal"]].unit if self.portfolio.health else ""
        before, after = (
            signal_in_language(f" {event[side]}", language).strip() + (f" {unit}" if unit else "")
            for side in ("from_value", "to_value")
        )
        return self.say("drop", signal=self.label(event["signal"]), before=before, after=after)

    def owners(self, within: Sequence[Row]) -> list[Row]:
        """The accounts to call of each owner, the owner with the most expected loss first."""
        by_owner: dict[str | None, list[Row]] = {}
        for row in within:
            by_owner.setdefault(row["owner"], []).append(row)
        ordered = sorted(by_owner.items(), key=lambda item: -sum(row["expected_arr_loss"] for row in item[1]))
        groups = []
        for owner, rows in _fitting(ordered, OWNERS)[0]:
            shown, left = _fitting(rows, CALLS_OF_OWNER)
            groups.append(
                {
                    "owner": owner or self.texts["nobody"],
                    "sum": self.count("owner_sum", len(rows), loss=self.total(rows)),
                    "rows": [self.call(row) for row in shown],
                    "more": self.count("more_of_owner", left, file=self.whole_list()) if left else "",
                }
            )
        return groups

    def whole_list(self) -> str:
        """Where all calls stand: the workbook, or the table where none is exported."""
        return workbook_name(self.portfolio) if "xlsx" in self.portfolio.reports.exports else "cs_intervention_list"

    def call(self, row: Row) -> Row:
        formats, mark = self.formats, self.risk_marks[row["renewal_risk"]]
        day, days = formats.day(row["renewal_date"]), row["days_to_renewal"]
        return {
            "rank": formats.number(row["priority_rank"]),
            "account": _name(row),
            "risk": {"name": self.risks[row["renewal_risk"]], "glyph": mark.glyph, "colour": mark.colour},
            "why": signal_in_language(row["primary_risk_signal"] or MISSING, formats.language),
            "to_do": row["recommended_playbook"],
            "by": formats.day(row["due_date"]),
            "renews": self.say("in_days", day=day, n=days) if days else self.say("today", day=day),
            "worth": formats.money(row["expected_arr_loss"]),
            "savable": formats.money(_savable(row)),
        }

    def after_calls(self, within: Sequence[Row]) -> list[str]:
        beyond = [row for row in self.facts.listed if not row["is_within_capacity"]]
        left = _fitting(list({row["owner"] for row in within}), OWNERS)[1]
        sentences = [self.count("more_owners", left, file=self.whole_list())] if left else []
        return [*sentences, *([self.count("beyond", len(beyond), loss=self.total(beyond))] if beyond else [])]

    def outlook(self) -> str:
        row = self.facts.outlook.get("expected_no_action")
        if row is None:
            return ""
        if not row["renewals_due"]:
            return self.texts["outlook_none"]
        return self.say(
            "outlook_text",
            nrr=self.nrr("expected_no_action"),
            due=self.count("due", row["renewals_due"]),
            arr=self.formats.money(12 * row["starting_mrr"]),
            low=self.nrr("simulated_p10"),
            high=self.nrr("simulated_p90"),
            worst=self.nrr("worst_case"),
            playbooks=self.nrr("expected_with_playbooks"),
        )

    def trust(self, trust: Trust) -> list[str]:
        if trust.level == "good":
            text = "trust_good" if trust.checks else "trust_good_unchecked"
            return [self.say(text, checks=self.formats.number(trust.checks))]
        sentences = []
        if trust.failed:
            sentences.append(self.say("trust_failed", checks=self.some(trust.failed)))
        if trust.stale_signals:
            labels = [self.label(signal) for signal in trust.stale_signals]
            sentences.append(self.say("trust_stale", signals=self.some(labels)))
        if trust.frozen:
            sentences.append(self.count("frozen", trust.frozen))
        if trust.quarantined:
            rows = [f"{table} {self.formats.number(n)}" for table, n in trust.quarantined.items()]
            sentences.append(self.say("trust_quarantine", tables=self.some(rows)))
        if trust.warned:
            sentences.append(self.say("trust_warned", checks=self.some(trust.warned)))
        return sentences

    def some(self, names: Sequence[str]) -> str:
        shown, left = _fitting(names, NAMES)
        return ", ".join([*shown, *([self.say("and_more", n=self.formats.number(left))] if left else [])])


def _fitting(items: Sequence[T], limit: int) -> tuple[Sequence[T], int]:
    """Those shown, and how many are left out: never a single one."""
    shown = items if len(items) <= limit + 1 else items[:limit]
    return shown, len(items) - len(shown)


def _name(row: Row) -> str:
    return str(row["account_name"] or row["account_id"])


def _savable(row: Row) -> Decimal:
    return Decimal(row["expected_arr_loss"]) * Decimal(str(row["save_rate"]))
