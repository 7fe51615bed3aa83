"""What the learnt model says of the accounts of a day: `renewal_probabilities`, the terms applied where the tables lie.

The terms are fitted in `fitting.py` and kept by `terms.py`. Whether the pipeline takes these probabilities or the
portfolio's map is decided in `cx_intel.models.renewals.pipeline`.
"""

from datetime import date

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.contract import conform
from cx_intel.contracts.health.drivers import UNKNOWN
from cx_intel.contracts.renewals import learned as contracts
from cx_intel.contracts.renewals.learned import IN_USE, INTERCEPT, MEASURES, SEGMENT
from cx_intel.contracts.renewals.pipeline import WINDOW_DAYS
from cx_intel.contracts.staging.values import NO_VALUE
from cx_intel.models.expressions.joins import beside
from cx_intel.models.health.risk import events_of_30_days
from cx_intel.models.renewals.learned.fitting import EXTREME, FARTHEST
from cx_intel.models.renewals.learned.measures import measures
from cx_intel.models.renewals.learned.terms import DIGITS, HIGHEST, LOWEST
from cx_intel.models.renewals.pipeline import book
from cx_intel.settings.portfolio import Portfolio


def renewal_probabilities(
    account_snapshot: ir.Table,
    customer_health_scores: ir.Table,
    fct_usage: ir.Table,
    renewal_model: ir.Table,
    renewal_model_terms: ir.Table,
    *,
    portfolio: Portfolio,
    as_of: date,
) -> ir.Table:
    """What the newest model of the day or before says of each renewal due within 90 days, whether or not it is used.

    Grain: as_of, account_id. Reads the accounts and scores of `as_of`, usage up to it, and models fitted by then. Left out,
    as they are among those that were learnt from: accounts outside the book, cancelled ones, those of unknown tier, renewals
    whose date is today or has passed; and all where nothing was fitted yet.

    Columns: see the contract; a null measure counts as the average.
    """
    models = renewal_model.filter(renewal_model.model_version.notnull(), renewal_model.as_of <= ibis.literal(as_of))
    newest = models.filter(models.as_of == models.as_of.max().over(ibis.window()))
    model = newest.select("verdict", model_as_of=newest.as_of)
    terms = renewal_model_terms.filter(renewal_model_terms.fitted_for == IN_USE)
    terms = terms.inner_join(model, terms.as_of == model.model_as_of)
    rows = _measured(account_snapshot, customer_health_scores, fct_usage, portfolio, as_of)
    rows = beside(rows, _of_segments(terms), "segment").cross_join(_in_one_row(terms))
    log_odds = rows.intercept + ibis.coalesce(rows.of_segment, 0.0)
    for name in MEASURES:
        distance = ibis.coalesce((rows[name] - rows[f"center__{name}"]) / rows[f"scale__{name}"], 0.0)
        held = ibis.least(ibis.greatest(distance, -EXTREME), EXTREME)
        log_odds += held * ibis.coalesce(rows[f"weight__{name}"], 0.0)
    kept = ibis.least(ibis.greatest(log_odds, -FARTHEST), FARTHEST)
    probability = (1.0 / (1.0 + (-kept).exp())).round(DIGITS)
    return conform(
        rows.mutate(learned_probability=ibis.least(ibis.greatest(probability, LOWEST), HIGHEST)),
        contracts.renewal_probabilities(portfolio),
    )


def _measured(
    account_snapshot: ir.Table, scores: ir.Table, fct_usage: ir.Table, portfolio: Portfolio, as_of: date
) -> ir.Table:
    """The accounts with a renewal due within the window, and what the probability depends on."""
    rows = book(account_snapshot, portfolio=portfolio)
    days = rows.renewal_date.delta(ibis.literal(as_of), unit="day")
    rows = rows.filter(days.between(1, WINDOW_DAYS), ~ibis.coalesce(rows.is_cancelled, False))
    rows = rows.select("account_id", "segment", "tenure_days", "current_arr")
    known = scores.filter(scores.health_tier != UNKNOWN).select("account_id", "health_score")
    rows = rows.inner_join(known, "account_id")
    events = beside(rows, events_of_30_days(fct_usage, as_of), "account_id")
    has_usage = "usage_events" in portfolio.tables
    used = ibis.coalesce(events["_last"], 0.0) if has_usage else ibis.null("float64")
    measured = events.mutate(usage_events_30d=used, segment=ibis.coalesce(events.segment, NO_VALUE))
    return measured.select("account_id", "segment", as_of=ibis.literal(as_of), **measures(measured))


def _in_one_row(terms: ir.Table) -> ir.Table:
    """The intercept, and weight, center and scale of each measure, in one row; none where there is no model."""
    columns = {"intercept": terms.weight.max(where=terms.term == INTERCEPT)}
    for name in MEASURES:
        is_it = terms.term == name
        columns |= {f"{part}__{name}": terms[part].max(where=is_it) for part in ("weight", "center", "scale")}
    return terms.group_by("model_as_of", "verdict").agg(**columns)


def _of_segments(terms: ir.Table) -> ir.Table:
    rows = terms.filter(terms.measure == SEGMENT)
    return rows.select("segment", of_segment=rows.weight)
