"""Files beside those of a source: what looks like a delivery and is read by none is named, and nothing else."""

from pathlib import Path

import pytest

from cx_intel.sources.files.neighbours import unread_beside
from cx_intel_tests.helpers.builders import portfolio

READ = ("accounts_1.csv", "accounts_2.csv", "subscriptions.csv")
NO_DELIVERIES = (".hidden.csv", "~$accounts.xlsx", "README.txt", "notes.md", "query.sql", "x.yaml", "a.csv.part")


def told(folder: Path, *names: str, path: str = "accounts*.csv") -> list[str]:
    for name in (*READ, *names):
        (folder / name).touch()
    files = [("accounts", path), ("subscriptions", "subscriptions.csv")]
    sources = [{"kind": "files", "table": table, "path": f"${{EXPORTS}}/{name}"} for table, name in files]
    return unread_beside(portfolio(sources=sources), {"EXPORTS": str(folder)})


@pytest.mark.parametrize("name", ["accounts_3.xlsx", "accounts_3.CSV", "accounts.zip", "old.xls", "accounts_3.csv.gz"])
def test_what_looks_like_a_delivery_is_named(tmp_path: Path, name: str) -> None:
    (text,) = told(tmp_path, name)
    assert text.startswith(
        f"{tmp_path}: {name} lies beside the files of the source of accounts, and no source reads it"
    )


def test_a_link_that_leads_nowhere_is_named(tmp_path: Path) -> None:
    (tmp_path / "accounts_3.csv").symlink_to(tmp_path / "gone.csv")
    assert "accounts_3.csv lies beside" in told(tmp_path)[0]


def test_what_other_sources_read_and_what_is_no_data_is_not_named(tmp_path: Path) -> None:
    assert told(tmp_path, *NO_DELIVERIES) == []


def test_beside_a_single_file_nothing_is_looked_for(tmp_path: Path) -> None:
    assert told(tmp_path, "archive.zip", path="accounts_1.csv") == []
