"""What the weekly brief says, in the languages of reports: headings, labels and sentences with gaps.

A text with two forms is a pair, for one and for any other number. How the gaps are filled stands in `brief_view.py`.
"""

from typing import Literal

Language = Literal["en", "de"]
Form = tuple[str, str]

TEXTS: dict[Language, dict[str, str]] = {
    "en": {
        "title": "Weekly brief",
        "subtitle": "{portfolio}, as of {as_of}",
        "compared": "compared with {day}",
        "not_compared": "no snapshot of a week before, so nothing is compared",
        "tile_mrr": "MRR in force",
        "tile_customers": "Paying customers",
        "tile_at_stake": "Expected loss on the list",
        "tile_nrr": "NRR in 90 days if nobody acts",
        "since": "{change} since {day}",
        "month_so_far": "month so far {change} (since {day})",
        "of_arr": "of {arr} ARR",
        "with_playbooks": "{nrr} with the playbooks, as assumed",
        "no_call": "Nobody needs a call this week: no account at Critical or High risk renews within 90 days.",
        "changed": "What changed",
        "nothing_changed": "No score moved by a point or more, and no tier changed.",
        "change_unknown": "Without a snapshot of a week before, what changed is not known.",
        "score_change_unknown": "There are no scores of a week before, so what moved is not known.",
        "closed_month": "{month} closed at {mrr} MRR: new {new}, expansion {expansion}, contraction {contraction}, "
        "churn {churn}; NRR of the month {nrr}.",
        "falls": "Biggest falls of the health score",
        "rises": "Biggest rises of the health score",
        "account": "Account",
        "owner": "Owner",
        "score": "Score",
        "change": "Change",
        "tier": "Tier",
        "moved_by": "What moved it",
        "arr": "ARR",
        "points": "{signal} {points}",
        "model_change": "Change of the model",
        "worse": "Worse tier",
        "better": "Better tier",
        "sideways": "Tier no longer, or newly, known",
        "and_more": "and {n} more",
        "drop": "{signal} {before} → {after}",
        "drops": "Dropped",
        "joined": "New on the list",
        "left": "Off the list",
        "churned": "churned",
        "renewed": "renewed",
        "safer": "at lower risk now",
        "moved": "renews later than in 90 days, or is outside the pipeline",
        "loss_of": "{loss} expected loss",
        "calls": "Whom to call",
        "calls_note": "In order of expected loss, within each owner's capacity.",
        "rank": "Rank",
        "why": "Why",
        "to_do": "What to do",
        "by": "By",
        "renews": "Renews",
        "risk": "Risk",
        "worth": "Expected loss",
        "savable": "Savable (assumed)",
        "nobody": "Without an owner",
        "in_days": "{day}, in\u00a0{n}\u00a0days",
        "today": "{day}, today",
        "outlook": "Outlook",
        "outlook_text": "If nobody acts, NRR of the book is {nrr} over the next 90 days, with {due} worth {arr} "
        "ARR due; "
        "8 of 10 simulated outcomes lie between {low} and {high}, and the worst case is {worst}. With the playbooks "
        "within capacity it becomes {playbooks}, if they save what is assumed.",
        "outlook_none": "No renewal is due within 90 days.",
        "trust": "Can these numbers be trusted?",
        "good": "Yes",
        "care": "Yes, with care",
        "bad": "Not yet",
        "trust_good": "All sources are fresh, nothing is in quarantine, and all {checks} rules hold.",
        "trust_good_unchecked": "All sources are fresh, and nothing is in quarantine.",
        "trust_stale": "Sources fell silent, so these signals are missing: {signals}.",
        "trust_quarantine": "Rows turned away: {tables}.",
        "trust_warned": "Rules that warn: {checks}.",
        "trust_failed": "Rules that are broken: {checks}.",
        "assumed": "Probabilities of renewal and save rates are assumptions of the portfolio's settings, not "
        "measurements.",
    },
    "de": {
        "title": "Wochenbericht",
        "subtitle": "{portfolio}, Stand {as_of}",
        "compared": "verglichen mit dem {day}",
        "not_compared": "kein Stand von vor einer Woche, daher ohne Vergleich",
        "tile_mrr": "Laufender MRR",
        "tile_customers": "Zahlende Kunden",
        "tile_at_stake": "Erwarteter Verlust auf der Liste",
        "tile_nrr": "NRR in 90 Tagen, wenn niemand handelt",
        "since": "{change} seit {day}",
        "month_so_far": "Monat bisher {change} (seit {day})",
        "of_arr": "von {arr} ARR",
        "with_playbooks": "{nrr} mit den Playbooks, wie angenommen",
        "no_call": "Diese Woche braucht niemand einen Anruf: kein Kunde mit kritischem oder hohem Risiko "
        "verlängert in den "
        "nächsten 90 Tagen.",
        "changed": "Was sich geändert hat",
        "nothing_changed": "Kein Score hat sich um einen Punkt oder mehr bewegt, keine Stufe hat gewechselt.",
        "change_unknown": "Ohne Stand von vor einer Woche ist nicht bekannt, was sich geändert hat.",
        "score_change_unknown": "Von vor einer Woche gibt es keine Scores; was sich bewegt hat, ist nicht bekannt.",
        "closed_month": "{month} schloss mit {mrr} MRR: neu {new}, Ausbau {expansion}, Rückgang {contraction}, "
        "Abgang {churn}; NRR des Monats {nrr}.",
        "falls": "Größte Rückgänge des Health Scores",
        "rises": "Größte Anstiege des Health Scores",
        "account": "Kunde",
        "owner": "Betreuung",
        "score": "Score",
        "change": "Änderung",
        "tier": "Stufe",
        "moved_by": "Wodurch",
        "arr": "ARR",
        "points": "{signal} {points}",
        "model_change": "Änderung des Modells",
        "worse": "Schlechtere Stufe",
        "better": "Bessere Stufe",
        "sideways": "Stufe nicht mehr oder neu bekannt",
        "and_more": "und {n} weitere",
        "drop": "{signal} {before} → {after}",
        "drops": "Eingebrochen",
        "joined": "Neu auf der Liste",
        "left": "Von der Liste",
        "churned": "gekündigt",
        "renewed": "verlängert",
        "safer": "jetzt mit geringerem Risiko",
        "moved": "verlängert später als in 90 Tagen oder ist nicht mehr in der Planung",
        "loss_of": "{loss} erwarteter Verlust",
        "calls": "Wen anrufen",
        "calls_note": "Nach erwartetem Verlust, innerhalb der Kapazität jeder Person.",
        "rank": "Rang",
        "why": "Warum",
        "to_do": "Was zu tun ist",
        "by": "Bis",
        "renews": "Verlängert",
        "risk": "Risiko",
        "worth": "Erwarteter Verlust",
        "savable": "Rettbar (Annahme)",
        "nobody": "Ohne Betreuung",
        "in_days": "{day}, in\u00a0{n}\u00a0Tagen",
        "today": "{day}, heute",
        "outlook": "Ausblick",
        "outlook_text": "Wenn niemand handelt, liegt die NRR des Bestands über die nächsten 90 Tage bei {nrr}; "
        "{due} mit "
        "{arr} ARR stehen an. 8 von 10 simulierten Verläufen liegen zwischen {low} und {high}, der schlimmste "
        "Fall bei "
        "{worst}. Mit den Playbooks innerhalb der Kapazität werden es {playbooks}, wenn sie retten, was "
        "angenommen ist.",
        "outlook_none": "In den nächsten 90 Tagen steht keine Verlängerung an.",
        "trust": "Kann man diesen Zahlen trauen?",
        "good": "Ja",
        "care": "Ja, mit Vorsicht",
        "bad": "Noch nicht",
        "trust_good": "Alle Quellen sind frisch, nichts ist in Quarantäne, alle {checks} Regeln sind eingehalten.",
        "trust_good_unchecked": "Alle Quellen sind frisch, nichts ist in Quarantäne.",
        "trust_stale": "Quellen sind verstummt, daher fehlen diese Signale: {signals}.",
        "trust_quarantine": "Abgewiesene Zeilen: {tables}.",
        "trust_warned": "Regeln mit Warnung: {checks}.",
        "trust_failed": "Verletzte Regeln: {checks}.",
        "assumed": "Wahrscheinlichkeiten der Verlängerung und Rettungsquoten sind Annahmen aus den "
        "Einstellungen, keine "
        "Messwerte.",
    },
}

FORMS: dict[Language, dict[str, Form]] = {
    "en": {
        "headline": (
            "{n} call this week is about {loss} of expected ARR loss; its playbook is assumed to save {savable}.",
            "{n} calls this week are about {loss} of expected ARR loss; their playbooks are assumed to save {savable}.",
        ),
        "owner_sum": ("{n} account, {loss} expected loss", "{n} accounts, {loss} expected loss"),
        "beyond": (
            "{n} more account, {loss} expected loss, is beyond the owners' capacity.",
            "{n} more accounts, {loss} expected loss, are beyond the owners' capacity.",
        ),
        "more_of_owner": ("and {n} more in {file}", "and {n} more in {file}"),
        "more_owners": ("{n} more owner: see {file}.", "{n} more owners: see {file}."),
        "due": ("{n} renewal", "{n} renewals"),
        "frozen": (
            "The tier of {n} account is held until its source speaks again.",
            "The tiers of {n} accounts are held until their sources speak again.",
        ),
    },
    "de": {
        "headline": (
            "{n} Anruf in dieser Woche gilt einem erwarteten ARR-Verlust von {loss}; das Playbook rettet davon nach "
            "Annahme {savable}.",
            "{n} Anrufe in dieser Woche gelten einem erwarteten ARR-Verlust von {loss}; die Playbooks retten "
            "davon nach "
            "Annahme {savable}.",
        ),
        "owner_sum": ("{n} Kunde, {loss} erwarteter Verlust", "{n} Kunden, {loss} erwarteter Verlust"),
        "beyond": (
            "{n} weiterer Kunde mit {loss} erwartetem Verlust liegt über der Kapazität der Betreuung.",
            "{n} weitere Kunden mit {loss} erwartetem Verlust liegen über der Kapazität der Betreuung.",
        ),
        "more_of_owner": ("und {n} weiterer in {file}", "und {n} weitere in {file}"),
        "more_owners": (
            "{n} weitere betreuende Person: siehe {file}.",
            "{n} weitere betreuende Personen: siehe {file}.",
        ),
        "due": ("{n} Verlängerung", "{n} Verlängerungen"),
        "frozen": (
            "Die Stufe von {n} Kunden bleibt stehen, bis seine Quelle wieder liefert.",
            "Die Stufen von {n} Kunden bleiben stehen, bis ihre Quellen wieder liefern.",
        ),
    },
}
