"""What the workbook for leaders of customer success says, in the languages of reports.

Titles of columns, sheets and figures, and the definitions and assumptions on the summary. Which cells they stand in is
the matter of `workbook.py`.
"""

from dataclasses import dataclass
from typing import Literal

Language = Literal["en", "de"]


@dataclass(frozen=True)
class Words:
    """All texts of the workbook in one language; `{...}` are filled in."""

    sheets: dict[str, str]
    titles: dict[str, str]
    risks: dict[str, str]
    scenarios: dict[str, str]
    within: str
    beyond: str
    yes: str
    no: str
    as_of: str
    listed: str
    nothing_listed: str
    due: str
    all_within: str
    line_drawn: str
    summary: str
    figures: str
    figure_titles: dict[str, str]
    outlook: str
    outlook_note: str
    assumptions: str
    assumption_note: str
    playbook_titles: tuple[str, str, str, str]
    probability_titles: tuple[str, str]
    capacity: str
    no_capacity: str
    definitions: str
    definition_texts: tuple[tuple[str, str], ...]


ENGLISH = Words(
    sheets={"summary": "Summary", "interventions": "Intervention list", "pipeline": "Renewal pipeline"},
    titles={
        "priority_rank": "Rank",
        "account_name": "Account",
        "segment": "Segment",
        "country": "Country",
        "owner": "Owner",
        "renewal_risk": "Renewal risk",
        "health_score": "Health score",
        "health_tier": "Health tier",
        "current_arr": "ARR",
        "expected_arr_loss": "Expected loss of ARR",
        "savable_arr": "Savable ARR (assumed)",
        "renewal_date": "Renewal",
        "days_to_renewal": "Days to renewal",
        "primary_risk_signal": "Why",
        "recommended_playbook": "What to do",
        "due_date": "By",
        "capacity": "Capacity",
        "account_id": "Account ID",
        "renewal_probability": "Probability of renewal",
        "expected_renewal_arr": "Expected renewal ARR",
        "exposed_arr": "Exposed ARR (90 days)",
        "expansion_potential_arr": "Expansion potential ARR",
        "is_overdue": "Date rolled forward",
    },
    risks={"Critical": "Critical", "High": "High", "Medium": "Medium", "Low": "Low"},
    scenarios={
        "all_renew": "Everyone renews",
        "expected_with_playbooks": "Expected, if the playbooks work as assumed",
        "expected_no_action": "Expected, if nobody acts",
        "worst_case": "Worst case: everyone who is not healthy leaves",
        "simulated_p10": "Simulated, 1 in 10 outcomes is below",
        "simulated_p50": "Simulated, the middle outcome",
        "simulated_p90": "Simulated, 9 in 10 outcomes are below",
    },
    within="within",
    beyond="beyond",
    yes="yes",
    no="no",
    as_of="{portfolio}, as of {as_of}; amounts in {currency}",
    listed="Accounts at Critical or High risk that renew within 90 days: {count}; expected loss {loss} of {arr} ARR.",
    nothing_listed="No account at Critical or High risk renews within 90 days.",
    due="Accounts that renew within 270 days: {count}, with {arr} ARR, of which {loss} are expected to be lost.",
    all_within="All of them are within the owners' capacity.",
    line_drawn="Below the thick line, the owners' capacity ({capacity} accounts each): {count}, with {loss} expected loss.",
    summary="Customer success review",
    figures="Figures",
    figure_titles={
        "book_arr": "ARR of the book",
        "renewals_90": "Renewals within 90 days",
        "renewing_arr_90": "Their ARR",
        "exposed_arr": "Exposed ARR within 90 days",
        "listed": "Accounts to call",
        "within": "of which within capacity",
        "expected_loss": "Expected loss of ARR among them, if nobody acts",
        "savable": "Savable by the playbooks within capacity (assumed)",
    },
    outlook="NRR of the book in 90 days",
    outlook_note="Churn and renewals alone, without new expansion.",
    assumptions="Assumptions",
    assumption_note="Save rates and renewal probabilities are assumptions of the portfolio's settings, not "
    "measurements: compare them with what came of earlier lists before deciding by them.",
    playbook_titles=("Risk", "Playbook", "Due in days", "Save rate (assumed)"),
    probability_titles=("Renewal risk", "Probability of renewal (assumed)"),
    capacity="Capacity: {capacity} accounts for each owner; accounts without an owner are one queue.",
    no_capacity="Capacity: no limit is set.",
    definitions="Definitions",
    definition_texts=(
        ("ARR", "12 x the MRR in force on the day."),
        ("Expected loss of ARR", "ARR x (1 - probability of renewal)."),
        ("Savable ARR", "Expected loss x save rate of the playbook; an assumption."),
        ("Exposed ARR", "ARR of accounts that are not healthy and renew within 90 days."),
        ("Why", "The measured signal that costs the health score most points."),
        ("Renewal pipeline", "Paying accounts that renew within 270 days."),
        ("Expansion potential", "12 x the expansion of MRR in the last three months of the ledger."),
        ("Date rolled forward", "The given renewal date had passed while the account pays; one term was added."),
    ),
)

GERMAN = Words(
    sheets={"summary": "Übersicht", "interventions": "Interventionsliste", "pipeline": "Verlängerungen"},
    titles={
        "priority_rank": "Rang",
        "account_name": "Kunde",
        "segment": "Segment",
        "country": "Land",
        "owner": "Betreuung",
        "renewal_risk": "Verlängerungsrisiko",
        "health_score": "Health Score",
        "health_tier": "Stufe",
        "current_arr": "ARR",
        "expected_arr_loss": "Erwarteter ARR-Verlust",
        "savable_arr": "Rettbarer ARR (Annahme)",
        "renewal_date": "Verlängerung",
        "days_to_renewal": "Tage bis dahin",
        "primary_risk_signal": "Warum",
        "recommended_playbook": "Was zu tun ist",
        "due_date": "Bis",
        "capacity": "Kapazität",
        "account_id": "Kunden-ID",
        "renewal_probability": "Wahrscheinlichkeit der Verlängerung",
        "expected_renewal_arr": "Erwarteter verlängerter ARR",
        "exposed_arr": "Gefährdeter ARR (90 Tage)",
        "expansion_potential_arr": "Ausbaupotenzial ARR",
        "is_overdue": "Datum fortgeschrieben",
    },
    risks={"Critical": "Kritisch", "High": "Hoch", "Medium": "Mittel", "Low": "Niedrig"},
    scenarios={
        "all_renew": "Alle verlängern",
        "expected_with_playbooks": "Erwartet, wenn die Playbooks wie angenommen wirken",
        "expected_no_action": "Erwartet, wenn niemand handelt",
        "worst_case": "Schlimmster Fall: alle nicht gesunden Kunden gehen",
        "simulated_p10": "Simuliert, 1 von 10 Verläufen liegt darunter",
        "simulated_p50": "Simuliert, mittlerer Verlauf",
        "simulated_p90": "Simuliert, 9 von 10 Verläufen liegen darunter",
    },
    within="innerhalb",
    beyond="darüber hinaus",
    yes="ja",
    no="nein",
    as_of="{portfolio}, Stand {as_of}; Beträge in {currency}",
    listed="Kunden mit kritischem oder hohem Risiko, die in den nächsten 90 Tagen verlängern: {count}; erwarteter "
    "Verlust {loss} von {arr} ARR.",
    nothing_listed="Kein Kunde mit kritischem oder hohem Risiko verlängert in den nächsten 90 Tagen.",
    due="Kunden, die in den nächsten 270 Tagen verlängern: {count}, mit {arr} ARR; davon gehen erwartet {loss} verloren.",
    all_within="Alle liegen innerhalb der Kapazität der Betreuung.",
    line_drawn="Unter der dicken Linie, der Kapazität der Betreuung ({capacity} Kunden je Person): {count}, mit {loss} "
    "erwartetem Verlust.",
    summary="Customer-Success-Bericht",
    figures="Kennzahlen",
    figure_titles={
        "book_arr": "ARR des Bestands",
        "renewals_90": "Verlängerungen in 90 Tagen",
        "renewing_arr_90": "deren ARR",
        "exposed_arr": "Gefährdeter ARR in 90 Tagen",
        "listed": "Anzurufende Kunden",
        "within": "davon innerhalb der Kapazität",
        "expected_loss": "Erwarteter ARR-Verlust bei ihnen, wenn niemand handelt",
        "savable": "Durch Playbooks innerhalb der Kapazität rettbar (Annahme)",
    },
    outlook="NRR des Bestands in 90 Tagen",
    outlook_note="Nur Abgänge und Verlängerungen, ohne neuen Ausbau.",
    assumptions="Annahmen",
    assumption_note="Rettungsquoten und Wahrscheinlichkeiten der Verlängerung sind Annahmen aus den Einstellungen, "
    "keine Messwerte: vor Entscheidungen mit dem vergleichen, was aus früheren Listen geworden ist.",
    playbook_titles=("Risiko", "Playbook", "Fällig in Tagen", "Rettungsquote (Annahme)"),
    probability_titles=("Verlängerungsrisiko", "Wahrscheinlichkeit der Verlängerung (Annahme)"),
    capacity="Kapazität: {capacity} Kunden je betreuende Person; Kunden ohne Betreuung bilden eine gemeinsame Liste.",
    no_capacity="Kapazität: keine Grenze gesetzt.",
    definitions="Begriffe",
    definition_texts=(
        ("ARR", "12 x der am Stichtag laufende MRR."),
        ("Erwarteter ARR-Verlust", "ARR x (1 - Wahrscheinlichkeit der Verlängerung)."),
        ("Rettbarer ARR", "Erwarteter Verlust x Rettungsquote des Playbooks; eine Annahme."),
        ("Gefährdeter ARR", "ARR der nicht gesunden Kunden, die in den nächsten 90 Tagen verlängern."),
        ("Warum", "Das gemessene Signal, das den Health Score die meisten Punkte kostet."),
        ("Verlängerungen", "Zahlende Kunden, die in den nächsten 270 Tagen verlängern."),
        ("Ausbaupotenzial", "12 x der MRR-Ausbau der letzten drei Monate des Umsatzbuchs."),
        (
            "Datum fortgeschrieben",
            "Das angegebene Datum lag in der Vergangenheit, der Kunde zahlt weiter; um eine Laufzeit verschoben.",
        ),
    ),
)


def words_in(language: Language) -> Words:
    """The texts in a language."""
    return {"en": ENGLISH, "de": GERMAN}[language]
