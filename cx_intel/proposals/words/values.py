"""What people write into columns: periods, priorities, statuses, in the languages and systems that are known.

What they call tables and columns is in `columns.py`; what is made of both, in `cx_intel.proposals.columns.meanings`.
"""

from cx_intel.models.staging.columns.prices import INTERVALS

MONTHS_OF_AMOUNTS = {
    12: ("arr", "annual", "acv", "year", "jahr"),
    1: ("mrr", "month", "monat"),
}
"""The months that an amount is for: parts of the names of columns that tell it."""

MONTHS_OF_PERIODS = {
    "1": (*INTERVALS["month", 1], "per month", "a month", "every month", "mtl", "monatlich", "pro monat"),
    "3": ("quarter", "quarters", "quarterly", "per quarter", "vierteljährlich", "quartalsweise", "pro quartal"),
    "6": ("half-yearly", "half yearly", "semi-annual", "semi-annually", "semiannual", "biannual", "halbjährlich"),
    "12": (*INTERVALS["year", 1], "per year", "a year", "every year", "per annum", "p.a.", "jährlich", "pro jahr"),
}
"""The months of a period of billing: the words for it."""

CONTRACT_VALUES = ("contract_value", "total_contract_value", "tcv", "contract_amount", "vertragswert")
"""Names of columns with the value of a contract, which is for all of its term or for a year."""

PRIORITIES = {
    "p1": ("urgent", "critical", "blocker", "highest", "p1", "1", "sev1", "dringend", "kritisch"),
    "p2": ("high", "major", "p2", "2", "sev2", "hoch"),
    "p3": ("normal", "medium", "med", "moderate", "p3", "3", "sev3", "mittel"),
    "p4": ("low", "minor", "lowest", "trivial", "p4", "4", "sev4", "niedrig", "gering"),
}

STATES = (
    *(
        "activ",
        "aktiv",
        "live",
        "trial",
        "cancel",
        "churn",
        "expir",
        "ended",
        "paus",
        "due",
        "unpaid",
        "paid",
        "void",
        "draft",
    ),
    *("open", "new", "pend", "hold", "solv", "clos", "done", "complet", "won", "lost", "progress"),
)
"""Parts of words that a column named state has where it is a status, and not a State of a country."""

TRIALS = ("is_trial", "trial", "in_trial", "testphase")
"""Columns that say whether a subscription is a trial."""

ACTIVE, LEFT = (
    ("is_active", "active"),
    ("is_churned", "churned", "is_cancelled", "cancelled", "is_canceled", "canceled"),
)
"""Columns that say of a contract whether it is in force, and whether it is not."""

WON = ("closed won", "won", "closedwon", "gewonnen")
"""The stage of a deal that became a contract."""

STATUSES = {
    "subscriptions": {
        "active": ("aktiv", "laufend", "live", "in force", *WON),
        "cancelled": ("gekündigt", "storniert"),
        "ended": ("beendet", "abgelaufen", "inactive", "inaktiv"),
    },
    "support_tickets": {
        "open": ("offen", "neu", "in bearbeitung", "wartend", "in progress"),
        "resolved": ("gelöst", "geschlossen", "erledigt"),
    },
}
"""Canonical table: a word of its status, and the words of other systems and languages that are proposed for it."""
