"""The long form of a health score: a row for each account and signal with score, effective weight and points.

Everything that decides a score happens here, in the order of the definitions: which model judges, which
signals apply and are measured, where the weight of missing ones goes. `health.py` only adds up.
"""

from collections.abc import Callable
from datetime import date
from functools import reduce
from operator import or_
from typing import NamedTuple

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.contract import conform
from cx_intel.contracts.health.drivers import health_score_drivers as health_score_drivers_contract
from cx_intel.models.expressions.conditions import holds
from cx_intel.models.expressions.joins import beside
from cx_intel.models.expressions.literals import number
from cx_intel.models.expressions.statistics import exact_sum
from cx_intel.models.health.curves import Judged, best_value, quartile_score, score, uses_rank
from cx_intel.models.health.population import health_settings, with_attributes
from cx_intel.settings.health.curves import Bound, LinearCurve, RulesCurve
from cx_intel.settings.health.model import HealthSettings, ScoredSignal
from cx_intel.settings.labels import worded
from cx_intel.settings.portfolio import Portfolio

NOTHING = ibis.null("float64")


class Part(NamedTuple):
    """A signal as one model scores it."""

    version: str
    dimension: str
    dimension_weight: float
    signal: str
    order: int
    scored: ScoredSignal


def health_score_drivers(
    account_signals: ir.Table, account_snapshot: ir.Table, *, portfolio: Portfolio, as_of: date
) -> ir.Table:
    """Which signal adds and loses how many points of an account's health score.

    Grain: as_of, account_id, signal: a row for each signal that the account's model scores, missing ones with
    weight 0. Reads the signals and the attributes of the day. `weight` is the effective one in the health
    score, after the weight of missing signals has moved: to the signal named by `redistribute_to`, unless
    that is missing too, else over the others of the dimension; dimensions without any score leave theirs to
    the others. A neutral score keeps its weight and is not measured. Always true: weights_sum_to_one,
    points_and_lost_are_the_weight, measured_has_value_and_score.

    Raises:
        KeyError: A condition or curve names an attribute that accounts do not have.
    """
    drivers = score_signals(account_signals, account_snapshot, portfolio=portfolio)
    return conform(drivers, health_score_drivers_contract(portfolio))


def score_signals(
    account_signals: ir.Table,
    account_snapshot: ir.Table,
    *,
    portfolio: Portfolio,
    judged_by: ir.Table | None = None,
) -> ir.Table:
    """As health_score_drivers, for every `as_of` in the input; ranks are within each.

    Args:
        account_signals: The values.
        account_snapshot: The attributes, of the same days.
        portfolio: The portfolio.
        judged_by: as_of, account_id, model_version where it is not the attributes that choose the model.
    """
    health = health_settings(portfolio)
    parts = _parts(health)
    signals = account_signals.rename(_signal="signal", _value="value", _is_stale="is_stale")
    rows = signals.inner_join(with_attributes(account_snapshot, attributes_read(health)), ["as_of", "account_id"])
    version = _version(rows, health)
    if judged_by is not None:
        rows = beside(rows, judged_by.rename(_judge="model_version"), "as_of", "account_id")
        version = ibis.coalesce(rows._judge, _version(rows, health))
    rows = rows.mutate(_version=version)
    rows = _with_signals_of_rules(rows, parts)

    def by_part(figure: Callable[[Part], object], otherwise: object = NOTHING) -> ir.Value:
        return _by_part(rows, parts, figure, otherwise)

    rows = rows.mutate(
        _dimension=by_part(lambda p: p.dimension, ibis.null("string")),
        _order=by_part(lambda p: p.order, ibis.null("int64")),
        _inner=by_part(lambda p: number(p.scored.weight)),
        _outer=by_part(lambda p: number(p.dimension_weight)),
        _neutral=by_part(lambda p: _or_null(p.scored.when_missing.neutral_score)),
        _heir=by_part(lambda p: p.scored.when_missing.redistribute_to or ibis.null("string"), ibis.null("string")),
        _applies=by_part(
            lambda p: holds(p.scored.applies_if, rows) if p.scored.applies_if else ibis.literal(True),
            ibis.literal(False),
        ),
    )
    rows = rows.filter(rows._dimension.notnull())
    rows = _with_scores(rows, parts, health)
    rows = _with_weights(rows, parts)
    return rows.select(
        "as_of",
        "account_id",
        "benchmark",
        "signal_score",
        "weight",
        "is_measured",
        model_version=rows._version,
        dimension=rows._dimension,
        signal=rows._signal,
        signal_order=rows._order,
        label=_by_signal(rows, {name: worded(s.label) for name, s in health.signals.items()}),
        unit=_by_signal(rows, {name: worded(s.unit) for name, s in health.signals.items()}),
        value=ibis.cases((rows._applies, rows._value), else_=NOTHING),
        nominal_weight=rows._outer * rows._inner,
        is_applicable=rows._applies,
        is_stale=rows._applies & rows._silent,
        points=rows.weight * ibis.coalesce(rows.signal_score, 0.0),
        points_lost=rows.weight * (100.0 - ibis.coalesce(rows.signal_score, 100.0)),
    )


def _parts(health: HealthSettings) -> list[Part]:
    return [
        Part(model.version, name, dimension.weight, signal, order, scored)
        for model in health.all_models()
        for order, (name, dimension, signal, scored) in enumerate(
            (name, dimension, signal, scored)
            for name, dimension in model.dimensions.items()
            for signal, scored in dimension.signals.items()
        )
    ]


def attributes_read(health: HealthSettings) -> set[str]:
    """The account attributes that conditions and curves of a model name."""
    parts = _parts(health)
    conditions = [condition for condition, _ in health.override_models()]
    conditions += [part.scored.applies_if for part in parts if part.scored.applies_if]
    lines = [part.scored.curve.linear for part in parts if isinstance(part.scored.curve, LinearCurve)]
    bounds = {b.attribute for line in lines for b in (line.zero, line.full) if isinstance(b, Bound)}
    return bounds.union(*(condition.fields() for condition in conditions))


def _version(accounts: ir.Table, health: HealthSettings) -> ir.StringValue:
    """The model that judges an account: the first override whose condition holds, else the portfolio's."""
    overrides = [(holds(condition, accounts), model.version) for condition, model in health.override_models()]
    return ibis.cases(*overrides, else_=health.version) if overrides else ibis.literal(health.version)


def _or_null(value: float | None) -> ir.FloatingValue:
    return NOTHING if value is None else number(value)


def _by_part(rows: ir.Table, parts: list[Part], figure: Callable[[Part], object], otherwise: object) -> ir.Value:
    one_model = len({part.version for part in parts}) == 1
    branches = []
    for part in parts:
        is_signal = rows._signal == part.signal
        branches.append((is_signal if one_model else is_signal & (rows._version == part.version), figure(part)))
    return ibis.cases(*branches, else_=otherwise)


def _by_signal(rows: ir.Table, texts: dict[str, str]) -> ir.StringValue:
    return ibis.cases(*((rows._signal == name, text) for name, text in texts.items()), else_="")


def _signals_of_rules(parts: list[Part]) -> list[str]:
    curves = [part.scored.curve for part in parts if isinstance(part.scored.curve, RulesCurve)]
    return sorted({name for curve in curves for case in curve.rules for name in case.if_.fields()})


def _with_signals_of_rules(rows: ir.Table, parts: list[Part]) -> ir.Table:
    """The signals that rules read, in every row of the account: `_value_<signal>` and `_stale_<signal>`."""
    account = {"group_by": [rows.as_of, rows.account_id]}
    columns: dict[str, ir.Value] = {}
    for name in _signals_of_rules(parts):
        is_it = rows._signal == name
        columns[f"_value_{name}"] = ibis.cases((is_it, rows._value), else_=NOTHING).max().over(**account)
        columns[f"_stale_{name}"] = ibis.cases((is_it & rows._is_stale, 1), else_=0).max().over(**account)
    return rows.mutate(**columns) if columns else rows


def _with_scores(rows: ir.Table, parts: list[Part], health: HealthSettings) -> ir.Table:
    """Adds is_measured, signal_score, benchmark, and `_silent`: a source that the curve reads is stale."""
    rows = rows.mutate(_has_value=rows._applies & rows._value.notnull())
    if any(uses_rank(part.scored.curve) for part in parts):
        rows = rows.mutate(_rank=quartile_score(rows._value, [rows.as_of, rows._signal, rows._has_value]))
    else:
        rows = rows.mutate(_rank=NOTHING)
    judged = Judged(
        value=rows._value,
        rank=rows._rank,
        signals={name: rows[f"_value_{name}"] for name in _signals_of_rules(parts)},
        attributes=rows,
    )

    def benchmark(part: Part) -> object:
        stated = health.signals[part.signal].benchmark
        return best_value(part.scored.curve, judged) if stated is None else number(stated)

    def silent(part: Part) -> ir.BooleanValue:
        curve = part.scored.curve
        read = _signals_of_rules([part]) if isinstance(curve, RulesCurve) else []
        return reduce(or_, (rows[f"_stale_{name}"] == 1 for name in read), rows._is_stale)

    rows = rows.mutate(
        _measured_score=_by_part(rows, parts, lambda p: score(p.scored.curve, judged), NOTHING),
        benchmark=_by_part(rows, parts, benchmark, NOTHING),
        _silent=_by_part(rows, parts, silent, ibis.literal(False)),
    )
    rows = rows.mutate(is_measured=rows._has_value & rows._measured_score.notnull())
    neutral = ibis.cases((rows._applies, rows._neutral), else_=NOTHING)
    return rows.mutate(signal_score=ibis.cases((rows.is_measured, rows._measured_score), else_=neutral))


def _with_weights(rows: ir.Table, parts: list[Part]) -> ir.Table:
    """Adds `weight`: the effective weight in the health score."""
    dimension = [rows.as_of, rows.account_id, rows._dimension]
    is_scored = rows.signal_score.notnull()
    heirs = sorted({h for part in parts if (h := part.scored.when_missing.redistribute_to)})
    claim = ibis.cases((is_scored, rows._inner), else_=0.0)
    for heir in heirs:
        left = exact_sum(ibis.cases((~is_scored & (rows._heir == heir), rows._inner), else_=0.0)).over(
            group_by=dimension
        )
        claim = claim + ibis.cases(((rows._signal == heir) & rows.is_measured, left), else_=0.0)
    rows = rows.mutate(_claim=claim)
    in_dimension = exact_sum(rows._claim).over(group_by=[rows.as_of, rows.account_id, rows._dimension])
    rows = rows.mutate(_held=ibis.coalesce(rows._outer * rows._claim / in_dimension.nullif(0), 0.0))
    in_account = exact_sum(rows._held).over(group_by=[rows.as_of, rows.account_id])
    return rows.mutate(weight=ibis.coalesce(rows._held / in_account.nullif(0), 0.0))
