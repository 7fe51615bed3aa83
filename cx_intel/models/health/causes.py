"""How the change of a score falls apart: the scorecard, missing evidence, the others that ranks compare with, the account itself.

Here is the arithmetic over three states of each account and signal: then, the values of then as the scorecard of now scores
them, and now. Which days are compared and how the middle state is scored stand in `changes.py`; the definition is
"Why a score moved" in `docs/definitions.md`.
"""

from collections.abc import Mapping

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.health.changes import MEASURE, MISSING_EVIDENCE, POPULATION, SCORECARD, WEIGHT
from cx_intel.models.expressions.joins import beside
from cx_intel.models.expressions.statistics import exact_sum
from cx_intel.models.health.curves import quartile, uses_rank
from cx_intel.settings.health.curves import RulesCurve
from cx_intel.settings.health.model import HealthSettings

PAIR = ("account_id", "as_of", "compared_as_of")
COMPARED = ("account_id", "compared_as_of")
THEN, AGAIN, NOW = "then", "again", "now"
FIGURES = {"weight": "float64", "signal_score": "float64", "value": "float64", "measured": "int64"}
NOISE = 1e-9
"""Points below it are rounding of binary figures."""


def joined_states(pairs: ir.Table, drivers: ir.Table, again: ir.Table) -> ir.Table:
    """The three states of each compared account and signal side by side: `weight_then`, `value_now` and so on.

    Args:
        pairs: PAIR; version, is_same and is_edited, which are kept; is_known: `again` can be relied on.
        drivers: health_score_drivers of the days.
        again: The same of the compared days, by the scorecard of now.
    """
    then, now = _of_pairs(pairs, drivers, "compared_as_of"), _of_pairs(pairs, drivers, "as_of")
    known = _of_pairs(pairs, again, "compared_as_of")
    states = ibis.union(
        _state(then, THEN),
        _state(now, NOW),
        _state(known.filter(known.is_known), AGAIN),
        _state(then.filter(~then.is_known & then.is_same), AGAIN),
        _state(now.filter(~now.is_known & ~now.is_same), AGAIN),
    )
    figures = [column for column in states.columns if column.endswith((f"_{THEN}", f"_{AGAIN}", f"_{NOW}"))]
    return states.group_by(*PAIR, "version", "is_same", "is_edited", "signal").agg(
        **{column: states[column].max() for column in figures}
    )


def _of_pairs(pairs: ir.Table, drivers: ir.Table, day: str) -> ir.Table:
    """The drivers of each compared pair on one of its days."""
    rows = drivers.select(
        "signal",
        "value",
        "weight",
        "signal_score",
        _account="account_id",
        _day="as_of",
        measured=ibis.cases((drivers.is_measured, 1), else_=0).cast("int64"),
    )
    return pairs.inner_join(rows, [("account_id", "_account"), (day, "_day")]).drop("_account", "_day")


def _state(rows: ir.Table, state: str) -> ir.Table:
    figures = {
        f"{figure}_{at}": rows[figure] if at == state else ibis.null(kind)
        for at in (THEN, AGAIN, NOW)
        for figure, kind in FIGURES.items()
    }
    return rows.select(*PAIR, "version", "is_same", "is_edited", "signal", **figures)


def with_reads(states: ir.Table, account_signals: ir.Table, health: HealthSettings) -> ir.Table:
    """Adds `is_read_anew`: a signal that the rules of this one read was measured on one of the days alone."""
    reads = {
        (model.version, signal): sorted({name for case in part.curve.rules for name in case.if_.fields()} - {signal})
        for model in health.all_models()
        for dimension in model.dimensions.values()
        for signal, part in dimension.signals.items()
        if isinstance(part.curve, RulesCurve)
    }
    reads = {part: names for part, names in reads.items() if names}
    if not reads:
        return states.mutate(is_read_anew=ibis.literal(False))
    read = sorted({name for names in reads.values() for name in names})
    signals = account_signals.filter(account_signals.signal.isin(read))
    measured = signals.group_by("account_id", "as_of").agg(
        **{f"_has_{name}": signals.value.count(where=signals.signal == name) for name in read}
    )
    both = beside(states, measured.rename(compared_as_of="as_of"), *COMPARED)
    both = both.rename({f"{name}_then": name for name in measured.columns if name.startswith("_has_")})
    both = beside(both, measured, "account_id", "as_of")

    def differs(names: list[str]) -> ir.BooleanValue:
        found = ibis.literal(False)
        for name in names:
            was, now = (ibis.coalesce(both[f"_has_{name}{day}"], 0) for day in ("_then", ""))
            found = found | (was != now)
        return found

    anew = _by_part(both, {part: differs(names) for part, names in reads.items()}, ibis.literal(False))
    return both.select(*states.columns, is_read_anew=anew)


def with_ranks_among_others(states: ir.Table, drivers_now: ir.Table, health: HealthSettings) -> ir.Table:
    """Adds `rank_among_now`: what the value of then scores among the others' values of now; null where no rank scores.

    Where the version is the same, the rank of then stands: it was among all who were there.
    """
    ranked = {
        (model.version, signal): ibis.literal(True)
        for model in health.all_models()
        for dimension in model.dimensions.values()
        for signal, part in dimension.signals.items()
        if uses_rank(part.curve)
    }
    if not ranked:
        return states.mutate(rank_among_now=ibis.null("float64"))
    is_ranked = _by_part(states, ranked, ibis.literal(False)) & (states.measured_again == 1)
    stood = is_ranked & states.is_same & (states.measured_then == 1)
    score = ibis.cases((stood, states.signal_score_then), else_=states.signal_score_again)
    states = states.mutate(signal_score_again=score, _is_ranked=is_ranked & (states.measured_now == 1))
    asked = states.filter(states._is_ranked)
    days = asked.select("compared_as_of").distinct()
    others = drivers_now.filter(drivers_now.value.notnull()).select("account_id", "signal", "value")
    others = others.semi_join(asked, "signal").cross_join(days)
    both = ibis.union(
        asked.select(*COMPARED, "signal", value="value_again", own="value_now", asked=ibis.literal(1)),
        others.select(*COMPARED, "signal", "value", own=ibis.null("float64"), asked=ibis.literal(0)),
    )
    among: list[ir.Value] = [both.compared_as_of, both.signal]
    asking = [*among, both.asked]
    value = both.value
    below = value.rank().over(group_by=among, order_by=value) - value.rank().over(group_by=asking, order_by=value)
    equals = value.count().over(group_by=[*among, value]) - value.count().over(group_by=[*asking, value])
    everyone = value.count().over(group_by=among) - value.count().over(group_by=asking)
    ranks = both.mutate(
        rank_among_now=quartile(
            below - ibis.cases((both.own < value, 1), else_=0),  # the others alone, and itself at the value of then
            equals - ibis.cases((both.own == value, 1), else_=0) + 1,
            everyone,
        )
    )
    ranks = ranks.filter(ranks.asked == 1).select(*COMPARED, "signal", "rank_among_now")
    return beside(states, ranks, *COMPARED, "signal").drop("_is_ranked")


def _by_part(rows: ir.Table, parts: Mapping[tuple[str, str], ir.Value], otherwise: ir.Value) -> ir.BooleanValue:
    branches = (((rows.version == version) & (rows.signal == name), found) for (version, name), found in parts.items())
    return ibis.cases(*branches, else_=otherwise)


def by_cause(states: ir.Table) -> ir.Table:
    """Columns PAIR, signal, cause, points_change, value_from, value_to: of each cause what it moved."""
    rows = _with_references(states)
    score_then, score_again, score_now = (ibis.coalesce(rows[f"signal_score_{at}"], 0.0) for at in (THEN, AGAIN, NOW))
    weight_then, weight_again, weight_now = (ibis.coalesce(rows[f"weight_{at}"], 0.0) for at in (THEN, AGAIN, NOW))
    shifted = weight_again - weight_then
    is_other_evidence = (ibis.coalesce(rows.measured_again, 0) != ibis.coalesce(rows.measured_now, 0)) | (
        rows.is_read_anew
    )
    kept = ibis.cases((is_other_evidence, score_now), else_=score_again)
    among_now = ibis.cases((is_other_evidence, score_now), else_=ibis.coalesce(rows.rank_among_now, score_again))
    points = {
        WEIGHT: ibis.cases((rows._is_reweighted, shifted * (score_then - rows._score_then)), else_=0.0),
        SCORECARD: ibis.cases(
            (rows._is_reweighted, weight_again * (score_again - score_then)),
            else_=weight_again * score_again - weight_then * score_then - shifted * rows._score_then,
        ),
        MISSING_EVIDENCE: weight_now * kept
        - weight_again * score_again
        - (weight_now - weight_again) * rows._score_again,
        POPULATION: weight_now * (among_now - kept),
        MEASURE: weight_now * (score_now - among_now),
    }
    named = rows.select(
        *PAIR,
        "signal",
        value_from=ibis.coalesce(rows.value_then, rows.value_again),
        value_to=rows.value_now,
        **{f"_{cause}": found for cause, found in points.items()},
    )
    parts = ibis.union(
        *(
            named.select(
                *PAIR,
                "signal",
                "value_from",
                "value_to",
                cause=ibis.literal(cause),
                points_change=named[f"_{cause}"],
            )
            for cause in points
        )
    )
    return parts.filter(parts.points_change.abs() > NOISE)


def _with_references(states: ir.Table) -> ir.Table:
    """Adds `_score_then` and `_score_again`, from which moved weights are counted, and `_is_reweighted`.

    Where nothing of then has a score by the scorecard of now, all that is measured now is new to it.
    """
    pair = [states[name] for name in PAIR]

    def total(value: ir.NumericValue) -> ir.NumericValue:
        return exact_sum(value).over(group_by=pair)

    def score(at: str) -> ir.FloatingValue:
        return total(ibis.coalesce(states[f"weight_{at}"] * states[f"signal_score_{at}"], 0.0))

    then = score(THEN)
    other = states.signal_score_then.isnull() != states.signal_score_again.isnull()
    return states.mutate(
        _score_then=then,
        _score_again=ibis.cases((total(ibis.coalesce(states.weight_again, 0.0)) > 0, score(AGAIN)), else_=then),
        _is_reweighted=states.is_edited & (total(ibis.cases((other, 1.0), else_=0.0)) == 0),
    )
