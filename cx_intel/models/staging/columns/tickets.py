"""The columns that staging computes for tickets, their changes and NPS answers: words, ratings and hours.

What follows from a row alone. Which words are known: `cx_intel.contracts.staging.values`; whether a ticket kept its
promise: `cx_intel.models.support.judgement`.
"""

from datetime import date

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.staging.values import TICKET_WORDS, resolved_in_order
from cx_intel.models.expressions.conditions import first_match
from cx_intel.models.expressions.time import hours, in_zone, microseconds, whole_seconds
from cx_intel.settings.portfolio import Portfolio

NPS_SCALE = (0, 10)


def ticket_words(rows: ir.Table, portfolio: Portfolio, as_of: date) -> dict[str, ir.Value]:
    """What the words of the source mean, and the rating on its scale."""
    word, known = rows.status, [word for words in TICKET_WORDS.values() for word in words]
    by_time = ibis.ifelse(rows.resolved_at.notnull(), "resolved", "open")
    rating = _rating(rows, portfolio)
    return {
        "_local_time": in_zone(rows.created_at, portfolio.time_zone),
        "source_status": ibis.coalesce(rows.source_status, word),
        "status": ibis.ifelse(word.isnull(), by_time, read_status(word)),
        "unknown_status": ibis.ifelse(word.isin(known), ibis.null("string"), word),
        "satisfaction_score": rating,
        "csat_scale": ibis.literal(portfolio.satisfaction.name),
        "unread_rating": _unread(rows, "satisfaction_score", rating, _words_for_none(portfolio)),
    }


def read_status(word: ir.StringValue) -> ir.StringValue:
    """What a help desk's word, in lower case, means; any other than those that are known is open."""
    return first_match([(word.isin(words), status) for status, words in TICKET_WORDS.items()], "open")


def ticket_columns(rows: ir.Table, portfolio: Portfolio, as_of: date) -> dict[str, ir.Value]:
    """created_date."""
    return {"created_date": rows["_local_time"].date()}


def ticket_hours(rows: ir.Table, portfolio: Portfolio, as_of: date) -> dict[str, ir.Value]:
    """resolution_hours: null where no time of resolution fits."""
    passed = microseconds(rows.resolved_at) - microseconds(rows.created_at)
    is_timed = (rows.status == "resolved") & resolved_in_order(rows)
    return {"resolution_hours": ibis.ifelse(is_timed, hours(passed), ibis.null("float64"))}


def change_columns(rows: ir.Table, portfolio: Portfolio, as_of: date) -> dict[str, ir.Value]:
    """The field that changed: the status where the source names none."""
    return {"field": ibis.coalesce(rows.field, "status")}


def response_columns(rows: ir.Table, portfolio: Portfolio, as_of: date) -> dict[str, ir.Value]:
    """An id for answers without one, and the score where it is one."""
    by_time = rows.account_id + "@" + whole_seconds(rows.responded_at).cast("decimal(18, 0)").cast("string")
    score = _within(rows.score, NPS_SCALE)
    return {
        "response_id": ibis.coalesce(rows.response_id, by_time),
        "score": score,
        "unread_score": _unread(rows, "score", score, []),
    }


def _rating(rows: ir.Table, portfolio: Portfolio) -> ir.FloatingValue:
    number = _within(rows.satisfaction_score, portfolio.satisfaction.scale)
    rated = {word.lower(): rating for word, rating in portfolio.satisfaction.words.items() if rating is not None}
    if not rated or "_text_satisfaction_score" not in rows.columns:
        return number
    word = rows["_text_satisfaction_score"].lower()
    return first_match([(word == told, float(rating)) for told, rating in rated.items()], number)


def _words_for_none(portfolio: Portfolio) -> list[str]:
    return [word.lower() for word, rating in portfolio.satisfaction.words.items() if rating is None]


def _within(value: ir.NumericValue, scale: tuple[float, float]) -> ir.FloatingValue:
    low, high = scale
    return ibis.ifelse(value.between(float(low), float(high)), value, ibis.null("float64"))


def _unread(rows: ir.Table, column: str, read: ir.Value, words_for_none: list[str]) -> ir.StringValue:
    """What was delivered and is no value, unless its word stands for none."""
    kept = f"_text_{column}"
    text = rows[kept] if kept in rows.columns else rows[column].cast("string")
    is_misfit = read.isnull()
    if words_for_none:
        is_misfit &= ~text.lower().isin(words_for_none)
    return ibis.ifelse(is_misfit, text, ibis.null("string"))
