"""Why a row is in quarantine, and why an id belongs to no account: each reason once, as a code with the sentence of it.

A reason is written by staging (`cx_intel.models.expressions.reasons`) or by a reader of files (`told_of_row` here) as the
English sentence and as its parts: the code and what stands in the gaps. Reports make the sentence of another language of the
parts (`cx_intel.reports.words.reasons`), so that nobody takes English apart.
"""

import json
from string import Formatter

MORE = "\x1f"
"""In a raw row that could not be split: between the sentence and its parts."""


def sentence(code: str, text: str) -> tuple[str, str]:
    """A reason with its gaps in braces: marks the text, so that it is collected for the catalogues."""
    return code, text


REASONS = dict(
    [
        sentence("missing", "{column} is missing"),
        sentence("no_amount", "{column}: '{value}' is not a number (write 1234.50)"),
        sentence("beyond_limit", "{column}: '{value}' is beyond the limit of {limit}"),
        sentence("no_whole_number", "{column}: '{value}' is not a whole number (write 1234)"),
        sentence("no_number", "{column}: '{value}' is not a number (write 1234.5)"),
        sentence("no_date", "{column}: '{value}' is not a date (YYYY-MM-DD, or as date_formats say)"),
        sentence("no_time", "{column}: '{value}' is not a time (YYYY-MM-DDTHH:MM:SS, or as date_formats say)"),
        sentence(
            "excel_day",
            "{column}: '{value}' may be a day as Excel counts them: save the column as dates (YYYY-MM-DD), or state "
            "date_formats: [excel]",
        ),
        sentence(
            "no_whole_quantity",
            "{column}: '{value}' is not a whole number: deliver the amount of all units, and no {column}",
        ),
        sentence("below", "{column}: '{value}' is below {limit}"),
        sentence("above", "{column}: '{value}' is above {limit}"),
        sentence("none_of", "{column}: '{value}' is none of {accepted}"),
        sentence(
            "unknown_interval",
            "{column}: '{value}' is none of {accepted}, nor another known word: map it under values, or deliver "
            "billing_period_months",
        ),
        sentence("no_rate", "{column}: '{value}' has no rate under currency.rates"),
        sentence(
            "sign_of_several",
            "{column}: '{value}' is the sign of several currencies: write the code, or state under values which it means",
        ),
        sentence(
            "other_currency", "{column}: '{value}' is not in the currency of the row, {currency}: mend one of the two"
        ),
        sentence(
            "two_currencies",
            "{column}: '{value}' has another currency than an amount of the row with {other}: mend one of the two",
        ),
        sentence("unknown_account", "account_id '{value}' is not among the accounts"),
        sentence("duplicate", "duplicate of row {row} of {file}: the same {key}"),
        sentence(
            "duplicate_line",
            "duplicate of row {row} of {file}: the same {key}. If these are lines of one invoice, map what numbers the lines "
            "to {key}, or make an id of invoice and line in a query",
        ),
        sentence("duplicate_of_source", "duplicate of row {row} of the source: the same {key}"),
        sentence(
            "merged_and_own",
            "merged into '{value}', which has a row of its own: duplicate of row {row} of {file}: the same {key}",
        ),
        sentence(
            "contradiction",
            "another row of the file has other values for the same {key}, and none of {dates} says which is the newest: "
            "deliver one of them",
        ),
        sentence("merged", "merged into '{value}' by account_aliases"),
        sentence(
            "merged_into_itself",
            "old_account_id '{value}' is merged into itself: leave the row out, or write the account that survives",
        ),
        sentence(
            "merged_into_several",
            "old_account_id '{value}' is merged into several accounts: deliver one row for it, with the account that survives",
        ),
        sentence(
            "merged_in_circle",
            "old_account_id '{value}' is merged in a circle, or over more than {limit} merges: write the account that survives",
        ),
        sentence("nothing_to_add_to", "no contract: no other source has the {key} '{value}'"),
        sentence("in_another_source", "another source has a row of the same {key}"),
        sentence(
            "unknown_status",
            "status: '{value}' is no known status: state under revenue.subscription_statuses what it means: counting, "
            "ended, never, trial or paused",
        ),
        sentence(
            "ended_without_day",
            "status: '{value}' says that it has ended, nothing says when, and no load showed it in force: map the day to "
            "end_date, or state {{{value}: never}} under revenue.subscription_statuses if such ones never count",
        ),
        sentence(
            "period_beyond_limit",
            "billing_interval_count: '{value}' makes a billing period of more than {limit} months",
        ),
        sentence("month_beyond_limit", "the amount of a month is beyond the limit"),
        sentence("product_beyond_limit", "quantity times price is beyond the limit"),
        # reasons that quote nothing stand where names of people are not to be
        sentence("no_address", "email is no address (write name@company.com)"),
        sentence("nobody", "the row names nobody (write contact_name or email)"),
        sentence("snoozed_without_day", "snoozed without snoozed_until (write the day)"),
        sentence("dismissed_without_reason", "dismissed without a reason"),
        sentence("no_renewal", "entry_id: '{value}' does not end in a renewal date (account@YYYY-MM-DD)"),
        sentence("link_from_account", "system is 'account': write the account as linked_id of the other system's id"),
        sentence("no_id_of_system", "no account: the row names no id of {system}"),
        sentence("no_account", "no account: {system} '{value}' {why}"),
        sentence("not_in_map", "is not in identity_map"),
        sentence("no_link", "has no link"),
        sentence("no_link_but_alike", "has no link; '{other}' has one"),
        sentence("shared_domain", "is no company's own domain: a mail provider's, of identity.shared_domains, or none"),
        sentence("several_accounts", "is linked to several accounts alike: '{value}' and '{other}'"),
        sentence("undelivered_account", "is linked to the account '{value}', which no load delivered"),
        sentence(
            "undelivered_but_alike", "is linked to the account '{value}', which no load delivered; there is '{other}'"
        ),
        sentence("linked_to_shared_domain", "has the domain '{value}', which is no company's own"),
        sentence("domain_of_several", "has the domain '{value}', as several accounts have"),
        sentence("domain_of_none", "has the domain '{value}', as no account has"),
        sentence("linked_in_circle", "is linked in a circle, or over more than {limit} links"),
        sentence("linked_to_nothing", "is linked to {system} '{value}', which leads to no account"),
        sentence("other_columns", "has {columns} columns where the header has {header}"),
        sentence(
            "unclosed_quote",
            "has {columns} columns where the header has {header}; it spans {lines} lines, so a quote may not be closed",
        ),
        sentence(
            "swallowed_rows",
            "the cell of '{column}' holds the beginning of {lines} more rows: a quote before it is not meant as one, or "
            "not closed",
        ),
        sentence("nameless_column", "has a value in column {column}, which has no name"),
        sentence("no_json", "is no JSON object ({error})"),
    ]
)
"""Code: what the sentence is, with its gaps."""


def pieces(code: str) -> list[tuple[str, str | None]]:
    """The texts of a sentence, each with the gap that follows it, or None."""
    return [(text, gap) for text, gap, _, _ in Formatter().parse(REASONS[code])]


def shown(value: object) -> str:
    """What stands in a gap of the English sentence."""
    return f"{value:,.0f}" if isinstance(value, int | float) else str(value)


def told_of_row(code: str, **gaps: object) -> str:
    """Why a row of a file could not be split: the sentence, `MORE`, and its parts."""
    said = REASONS[code].format(**{name: shown(value) for name, value in gaps.items()})
    return said + MORE + json.dumps({"code": code, **gaps}, ensure_ascii=False)


def beginning_of(code: str) -> str:
    """How the parts of a row begin whose first reason has this code."""
    return f'[{{"code": "{code}"'
