"""What is remembered of how tables were made: of every change that is made to them (rules: `test_rules_of_writes.py`)."""

from collections.abc import Callable
from datetime import date

import ibis
import pandas as pd
import pytest

from cx_intel.warehouse.duckdb.upkeep.row_edits import RowEdits
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse

MONDAY, TUESDAY = date(2025, 1, 6), date(2025, 1, 7)
LIKE = ibis.schema({"source": "string", "x": "int64"})


def write(warehouse: DuckDBWarehouse, table: str, **columns: list[object]) -> None:
    warehouse.stage(table, [pd.DataFrame(columns)])
    warehouse.swap(table)


def write_day(warehouse: DuckDBWarehouse, table: str, day: date, x: list[int], state: str = "s") -> None:
    like = ibis.schema({"as_of": "date", "x": "int64"})
    warehouse.stage(table, [ibis.memtable(pd.DataFrame({"as_of": [day] * len(x), "x": x}), schema=like)], like=like)
    warehouse.swap(table, column="as_of", days=[day], state={day: state})


def write_part(warehouse: DuckDBWarehouse, source: str, x: list[int]) -> None:
    rows = ibis.memtable(pd.DataFrame({"source": [source] * len(x), "x": x}), schema=LIKE)
    warehouse.replace_rows("parts", rows, like=LIKE, where=("source", source))


def write_file(warehouse: DuckDBWarehouse, table: str, **columns: list[object]) -> None:
    marks = {"_day": [MONDAY], "_source_file": ["f.csv"], "_row_number": [1], "_raw_row": ["x"], "_reject": ["y"]}
    warehouse.stage(table, [pd.DataFrame({**columns, **marks})])
    warehouse.swap_files(table, [], is_whole=True)


def again(warehouse: DuckDBWarehouse) -> DuckDBWarehouse:
    """The same tables, with nothing noted as read."""
    return DuckDBWarehouse(warehouse.database, warehouse.schema)


def make(warehouse: DuckDBWarehouse, name: str = "made") -> None:
    """Makes a table of everything there is of `t`, of Monday's rows and of a part."""
    step = again(warehouse)
    read = [step.table("t").x.sum(), step.table("days").x.sum(), step.part("parts", "source", "a").x.sum()]
    step.stage(name, [pd.DataFrame({"sum": [sum(int(step.execute(part)) for part in read)]})])
    step.day_state("days")
    with step.transaction():
        step.swap(name)
        step.remember_made(name, "recipe", "told")


@pytest.fixture
def made(warehouse: DuckDBWarehouse) -> DuckDBWarehouse:
    """A table that was made of three others."""
    write(warehouse, "t", x=[1], account_id=["A"])
    write_day(warehouse, "days", MONDAY, [2])
    write_part(warehouse, "a", [3])
    write_part(warehouse, "b", [4])
    make(warehouse)
    return warehouse


def is_current(warehouse: DuckDBWarehouse, recipe: str = "recipe") -> bool:
    return again(warehouse).made_before("made", recipe) == "told"


def edits(warehouse: DuckDBWarehouse) -> RowEdits:
    return RowEdits(warehouse.database, warehouse.schema)


CHANGES: dict[str, Callable[[DuckDBWarehouse], object]] = {
    "other rows of a whole table": lambda w: write(w, "t", x=[5], account_id=["A"]),
    "another column": lambda w: write(w, "t", x=[1], account_id=["A"], y=[0]),
    "another type": lambda w: write(w, "t", x=[1.0], account_id=["A"]),
    "one row more": lambda w: write(w, "t", x=[1, 1], account_id=["A", "A"]),
    "no row": lambda w: write(w, "t", x=[], account_id=[]),
    "other rows of a day": lambda w: write_day(w, "days", MONDAY, [5]),
    "a further day": lambda w: write_day(w, "days", TUESDAY, [5]),
    "what a day was built from": lambda w: write_day(w, "days", MONDAY, [2], state="other"),
    "what a day was built from, without a write": lambda w: w.remember("days", {MONDAY: "other"}),
    "other rows of a part": lambda w: write_part(w, "a", [5]),
    "the rows of a file": lambda w: write_file(w, "t", x=[5]),
    "old days let go": lambda w: w.delete_before("days", "as_of", TUESDAY),
    "the table itself, written by another": lambda w: write(w, "made", sum=[0]),
    "a value, by erasure": lambda w: edits(w).update("t", "account_id", "A", {"x": 7}),
    "a name, by erasure": lambda w: edits(w).replace_values("t", "account_id", "A", "x", {1: "8"}),
    "a text, by erasure": lambda w: edits(w).replace_matches("t", "account_id", "A", "B"),
    "a row, by erasure": lambda w: edits(w).delete("t", "account_id", "A"),
    "a row of two values, by erasure": lambda w: edits(w).delete_pairs("t", {"account_id": "A", "x": "1"}),
    "a matching row, by erasure": lambda w: edits(w).delete_matches("t", "account_id", "A"),
    "the newest row, by erasure": lambda w: edits(w).keep_newest("t", "account_id", "A", by="x"),
    "a row of a table that was not read, by erasure": lambda w: edits(w).delete("parts", "source", "b"),
    "the table dropped by hand": lambda w: drop_by_hand(w, "made"),
    "an input dropped by hand": lambda w: drop_by_hand(w, "t"),
    "the part's table dropped by hand": lambda w: drop_by_hand(w, "parts"),
    "forgotten": lambda w: w.forget_made("made"),
}


def drop_by_hand(warehouse: DuckDBWarehouse, table: str) -> None:
    warehouse.database.connection.execute(f'DROP TABLE "{warehouse.schema}"."{table}"')
    warehouse.database.forget(warehouse.schema, table)


USUAL = (
    "other rows of a whole table",
    "other rows of a day",
    "a further day",
    "what a day was built from",
    "other rows of a part",
    "the rows of a file",
    "old days let go",
    "a value, by erasure",
    "a row, by erasure",
    "the table dropped by hand",
    "forgotten",
)
"""What happens every day, and one change of each kind besides; the others are looked at in the slow suite."""


@pytest.mark.parametrize("change", [c if c in USUAL else pytest.param(c, marks=pytest.mark.slow) for c in CHANGES])
def test_after_a_change_it_is_made_again(made: DuckDBWarehouse, change: str) -> None:
    assert is_current(made)
    CHANGES[change](made)
    assert not is_current(made)


SAME: dict[str, Callable[[DuckDBWarehouse], object]] = {
    "the same rows of a whole table": lambda w: write(w, "t", x=[1], account_id=["A"]),
    "the same rows of a day": lambda w: write_day(w, "days", MONDAY, [2]),
    "the same rows of a part": lambda w: write_part(w, "a", [3]),
    "another part": lambda w: write_part(w, "b", [5]),
    "a table that was not read": lambda w: write(w, "u", x=[1]),
    "no day so old": lambda w: w.delete_before("days", "as_of", MONDAY),
    "another portfolio": lambda w: write(DuckDBWarehouse(w.database, "other"), "t", x=[5]),
    "a staged write, discarded": lambda w: (w.stage("t", [pd.DataFrame({"x": [5]})]), w.discard("t")),
    "a staged write, renamed": lambda w: (
        w.stage("u", [pd.DataFrame({"x": [5], "y": [6]})]),
        w.rename_staged("u", "t", ibis.schema({"x": "int64"})),
    ),
}


@pytest.mark.parametrize("change", SAME)
def test_after_no_change_of_what_was_read_it_is_not(made: DuckDBWarehouse, change: str) -> None:
    SAME[change](made)
    assert is_current(made)


def test_a_view_of_the_newest_snapshot_changes_with_its_table(warehouse: DuckDBWarehouse) -> None:
    write_day(warehouse, "days", MONDAY, [1])
    step = again(warehouse)
    step.table("days_latest")
    step.remember_made("made", "recipe", "told")
    assert is_current(warehouse)
    write_day(warehouse, "days", MONDAY, [2])
    assert not is_current(warehouse)


def test_a_column_may_have_any_name(warehouse: DuckDBWarehouse) -> None:
    for name in ("d", "r", "t"):
        write(warehouse, "t", **{name: [1], "x": [1]})
        step = again(warehouse)
        step.table("t")
        step.remember_made("made", "recipe", "told")
        write(warehouse, "t", **{name: [1], "x": [2]})
        assert not is_current(warehouse)


def test_by_another_recipe_it_is_made_again(made: DuckDBWarehouse) -> None:
    assert not is_current(made, "another recipe")


def test_a_change_that_is_rolled_back_is_none(made: DuckDBWarehouse) -> None:
    def killed() -> None:
        with made.transaction():
            write(made, "t", x=[5], account_id=["A"])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        killed()
    assert is_current(made)


def test_it_may_read_its_own_earlier_rows(warehouse: DuckDBWarehouse) -> None:
    write(warehouse, "t", x=[1], account_id=["A"])
    step = again(warehouse)
    step.exists("made")
    step.stage("made", [step.table("t")])
    with step.transaction():
        step.swap("made")
        step.remember_made("made", "recipe", "told")
    assert is_current(warehouse)


def test_days_that_are_left_out_may_change(warehouse: DuckDBWarehouse) -> None:
    write_day(warehouse, "days", MONDAY, [1])
    step = again(warehouse)
    assert step.day_state("days", apart_from=[TUESDAY]) == {MONDAY: "s"}
    step.remember_made("made", "recipe", "told")
    write_day(warehouse, "days", TUESDAY, [1])
    assert is_current(warehouse)
    warehouse.remember("days", {MONDAY: "other"})
    assert not is_current(warehouse)


def test_what_another_has_read_counts_too(warehouse: DuckDBWarehouse) -> None:
    write(warehouse, "t", x=[1])
    reader, step = again(warehouse), again(warehouse)
    reader.table("t")
    step.read_too(reader)
    step.remember_made("made", "recipe", "told")
    write(warehouse, "t", x=[2])
    assert not is_current(warehouse)


def test_checks_and_the_newest_day_count_where_they_were_read(warehouse: DuckDBWarehouse) -> None:
    def record(passed: bool) -> None:
        found = {"table_name": ["t"], "check_name": ["c"], "passed": [passed], "severity": ["warn"], "failed_rows": [0]}
        more = {
            "total_rows": [1],
            "rule": ["r"],
            "what_to_do": ["w"],
            "as_of": [MONDAY],
            "checked_at": [pd.Timestamp.now()],
        }
        warehouse.record_checks(pd.DataFrame(found | more))

    record(True)
    step = again(warehouse)
    step.check_results(), step.newest()
    step.remember_made("made", "recipe", "told")
    record(True)
    assert is_current(warehouse)
    record(False)
    assert not is_current(warehouse)
    record(True)
    assert is_current(warehouse)
    warehouse.stage("t", [pd.DataFrame({"x": [1]})])
    warehouse.swap("t", stands_at=MONDAY)
    assert not is_current(warehouse)
