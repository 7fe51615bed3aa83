"""Writes the YAML of a portfolio from what was found (`finding.py`): presets where they fit, else tables as proposed.

What could not be told stands in it as comments, so that whoever reads it knows what to look at.
"""

import shlex
from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from datetime import date, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import LiteralScalarString

from cx_intel.proposals.columns.spellings import day_of
from cx_intel.proposals.finding import FittingPreset, Proposal, deliveries
from cx_intel.proposals.folders import FoundFiles
from cx_intel.proposals.keys import ACCOUNT_KEY
from cx_intel.proposals.presets import PresetProposal
from cx_intel.proposals.tables import TableProposal, is_named
from cx_intel.proposals.words.billing import CURRENCY_WORDS
from cx_intel.proposals.words.names import plain
from cx_intel.settings.sources.base import DELIVERED_ONCE
from cx_intel.settings.yaml.presets import LINKS, preset_of
from cx_intel.warehouse.duckdb.queries.drafted_queries import ROWS

COMPARED = [7, 30]
"""Days before the first refresh that get a snapshot too: those of a week and a month ago."""
HISTORY = timedelta(days=60)
"""How far every file of events, tickets and invoices reaches back for that: a month, and the 30 days that a score looks at."""
OLD = timedelta(days=7)
"""An export whose newest row is older than that is taken for one of that day."""
OLD_WITHOUT_DAILY_ROWS = timedelta(days=400)
"""The most that it may be where nothing has rows for each day or month: accounts and contracts may begin seldom."""
USUAL_GAPS, NEWEST_DAYS, LEAST_DAYS = 10, 20, 5
"""Where they begin often it is so many times the usual gap between the newest days, if there are so many at least."""
_SELDOM = ("accounts", "subscriptions", "account_aliases")
"""Tables whose newest row does not tell the day of the export."""
LATER_SHARE = 0.05
"""Where more of the accounts and contracts begin after the newest of the other rows, these ended before the export."""
REVENUE_TABLES = ("subscriptions", "mrr_history", "invoices")
"""The tables that MRR can be read from, the likeliest basis first."""
_FUTURE = {
    *("end", "ends", "ended", "until", "to", "cancel", "cancels", "renewal", "renews", "due", "close", "expires"),
    *("valid", "expiry", "expiration", "next", "ende", "vertragsende", "bis"),
}
"""Words in the names of columns whose days may lie after the export."""
_SIGNS = {"€": "EUR", "£": "GBP", "$": "USD"}
_WIDTH = 116


def draft_of(proposal: Proposal, name: str, today: date, *, folder: Path | None = None, connection: str = "") -> str:
    """The YAML of a portfolio.

    Args:
        proposal: What was found.
        name: The portfolio; its folder is the variable of its name in capitals and `_DATA`.
        today: Tells whether an export is an old one.
        folder: The folder that was looked at.
        connection: The variable with the address of the database that was looked at.
    """
    variable = variable_of(name)
    needed = [f"{variable}={shlex.quote(str(folder))}"] if folder else []
    needed += [f"{connection}=..., the address of the database"] if connection else []
    lines = [
        f"# Proposed from what was found. Before a refresh: export {' '.join(needed)}",
        "# What could not be told is said in comments; every key is explained in the reference of the YAML.",
        f"name: {name}",
        *_currency(proposal),
        *_as_of(proposal, today),
        *_basis(proposal.delivered),
        "",
        "sources:",
    ]
    if "accounts" not in proposal.delivered:
        lines += _comment("Nothing seems to hold the accounts, which every portfolio needs: at least their account_id.")
    delivering = deliveries((*proposal.landed, *proposal.presets))
    for landed in proposal.landed:
        lines += _described(landed, delivering)
        lines += [f"  - preset: {landed.name}", f"    connection: ${{{connection}}}"]
        lines += [f"    schema: {landed.schema}"] if landed.schema else ["    schema: main"]
        lines += _left_out(landed, delivering)
    for preset in proposal.presets:
        lines += _described(preset, delivering)
        lines += _preset(preset, variable)
        lines += _left_out(preset, delivering, preset.missing)
    for table in proposal.tables:
        lines += _source(table, variable, connection)
    for table in proposal.incomplete:
        lines += _comment(_why_not_read(table))
        lines += [f"  # {line.removeprefix('  ')}" for line in _source(table, variable, connection)]
    for files in proposal.others:
        lines += _comment(f"Not used: {files.title}" + (f" ({files.fault})" if files.fault else ""))
    return "\n".join(lines) + "\n"


def _why_not_read(table: TableProposal) -> str:
    if table.left_out:
        return f"{table.found.title} seems to be {table.table}, and is not read: {table.left_out}"
    paid = table.table == "invoices" and "status" in table.missing
    return (
        f"{table.found.title} seems to be {table.table}, which needs {', '.join(table.missing)}: say which column it is"
        f"{', or state `constants: {status: paid}` where all are paid' if paid else ''}. "
        f"{'There are ' + ', '.join(table.unread) if table.unread else 'All columns are read'}."
    )


def _currency(proposal: Proposal) -> list[str]:
    """The most frequent currency, and the others as rates to be stated."""
    found = proposal.found
    by_name = {table.found.title: code for table in proposal.tables if (code := table.constants.get("currency"))}
    codes = Counter(
        value.upper()
        for files in found
        for column in files.columns
        if plain(column).endswith(CURRENCY_WORDS) and files.title not in by_name
        for value in files.values(column)
        if len(value) == 3 and value.isalpha()
    )
    for files in found:
        if code := by_name.get(files.title):
            codes[str(code)] += len(files.rows)
    if not codes and (signs := Counter(_signs(found))):
        (code, _), *_ = signs.most_common()
        return [f"currency: {{reporting: {code}}} # by the sign of amounts"]
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


def _signs(found: Sequence[FoundFiles]) -> Iterator[str]:
    """The currencies whose signs stand beside numbers."""
    for files in found:
        for column in files.columns:
            for value in files.values(column):
                if any(sign.isdigit() for sign in value) and (sign := _SIGNS.get(value[0]) or _SIGNS.get(value[-1])):
                    yield sign


def _as_of(proposal: Proposal, today: date) -> list[str]:
    """The day of the export, where it is no export of today."""
    formats = {table.found.title: table.date_formats for table in (*proposal.tables, *proposal.incomplete)}
    slow = {table.found.title for table in (*proposal.tables, *proposal.incomplete) if table.table in _SELDOM}
    slow |= {files.title for files in proposal.others if any(is_named(files, table) for table in _SELDOM)}
    days: dict[bool, list[date]] = {True: [], False: []}
    begun: list[date] = []
    for files in proposal.found:
        of_file: list[date] = []
        for column in files.columns:
            if not _FUTURE & set(plain(column).split("_")):
                given = (day_of(value, formats.get(files.title, ())) for value in files.values_to_the_end(column))
                of_file += [day for day in given if day and day < today]
        days[files.title in slow] += of_file
        begun += [min(of_file)] if of_file and files.title not in slow else []
    frequent, seldom = max(days[False], default=None), max(days[True], default=None)
    if frequent and sum(day > frequent for day in days[True]) > LATER_SHARE * len(days[True]):
        frequent = None
    newest = frequent or seldom or today
    reaches_back = bool(frequent or seldom) and max(begun, default=date.min) <= newest - HISTORY
    compared = f", first_snapshots: {COMPARED}" if reaches_back else ""
    why = "the first refresh also makes the days that a week and a month are compared with"
    told = [f"# {why}"] if compared else []
    if today - newest <= (OLD if frequent else _old_at(days[True])):
        return [*told, f"as_of: {{default: yesterday{compared}}}"]
    return [
        *told,
        f"as_of: {{default: {newest}, earliest: {min(newest - timedelta(days=365), date(2023, 1, 1))}{compared}}} "
        "# the newest day seen in the first and last rows; for fresh exports `yesterday`",
    ]


def _old_at(begun: Sequence[date]) -> timedelta:
    """How old the newest beginning of an account or a contract may be, for an export of today."""
    newest = sorted(set(begun))[-NEWEST_DAYS:]
    if len(newest) < LEAST_DAYS:
        return OLD_WITHOUT_DAILY_ROWS
    gap = (newest[-1] - newest[0]) / (len(newest) - 1)
    return min(OLD_WITHOUT_DAILY_ROWS, max(OLD, USUAL_GAPS * gap))


def _basis(delivered: Container[str]) -> list[str]:
    basis = next((table for table in REVENUE_TABLES if table in delivered), None)
    if basis:
        return [f"revenue: {{basis: {basis}}}"]
    return [
        "revenue: {basis: subscriptions} # no contracts, invoices or MRR were found: no refresh until a source delivers them"
    ]


def variable_of(name: str) -> str:
    """The variable that stands for the folder of a portfolio."""
    return f"{name.upper()}_DATA"


def _described(preset: FittingPreset, delivering: Mapping[str, FittingPreset]) -> Iterator[str]:
    """What is taken of a preset, and what is not since another one delivers it."""
    taken = [table for table in preset.tables if table == LINKS or delivering[table] is preset]
    tables = ", ".join(taken) or "nothing"
    yield from _comment(f"{preset.name} delivers {tables}; `cx-intel presets {preset.name}` prints it.")
    alone = preset_of(preset.name).alone
    for table in (table for table in preset.tables if table not in taken):
        other = delivering[table].name
        text = f"Its {table} are left out, as {other} delivers that table too"
        if table in alone:
            text += f"; `tables: {{{table}: null}}` there takes these instead"
        elif table not in DELIVERED_ONCE:
            text += f"; `tables: {{{table}: {{name: ...}}}}` at each, with a name of its own, takes both"
        yield from _comment(f"{text}.")
        if table == "accounts" and table not in alone:
            yield from _comment(f"Rows that name accounts which {other} does not have are quarantined.")


def _left_out(
    preset: FittingPreset, delivering: Mapping[str, FittingPreset], missing: Sequence[str] = ()
) -> Iterator[str]:
    """The tables of a preset that are not taken, as there are no files of them or another preset delivers them."""
    kept = (*preset_of(preset.name).alone, LINKS)
    again = [table for table in preset.tables if table not in kept and delivering[table] is not preset]
    reasons = (["no files of it were found"] if missing else []) + (["another source delivers it"] if again else [])
    if reasons:
        yield f"    tables: {{{', '.join(f'{table}: null' for table in (*missing, *again))}}} # {', or '.join(reasons)}"


def _preset(preset: PresetProposal, variable: str) -> Iterator[str]:
    yield f"  - preset: {preset.name}"
    yield f"    folder: ${{{variable}}}" + (f"/{preset.folder}" if preset.folder else "")
    if preset.account_key:
        option = _yaml({ACCOUNT_KEY: preset.account_key}).strip()
        yield f"    options: {{{option}}} # where it keeps the ids of the accounts"
    if preset.on_request:
        wanted = ", ".join(f"{table}: {{}}" for table in preset.on_request)
        yield f"    # tables: {{{wanted}}} # would be taken too"


def _source(table: TableProposal, variable: str, connection: str) -> Iterator[str]:
    for doubt in table.doubts:
        yield from _comment(doubt)
    path = f"${{{variable}}}/{table.found.pattern}"
    if table.found.is_landed:
        keys: dict[str, Any] = {"kind": "sql", "table": table.table, "connection": f"${{{connection}}}"}
        keys["tables"] = {ROWS: {"name": table.found.pattern, "columns": table.columns}}
        if table.joined:
            keys["tables"][table.joined_as] = {"name": table.joined.pattern, "columns": table.of_joined}
        keys |= {name: value for name, value in table.more.items() if name != "constants"}
        keys["query"] = LiteralScalarString(table.query)
    elif table.query:
        rows = {"path": path, **table.found.layout, "columns": table.columns}
        keys = {"kind": "sql", "table": table.table, "files": {ROWS: rows}}
        if table.joined:
            other = {
                "path": f"${{{variable}}}/{table.joined.pattern}",
                **table.joined.layout,
                "columns": table.of_joined,
            }
            keys["files"][table.joined_as] = other
        keys |= {name: value for name, value in table.more.items() if name != "constants"}
        keys["query"] = LiteralScalarString(table.query)
    else:
        keys = {"kind": "files", "table": table.table, "path": path, **table.found.layout}
        keys["columns"] = {name: column for name, column in table.columns.items() if name != column}
        keys |= table.more
        if table.namesakes:
            keys["constants"] = {**dict.fromkeys(table.namesakes, ""), **table.constants}
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
