"""Any input: every table of a portfolio survives no account, one account, and files with whatever in them."""

import random
from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import pyarrow as pa
import pytest

from cx_intel.contracts.staging.tables import STAGING
from cx_intel.settings.yaml.loader import load_portfolio
from cx_intel.sources.errors import SourceError
from cx_intel.warehouse.duckdb.files.reading import read_files
from cx_intel_tests.helpers.builders import shipped
from cx_intel_tests.helpers.small_company import SmallCompany
from cx_intel_tests.helpers.small_worlds import as_text, delivered
from cx_intel_tests.helpers.whole_graph import WholeGraph

pytestmark = pytest.mark.slow  # whole refreshes of files with anything in them

DAY = date(2026, 10, 31)


def one_account(name: str) -> dict[str, pa.Table]:
    """What the made-up company of a shipped portfolio delivers when it has a single customer."""
    tables = delivered(name, 1, DAY)
    newest = tables["accounts"].account_id.iloc[-1]  # a place that a customer left is taken by another
    return {t: as_text(frame[frame.account_id == newest]) for t, frame in tables.items()}


def test_every_table_survives_no_account_and_one() -> None:
    company, graph, _ = small()
    assert graph.run({}) == []
    alone = {table: [row for row in rows if row["account_id"] == "A02"] for table, rows in company.tables.items()}
    assert graph.run({table: as_text(pd.DataFrame(rows).astype("string")) for table, rows in alone.items()}) == []
    assert graph.quarantined() == []
    assert [row["account_id"] for row in graph.rows("cs_intervention_list")] == ["A02"]


@pytest.mark.parametrize("name", ["fleet", "novacrm"])
def test_every_table_of_a_shipped_portfolio_survives_no_account_and_one(name: str) -> None:
    graph = WholeGraph(shipped(name), DAY)
    assert graph.run({}) == []
    assert graph.rows("dim_account") == []
    files = one_account(name)
    assert files["accounts"].num_rows == 1
    assert graph.run(files) == []
    assert graph.quarantined() == []
    assert len(graph.rows("dim_account")) == 1
    assert graph.run({"accounts": files["accounts"]}) == []
    assert len(graph.rows("dim_account")) == 1


@cache
def small() -> tuple[SmallCompany, WholeGraph, dict[str, bytes]]:
    """The small company, its graph, and its files."""
    with TemporaryDirectory() as folder:
        company = SmallCompany(Path(folder))
        company.write()
        book = load_portfolio(company.portfolios / f"{company.name}.yaml")
        files = {table: (company.data / f"{table}.csv").read_bytes() for table in book.tables}
    return company, WholeGraph(book), files


SEEDS = 20
"""How many sets of faulty files are tried: each costs a whole refresh."""
ENDS = {"went through", "stopped at a file", "stopped at a currency"}
NASTY = (
    "", " ", "NULL", "None", "nan", "inf", "-inf", "0", "-0", "-1", "1e308", "1e-308", "-1e12", "1e12", "0.005", "1" * 400,
    "999999999999.99", "9223372036854775807", "9223372036854775808", "0x10", "1_000", "1,5", "١٢٣", "½", "true",
    "9999-12-31", "0001-01-01", "1582-10-10", "1899-12-30", "2024-02-29", "2025-02-29", "2025-01-31", "2025-02-01",
    "2025-01-31T23:59:59.999999999Z", "2025-01-31T23:59:60Z", "2025-03-30T02:30:00", "2025-01-31T00:00:00+14:00",
    "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "9999999999999", "000000000000", "24:00:00", "2025-W05-5",
    "A01", "a01", " A02 ", "A99", "CHF", "eur", "XXX", "trial", "open", "login", "'; DROP TABLE accounts; --", '"', "'",
    "\\", "%s{0}", "${HOME}", "=1+1", "<script>alert(1)</script>", "|", "\n", "\r\n", "a\tb", "\x00", "\x1f", "\u202eabc",
    "😀", "é", "ＡＢＣ", "x" * 70_000,
)  # fmt: skip


def mutated(files: dict[str, bytes], seed: int) -> Iterator[tuple[str, bytes]]:
    """The files with some faults each; the same for the same seed."""
    dice = random.Random(seed)
    for table, content in files.items():
        lines = content.decode().splitlines()
        rows = [line.split(",") for line in lines]
        for _ in range(dice.choice((0, 1, 1, 3, 30))):
            row = rows[dice.randrange(0 if dice.random() < 0.01 else 1, len(rows))]
            cell = dice.choice(NASTY)
            place = dice.randrange(len(row))
            if place < len(rows[0]) and rows[0][place] == "currency" and dice.random() < 0.95:
                cell = dice.choice(("", "chf", "EUR"))  # any other stops the refresh before staging
            row[place] = '"' + cell.replace('"', '""') + '"' if dice.random() < 0.9 else cell
        header, *body = rows
        match dice.choice(("keep", "keep", "shuffle", "drop", "double", "one", "column", "ragged")):
            case "shuffle":
                dice.shuffle(body)
            case "drop":
                body = [row for row in body if dice.random() < 0.5]
            case "double":
                body += [list(row) for row in body if dice.random() < 0.3]
            case "one":
                body = body[:1]
            case "column":
                place = dice.randrange(len(header))
                header, *body = ([cell for n, cell in enumerate(row) if n != place] for row in [header, *body])
            case "ragged":
                body = [row[: dice.randrange(1, len(row) + 1)] if dice.random() < 0.1 else row for row in body]
        data = bytearray("".join(",".join(row) + "\n" for row in [header, *body]).encode())
        for _ in range(dice.choice((1, 5)) if dice.random() < 0.05 else 0):
            data[dice.randrange(len(data))] = dice.randrange(256)
        yield table, bytes(data)


def test_an_account_that_pays_before_it_signs_up_stays_in_the_ledger() -> None:
    company, graph, _ = small()
    rows = {table: pd.DataFrame(listed).astype("string") for table, listed in company.tables.items()}
    rows["accounts"].loc[4, "signup_date"] = "2025-03-30"
    assert graph.run({table: as_text(frame) for table, frame in rows.items()}) == []
    assert "A05" not in {row["account_id"] for row in graph.rows("dim_account")}
    last = date(2025, 1, 1)
    (total,) = (row["ending_mrr"] for row in graph.rows("nrr_summary") if row["revenue_month"] == last)
    segments = {r["segment"]: r["ending_mrr"] for r in graph.rows("nrr_by_segment") if r["revenue_month"] == last}
    assert segments["(none)"] == 500
    assert sum(segments.values()) == total
    (cohort,) = (
        r
        for r in graph.rows("revenue_cohort_analysis")
        if (r["segment"], r["cohort_mrr"]) == ("(none)", 500) and r["months_since_start"] == 8
    )
    assert (cohort["cohort_month"], cohort["initial_mrr"]) == (date(2024, 5, 1), 500)


def outcome(seed: int) -> str:
    """What becomes of the small company's files with the faults of a seed; asserts what must hold."""
    _, graph, files = small()
    raw = {}
    with TemporaryDirectory() as folder:
        for table, content in mutated(files, seed):
            (Path(folder) / f"{table}.csv").write_bytes(content)
            source = graph.portfolio.source_of(table)
            try:
                read = read_files(source, contract=STAGING[table](graph.portfolio), environment={"SMALL_DATA": folder})
            except SourceError as error:
                return "stopped at a file" if f"{table}.csv" in str(error) else f"a message without the file: {error}"
            raw[table] = read.raw()
    graph.load(raw)
    if graph.unknown_currencies():
        return "stopped at a currency"
    assert graph.run(raw) == []
    turned_away = [table for table, _, _ in graph.quarantined()]
    for table, rows in raw.items():
        assert len(graph.rows(f"stg_{table}")) + turned_away.count(table) == rows.num_rows
    return "went through"


def test_files_with_anything_in_them_go_through_or_stop_with_a_message() -> None:
    ends = [outcome(seed) for seed in range(SEEDS)]
    assert set(ends) == ENDS
    assert ends.count("went through") > SEEDS / 3
