"""Tells when Dagster has moved: all of its inner shape that `dagster_internals.py` leans on, by what a run records."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
import yaml

from cx_intel.orchestration.dagster_internals import PooledEventLogStorage, evaluations, recorded
from cx_intel.orchestration.instance import instance_of

STEPS = 2


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DAGSTER_HOME", "")
    return tmp_path / "home"


@pytest.fixture
def instance(home: Path) -> Iterator[dg.DagsterInstance]:
    with instance_of(home) as instance:
        yield instance


@dg.asset(check_specs=[dg.AssetCheckSpec("sound", asset="first", blocking=True)])
def first(context: dg.AssetExecutionContext) -> Iterator[object]:
    result = dg.AssetCheckResult(passed=True, asset_key=context.asset_key, check_name="sound", metadata={"rows": 3})
    specs = [dg.AssetCheckSpec("sound", asset="first", blocking=True)]
    yield from recorded(evaluations([result], specs), specs)
    yield dg.MaterializeResult(metadata={"dagster/row_count": 3})


@dg.asset(deps=[first])
def second() -> None:
    raise RuntimeError("on purpose")


def kinds(instance: dg.DagsterInstance, run_id: str) -> Counter[str]:
    events = [record.event_log_entry.dagster_event for record in instance.get_records_for_run(run_id).records]
    return Counter(event.event_type_value for event in events if event is not None)


def test_a_run_records_its_assets_and_checks_and_no_input_and_no_output_of_a_check(
    instance: dg.DagsterInstance,
) -> None:
    result = dg.materialize([first], instance=instance)
    found = kinds(instance, result.run_id)
    once = ("ASSET_MATERIALIZATION", "ASSET_CHECK_EVALUATION", "STEP_OUTPUT", "STEP_START", "STEP_SUCCESS")
    assert {kind: found[kind] for kind in once} == dict.fromkeys(once, 1)
    assert not {"STEP_INPUT", "LOADED_INPUT"} & set(found)
    (check,) = instance.event_log_storage.get_latest_asset_check_execution_by_key(
        [dg.AssetCheckKey(dg.AssetKey("first"), "sound")]
    ).values()
    assert check.evaluation is not None
    assert check.evaluation.metadata["rows"].value == 3
    assert check.evaluation.target_materialization_data is None


def test_what_ran_before_a_failure_is_written_before_the_failure(instance: dg.DagsterInstance) -> None:
    result = dg.materialize([first, second], instance=instance, raise_on_error=False)
    found = kinds(instance, result.run_id)
    assert (found["ASSET_MATERIALIZATION"], found["STEP_SUCCESS"], found["STEP_FAILURE"]) == (1, 1, 1)
    assert found["PIPELINE_FAILURE"] == 1


def test_events_are_written_once_a_step(instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = instance.event_log_storage
    assert isinstance(storage, PooledEventLogStorage)
    writes: list[int] = []
    whole = PooledEventLogStorage._one_transaction
    monkeypatch.setattr(PooledEventLogStorage, "_one_transaction", lambda self: writes.append(1) or whole(self))
    result = dg.materialize([first], instance=instance)
    recorded = sum(kinds(instance, result.run_id).values())
    assert len(writes) < recorded - 4


def test_events_without_a_run_are_written_at_once(instance: dg.DagsterInstance) -> None:
    instance.report_runless_asset_event(dg.AssetMaterialization("first"))
    assert len(instance.fetch_materializations(dg.AssetKey("first"), limit=5).records) == 1


def test_a_home_that_names_the_module_of_earlier_versions_keeps_working(home: Path) -> None:
    with instance_of(home):
        pass
    file = home / "dagster.yaml"
    text = file.read_text(encoding="utf-8")
    assert yaml.safe_load(text)["run_storage"]["module"] == "cx_intel.orchestration.dagster_internals"
    file.write_text(text.replace("dagster_internals", "storage"), encoding="utf-8")
    with instance_of(home) as again:
        assert isinstance(again.event_log_storage, PooledEventLogStorage)
