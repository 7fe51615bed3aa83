"""The files source: every format, every fault of a file, and the mapping of its columns."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

import cx_intel
from cx_intel.contracts.staging.tables import STAGING
from cx_intel.settings.sources.files import FilesSource
from cx_intel.settings.yaml.loader import load_portfolio
from cx_intel.sources.errors import SourceError
from cx_intel.warehouse.duckdb.files.reading import read_files
from cx_intel_tests.helpers.read_files import read, rows, write

EXAMPLES = Path(cx_intel.__file__).parents[1] / "examples"


HEADER = "account_id,account_name\n"


def test_a_missing_file_is_named_with_its_resolved_path(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as error:
        read("${DATA}/a.csv", environment={"DATA": str(tmp_path)})
    assert str(tmp_path / "a.csv") in str(error.value)
    assert "path: ${DATA}/a.csv" in str(error.value)
    with pytest.raises(SourceError, match="no file to read"):
        read(tmp_path)
    with pytest.raises(SourceError, match="no such file"):
        read(tmp_path / "*.csv")


def test_a_path_that_cannot_be_looked_at_is_told_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"cannot be looked at \(File name too long\); .*mount it again"):
        read(tmp_path / ("x" * 300))


def test_an_unset_variable_is_named_with_the_key() -> None:
    with pytest.raises(SourceError, match=r"variable NOVA_DIR is not set; `path: \$\{NOVA_DIR\}/a\.csv`"):
        read("${NOVA_DIR}/a.csv")


def test_an_ending_that_tells_no_format(tmp_path: Path) -> None:
    file = write(tmp_path / "a.dat", HEADER + "A1,Ada\n")
    with pytest.raises(SourceError, match="format: csv"):
        read(file)
    assert rows(read(file, format="csv")) == [("A1", "Ada")]


def test_a_folder_and_a_glob_are_read_in_order_of_names(tmp_path: Path) -> None:
    write(tmp_path / "2.csv", "account_id,country\nA2,DE\n")
    write(tmp_path / "1.csv.gz", HEADER + "A1,Ada\n")
    write(tmp_path / "notes.md", "no data")
    expected = [("A1", "Ada", None, "1.csv.gz", 1), ("A2", None, "DE", "2.csv", 1)]
    columns = ("account_id", "account_name", "country", "_source_file", "_row_number")
    assert rows(read(tmp_path), *columns) == expected
    assert rows(read(tmp_path / "*.csv*"), *columns) == expected
    (tmp_path / "sub").mkdir()
    write(tmp_path / "sub" / "3.csv", HEADER + "A3,Cy\n")
    assert rows(read(tmp_path / "**" / "3.csv"), "_source_file") == [("sub/3.csv",)]


def test_mapping_constants_and_null_text(tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", "Id,Firma,Land\nA1,Ada,n/a\n")
    result = read(
        file,
        columns={"account_id": "Id", "account_name": "Firma", "country": "Land"},
        constants={"status": "active", "employee_count": 7},
        null_text=["", "n/a"],
    )
    assert rows(result, "account_id", "account_name", "country", "status", "employee_count") == [
        ("A1", "Ada", None, "active", "7")
    ]
    assert json.loads(result.table["_raw_row"][0].as_py())["Land"] == "n/a"


def test_a_mapped_column_that_the_file_lacks(tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", "account_id,acount_owner\nA1,Ada\n")
    with pytest.raises(
        SourceError, match=r"a\.csv: has no column 'account_owner'.*did you mean 'acount_owner'\?.*account_id"
    ):
        read(file, columns={"owner": "account_owner"})


def test_a_required_column_that_nothing_gives(tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", "acount_id,account_name\nA1,Ada\n")
    with pytest.raises(
        SourceError, match=r"no column 'account_id', which accounts requires \(did you mean 'acount_id'"
    ):
        read(file)
    with pytest.raises(SourceError, match="no column 'amount', which invoices requires"):
        read(write(tmp_path / "i.csv", "invoice_id,account_id,invoice_date,status\n"), table="invoices")


def test_a_canonical_name_that_the_table_does_not_have(tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", HEADER)
    with pytest.raises(SourceError, match=r"accounts has no column 'acount_name' \(did you mean 'account_name'\?\)"):
        read(file, columns={"acount_name": "account_name"})


@pytest.mark.parametrize(
    ("header", "keys", "hint"),
    [
        ("account_id;account_name", {}, r'the delimiter looks like ";": state `delimiter: ";"` in the source\.'),
        ("account_id\taccount_name", {}, r'the delimiter looks like "\\t": state `delimiter: "\\t"` in the source\.'),
        ("account_id|account_name", {"columns": {"account_id": "Id"}}, r'Mend .*state `delimiter: "\|"` in'),
        ("account_id,account_name", {"delimiter": ";"}, r'state `delimiter: ","` in the source'),
        ("a,b;c;d", {"delimiter": "|"}, r'state `delimiter: ";"` in the source'),
        ("Kunde", {}, r"or a value under `constants`\.$"),
        ("Kunde;x,y", {}, r"or a value under `constants`\.$"),
    ],
)
def test_a_wrong_delimiter_is_told(tmp_path: Path, header: str, keys: dict[str, Any], hint: str) -> None:
    file = write(tmp_path / "a.csv", header + "\n")
    with pytest.raises(SourceError, match=f"a\\.csv: has no column .*{hint}"):
        read(file, **keys)


def test_a_column_that_stands_twice(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="has the column 'account_id' twice"):
        read(write(tmp_path / "a.csv", "account_id,account_id\nA1,A2\n"))
    harmless = read(write(tmp_path / "b.csv", "account_id,Note,Note,note\nA1,x,y,z\n"))
    assert rows(harmless, "account_id") == [("A1",)]


def test_a_delimited_cell_is_split_and_counted(tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", 'account_id,account_name\nA1,"GPS; Logbook ;;Analytics"\nA2,\nA3,GPS\n')
    result = read(file, split={"account_name": {"delimiter": ";", "count_to": "employee_count"}})
    assert rows(result, "account_name", "employee_count") == [
        ("GPS|Logbook|Analytics", "3"),
        (None, None),
        ("GPS", "1"),
    ]


def test_wide_columns_become_rows(tmp_path: Path) -> None:
    file = write(tmp_path / "m.csv", "customer,day,gps,csat\nA1,2025-01-01,80.5,\nA2,2025-01-01,,4\nA3,2025-01-01,,\n")
    result = read(
        file,
        table="metrics",
        columns={"account_id": "customer", "measured_on": "day"},
        unpivot={"columns": {"gps": "gps_pct", "csat": "csat"}, "name_to": "metric", "value_to": "value"},
    )
    assert rows(result, "account_id", "metric", "value", "_row_number") == [
        ("A1", "gps_pct", "80.5", 1),
        ("A2", "csat", "4", 2),
    ]


@pytest.mark.parametrize(
    "keys",
    [
        {"delimiter": ";;"},
        {"encoding": "klingon"},
        {"time_zone": "Mars/Base"},
        {"columns": {"status": "s"}, "constants": {"status": "active"}},
    ],
)
def test_settings_that_cannot_be_are_refused(keys: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        FilesSource.model_validate({"kind": "files", "table": "accounts", "path": "a.csv", **keys})


@pytest.mark.parametrize(
    ("name", "variable", "expected"),
    [
        (
            "novacrm_csv",
            "NOVACRM_DATA",
            {
                "accounts": 150,
                "subscriptions": 254,
                "invoices": 1707,
                "usage_events": 15_000,
                "support_tickets": 1314,
            },
        ),
        (
            "fleet_csv",
            "FLEET_DATA",
            {"accounts": 250, "subscriptions": 250, "mrr_history": 2750, "metrics": 2632},
        ),
    ],
)
def test_the_examples_read_the_real_files(name: str, variable: str, expected: dict[str, int]) -> None:
    example = load_portfolio(EXAMPLES / f"{name}.yaml")
    assert set(example.tables) == set(expected)
    if variable not in os.environ:
        pytest.skip(f"{variable} is not set")
    for table, row_count in expected.items():
        source = example.source_of(table)
        assert isinstance(source, FilesSource)
        result = read_files(source, contract=STAGING[table](example), environment=os.environ)
        assert (result.table.num_rows, result.rejects.num_rows) == (row_count, 0)
