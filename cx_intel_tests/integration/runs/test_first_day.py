"""The first refresh in a fresh home for any day from `as_of.earliest` on, also one before the first event."""

from datetime import date
from pathlib import Path

import duckdb
import pytest
from ruamel.yaml import YAML

import cx_intel
from cx_intel.orchestration.build import build_definitions
from cx_intel.orchestration.instance import instance_of
from cx_intel.orchestration.runs import refresh
from cx_intel.settings.environment import read_environment

pytestmark = pytest.mark.slow  # two whole refreshes of a shipped portfolio

SHIPPED = Path(cx_intel.__file__).parent / "portfolios"
FILES = ("dashboard", "exports", "weekly_brief", "published")


@pytest.fixture
def small_world(tmp_path: Path) -> Path:
    """The shipped novacrm with a dozen accounts."""
    yaml = YAML(typ="safe", pure=True)
    settings = yaml.load((SHIPPED / "novacrm.yaml").read_text(encoding="utf-8"))
    settings["backtest"] = {"in_refresh": False}
    for source in settings["sources"]:
        source["accounts"] = 12
    folder = tmp_path / "portfolios"
    folder.mkdir()
    with (folder / "novacrm.yaml").open("w", encoding="utf-8") as file:
        yaml.dump(settings, file)
    return folder


def test_days_before_the_first_event_and_after_it_follow_each_other(
    small_world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", "")
    environment = read_environment({"CX_HOME": str(tmp_path / "home"), "CX_PORTFOLIOS": str(small_world)})
    definitions = build_definitions(environment)
    with instance_of(environment.home) as instance:
        for day in (date(2026, 7, 31), date(2026, 8, 2)):
            outcome = refresh(definitions, "novacrm", day, instance, without=FILES)
            assert outcome.failures == []
            assert outcome.succeeded
    with duckdb.connect(str(environment.warehouse), read_only=True) as connection:
        ((first, last),) = connection.execute("SELECT min(_day), max(_day) FROM novacrm.raw_usage_events").fetchall()
        kinds = dict(
            connection.execute(
                "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'raw_usage_events'"
            ).fetchall()
        )
    assert (first, last) == (date(2026, 8, 1), date(2026, 8, 2))
    assert (kinds["event_timestamp"], kinds["_day"]) == ("TIMESTAMP", "DATE")
