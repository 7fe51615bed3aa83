"""Files beside those of a source: what looks like a delivery and is read by none is named, and nothing else."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cx_intel.sources.files.misspelt import is_misspelt, is_one_edit
from cx_intel.sources.files.neighbours import folders_beside, may_lie_beside, unread_beside, unread_of
from cx_intel_tests.helpers.builders import portfolio

READ = ("accounts_1.csv", "accounts_2.csv", "subscriptions.csv")
NO_DELIVERIES = (".hidden.csv", "~$accounts.xlsx", "README.txt", "notes.md", "query.sql", "x.yaml", "a.csv.part")


def settings(path: str = "accounts*.csv", **changes: str) -> Any:
    files = [("accounts", path), ("subscriptions", "subscriptions.csv")]
    sources = [{"kind": "files", "table": table, "path": f"${{EXPORTS}}/{name}"} for table, name in files]
    sources[0] |= changes
    return portfolio(sources=sources)


def told(folder: Path, *names: str, path: str = "accounts*.csv", **changes: str) -> list[str]:
    for name in (*READ, *names):
        (folder / name).touch()
    return [found.sentence for found in unread_beside(settings(path, **changes), {"EXPORTS": str(folder)})]


ADVICE = {
    "accounts_3.xlsx": "So that accounts_3.xlsx is read too, write `path: ${EXPORTS}/accounts*`.",
    "accounts_3.CSV": "So that accounts_3.CSV is read too, write `path: ${EXPORTS}/accounts*`.",
    "accounts_3.csv.gz": "So that accounts_3.csv.gz is read too, write `path: ${EXPORTS}/accounts*`.",
    "tickets.csv": "Where tickets.csv holds a table, write a source of it.",
    "accounts.zip": "Unpack accounts.zip.",
    "old.xls": "Save old.xls as CSV or .xlsx.",
}


@pytest.mark.parametrize("name", ADVICE)
def test_what_looks_like_a_delivery_is_named_with_what_to_do(tmp_path: Path, name: str) -> None:
    assert told(tmp_path, name) == [
        f"{tmp_path}: {name} lies beside the files of the source of accounts, and no source reads it. {ADVICE[name]} Or "
        "put it elsewhere."
    ]


def test_several_are_told_together(tmp_path: Path) -> None:
    (text,) = told(tmp_path, *(f"{n}.zip" for n in range(1, 8)), "accounts_3.CSV")
    assert text == (
        f"{tmp_path}: 1.zip, 2.zip, 3.zip, 4.zip, 5.zip and 3 more lie beside the files of the source of accounts, and no "
        "source reads them. Unpack 1.zip, 2.zip, 3.zip, 4.zip, 5.zip and 2 more. So that accounts_3.CSV is read too, write "
        "`path: ${EXPORTS}/accounts*`. Or put them elsewhere."
    )


def test_other_tables_of_an_export_are_apart_from_what_looks_like_a_delivery_of_the_source(tmp_path: Path) -> None:
    told(tmp_path, "tickets.csv", "accounts_3.CSV", "all.xlsx")
    (tmp_path / "lost.csv").symlink_to(tmp_path / "gone.csv")
    (found,) = unread_beside(settings(), {"EXPORTS": str(tmp_path)})
    assert found.names == ("accounts_3.CSV", "all.xlsx", "lost.csv", "tickets.csv")
    assert found.without_other_tables().names == ("accounts_3.CSV", "all.xlsx", "lost.csv")
    assert (found.delivered_count, found.without_other_tables().delivered_count) == (7, 7)


HEADERS = {
    "acounts_3.csv": "id,name",
    "accouts_4.csv": "id,name",
    "acconuts_5.csv": "id,name\r",
    "accounts-6.csv": "id,name",
    "Accounts_7.csv": "\ufeffid,name",
    "accounts_old.csv": "id,name",  # read by the path
    "amounts_8.csv": "id,name",  # two letters
    "account_9.csv": "id,amount",  # another table
}


def test_a_misspelt_delivery_is_known_by_its_columns(tmp_path: Path) -> None:
    for name, header in {"accounts_1.csv": "id,name", **HEADERS}.items():
        (tmp_path / name).write_text(f"{header}\n1,A\n", encoding="utf-8")
    found = folders_beside((book := settings("accounts_*.csv")).sources[0], book, {"EXPORTS": str(tmp_path)})
    left = found[0].without_other_tables()
    misspelt = ("Accounts_7.csv", "acconuts_5.csv", "accounts-6.csv", "accouts_4.csv", "acounts_3.csv")
    assert (left.names, set(HEADERS) - set(found[0].names)) == (misspelt, {"accounts_old.csv"})
    assert "If acounts_3.csv is one of accounts_*.csv, rename it." in left.sentence


def test_a_misspelt_delivery_in_parquet(tmp_path: Path) -> None:
    for name in ("accounts_1.parquet", "acounts_2.parquet", "accounst_3.parquet"):
        columns = {"id": ["1"]} if name != "accounst_3.parquet" else {"other": ["1"]}
        pq.write_table(pa.table(columns), tmp_path / name)
    assert [
        is_misspelt(tmp_path, name, "accounts_*.parquet") for name in ("acounts_2.parquet", "accounst_3.parquet")
    ] == [
        True,
        False,
    ]
    (tmp_path / "acounts_4.parquet").write_bytes(b"PAR1")
    assert not is_misspelt(tmp_path, "acounts_4.parquet", "accounts_*.parquet")
    assert not is_misspelt(tmp_path, "nsp_2.csv", "nps_*.csv")  # so short a name is near to too many


@pytest.mark.parametrize(
    ("one", "other", "is_near"),
    [
        ("acounts", "accounts", True),
        ("accountss", "accounts", True),
        ("accounds", "accounts", True),
        ("accuonts", "accounts", True),
        ("accounts", "accounts", False),
        ("acuont", "accounts", False),
        ("counts", "accounts", False),
        ("stnuocca", "accounts", False),
    ],
)
def test_one_edit(one: str, other: str, is_near: bool) -> None:
    assert is_one_edit(one, other) == is_one_edit(other, one) == is_near


def test_a_wider_path_is_not_advised_where_the_format_is_stated(tmp_path: Path) -> None:
    (text,) = told(tmp_path, "accounts_3.xlsx", format="csv")
    assert "Where accounts_3.xlsx holds a table, write a source of it." in text


def test_a_link_that_leads_nowhere_is_named(tmp_path: Path) -> None:
    (tmp_path / "accounts_3.csv").symlink_to(tmp_path / "gone.csv")
    assert "Mend the link accounts_3.csv, which leads nowhere." in told(tmp_path)[0]


def test_what_other_sources_read_and_what_is_no_data_is_not_named(tmp_path: Path) -> None:
    assert told(tmp_path, *NO_DELIVERIES) == []


def test_of_a_folder_that_is_read_whole_only_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    (text,) = told(tmp_path, "accounts.zip", path="")
    assert text.startswith(f"{tmp_path}: accounts.zip lies beside")


def test_beside_a_single_file_nothing_is_looked_for(tmp_path: Path) -> None:
    assert told(tmp_path, "archive.zip", path="accounts_1.csv") == []
    assert [may_lie_beside(source) for source in settings(path="accounts_1.csv").sources] == [False, False]
    assert [may_lie_beside(source) for source in settings(path="exports.v2").sources] == [True, False]


def test_of_two_sources_that_read_one_folder_the_first_tells(tmp_path: Path) -> None:
    for name in ("accounts_1.csv", "contracts_1.csv", "contracts_2.CSV", "contracts_3.CSV", "more.zip"):
        (tmp_path / name).touch()
    paths = {"accounts": "accounts*.csv", "subscriptions": "contracts*.csv"}
    sources = [{"kind": "files", "table": table, "path": f"{tmp_path}/{path}"} for table, path in paths.items()]
    both = portfolio(sources=sources)
    first, second = (unread_of(source, both, {}) for source in both.sources)
    assert (len(first), second) == (1, [])
    assert first[0].sentence == (
        f"{tmp_path}: contracts_2.CSV, contracts_3.CSV, more.zip lie beside the files of the source of accounts, and no "
        "source reads them. Unpack more.zip. So that contracts_2.CSV, contracts_3.CSV are read too, write "
        f"`path: {tmp_path}/contracts*`. Or put them elsewhere."
    )


def test_a_folder_that_is_not_there_and_a_variable_that_is_not_set_are_told_by_others(tmp_path: Path) -> None:
    assert unread_beside(settings(), {"EXPORTS": str(tmp_path / "lost")}) == []
    assert unread_beside(settings(), {}) == []
