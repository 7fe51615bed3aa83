"""The health block: what is refused, with a word on what to do."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from cx_intel.settings.health.measures import Measure
from cx_intel.settings.health.model import HealthSettings
from cx_intel_tests.helpers.builders import health

ONE = {"kind": "constant", "value": 1}
CURVE = {"linear": {"zero": 0, "full": 100}}


def test_a_small_block_is_accepted() -> None:
    assert HealthSettings.model_validate(health({"a": ONE})).dimension_names() == ["all"]


def dimension(name: str, signal: str = "a", weight: float = 1) -> dict[str, Any]:
    return {"dimensions": {name: {"weight": 1, "signals": {signal: {"weight": weight, "curve": CURVE}}}}}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dimension("health"), "'health' is taken"),
        (dimension("all", weight=0.9), "sum to 0.9"),
        (dimension("all", signal="b"), "no signal 'b'"),
    ],
)
def test_a_block_that_does_not_fit_together_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        HealthSettings.model_validate(health({"a": ONE}) | change)


@pytest.mark.parametrize(
    ("measure", "message"),
    [
        ({"figure": "satisfaction", "missing_when_none": True}, "missing_when_none is for counts"),
        ({"figure": "created", "over": "resolved"}, "over: resolved is for the means"),
    ],
)
def test_a_figure_of_tickets_takes_only_what_means_something_for_it(measure: dict, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        TypeAdapter(Measure).validate_python({"kind": "tickets"} | measure)
