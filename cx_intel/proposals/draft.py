"""Writes the YAML of a portfolio from what was found in a folder: presets where they fit, else tables as proposed.

What could not be told stands in it as comments, so that whoever reads it knows what to look at.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from cx_intel.proposals.folders import SAMPLE_ROWS, FoundFiles, look_into
from cx_intel.proposals.presets import PresetProposal, fitting
from cx_intel.proposals.tables import TableProposal, day_of, proposed, with_strangers
from cx_intel.proposals.words import plain
from cx_intel.settings.portfolio import Portfolio
from cx_intel.sources.files.heads import name_of_head

OLD = timedelta(days=7)
"""An export whose newest row is older than that is taken for one of that day."""
REVENUE_TABLES = ("subscriptions", "mrr_history", "invoices")
"""The tables that MRR can be read from, the likeliest basis first."""
_FUTURE = {
    "end",
    "ends",
    "ended",
    "until",
    "to",
    "cancel",
    "cancels",
    "renewal",
    "renews",
    "due",
    "close",
    "expires",
    "valid",
}
"""Words in the names of columns whose days may lie after the export."""
_WIDTH = 116


@dataclass(frozen=True)
class Proposal:
    """All that was found in a folder, and the YAML that follows.

    Attributes:
        presets: The presets that fit.
        tables: Files that are taken for a canonical table, and can be read as it.
        incomplete: Files that seem to be a table and lack a column that it needs.
        others: Files that nothing is made of.
        text: The YAML.
    """

    presets: Sequence[PresetProposal]
    tables: Sequence[TableProposal]
    incomplete: Sequence[TableProposal]
    others: Sequence[FoundFiles]
    text: str


def proposal_for(folder: Path, name: str, samples: Path, today: date) -> Proposal:
    """What a portfolio of the files in a folder could say.

    Args:
        folder: The folder; its variable in the YAML is the portfolio's name in capitals and `_DATA`.
        name: The portfolio.
        samples: An empty folder for the first rows of the files.
        today: Tells whether an export is an old one.
    """
    known = known_contracts()
    found = look_into(folder, samples)
    presets = fitting(samples, known)
    read = {file for preset in presets for file in preset.files}
    left = [
        files for files in found if not any(name_of_head(p.relative_to(folder).as_posix()) in read for p in files.paths)
    ]
    delivered = {table for preset in presets for table in preset.tables}
    tables: list[TableProposal] = []
    incomplete: list[TableProposal] = []
    others: list[FoundFiles] = []
    for files in sorted(left, key=lambda files: -_fit(files, known)):
        by_domain = "identity_links" in delivered
        guess = None if files.fault else proposed(files, known, delivered, by_domain=by_domain)
        if guess is None:
            others.append(files)
        elif guess.missing:
            incomplete.append(guess)
        else:
            delivered.add(guess.table)
            tables.append(guess)
    accounts = known_accounts(presets, tables)
    tables = [with_strangers(table, accounts) for table in tables]
    return Proposal(
        presets, tables, incomplete, others, _text(folder, name, found, presets, tables, incomplete, others, today)
    )


def _fit(files: FoundFiles, known: Portfolio) -> int:
    """How many columns of the table that files seem to be they have: those that fit best come first."""
    guess = None if files.fault else proposed(files, known)
    return len(guess.columns) if guess and not guess.missing else 0


def known_accounts(presets: Sequence[PresetProposal], tables: Sequence[TableProposal]) -> frozenset[str]:
    """The ids of the accounts seen; none where not all accounts were looked at."""
    ids = {account for preset in presets for account in preset.accounts}
    for table in tables:
        if table.table == "accounts":
            ids.update(table.found.values(table.columns["account_id"]))
    return frozenset(ids) if len(ids) < SAMPLE_ROWS else frozenset()


def known_contracts() -> Portfolio:
    """A portfolio without anything of its own: it gives the contracts of the tables."""
    source = {"kind": "synthetic", "world": "novacrm"}
    return Portfolio.model_validate(
        {"name": "draft", "currency": {"reporting": "USD"}, "revenue": {"basis": "invoices"}, "sources": [source]}
    )


def _text(
    folder: Path,
    name: str,
    found: Sequence[FoundFiles],
    presets: Sequence[PresetProposal],
    tables: Sequence[TableProposal],
    incomplete: Sequence[TableProposal],
    others: Sequence[FoundFiles],
    today: date,
) -> str:
    variable = f"{name.upper()}_DATA"
    delivered = [*(t for preset in presets for t in preset.tables), *(t.table for t in tables)]
    lines = [
        f"# Proposed from the files in a folder. Before the first refresh: export {variable}={folder}",
        "# What could not be told is said in comments; every key is explained in the reference of the YAML.",
        f"name: {name}",
        *_currency(found),
        *_as_of(found, today),
        *_basis(delivered),
        "",
        "sources:",
    ]
    if "accounts" not in delivered:
        lines += _comment("No file seems to hold the accounts, which every portfolio needs: at least their account_id.")
    for preset in presets:
        lines += _preset(preset, variable)
    for table in tables:
        lines += _source(table, variable)
    for table in incomplete:
        missing = ", ".join(table.missing)
        lines += _comment(
            f"{table.found.pattern} seems to be {table.table}, which needs {missing}: say which column it is. "
            f"There are {', '.join(table.unread)}."
        )
        lines += [f"  # {line.removeprefix('  ')}" for line in _source(table, variable)]
    for files in others:
        lines += _comment(f"Not used: {files.pattern}" + (f" ({files.fault})" if files.fault else ""))
    return "\n".join(lines) + "\n"


def _currency(found: Sequence[FoundFiles]) -> list[str]:
    """The most frequent currency, and the others as rates to be stated."""
    codes = Counter(
        value.upper()
        for files in found
        for column in files.columns
        if column.strip().lower().endswith("currency")
        for value in files.values(column)
        if len(value) == 3 and value.isalpha()
    )
    if not codes:
        return ["currency: {reporting: USD} # not told by the files: the currency of your reports"]
    reporting, *rest = [code for code, _ in codes.most_common()]
    if not rest:
        return [f"currency: {{reporting: {reporting}}}"]
    missing = ", ".join(f"{code}: ..." for code in rest)
    return [
        f"currency: {{reporting: {reporting}}}",
        f"# Amounts in {', '.join(rest)} need a rate, what one unit is worth in {reporting}: rates: {{{missing}}}",
    ]


def _as_of(found: Sequence[FoundFiles], today: date) -> list[str]:
    """The day of the export, where it is no export of today."""
    told = [
        (files, column) for files in found for column in files.columns if not _FUTURE & set(plain(column).split("_"))
    ]
    days = [day for files, column in told for value in files.values(column) if (day := day_of(value))]
    past = [day for day in days if day < today]
    newest = max(past, default=today)
    if today - newest <= OLD:
        return ["as_of: {default: yesterday}"]
    return [
        f"as_of: {{default: {newest}, earliest: {min(newest - timedelta(days=365), date(2023, 1, 1))}}} "
        "# the newest day seen in the first rows; for fresh exports `yesterday`"
    ]


def _basis(delivered: Sequence[str]) -> list[str]:
    basis = next((table for table in REVENUE_TABLES if table in delivered), None)
    if basis:
        return [f"revenue: {{basis: {basis}}}"]
    return [
        "revenue: {basis: subscriptions} # no contracts, invoices or MRR were found: without them there is no revenue"
    ]


def _preset(preset: PresetProposal, variable: str) -> Iterator[str]:
    folder = f"${{{variable}}}" + (f"/{preset.folder}" if preset.folder else "")
    yield from _comment(
        f"{preset.name} delivers {', '.join(preset.tables)}; `cx-intel presets {preset.name}` prints it."
    )
    yield f"  - preset: {preset.name}"
    yield f"    folder: {folder}"
    if preset.on_request:
        wanted = ", ".join(f"{table}: {{}}" for table in preset.on_request)
        yield f"    # tables: {{{wanted}}} # would be taken too"
    if preset.missing:
        yield f"    tables: {{{', '.join(f'{table}: null' for table in preset.missing)}}} # no files of it were found"


def _source(table: TableProposal, variable: str) -> Iterator[str]:
    for doubt in table.doubts:
        yield from _comment(doubt)
    keys: dict[str, Any] = {"kind": "files", "table": table.table, "path": f"${{{variable}}}/{table.found.pattern}"}
    keys |= table.found.layout
    keys["columns"] = {name: column for name, column in table.columns.items() if name != column}
    keys |= table.more
    for n, line in enumerate(_yaml({key: value for key, value in keys.items() if value != {}}).splitlines()):
        yield f"  {'- ' if n == 0 else '  '}{line}"
    if table.unread:
        yield from _comment(f"  Not read: {', '.join(table.unread)}")


def _yaml(values: dict[str, Any]) -> str:
    writer = YAML()
    writer.width = _WIDTH
    writer.indent(mapping=2, sequence=4, offset=2)
    out = StringIO()
    writer.dump(values, out)
    return out.getvalue()


def _comment(text: str) -> list[str]:
    indent = " " * (len(text) - len(text.lstrip()))
    lines, line = [], ""
    for word in text.split():
        if line and len(line) + len(word) > _WIDTH - 4:
            lines.append(line)
            line = ""
        line = f"{line} {word}".strip()
    return [f"  {indent}# {part}" for part in [*lines, line]]
