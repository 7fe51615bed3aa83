"""Puts the facts of the weekly brief into words and figures: what stands where on the page, all of it plain text.

One view serves the Markdown and the HTML; escaping is left to their templates, so nothing here may be trusted to be
harmless. The facts come from `facts.py`, the verdict on the data from `cx_intel.reports.data.trust`.
"""

from collections.abc import Sequence
from typing import Any

from cx_intel.contracts.health.drivers import UNKNOWN
from cx_intel.reports.brief.facts import Facts, name_of, savable
from cx_intel.reports.brief.sentences import closed_month, nrr_in, outlook
from cx_intel.reports.charts.drawing.palette import Mark, risk_marks, tier_marks
from cx_intel.reports.data.account.contacts import first_contacts
from cx_intel.reports.data.figures.arr import ARR, arr_figures
from cx_intel.reports.data.figures.money import money_figures, money_sentence
from cx_intel.reports.data.freshness import newest_rows
from cx_intel.reports.data.notes.backtest import of_the_quarter
from cx_intel.reports.data.notes.effects import calls_in_order, held_out_note, verdict_note
from cx_intel.reports.data.notes.interventions import action_notes
from cx_intel.reports.data.notes.ledger import ledger_notes
from cx_intel.reports.data.notes.month import month_notes
from cx_intel.reports.data.notes.probability import assumptions
from cx_intel.reports.data.notes.renewals import renewal_notes
from cx_intel.reports.data.report_data import ReportData, records, total
from cx_intel.reports.data.service_levels import service_levels
from cx_intel.reports.data.signals import event_words, main_reasons
from cx_intel.reports.data.terms import NO_VALUE, due_in, fitting
from cx_intel.reports.data.trust import LABELS, BrokenRule, trust_of
from cx_intel.reports.words.catalogue import term
from cx_intel.reports.words.language import MISSING
from cx_intel.reports.words.tables import table_name
from cx_intel.reports.workbook.workbook import workbook_name

OWNERS, CALLS_OF_OWNER, NAMES = 8, 3, 6
"""How many are shown; the rest is counted, so that the brief stays a page. One more is shown, not counted."""
NEWS = {
    "worse": term("Worse tier"),
    "better": term("Better tier"),
    "sideways": term("Tier no longer, or newly, known"),
    "drops": term("Dropped"),
    "joined": term("New on the list"),
    "left": term("Off the list"),
}
"""Lists of accounts: their headings, in order."""
Record = dict[str, Any]


def view_of(data: ReportData, facts: Facts) -> dict[str, Any]:
    """What the templates show: texts by their place on the page."""
    return _View(data, facts).texts()


class _View:
    def __init__(self, data: ReportData, facts: Facts):
        self.data, self.facts, self.f = data, facts, data.language
        self.say, self.count = data.language.say, data.language.count
        self.reasons = main_reasons(data)
        self.risks = {mark.name: mark for mark in risk_marks(data.language)}
        self.tiers = {mark.name: mark for mark in tier_marks(data.portfolio)}
        self.order = {name: place for place, name in enumerate(self.tiers)}

    def texts(self) -> dict[str, Any]:
        facts, say, day = self.facts, self.say, self.f.day
        subtitle = say("{portfolio}, as of {day}", portfolio=self.data.portfolio.name, day=day(self.data.as_of))
        compared = (
            say("compared with {day}", day=day(facts.compared_as_of))
            if facts.compared_as_of
            else say("no snapshot of a week before, so nothing is compared")
        )
        within = [row for row in facts.listed if row["is_within_capacity"]]
        moved = ((say("Biggest falls of the health score"), facts.falls),
                 (say("Biggest rises of the health score"), facts.rises))  # fmt: skip
        trust = trust_of(self.data)
        return {
            "f": self.f,
            "portfolio": self.data.portfolio,
            "description": self.data.labels.description,
            "as_of": self.data.as_of,
            "made_at": self.data.made_at,
            "say": say,
            "title": say("Weekly brief"),
            "subtitle": f"{subtitle}; {compared}",
            "headline": self.headline(within),
            "money": money_sentence(self.data),
            "tiles": self.tiles(),
            "arr": arr_figures(self.data).reconciled(self.f),
            "closed_month": closed_month(self.facts, self.f),
            "month_so_far": month_notes(self.data),
            "ledger_notes": ledger_notes(self.data, self.f),
            "movers": [{"title": title, "rows": [self.mover(row) for row in rows]} for title, rows in moved if rows],
            "moved_by": facts.moved_by,
            "news": self.news(),
            "no_news": self.no_news(),
            "owners": self.owners(within),
            "after_calls": self.after_calls(within),
            "calls_in_order": calls_in_order(self.data),
            "acted": [*action_notes(self.data), *verdict_note(self.data)],
            "outlook": outlook(self.facts, self.f),
            "renewal_notes": renewal_notes(self.data),
            "support": service_levels(self.data),
            "trust": {
                "level": trust.level,
                "label": say(LABELS[trust.level]),
                "sentences": [*trust.sentences(self.f), *newest_rows(self.data, self.f), *of_the_quarter(self.data)],
                "behind": [self.behind(rule) for rule in (*trust.failed, *trust.warned) if rule.accounts],
            },
            "assumed": " ".join(assumptions(self.data)),
        }

    def money(self, rows: Sequence[Record], column: str = "expected_arr_loss") -> str:
        return self.f.money(total(row[column] for row in rows))

    def headline(self, within: Sequence[Record]) -> str:
        if not within and len(self.data.held_out):
            return self.say("Nobody needs a call this week: whoever is at risk within 90 days is held out by lot.")
        if not within:
            text = term(
                "Nobody needs a call this week: no account is cancelled, or at Critical or High risk, within 90 days."
            )
            return self.say(text)
        return self.count(
            "{n} call this week is about {loss} of expected ARR loss; its playbook is assumed to save {savable}.",
            "{n} calls this week are about {loss} of expected ARR loss; their playbooks are assumed to save {savable}.",
            len(within),
            loss=self.money(within),
            savable=self.f.money(total(savable(row) for row in within)),
        )

    def tiles(self) -> list[Record]:
        facts, f, say = self.facts, self.f, self.say
        mrr, customers = facts.money[self.data.as_of]
        mrr_notes, customer_notes = [], []
        if facts.compared_as_of:
            then, day = facts.money[facts.compared_as_of], f.day(facts.compared_as_of)
            more = f.points(customers - then[1], 0)
            mrr_notes.append(say("{change} since {day}", change=f.signed_money(mrr - then[0]), day=day))
            customer_notes.append(say("{change} since {day}", change=more, day=day))
        if facts.month_base and facts.month_base != facts.compared_as_of:
            change = f.signed_money(mrr - facts.money[facts.month_base][0])
            text = term("month so far {change} (since {day})")
            mrr_notes.append(say(text, change=change, day=f.day(facts.month_base)))
        tiles: list[Record] = [
            {"label": say("MRR in force"), "value": f.money(mrr), "notes": mrr_notes},
            {"label": say(ARR), "value": f.money(arr_figures(self.data).book), "notes": []},
            {"label": say("Paying customers"), "value": f.number(customers), "notes": customer_notes},
        ]
        if self.data.portfolio.renewals:
            worth = money_figures(self.data)
            note = say("of {arr} ARR due within 90 days", arr=f.money(worth["due"]))
            tiles.append(
                {"label": say("Expected loss if nobody acts"), "value": f.money(worth["loss"]), "notes": [note]}
            )
        if nrr := nrr_in(self.facts, self.f, "expected_no_action"):
            note = say(
                "{nrr} with the playbooks, as assumed", nrr=nrr_in(self.facts, self.f, "expected_with_playbooks")
            )
            tiles.append({"label": say("NRR in 90 days if nobody acts"), "value": nrr, "notes": [note]})
        return tiles

    def mover(self, row: Record) -> Record:
        f = self.f
        tiers = dict.fromkeys([row["tier_from"], row["tier_to"]])
        return {
            "account": name_of(row),
            "id": row["account_id"],
            "owner": self.owner(row["owner"]),
            "arr": f.money(row["current_arr"]),
            "score": f"{f.number(row['score_from'], 1)} → {f.number(row['score_to'], 1)}",
            "change": f.points(row["health_score_change"]),
            "tiers": [self.level(self.tiers.get(name, self.tiers[UNKNOWN])) for name in tiers],
            "why": row["why"] or MISSING,
        }

    def behind(self, rule: BrokenRule) -> Record:
        """The accounts behind a rule that does not hold."""
        names = {row["account_id"]: name_of(row) for row in records(self.data["dim_account"])}
        left = rule.of - len(rule.accounts)
        return {
            "title": rule.told(self.f),
            "items": [{"account": names.get(account, account), "id": account, "text": ""} for account in rule.accounts],
            "more": self.say("and {n} more", n=self.f.number(left)) if left > 0 else "",
        }

    def owner(self, owner: str | None) -> str:
        return self.say("Without an owner") if owner in (None, self.say(NO_VALUE)) else owner

    def level(self, mark: Mark) -> Record:
        return {"name": mark.label, "glyph": mark.glyph, "colour": mark.colour}

    def news(self) -> list[Record]:
        """Lists of accounts under a heading each: tiers, drops, the intervention list."""
        facts, say, money = self.facts, self.say, self.f.money
        lists: dict[str, list[tuple[Record, str]]] = {name: [] for name in NEWS}
        for event in facts.tier_changes:
            text = " → ".join(
                self.tiers.get(event[side], self.tiers[UNKNOWN]).label for side in ("from_value", "to_value")
            )
            lists[self.direction(event)].append((event, text))
        lists["drops"] = [(event, event_words(self.data, event)) for event in facts.drops]
        lists["joined"] = [
            (row, say("{loss} expected loss", loss=money(row["expected_arr_loss"]))) for row in facts.joined
        ]
        lists["left"] = [(row, say(str(row["became"]))) for row in facts.left]
        return [
            {
                "title": say(NEWS[name]),
                "count": self.f.number(len(shown) + left),
                "items": [{"account": name_of(row), "id": row["account_id"], "text": text} for row, text in shown],
                "more": say("and {n} more", n=self.f.number(left)) if left else "",
            }
            for name, (shown, left) in ((name, fitting(items, NAMES)) for name, items in lists.items())
            if shown
        ]

    def no_news(self) -> str:
        """What may be said where no score moved and nothing else is told: only what was compared."""
        if self.facts.compared_as_of is None:
            return self.say("Without a snapshot of a week before, what changed is not known.")
        if self.data.portfolio.health is None:
            return ""
        if not self.facts.has_score_changes:
            return self.say("There are no scores of a week before, so what moved is not known.")
        return self.say("No score moved by a point or more, and no tier changed.")

    def direction(self, event: Record) -> str:
        before, after = event["from_value"], event["to_value"]
        if UNKNOWN in (before, after) or before not in self.order or after not in self.order:
            return "sideways"
        return "worse" if self.order[after] > self.order[before] else "better"

    def owners(self, within: Sequence[Record]) -> list[Record]:
        """The accounts to call of each owner, the owner with the most expected loss first."""
        by_owner: dict[str, list[Record]] = {}
        for row in within:
            by_owner.setdefault(self.owner(row["owner"]), []).append(row)
        ordered = sorted(by_owner.items(), key=lambda item: -sum(row["expected_arr_loss"] for row in item[1]))
        groups = []
        for owner, rows in fitting(ordered, OWNERS)[0]:
            shown, left = fitting(rows, CALLS_OF_OWNER)
            groups.append(
                {
                    "owner": owner,
                    "sum": self.count(
                        "{n} account, {loss} expected loss",
                        "{n} accounts, {loss} expected loss",
                        len(rows),
                        loss=self.money(rows),
                    ),
                    "rows": [self.call(row) for row in shown],
                    "more": self.say("and {n} more in {file}", n=self.f.number(left), file=self.whole_list())
                    if left
                    else "",
                }
            )
        return groups

    def whole_list(self) -> str:
        """Where all calls stand: the workbook, or the table where none is exported."""
        portfolio = self.data.portfolio
        return (
            workbook_name(portfolio)
            if "xlsx" in portfolio.reports.exports
            else table_name("cs_intervention_list", self.f)
        )

    def call(self, row: Record) -> Record:
        f, people, account = self.f, first_contacts(self.data), str(row["account_id"])
        return {
            "rank": f.number(row["priority_rank"]),
            "account": name_of(row),
            "id": row["account_id"],
            "risk": self.level(self.risks[row["renewal_risk"]]),
            "why": self.reasons.get(row["account_id"], MISSING),
            "to_do": row["recommended_playbook"],
            "by": f.day(row["due_date"]),
            "whom": self.say("Call {person}", person=people[account]) if account in people else "",
            "renews": f"{f.day(row['renewal_date'])}, {due_in(f, row['days_to_renewal'])}",
            "worth": f.money(row["expected_arr_loss"]),
            "savable": f.money(savable(row)),
        }

    def after_calls(self, within: Sequence[Record]) -> list[str]:
        beyond = [row for row in self.facts.listed if not row["is_within_capacity"]]
        left = fitting(list({row["owner"] for row in within}), OWNERS)[1]
        sentences = [*held_out_note(self.data)]
        if left:
            file = self.whole_list()
            sentences.append(self.count("{n} more owner: see {file}.", "{n} more owners: see {file}.", left, file=file))
        if beyond:
            sentences.append(
                self.count(
                    "{n} more account, {loss} expected loss, is beyond the capacity of the owners.",
                    "{n} more accounts, {loss} expected loss, are beyond the capacity of the owners.",
                    len(beyond),
                    loss=self.money(beyond),
                )
            )
        return sentences
