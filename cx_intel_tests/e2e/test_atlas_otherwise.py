"""The example atlas under other settings: the figures that docs/definitions.md names for them."""

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from cx_intel_tests.helpers.atlas import BY_CONTRACTS, DELIVERIES, EXAMPLES, Atlas

pytestmark = pytest.mark.slow


def test_other_settings_give_the_figures_that_the_page_names(tmp_path: Path) -> None:
    settings = YAML(typ="safe", pure=True).load((EXAMPLES / "atlas.yaml").read_text(encoding="utf-8"))
    left_out = ("support", "health", "renewals", "playbooks", "rollups")
    settings = {name: block for name, block in settings.items() if name not in left_out}
    settings["sources"] = [
        s for s in settings["sources"] if s["table"] in ("account_aliases", "accounts", "subscriptions")
    ]
    settings["revenue"] |= {
        "grace_days": 0,
        "overlaps": "sum",
        "corrections": ["C-01"],
        "subscription_statuses": {"hibernating": "counting"},
    }
    with (tmp_path / "atlas.yaml").open("w", encoding="utf-8") as file:
        YAML(typ="safe", pure=True).dump(settings, file)
    otherwise = Atlas(tmp_path / "home", "atlas", tmp_path).refresh(*DELIVERIES)
    found = otherwise.months(list(BY_CONTRACTS))
    assert {story: months for story, months in found.items() if months != BY_CONTRACTS[story]} == {
        "S-01": (360, 360, 360),  # a correction holds from the beginning
        "S-06": (1000, 2100, 1100),  # both contracts are summed until the older ends
        "S-07": (600, 0, 600),  # without grace the gap is a churn
        "S-14": (120, 0, 120),
        "S-15": (80, 0, None),
        "S-22": (75, 75, 75),
    }
