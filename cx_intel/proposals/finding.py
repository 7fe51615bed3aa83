"""What is found where a company's data lie: presets that fit its exports and landed tables, and what the other files seem to be.

How it becomes YAML is `draft.py`'s part.
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from cx_intel.proposals.agreement import known_accounts, with_decimal_sign, with_names, with_strangers
from cx_intel.proposals.durations import with_times
from cx_intel.proposals.folders import FoundFiles, look_into
from cx_intel.proposals.keys import with_account_keys
from cx_intel.proposals.landed import FirstRows, landed_tables
from cx_intel.proposals.links import from_other_files, people_as_accounts
from cx_intel.proposals.paid import with_paid_prices
from cx_intel.proposals.presets import LandedProposal, PresetProposal, fitting, fitting_schemas
from cx_intel.proposals.shapes import accounts_from, contracts_of_accounts, months_of_files, wide_months, without_totals
from cx_intel.proposals.tables import TableProposal, is_named, is_never, proposed
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.yaml.presets import preset_of
from cx_intel.sources.files.heads import name_of_head

FittingPreset: TypeAlias = PresetProposal | LandedProposal


@dataclass(frozen=True)
class Proposal:
    """All that was found.

    Attributes:
        found: The files of the folder.
        presets: The presets that fit it.
        tables: Files that are taken for a canonical table, and can be read as it.
        incomplete: Files that seem to be a table and lack a column that it needs, or whose accounts are none that is known.
        others: Files that nothing is made of.
        landed: The presets that fit the schemas of a database.
    """

    found: Sequence[FoundFiles] = ()
    presets: Sequence[PresetProposal] = ()
    tables: Sequence[TableProposal] = ()
    incomplete: Sequence[TableProposal] = ()
    others: Sequence[FoundFiles] = ()
    landed: Sequence[LandedProposal] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing was recognised."""
        return not (self.presets or self.tables or self.incomplete or self.landed)

    @property
    def delivered(self) -> set[str]:
        """The canonical tables that are there."""
        given = [*(preset.tables for preset in self.presets), *(preset.tables for preset in self.landed)]
        return {table for tables in given for table in tables} | {table.table for table in self.tables}


def proposal_for(
    folder: Path | None,
    samples: Path,
    schemas: Mapping[str, Mapping[str, Sequence[str]]] | None = None,
    first_rows: FirstRows | None = None,
) -> Proposal:
    """What is found in a folder, and in a database.

    Args:
        folder: The folder; None where there is only a database.
        samples: An empty folder for the first rows of the files.
        schemas: Of the database, schema: its tables, each with its columns.
        first_rows: Gives the first rows of tables of the database.
    """
    known = known_contracts()
    landed = fitting_schemas(schemas or {})
    if folder is None:
        own = {name: tables for name, tables in (schemas or {}).items() if name not in {p.schema for p in landed}}
        delivered = Proposal(landed=landed).delivered
        own_tables = landed_tables(own, delivered, known, first_rows) if first_rows else []
        return Proposal(
            found=[table.found for table in own_tables],
            tables=[table for table in own_tables if not table.missing],
            incomplete=[table for table in own_tables if table.missing],
            landed=landed,
        )
    found = look_into(folder, samples)
    presets = fitting(samples, known)
    read = {file for preset in presets for file in preset.files}
    delivered = Proposal(presets=presets, landed=landed).delivered
    by_preset = deliveries((*landed, *presets))
    tables: list[TableProposal] = []
    incomplete: list[TableProposal] = []
    others: list[FoundFiles] = []
    left = _left(found, folder, read)
    left, samples_of_others = _without_samples(left)
    others += samples_of_others
    for files in sorted(left, key=lambda files: _fit(files, known), reverse=True):
        by_domain = "identity_links" in delivered
        guess = None
        if not files.fault and "mrr_history" not in delivered:
            guess = wide_months(files, known) or months_of_files(files, known)
        if not files.fault and guess is None:
            guess = proposed(files, known, delivered, by_domain=by_domain)
        if guess is None:
            others.append(replace(files, fault=files.fault or _why_not(files, known, by_preset)))
        elif guess.missing:
            incomplete.append(guess)
        else:
            delivered.add(guess.table)
            tables.append(without_totals(guess))
    if not any("account_id" in table.columns for table in (*tables, *incomplete)):
        tables += people_as_accounts(incomplete, others, known)
    tables += from_other_files(_open(incomplete, tables), tables, others, known)
    incomplete = _open(incomplete, tables)
    others = [files for files in others if files.title not in {table.found.title for table in tables}]
    others = [files for files in others if files not in [table.joined for table in tables]]
    delivered |= {table.table for table in tables}
    if "accounts" not in delivered and (guess := accounts_from(tables, known)):
        tables.insert(0, guess)
    if not {"subscriptions", "invoices", "mrr_history"} & (
        delivered | {table.table for table in incomplete if "amount" not in table.missing}
    ):
        of_accounts = (contracts_of_accounts(table, known) for table in tables if table.table == "accounts")
        tables += [contracts for contracts in of_accounts if contracts]
    accounts = known_accounts(presets, tables) if not landed else frozenset[str]()
    is_linked = "identity_links" in delivered
    tables = [with_strangers(table, accounts, is_linked=is_linked) for table in with_names(with_decimal_sign(tables))]
    left_out = [table for table in tables if table.left_out]
    tables = with_paid_prices([with_times(table) for table in tables if not table.left_out], incomplete)
    presets = with_account_keys(presets, found, folder, known_accounts(presets, tables))
    return Proposal(found, presets, tables, [*left_out, *incomplete], others, landed)


def _open(incomplete: Sequence[TableProposal], tables: Sequence[TableProposal]) -> list[TableProposal]:
    """Those of the incomplete proposals that did not become whole since."""
    whole = {table.found.title for table in tables}
    return [table for table in incomplete if table.found.title not in whole]


def deliveries(presets: Sequence[FittingPreset]) -> dict[str, FittingPreset]:
    """Table: the preset that delivers it, the first of several; those that give it `alone` come after the others."""
    each = [(table in preset_of(preset.name).alone, table, preset) for preset in presets for table in preset.tables]
    found: dict[str, FittingPreset] = {}
    for _, table, preset in sorted(each, key=lambda entry: entry[0]):
        found.setdefault(table, preset)
    return found


def _left(found: Sequence[FoundFiles], folder: Path, read: Container[str]) -> list[FoundFiles]:
    """The files that no preset reads."""

    def heads(files: FoundFiles) -> list[str]:
        return [name_of_head(path.relative_to(folder).as_posix()) for path in files.paths]

    return [files for files in found if not any(head in read for head in heads(files))]


def _without_samples(found: Sequence[FoundFiles]) -> tuple[list[FoundFiles], list[FoundFiles]]:
    """The files, and those that call themselves a sample beside others that do not."""
    samples = [files for files in found if "sample" in files.plain_name.split("_")]
    if len(samples) == len(found):
        return list(found), []
    why = "its name says that it is a sample"
    return [f for f in found if f not in samples], [replace(f, fault=f.fault or why) for f in samples]


def _why_not(files: FoundFiles, known: Portfolio, by_preset: Mapping[str, FittingPreset]) -> str:
    """Why nothing is made of files that can be read; empty where nothing tells what they could be."""
    if is_never(files, "usage_events") and "event" in files.plain_name:
        return "what happened to contracts or money is no usage of the product"
    if (guess := proposed(files, known)) and (preset := by_preset.get(guess.table)):
        instead = "; a source of it would take its place" if guess.table in preset_of(preset.name).alone else ""
        return f"seems to be {guess.table} too, which {preset.name} delivers{instead}"
    if guess:
        return f"seems to be {guess.table} too, which other files are taken for"
    if is_named(files):
        return "no column of it has a name that is known: is its first row a header?"
    return ""


def _fit(files: FoundFiles, known: Portfolio) -> tuple[bool, int]:
    """Whether the name of files tells the table that they seem to be, and how many of its columns they have."""
    guess = None if files.fault else proposed(files, known)
    if guess is None or guess.missing:
        return False, 0
    return is_named(files, guess.table), len(guess.columns)


def known_contracts() -> Portfolio:
    """A portfolio without anything of its own: it gives the contracts of the tables."""
    source = {"kind": "synthetic", "world": "novacrm"}
    return Portfolio.model_validate(
        {"name": "draft", "currency": {"reporting": "USD"}, "revenue": {"basis": "invoices"}, "sources": [source]}
    )
