"""What an open warehouse may take of the machine."""

from pathlib import Path

import pytest

from cx_intel.settings.base import SettingsError
from cx_intel.settings.environment import read_environment
from cx_intel.warehouse.duckdb.access.limits import Limits, cores, memory_bytes, of_run
from cx_intel.warehouse.duckdb.access.opening import close_warehouse, open_warehouse


def settings_of(path: Path, limits: Limits | None = None) -> tuple[str, int, str]:
    database = open_warehouse(path, limits=limits)
    try:
        names = ("memory_limit", "threads", "temp_directory")
        (row,) = database.connection.execute(f"SELECT {', '.join(f'current_setting({n!r})' for n in names)}").fetchall()
        return row  # type: ignore[no-any-return]
    finally:
        close_warehouse(path)


def test_what_is_stated_holds(tmp_path: Path) -> None:
    found = settings_of(tmp_path / "w.duckdb", Limits("1GiB", 1, str(tmp_path / "o'spill")))
    assert found == ("1.0 GiB", 1, str(tmp_path / "o'spill"))


@pytest.mark.parametrize(
    ("of_a_run", "of_duckdb"),
    [
        ("4GB", "3000000000B"),
        ("2GB", "1250000000B"),
        ("1.5 GB", "750000000B"),
        ("1GiB", "536870912B"),
        ("800MB", "400000000B"),
        ("", ""),
    ],
)
def test_of_what_a_run_may_take_python_and_reports_have_their_part(of_a_run: str, of_duckdb: str) -> None:
    assert of_run(of_a_run) == of_duckdb


def test_without_limits_they_are_those_of_the_machine(tmp_path: Path) -> None:
    _, threads, _ = settings_of(tmp_path / "w.duckdb")
    assert threads == cores()


def test_the_memory_of_a_container_counts_where_it_is_less(tmp_path: Path) -> None:
    whole = memory_bytes(tmp_path)
    (tmp_path / "memory.max").write_text("max\n")
    assert memory_bytes(tmp_path) == whole
    (tmp_path / "memory.max").write_text("1000000\n")
    assert memory_bytes(tmp_path) == 1_000_000
    (tmp_path / "memory.max").unlink()
    (tmp_path / "memory").mkdir()
    (tmp_path / "memory/memory.limit_in_bytes").write_text("9223372036854771712\n")
    assert memory_bytes(tmp_path) == whole


def test_the_cores_of_a_container_count_where_they_are_fewer(tmp_path: Path) -> None:
    usable = cores(tmp_path)
    (tmp_path / "cpu.max").write_text("max 100000\n")
    assert cores(tmp_path) == usable
    (tmp_path / "cpu.max").write_text("50000 100000\n")
    assert cores(tmp_path) == 1


@pytest.mark.parametrize(("name", "value"), [("CX_MEMORY_LIMIT", "much"), ("CX_THREADS", "-1"), ("CX_THREADS", "all")])
def test_wrong_figures_are_named_with_what_they_are_to_be(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"{name}.*is '{value}', expected how"):
        read_environment({name: value})
