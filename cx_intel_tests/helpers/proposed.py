"""What is proposed for a file of one's own."""

from datetime import date
from pathlib import Path
from typing import Any

from cx_intel.contracts.staging.tables import STAGING
from cx_intel.proposals.draft import draft_of
from cx_intel.proposals.finding import known_contracts, proposal_for
from cx_intel.proposals.folders import FoundFiles, look_into
from cx_intel.proposals.tables import TableProposal, proposed
from cx_intel.settings.sources.files import FilesSource
from cx_intel.settings.sources.sql import SqlSource
from cx_intel.settings.yaml.loader import load_portfolio
from cx_intel.warehouse.duckdb.files.reading import read_files
from cx_intel.warehouse.duckdb.queries.queries import read_query


def found_in(folder: Path, name: str, text: str, encoding: str = "utf-8") -> FoundFiles:
    data = folder / "data"
    data.mkdir(parents=True)
    (data / name).write_text(text, encoding=encoding)
    (found,) = look_into(data, folder / "samples")
    return found


def proposal(folder: Path, name: str, text: str) -> TableProposal:
    made = proposed(found_in(folder, name, text), known_contracts())
    assert made is not None
    return made


def drafted(folder: Path, files: dict[str, str]) -> str:
    data = folder / "data"
    for name, text in files.items():
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_text(text, encoding="utf-8")
    return draft_of(proposal_for(data, folder / "samples"), "acme", date(2026, 11, 26), folder=data)


def delivered(folder: Path, text: str) -> dict[str, list[dict[str, Any]]]:
    """The rows that the sources of a draft give, without the columns that say where they are from."""
    file = folder / "acme.yaml"
    file.write_text(text, encoding="utf-8")
    portfolio = load_portfolio(file)
    environment = {"ACME_DATA": str(folder / "data")}
    rows = {}
    for source in portfolio.sources:
        assert isinstance(source, FilesSource | SqlSource)
        contract = STAGING[source.table](portfolio)
        read = (
            read_files(source, contract=contract, environment=environment)
            if isinstance(source, FilesSource)
            else read_query(source, contract=contract, environment=environment)
        )
        given = read.table.drop_columns([name for name in read.table.column_names if name.startswith("_")])
        rows[source.table] = sorted(given.to_pylist(), key=str)
    return rows
