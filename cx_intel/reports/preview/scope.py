"""Which settings of a portfolio a preview can judge the loaded data by, and which take a load first.

The data of the day were loaded, and the ledger made, by the settings of then; only what is judged from them afterwards
may be another. How the day is judged stands in `cx_intel.orchestration.preview`; what is shown of it, beside this module.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from cx_intel.reports.ask.answer import NoAnswer
from cx_intel.reports.words.catalogue import term
from cx_intel.settings.portfolio import Portfolio

JUDGED = ("include_churned", "health", "churn_risk", "renewals", "playbooks", "lifecycle", "rollups")
"""The blocks that scores, risks, the list and the outlook follow from."""
LOADED = {
    "sources": term("what is read, and how, shows with a refresh"),
    "currency": term("amounts are converted when they are loaded"),
    "time_zone": term("days are cut when rows are loaded"),
    "account_attributes": term("attributes are derived when accounts are loaded"),
    "identity": term("ids are led to accounts when rows are loaded"),
    "revenue": term("the ledger and MRR are made of the sources by it"),
    "usage": term("usage is counted by day when events are loaded"),
    "support": term("tickets are judged when they are loaded"),
    "holidays": term("freshness of the sources is judged in a refresh"),
    "retention": term("rows are removed in a refresh"),
}
"""Blocks whose change shows with the next refresh alone, and why."""
WITHOUT_FIGURES = (
    "description",
    "as_of",
    "reports",
    "publish",
    "automation",
    "write_back",
    "backtest",
    "links",
    "warehouse",
)
"""Blocks that no figure of a day follows from."""


def previewed(old: Portfolio, new: Portfolio) -> Portfolio:
    """The old settings with those blocks of the new ones that the loaded data can be judged by.

    Raises:
        NoAnswer: These blocks need what only a load by the new settings brings, such as a new source.
    """
    blocks = {name: getattr(old, name) for name in Portfolio.model_fields}
    blocks |= {name: getattr(new, name) for name in JUDGED}
    try:
        return Portfolio(**blocks)
    except ValueError as error:
        raise NoAnswer(
            "The new settings cannot be previewed on what is loaded: they need what the next refresh by them brings. "
            f"{_first_problem(error)}"
        ) from None


def not_loaded(old: Portfolio, new: Portfolio) -> dict[str, tuple[str, ...]]:
    """The blocks of the new settings that differ and show with a load alone, each with the keys that differ."""
    found = {name: tuple(key for key, *_ in differing(old, new, (name,))) for name in LOADED}
    return {name: keys for name, keys in found.items() if keys}


def without_figures(old: Portfolio, new: Portfolio) -> tuple[str, ...]:
    """The blocks that differ, and that no figure of a day follows from."""
    return tuple(name for name in WITHOUT_FIGURES if getattr(old, name) != getattr(new, name))


def differing(old: Portfolio, new: Portfolio, blocks: tuple[str, ...] = JUDGED) -> list[tuple[str, Any, Any]]:
    """The keys of these blocks that differ, each with its value before and now; None where there is none."""
    before, now = (dict(_leaves(p.model_dump(mode="json", by_alias=True, include=set(blocks)))) for p in (old, new))
    return [
        (key, before.get(key), now.get(key))
        for key in dict.fromkeys([*before, *now])
        if before.get(key) != now.get(key)
    ]


def _leaves(node: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """The values of nested blocks by their keys; items of lists by their name, else their position."""
    if isinstance(node, Mapping):
        for name, value in node.items():
            yield from _leaves(value, f"{key}.{name}" if key else str(name))
    elif isinstance(node, list) and any(isinstance(item, Mapping | list) for item in node):
        for position, item in enumerate(node):
            name = item.get("name") if isinstance(item, Mapping) else None
            yield from _leaves(item, f"{key}.{name or position}")
    else:
        yield key, node


def _first_problem(error: ValueError) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return next(
        (line.removeprefix("Value error, ").split(" [type=")[0] for line in lines if "Value error" in line), lines[0]
    )
