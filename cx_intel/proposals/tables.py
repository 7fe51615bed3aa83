"""Which canonical table files hold, and which of their columns is which: from names, and from what the first rows say.

The names are in `words.py`; how days and numbers are written in `spellings.py`, what amounts and ratings are for in
`meanings.py`; what is proposed is written down in `draft.py`. Nothing is certain here: what could not be told
is part of the proposal.
"""

import re
from collections.abc import Container, Sequence
from dataclasses import dataclass, field, replace

from cx_intel.contracts.contract import COUNT, DATE, MONEY, NUMBER, PRICE, TIME, Column
from cx_intel.contracts.delivered import delivered_columns, needed_columns
from cx_intel.contracts.staging.tables import STAGING
from cx_intel.proposals.folders import FoundFiles
from cx_intel.proposals.meanings import FIGURE, MEANINGS, without_billing
from cx_intel.proposals.spellings import day_of, spellings
from cx_intel.proposals.words import COLUMN_WORDS, TABLE_WORDS, plain
from cx_intel.settings.portfolio import Portfolio

_NUMBER = re.compile(r"^[^\d(-]{0,4}\(?-?[\d.,' ]*\d\)?[^\d]{0,4}$")
_DAY = re.compile(r"^(\d{4}-\d\d?-\d\d?|\d\d?[./]\d\d?[./]\d{4}|\d{10}(\.\d+)?|\d{13}|\d{8}T?|\w{3,9} \d\d?,? \d{4})")
_MONTH = re.compile(r"^\d{4}-\d\d$")
MIN_FIGURES = 3
"""Columns of numbers beside an account and a day that make a file one of measured figures."""
FITTING_SHARE = 0.8
"""Of the cells looked at, the share that has to be a day or a number for a column to be taken for one."""


@dataclass(frozen=True)
class TableProposal:
    """A source that files could be.

    Attributes:
        table: The canonical table.
        found: The files.
        columns: Canonical name: the files' name.
        more: Further keys of the source, such as `date_formats`.
        missing: Canonical columns that are needed and that no column of the files seems to be.
        doubts: What could not be told, as sentences.
    """

    table: str
    found: FoundFiles
    columns: dict[str, str]
    more: dict[str, object] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()

    @property
    def date_formats(self) -> list[str]:
        """How its days are written, where not in ISO form."""
        stated = self.more.get("date_formats", [])
        return stated if isinstance(stated, list) else []

    @property
    def unread(self) -> tuple[str, ...]:
        """The columns of the files that nothing reads."""
        unpivot = self.more.get("unpivot")
        read = {*self.columns.values(), *(unpivot["columns"] if isinstance(unpivot, dict) else ())}
        return tuple(name for name in self.found.columns if name not in read)


def proposed(
    found: FoundFiles, portfolio: Portfolio, taken: Container[str] = (), *, by_domain: bool = False
) -> TableProposal | None:
    """The table that files most likely hold; None where neither their name nor their columns tell.

    Args:
        found: The files.
        portfolio: Gives the contracts of the tables.
        taken: Tables that other files hold. Files whose name tells one of them are not taken for another by columns alone.
        by_domain: Whether e-mail addresses lead to accounts, where the files have no ids of accounts.
    """
    best: tuple[float, TableProposal] | None = None
    is_another = False
    if "metrics" not in taken and (wide := _wide_metrics(found)):
        best = (_score(is_named=True, is_whole=True, share=1.0, columns=2.5), wide)  # unless a table has three columns
    for table, words in TABLE_WORDS.items():
        proposal = _of_table(table, found, portfolio, by_domain)
        is_named = any(word in found.plain_name for word in words)
        needed = needed_columns(STAGING[table](portfolio))
        have = len(needed) - len(proposal.missing)
        if not have or (proposal.missing and not is_named):
            continue
        if table in taken:
            is_another = is_another or (is_named and not proposal.missing)
            continue
        if not is_named:
            doubt = f"{found.title} is taken for {table} by its columns alone: its name does not tell."
            proposal = replace(proposal, doubts=(doubt, *proposal.doubts))
        score = _score(is_named, not proposal.missing, have / len(needed), len(proposal.columns))
        if best is None or score > best[0]:
            best = (score, proposal)
    if best and is_another and best[0] < _score(is_named=True, is_whole=False, share=0.0, columns=0.0):
        return None
    return best[1] if best else None


def _score(is_named: bool, is_whole: bool, share: float, columns: float) -> float:
    """How well files fit a table: by their name, then by having all or most columns that it needs, then by the others."""
    return 10 * is_named + 4 * is_whole + 2 * share + columns / 100


def with_strangers(table: TableProposal, accounts: Container[str]) -> TableProposal:
    """The proposal with a doubt where its account ids are not those of the accounts."""
    if not accounts or table.table == "accounts" or "account_id" not in table.columns or "system" in table.more:
        return table
    ids = set(table.found.values(table.columns["account_id"]))
    strangers = [value for value in ids if value not in accounts]
    if len(strangers) <= len(ids) / 2:
        return table
    doubt = (
        f"{len(strangers)} of {len(ids)} ids in {table.columns['account_id']} are no ids of the accounts, such as "
        f"{min(strangers)}: where they are another system's, state its `system` and its links under `identity`."
    )
    return replace(table, doubts=(*table.doubts, doubt))


def _wide_metrics(found: FoundFiles) -> TableProposal | None:
    """Measured figures, a column each, with an account and a day: one row of metrics a figure."""
    if not found.rows:
        return None
    given = {plain(name): name for name in reversed(found.columns)}
    account = next((given[word] for word in COLUMN_WORDS["metrics"]["account_id"] if word in given), None)
    days = [n for n in found.columns if (seen := found.values(n)) and all(day_of(v) for v in seen)]
    figures = [n for n in found.columns if n != account and (v := found.values(n)) and all(FIGURE.match(x) for x in v)]
    if account is None or len(days) != 1 or len(figures) < MIN_FIGURES:
        return None
    unpivot = {"columns": figures, "name_to": "metric", "value_to": "value"}
    columns = {"account_id": account, "measured_on": days[0]}
    doubt = f"{', '.join(figures)} are taken for figures measured on {days[0]}."
    return TableProposal("metrics", found, columns, {"unpivot": unpivot}, doubts=(doubt,))


def _of_table(table: str, found: FoundFiles, portfolio: Portfolio, by_domain: bool) -> TableProposal:
    contract = STAGING[table](portfolio)
    kinds = {column.name: column for column in delivered_columns(contract)}
    columns = _mapping(table, found, kinds)
    by_mail: dict[str, object] = {}
    if by_domain and "account_id" in kinds and "account_id" not in columns and (mail := _mail_column(found)):
        columns = {"account_id": mail, **columns}
        by_mail = {"system": "domain"}
    said_of_periods = without_billing(columns) if table == "subscriptions" else []
    missing = tuple(name for name in needed_columns(contract) if name not in columns)
    if table == "subscriptions" and not {"amount", "unit_amount"} & set(columns):
        missing += ("amount",)
    more, doubts = spellings(columns, found, kinds)
    doubts += said_of_periods
    if table == "subscriptions" and {"amount", "quantity"} <= set(columns):
        doubts.append(
            f"Whether {columns['amount']} is for all of {columns['quantity']} or for one is not told; it is taken for all."
        )
        more["amount_is"] = "total"
    for add in MEANINGS:
        keys, said = add(table, columns, found)
        more |= keys
        doubts += said
    return TableProposal(table, found, columns, {**by_mail, **more}, missing, tuple(doubts))


def _mail_column(found: FoundFiles) -> str | None:
    """The first column of e-mail addresses."""
    seen = {name: found.values(name) for name in found.columns}
    return next((n for n, v in seen.items() if v and sum("@" in x for x in v) >= FITTING_SHARE * len(v)), None)


def _mapping(table: str, found: FoundFiles, kinds: dict[str, Column]) -> dict[str, str]:
    """Canonical name: the column that is most likely it. Each column is one thing, the likeliest name first."""
    given = {plain(name): name for name in reversed(found.columns)}
    wanted = [(place, name, word) for name, words in COLUMN_WORDS[table].items() for place, word in enumerate(words)]
    columns: dict[str, str] = {}
    for _, name, word in sorted(wanted, key=lambda entry: (entry[2] != entry[1], entry[0])):
        free = word in given and given[word] not in columns.values()
        if name not in columns and free and name in kinds and _fits(found.values(given[word]), kinds[name]):
            columns[name] = given[word]
    order = list(COLUMN_WORDS[table])
    return dict(sorted(columns.items(), key=lambda entry: order.index(entry[0])))


def _fits(values: Sequence[str], column: Column) -> bool:
    if column.type in (DATE, TIME):
        pattern = _MONTH if column.name == "month" else _DAY
        fitting = sum(bool(_DAY.match(v) or pattern.match(v)) for v in values)
    elif column.type in (MONEY, PRICE, NUMBER, COUNT):
        fitting = sum(bool(_NUMBER.match(v)) for v in values)
    else:
        return True
    return fitting >= FITTING_SHARE * len(values)
