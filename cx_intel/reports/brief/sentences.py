"""What the brief says of the month that is over and of the next 90 days, a sentence or two each.

The rest of the page is put into words in `view.py`; the facts come from `facts.py`.
"""

from cx_intel.reports.brief.facts import Facts
from cx_intel.reports.data.report_data import total
from cx_intel.reports.words.language import Language


def nrr_in(facts: Facts, f: Language, scenario: str) -> str:
    """NRR of the book in a scenario; empty where there is no outlook."""
    row = facts.outlook.get(scenario)
    return f.percent(row["book_nrr_pct"]) if row else ""


def closed_month(facts: Facts, f: Language) -> str:
    """The newest month that is over, by the ledger."""
    row, money = facts.closed_month, f.money
    if row is None:
        return ""
    return f.say(
        "{month} closed at {mrr} MRR: new {new}, expansion {expansion}, contraction {contraction}, churn {churn}; "
        "NRR of the month {nrr}.",
        month=f.month(row["revenue_month"]),
        mrr=money(row["ending_mrr"]),
        new=money(total([row["new_mrr"], row["reactivation_mrr"]])),
        expansion=money(row["expansion_mrr"]),
        contraction=money(row["contraction_mrr"]),
        churn=money(row["churned_mrr"]),
        nrr=f.percent(row["nrr_pct"]),
    )


def outlook(facts: Facts, f: Language) -> str:
    """What becomes of NRR in 90 days if nobody acts, and with the playbooks."""
    row = facts.outlook.get("expected_no_action")
    if row is None:
        return ""
    if not row["renewals_due"]:
        return f.say("No renewal is due within 90 days.")
    return f.count(
        "If nobody acts, NRR of the book is {nrr} over the next 90 days, with {n} renewal worth {arr} ARR due; 8 of 10 "
        "simulated outcomes lie between {low} and {high}, and the worst case is {worst}. With the playbooks within "
        "capacity it becomes {playbooks}, if they save what is assumed.",
        "If nobody acts, NRR of the book is {nrr} over the next 90 days, with {n} renewals worth {arr} ARR due; 8 of 10 "
        "simulated outcomes lie between {low} and {high}, and the worst case is {worst}. With the playbooks within "
        "capacity it becomes {playbooks}, if they save what is assumed.",
        row["renewals_due"],
        nrr=nrr_in(facts, f, "expected_no_action"),
        arr=f.money(12 * row["starting_mrr"]),
        low=nrr_in(facts, f, "simulated_p10"),
        high=nrr_in(facts, f, "simulated_p90"),
        worst=nrr_in(facts, f, "worst_case"),
        playbooks=nrr_in(facts, f, "expected_with_playbooks"),
    )
