"""The `health` block: signals, curves, dimensions, tiers, and models of their own for some accounts.

A signal is one number about an account at `as_of`; a curve maps it to a score of 0 to 100; a dimension is the
weighted mean of its signals' scores and the health score that of the dimensions. Compiled in
`cx_intel.models.health.signals` and `cx_intel.models.health.scores`; the measures stand in `measures.py` beside this
module.
"""

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, model_validator

from cx_intel.settings.accounts import Name
from cx_intel.settings.base import Misfit, Settings
from cx_intel.settings.health.conditions import Condition
from cx_intel.settings.health.curves import CURVES, Curve, RulesCurve
from cx_intel.settings.health.measures import Measure
from cx_intel.settings.labels import Label

WEIGHT_TOLERANCE = 1e-9
TAKEN_DIMENSIONS = {"health", "unrounded"}
"""Their `<dimension>_score` is a column of its own."""


class WhenMissing(Settings):
    """Where the weight of a signal without a value goes: exactly one of the three."""

    redistribute: Literal["proportional"] | None = None
    """To the other signals of the dimension, by their weights."""
    redistribute_to: str | None = None
    """To this signal."""
    neutral_score: float | None = Field(default=None, ge=0, le=100)
    """Nowhere: the signal scores this."""

    @model_validator(mode="after")
    def _one(self) -> "WhenMissing":
        if len(self.model_fields_set) != 1:
            raise ValueError("say one of: redistribute: proportional, redistribute_to: SIGNAL, neutral_score: 50")
        return self


class SignalSettings(Settings):
    """A number about an account at `as_of`."""

    label: Label
    """In words, for reports: a text, or one in each language, {en: Product usage, de: Nutzung}."""
    unit: Label = ""
    """Of its value, for reports; likewise."""
    benchmark: float | None = None
    """What good looks like; default: the value that scores 100."""
    measure: Measure
    """How it is taken from the sources, by its `kind`."""


class ScoredSignal(Settings):
    """A signal's part in its dimension."""

    weight: float = Field(gt=0, le=1)
    """In the dimension."""
    curve: Curve
    """From value to score: linear, steps, boolean, rules or quartile."""
    applies_if: Condition | None = None
    """Over account attributes: where it does not hold, the signal is out, its weight goes as if missing."""
    when_missing: WhenMissing = WhenMissing(redistribute="proportional")
    """Where its weight goes when it has no value. Default: to the other signals of the dimension, in proportion."""


class Dimension(Settings):
    """A part of the score: its weight, and the signals that make it up."""

    weight: float = Field(gt=0, le=1)
    """In the health score."""
    signals: dict[Name, ScoredSignal] = Field(min_length=1)
    """Signal: its weight in the dimension and its curve; weights sum to 1."""


class TierLevel(Settings):
    """A tier: from which score on, and whether its accounts count as healthy."""

    name: str = Field(min_length=1)
    """As it stands in tables, exports and conditions."""
    label: Label | None = None
    """As people read it: a text, or one in each language. Default: the name, made readable (at_risk is At risk)."""
    at_least: float = Field(ge=0, le=100)
    """Its lowest score."""
    is_healthy: bool
    """Whether its accounts count as healthy; the others are exposed when they renew."""


class Tiers(Settings):
    """The bands of the health score, from the best down; the last starts at 0."""

    levels: list[TierLevel] = Field(min_length=1)
    """The tiers in order."""
    exit_margin: float = Field(default=0, ge=0, le=50)
    """Points beyond the bound before the confirmed tier changes."""
    min_dwell_days: int = Field(default=0, ge=0)
    """Days that a new tier must hold before it is confirmed."""

    @model_validator(mode="after")
    def _descending_to_zero(self) -> "Tiers":
        bounds = [level.at_least for level in self.levels]
        if bounds != sorted(set(bounds), reverse=True) or bounds[-1] != 0:
            raise Misfit(f"lower bounds must fall to 0, they are {bounds}", ("levels",))
        names = [level.name.lower() for level in self.levels]
        if len(set(names)) < len(names) or "unknown" in names:
            raise Misfit("names must differ, and `unknown` is taken", ("levels",))
        inner = bounds[:-1]
        if inner and (inner[0] + self.exit_margin > 100 or inner[-1] - self.exit_margin <= 0 < self.exit_margin):
            raise Misfit("so wide that some tier could never be entered or left", ("exit_margin",))
        return self


class ModelOverride(Settings):
    """A model of its own for some accounts: what differs from the portfolio's is stated, the rest is kept."""

    version: str = Field(min_length=1)
    """Names the model in its scores."""
    applies_to: Condition
    """Over account attributes."""
    dimensions: dict[str, Any] = {}
    """Merged, key by key, into the portfolio's dimensions."""
    tiers: dict[str, Any] = {}
    """Merged into the portfolio's tiers; names of levels stay the same."""


class HealthModel(Settings):
    """One complete model: what judges an account."""

    version: str
    dimensions: dict[Name, Dimension] = Field(min_length=1)
    tiers: Tiers


class StatusPopulation(Settings):
    """The accounts with one of these statuses."""

    status: list[str] = Field(min_length=1)
    """In any case."""


Population: TypeAlias = Annotated[Literal["paying"] | StatusPopulation, Field(union_mode="left_to_right")]


class HealthSettings(Settings):
    """The health model of a portfolio."""

    version: str = "1"
    """Names the model in its scores; a change of weights or curves asks for another."""
    population: Population = "paying"
    """Who is scored: who pays, or who has one of these statuses in the CRM."""
    min_coverage_pct: float = Field(default=50, ge=0, le=100)
    """Share of the weights that has to be measured (0 to 100); below it the tier is `unknown`."""
    signals: dict[Name, SignalSettings] = Field(min_length=1)
    """Signal: the number about an account, what it is called and how it is measured."""
    dimensions: dict[Name, Dimension] = Field(min_length=1)
    """Dimension: its weight in the score and its signals; weights sum to 1."""
    tiers: Tiers
    models: list[ModelOverride] = []
    """Models of their own for some accounts; the first whose condition holds judges an account."""

    @model_validator(mode="after")
    def _consistent(self) -> "HealthSettings":
        _check_model(self.base_model(), set(self.signals), ())
        if taken := sorted(TAKEN_DIMENSIONS & set(self.dimension_names())):
            raise Misfit(f"{taken[0]!r} is taken: call the dimension otherwise", ("dimensions",))
        names = [level.name for level in self.tiers.levels]
        for position, (_, model) in enumerate(self.override_models()):
            _check_model(model, set(self.signals), ("models", position))
            if [level.name for level in model.tiers.levels] != names:
                raise Misfit(f"tiers keep their names and order: {', '.join(names)}", ("models", position, "tiers"))
        versions = [self.version, *(o.version for o in self.models)]
        if len(set(versions)) < len(versions):
            raise Misfit(f"versions must differ, they are {', '.join(versions)}", ("models",))
        return self

    def base_model(self) -> HealthModel:
        """The model of every account that no override takes."""
        return HealthModel(version=self.version, dimensions=self.dimensions, tiers=self.tiers)

    def override_models(self) -> list[tuple[Condition, HealthModel]]:
        """The models of their own, in order; the first whose condition holds judges an account."""
        base = self.base_model().model_dump(by_alias=True, exclude_unset=True)
        return [
            (
                override.applies_to,
                HealthModel.model_validate(
                    {
                        "version": override.version,
                        "dimensions": _merged(base["dimensions"], override.dimensions),
                        "tiers": _merged(base["tiers"], override.tiers),
                    }
                ),
            )
            for override in self.models
        ]

    def all_models(self) -> list[HealthModel]:
        """Every model that may judge an account: the portfolio's, then the others in order."""
        return [self.base_model(), *(model for _, model in self.override_models())]

    def dimension_names(self) -> list[str]:
        """The dimensions of all models, each once."""
        return list(dict.fromkeys(name for model in self.all_models() for name in model.dimensions))


def _merged(base: Any, changes: Any) -> Any:
    if not (isinstance(base, dict) and isinstance(changes, dict)):
        return changes
    if set(changes) & set(CURVES) or set(changes) & {"redistribute", "redistribute_to", "neutral_score"}:
        return changes  # another kind of curve replaces the old one whole
    return {**base, **{key: _merged(base.get(key), value) for key, value in changes.items()}}


def _check_model(model: HealthModel, declared: set[str], at: tuple[str | int, ...]) -> None:
    _check_weights(model.version, {name: d.weight for name, d in model.dimensions.items()}, (*at, "dimensions"))
    scored: list[str] = []
    for name, dimension in model.dimensions.items():
        here = (*at, "dimensions", name, "signals")
        _check_weights(name, {s: x.weight for s, x in dimension.signals.items()}, here)
        for signal, part in dimension.signals.items():
            scored.append(signal)
            _check_signal(signal, part, dimension, declared, (*here, signal))
    if twice := sorted({s for s in scored if scored.count(s) > 1}):
        raise Misfit(f"{', '.join(twice)} is scored in two dimensions", (*at, "dimensions"))


def _check_signal(
    signal: str, part: ScoredSignal, dimension: Dimension, declared: set[str], at: tuple[str | int, ...]
) -> None:
    if signal not in declared:
        raise Misfit(f"no signal {signal!r} is declared; there are {', '.join(sorted(declared))}", at)
    heir = part.when_missing.redistribute_to
    if heir is not None and (heir == signal or heir not in dimension.signals):
        raise Misfit(f"{heir!r} is not another signal of the dimension", (*at, "when_missing", "redistribute_to"))
    if isinstance(part.curve, RulesCurve):
        for position, case in enumerate(part.curve.rules):
            if unknown := sorted(case.if_.fields() - declared):
                raise Misfit(f"no signal {', '.join(unknown)} is declared", (*at, "curve", "rules", position))


def _check_weights(where: str, weights: dict[str, float], at: tuple[str | int, ...]) -> None:
    total = sum(weights.values())
    if abs(total - 1) > WEIGHT_TOLERANCE:
        listed = " + ".join(f"{name} {weight:g}" for name, weight in weights.items())
        raise Misfit(f"weights of {where} must sum to 1, they sum to {total:g} ({listed})", at)
