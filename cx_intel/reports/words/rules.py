"""What rules of the contracts ask, and what to do where one does not hold, in any language.

What a rule asks is told short here, for everyone who reads a figure. What to do, with the settings to write, is an English text
of the contracts: other languages have their own, or say where that text stands. Why rows are in quarantine: `reasons.py`.
"""

from collections.abc import Mapping
from typing import Any

from cx_intel.reports.words.catalogue import ENGLISH, term
from cx_intel.reports.words.labels import readable
from cx_intel.reports.words.language import Language

AT_SOURCE = term("Mend these rows at the source or in the mapping, then refresh.")
SEE_UI = term("The check in the Dagster UI shows a sample and what to do.")
DATES = term("Mend the dates at the source.")
LAST_DAYS = term("Say in the settings whether an end is the last day in force, or deliver days without a time.")
RULES = {
    "start_before_end": (term("A subscription starts before it ends."), DATES),
    "ends_are_days": (term("Ends are days, without the last minute of one."), LAST_DAYS),
    "amounts_in_currency": (
        term("An amount has the sign of the currency of its row."),
        term("Deliver the currency of these rows, or state it in the settings of the source."),
    ),
    "amount_is_units_times_price": (
        term("An amount beside a price per unit is the price of all units."),
        term("Map the one of the two that is right: the price of all units counts."),
    ),
    "period_in_order": (term("A billed period ends after it starts."), DATES),
    "period_is_whole": (
        term("A billed period has a start and an end."),
        term("Map both columns of the period, or neither."),
    ),
    "statuses_are_known": (
        term("Every status of an invoice is known."),
        term("Say in the settings which statuses count; amounts with others count in no month."),
    ),
    "periods_end_where_the_next_begins": (term("A billed period ends where the next begins."), LAST_DAYS),
    "statuses_known": (
        term("Every status of a ticket is known; others are read as open."),
        term("Say in the settings what these words mean."),
    ),
    "no_ticket_left_out": (
        term("No ticket is deleted, spam or merged; such ones count nowhere."),
        term("Nothing, if they are to be left out."),
    ),
    "resolved_have_a_time": (
        term("Every resolved ticket has a time of resolution."),
        term("Map the time of resolution, or mend the times at the source."),
    ),
    "ratings_read": (
        term("Every rating can be read; others count as none."),
        term("Say in the settings how ratings are written."),
    ),
    "scores_read": (
        term("Every score of a survey is a number from 0 to 10; others count as none."),
        term("Mend these scores at the source."),
    ),
    "times_of_day": (
        term("Tickets are opened and resolved at times, not only on days."),
        term("Map times: with days alone a ticket of one day counts as resolved at once."),
    ),
    "ids_differ_by_more_than_spelling": (
        term("No two accounts have ids that differ only in spelling."),
        term("Mend the export that wrote an id anew, or say that both are one account."),
    ),
    "ends_are_first_days_without": (term("Contracts follow each other without a gap of one day."), LAST_DAYS),
    "overlaps_are_short": (
        term("Two subscriptions to one product hardly overlap; their amounts are summed."),
        term("Say in the settings whether the newer replaces the older."),
    ),
    "missing_subscription": (
        term("No large contract has vanished from the delivery."),
        term("If it has not ended, deliver its row and refresh this day again."),
    ),
    "ended_are_delivered": (
        term("Ended contracts are delivered too."),
        term("Deliver the ended ones: without them no loss is known."),
    ),
    "credit_takes_mrr": (
        term("Every credit note lowers MRR."),
        term("Name the credited invoice or a period; refunds are right as they are."),
    ),
    "credit_is_applied": (
        term("No month has credit that lowers no MRR."),
        term("Check with billing; refunds are right as they are."),
    ),
    "restated_within_tolerance": (
        term("Published months stay as they were, but for a small part."),
        term("Look at the causes; if the change is right, nothing is to be done."),
    ),
    "no_round_multiple": (
        term("Contracts and invoices are not apart by a round multiple, such as 12 or 100."),
        term("Look whether yearly amounts are taken for monthly ones, or cents for whole amounts."),
    ),
    "no_month_is_credited_whole": (
        term("No month between paying ones is credited whole."),
        term("If the credit belongs to another month, give it a period."),
    ),
    "no_month_is_ten_times_usual": (
        term("No month of an account is ten times its usual one."),
        term("If it is a one-off amount, say in the settings what recurs."),
    ),
    "contract_agrees_with_ledger": (
        term("Contracts and ledger tell of the same MRR."),
        term("Often a change since the last closed month; else ask billing which is right."),
    ),
    "crm_churned_pays_nothing": (
        term("Who has churned by the CRM pays no more."),
        term("Mend the status in the CRM, or end the contract in billing."),
    ),
    "crm_customer_pays": (
        term("Who is a customer by the CRM has not churned by the ledger."),
        term("Mend the status in the CRM, or look for the missing contract in billing."),
    ),
    "payers_have_signed_up": (
        term("Who has paid is a customer since before the day."),
        term("Mend the date since when they are customers."),
    ),
    "resolved_are_judged": (
        term("Every resolved ticket is judged against a target."),
        term("Give every priority a target, and deliver the time of resolution."),
    ),
    "newest_month_is_delivered": (
        term("The newest month is delivered but for a small part."),
        term("Wait for the rest, or say in the settings that nothing more is to come."),
    ),
    "low_risk_has_no_flag": (
        term("An account of low risk shows no sign of churn."),
        term("Check the bounds of churn risk in the settings."),
    ),
    "no_suspicious_predictor": (
        term("No score and no signal predicts better than can be."),
        term("Find out when its source is written; take it out of the score until then."),
    ),
    "score_not_backwards": (
        term("The score does not run backwards."),
        term("See which signals run against their curves, and mend these or their weights."),
    ),
    "learned_as_asked": (
        term("The learnt probability of renewal is used, as the settings ask."),
        term("The page about it says why the assumed one is used."),
    ),
    "no_drift": (
        term("The learnt probability is no worse on the newest outcomes."),
        term("Do not rely on it until the next months agree."),
    ),
    "actions_are_about_a_renewal": (
        term("Every action is about a renewal of its account."),
        term("Mend the entry or the day of these actions; they count nowhere."),
    ),
    "parents_lead_to_an_ultimate_parent": (
        term("Groups of companies have one parent at their head."),
        term("Correct the parent of these accounts at the source."),
    ),
    "one_row_a_month": (
        term("An account has one amount a month."),
        term("If the later row replaces the earlier one, deliver only that one."),
    ),
    "accounts_of_ids_stay": (
        term("An id belongs to the account to which it belonged before."),
        term("If that is wrong, mend the link at its source."),
    ),
    "domains_are_of_one_company": (
        term("An e-mail domain is of one company."),
        term("If several companies share it, say so in the settings."),
    ),
    "recurring_columns_are_delivered": (
        term("The columns that tell what recurs are delivered."),
        term("Map them: until then all counts as recurring."),
    ),
    "sources_agree": (
        term("Sources say the same of an account or a contract."),
        term("Mend the value in one system, or say in the settings which is right."),
    ),
    "ids_find_their_account": (
        term("Every id of another system belongs to an account."),
        term("Write the account at the id in its system, or deliver a link."),
    ),
    "grain_unique": (term("No row is there twice."), AT_SOURCE),
}
"""Rule: what it asks, and what to do."""
COLUMN_RULES = {
    "_not_null": term("{column} is always filled."),
    "_accepted": term("{column} has one of the known values."),
    "_in_range": term("{column} is within its bounds."),
}
"""Ending of the name of a rule on a column: what it asks."""


def asked(row: Mapping[str, Any], f: Language) -> str:
    """What a rule asks (`check_name`, `rule` of its result)."""
    name = str(row["check_name"])
    if name in RULES:
        return f.say(RULES[name][0])
    for ending, text in COLUMN_RULES.items():
        if name.endswith(ending):
            return f.say(text, column=readable(name.removesuffix(ending)))
    return str(row["rule"]) if f.code == ENGLISH else readable(name)


def what_to_do(row: Mapping[str, Any], f: Language) -> str:
    """What to do where a rule does not hold (`check_name`, `what_to_do` of its result): in English with the settings to write."""
    if f.code == ENGLISH:
        return str(row["what_to_do"])
    name = str(row["check_name"])
    return f.say(RULES[name][1] if name in RULES else SEE_UI)
