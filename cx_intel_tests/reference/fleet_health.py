"""fleet: signal scores, dimensions, composite, tiers, coverage and drivers, in exact fractions.

Nothing is rounded before the composite, and a composite that lies exactly on a half (69.95) goes up, which
binary floats cannot promise.

READING: a missing signal with `neutral_score` keeps its weight in the drivers (score 50, value empty),
because points must sum to the composite; only signals left out or redistributed away have weight 0.
READING: a signal that does not apply (logbook without the product) counts neither as measured nor in the
weight that could have been measured; it stays in the drivers with weight 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import pandas as pd

F = Fraction


@dataclass(frozen=True)
class Signal:
    """One signal: its weight in the dimension, its curve, and where its weight goes when it is missing."""

    name: str
    weight: Fraction
    kind: str  # linear | steps | boolean
    bounds: tuple[Any, ...] = ()
    otherwise: Fraction = Fraction(0)
    neutral: Fraction | None = None
    redistribute_to: str | None = None
    requires_product: str | None = None


def _steps(*pairs: tuple[int, int]) -> tuple[tuple[Fraction, Fraction], ...]:
    return tuple((F(bound), F(score)) for bound, score in pairs)


MODEL: dict[str, tuple[Fraction, tuple[Signal, ...]]] = {
    "adoption": (
        F("0.35"),
        (
            Signal("gps_adoption_pct", F("0.50"), "linear", (F(0), F(80))),
            Signal(
                "logbook_completion_pct",
                F("0.25"),
                "linear",
                (F(0), F(85)),
                redistribute_to="gps_adoption_pct",
                requires_product="Digital Logbook",
            ),
            Signal("reports_generated_30d", F("0.25"), "linear", (F(0), "3 x product_count")),
        ),
    ),
    "engagement": (
        F("0.30"),
        (
            Signal(
                "days_since_last_login",
                F("0.40"),
                "steps",
                _steps((3, 100), (7, 90), (14, 70), (30, 45), (60, 20)),
                F(5),
            ),
            Signal("mobile_dau_mau", F("0.35"), "linear", (F(0), F("0.40"))),
            Signal("onboarding_completion_score", F("0.25"), "linear", (F(0), F(100))),
        ),
    ),
    "support": (
        F("0.20"),
        (
            Signal("open_support_tickets", F("0.40"), "steps", _steps((0, 100), (1, 75), (2, 50), (4, 25)), F(5)),
            Signal(
                "avg_ticket_resolution_days",
                F("0.30"),
                "steps",
                _steps((1, 100), (3, 85), (7, 60), (14, 30)),
                F(10),
            ),
            Signal("csat_score", F("0.30"), "linear", (F(1), F(5))),
        ),
    ),
    "relationship": (
        F("0.15"),
        (
            Signal("qbr_completed_this_quarter", F("0.60"), "boolean", (F(100), F(20))),
            Signal("nps_score", F("0.40"), "linear", (F(0), F(10)), neutral=F(50)),
        ),
    ),
}
TIERS = (("Green", F(70)), ("Amber", F(40)), ("Red", F(0)))
MIN_COVERAGE_PCT = F(50)


def benchmark(signal: Signal, product_count: int) -> Fraction:
    """The value that scores 100."""
    if signal.kind == "linear":
        return F(3 * product_count) if signal.bounds[1] == "3 x product_count" else signal.bounds[1]
    return signal.bounds[0][0] if signal.kind == "steps" else F(1)


def curve(signal: Signal, value: Fraction, product_count: int) -> Fraction:
    """Score 0..100 of one measured value."""
    if signal.kind == "linear":
        zero, full = signal.bounds[0], benchmark(signal, product_count)
        return min(F(100), max(F(0), 100 * (value - zero) / (full - zero)))
    if signal.kind == "steps":
        return next((score for bound, score in signal.bounds if value <= bound), signal.otherwise)
    return signal.bounds[0] if value else signal.bounds[1]


def round_half_up(value: Fraction, digits: int) -> Fraction:
    scale = 10**digits
    return F(math.floor(value * scale + F(1, 2)), scale)


def tier_of(health_score: Fraction) -> str:
    return next(name for name, lower in TIERS if health_score >= lower)


def _weights(signals: tuple[Signal, ...], measured: set[str], applies: set[str]) -> dict[str, Fraction]:
    """Weight of each signal within its dimension once the weight of missing ones has moved."""
    kept = {s.name: s.weight for s in signals if s.name in measured or (s.name in applies and s.neutral is not None)}
    lost = [s for s in signals if s.name not in kept]
    weights = dict(kept)
    spread = F(0)
    for s in lost:
        if s.redistribute_to in weights:
            weights[s.redistribute_to] += s.weight
        else:
            spread += s.weight  # READING: a target that is missing too falls back to proportional
    total = sum(weights.values(), F(0))
    return {name: w + spread * w / total for name, w in weights.items()} if total else {}


def score_account(values: dict[str, Fraction | None], products: list[str]) -> dict[str, Any]:
    """Composite, dimensions, coverage and drivers of one account."""
    applies = {
        s.name
        for _, signals in MODEL.values()
        for s in signals
        if s.requires_product is None or s.requires_product in products
    }
    measured = {name for name in applies if values.get(name) is not None}
    dimension_scores: dict[str, Fraction | None] = {}
    inner: dict[str, dict[str, Fraction]] = {}
    scores: dict[str, Fraction] = {}
    for dimension, (_, signals) in MODEL.items():
        inner[dimension] = _weights(signals, measured, applies)
        for s in signals:
            if s.name in measured:
                scores[s.name] = curve(s, values[s.name] or F(0), len(products))
            elif s.name in inner[dimension]:
                scores[s.name] = s.neutral or F(0)
        total = sum(inner[dimension].values(), F(0))
        dimension_scores[dimension] = (
            sum((w * scores[n] for n, w in inner[dimension].items()), F(0)) / total if total else None
        )
    present = sum((MODEL[d][0] for d, score in dimension_scores.items() if score is not None), F(0))
    drivers, composite = [], F(0)
    for dimension, (outer, signals) in MODEL.items():
        for s in signals:
            weight = outer / present * inner[dimension].get(s.name, F(0)) if present else F(0)
            score = scores.get(s.name)
            points = weight * score if score is not None else F(0)
            composite += points
            drivers.append(
                {
                    "dimension": dimension,
                    "signal": s.name,
                    "value": values.get(s.name) if s.name in measured else None,
                    "signal_score": score,
                    "weight": weight,
                    "points": points,
                    "points_lost": weight * (100 - score) if score is not None else F(0),
                    "is_measured": s.name in measured,
                }
            )
    nominal = {s.name: outer * s.weight for outer, signals in MODEL.values() for s in signals}
    coverage = 100 * sum((nominal[n] for n in measured), F(0)) / sum((nominal[n] for n in applies), F(0))
    health_score = round_half_up(composite, 1) if present else None
    known = health_score is not None and coverage >= MIN_COVERAGE_PCT
    return {
        "dimensions": dimension_scores,
        "composite": composite,
        "health_score": health_score,
        "coverage_pct": coverage,
        "health_tier": tier_of(health_score) if known and health_score is not None else "unknown",
        "drivers": drivers,
    }


def as_float(value: Fraction | None) -> float | None:
    return None if value is None else float(value)


def health_tables(accounts: list[dict[str, Any]]) -> dict[str, pd.DataFrame]:
    """customer_health_scores and health_score_drivers of accounts that carry their result in 'health'."""
    score_rows, driver_rows = [], []
    for a in accounts:
        h = a["health"]
        score_rows.append(
            {
                "account_id": a["account_id"],
                "segment": a["segment"],
                "current_mrr": float(a["current_mrr"]),
                "current_arr": float(a["current_arr"]),
                **{f"{d}_score": as_float(score) for d, score in h["dimensions"].items()},
                "composite": float(h["composite"]),
                "health_score": as_float(h["health_score"]),
                "health_tier": h["health_tier"],
                "coverage_pct": float(h["coverage_pct"]),
            }
        )
        driver_rows += [
            {
                "account_id": a["account_id"],
                "dimension": d["dimension"],
                "signal": d["signal"],
                **{k: as_float(d[k]) for k in ("value", "signal_score", "weight", "points", "points_lost")},
            }
            for d in h["drivers"]
        ]
    return {
        "customer_health_scores": pd.DataFrame(score_rows),
        "health_score_drivers": pd.DataFrame(driver_rows),
    }
