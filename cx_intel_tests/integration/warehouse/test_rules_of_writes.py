"""That every way to change a table is noticed: each method is one that is tried, and statements that write stand in one place."""

import ast
import inspect
from pathlib import Path

import cx_intel.warehouse.duckdb
from cx_intel.warehouse.duckdb.database import Database
from cx_intel.warehouse.duckdb.upkeep.row_edits import RowEdits
from cx_intel.warehouse.fetched import FetchedTables
from cx_intel.warehouse.landed import LandedTables
from cx_intel.warehouse.protocol import Warehouse
from cx_intel.warehouse.source_files import SourceFiles


def test_every_method_that_writes_is_among_the_changes() -> None:
    """A new one has to be tried in `test_made.py`, or to be told here as one that changes no table."""
    tried = {"swap", "swap_files", "replace_rows", "delete_before", "remember", "forget_made"}
    no_table = {
        "stage",
        "stage_files",
        "stage_query",
        "remember_files",
        "discard",
        "rename_staged",
        "record_checks",
        "remember_made",
        "transaction",
        "copy_to",
        "publish",
    }
    reading = {
        "schema", "tables", "exists", "table", "part", "execute", "rows", "count", "counts", "read_files",
        "staged", "day_state", "stands_at", "newest", "day_contents", "fingerprints", "check_results", "made_before",
        "read_too", "known_files", "days_with_repeats",
    }  # fmt: skip
    with_their_sources = {"merge", "merge_objects", "mark_gone", "mark_gone_beyond"}  # tried in `cursors` and `vendors`
    no_table |= {"fetch", "remember_landing", "keep_for_now", "put_aside", "drop_aside"}
    reading |= {"known_cursor", "landing_state", "gone_beyond", "rows_at_once"}
    parts = (Warehouse, SourceFiles, FetchedTables, LandedTables)
    methods = {name for part in parts for name in vars(part) if not name.startswith("_")}
    assert methods == tried | no_table | reading | with_their_sources
    edited = {name for name, _ in inspect.getmembers(RowEdits, inspect.isfunction) if not name.startswith("_")}
    assert edited == {
        "columns", "views", "all_rows", "rows", "has", "has_match", "distinct", "pairs",
        "update", "replace_values", "replace_matches", "delete", "delete_pairs", "delete_matches", "keep_newest",
    }  # fmt: skip


WRITING = (
    "INSERT",
    "UPDATE",
    "DELETE",
    "ALTER",
    "DROP TABLE",
    "CREATE TABLE",
    "CREATE OR REPLACE TABLE",
    "TRUNCATE",
    "MERGE",
)
ABOUT_NO_TABLE_OF_A_PORTFOLIO = {
    "state.py": "days and checks, which are noted by what they say",
    "writes.py": "the ids themselves",
    "made.py": "what is remembered of making",
    "upgrades.py": "versions of contracts",
    "removing.py": "a whole portfolio, with what is noted of it",
    "publish.py": "the published copy, a file of its own",
    "remembered.py": "files, which are noted by what they say",
    "queries.py": "the database of a source's query, a file of its own",
    "query_inputs.py": "what is put into that database",
    "backups.py": "copies of files",
}
TEMPORARY = ("{FETCHED}", "{_NEWEST}", "{_DIFFERENT}", "{temporary}", 'temp."{name}"')
HOW_FAR_READ = "{_CURSORS}"
"""Noted with the rows that were read."""


def test_tables_are_changed_in_one_way_only() -> None:
    """Statements that write stand in calls of `Database.change`, those about staged writes apart."""
    folder = Path(cx_intel.warehouse.duckdb.__file__).parent
    found = []
    for file in sorted(folder.rglob("*.py")):
        if file.name in ABOUT_NO_TABLE_OF_A_PORTFOLIO:
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "execute":
                text = ast.unparse(node.args[0]) if node.args else ""
                is_writing = text.lstrip("f").lstrip("'\"").upper().startswith(WRITING)
                is_of_no_table = any(name in text for name in ("staged", "STAGED", HOW_FAR_READ, *TEMPORARY))
                if is_writing and not is_of_no_table:
                    found.append(f"{file.name}:{node.lineno}: {text}")
    assert found == []
    assert "self.connection.execute(query, values)" in inspect.getsource(Database.change)
