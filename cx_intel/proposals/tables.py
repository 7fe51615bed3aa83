"""Which canonical table files hold, and which of their columns is which: from names, and from what the first rows say.

The names are in `words`; how days and numbers are written in `spellings.py`, what amounts and ratings are for in
`meanings.py`; what is proposed is written down in `draft.py`. Nothing is certain here: what could not be told
is part of the proposal.
"""

import re
from collections.abc import Container, Mapping
from dataclasses import dataclass, field, replace

from cx_intel.contracts.delivered import delivered_columns, needed_columns
from cx_intel.contracts.staging.tables import STAGING
from cx_intel.proposals.columns.ends import of_ends, of_periods
from cx_intel.proposals.columns.load_days import loaded_at
from cx_intel.proposals.columns.mapping import FITTING_SHARE, mapping, misread
from cx_intel.proposals.columns.meanings import FIGURE, is_recurring, meanings, without_billing
from cx_intel.proposals.columns.spellings import day_of, spellings
from cx_intel.proposals.folders import FoundFiles
from cx_intel.proposals.words.columns import COLUMN_WORDS
from cx_intel.proposals.words.files import NEVER_NAMED, TABLE_WORDS, TELLING
from cx_intel.proposals.words.names import plain
from cx_intel.settings.portfolio import Portfolio
from cx_intel.warehouse.duckdb.queries.drafted_queries import OWNERS, PRICES

_BILLING = ("subscriptions", "invoices")
"""Files named after these hold amounts, not measured figures, even where a column that they need is missing."""
MIN_FIGURES = 3
"""Columns of numbers beside an account and a day that make a file one of measured figures."""


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
        query: What gives the table, where its rows are not those of the files; the files' names are those of `columns` in it.
        joined: The files or the table that tell more of each row, such as the price of a subscription's plan.
        of_joined: Canonical name: its name there; `key` is what both have.
        left_out: Why it is not read for now, though no column is missing.
        namesakes: Canonical names that a column of the files has and that it is not taken for: a source would read it.
    """

    table: str
    found: FoundFiles
    columns: dict[str, str]
    more: dict[str, object] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    query: str = ""
    joined: FoundFiles | None = None
    of_joined: dict[str, str] = field(default_factory=dict)
    left_out: str = ""
    namesakes: tuple[str, ...] = ()

    @property
    def joined_as(self) -> str:
        """What `joined` is called in the query: a price is missing, or an account."""
        return OWNERS if "account_id" in self.of_joined else PRICES

    @property
    def date_formats(self) -> list[str]:
        """How its days are written, where not in ISO form."""
        return _formats(self.more)

    @property
    def constants(self) -> dict[str, object]:
        """What holds for all rows, by canonical name."""
        stated = self.more.get("constants")
        return stated if isinstance(stated, dict) else {}

    @property
    def unread(self) -> tuple[str, ...]:
        """The columns of the files that nothing reads."""
        unpivot = self.more.get("unpivot")
        read = {*self.columns.values(), *(unpivot["columns"] if isinstance(unpivot, dict) else ())}
        return tuple(name for name in self.found.columns if name not in read)


def _formats(more: Mapping[str, object]) -> list[str]:
    stated = more.get("date_formats", [])
    return stated if isinstance(stated, list) else []


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
    is_billing = any(is_named(found, table) for table in _BILLING) and not is_named(found, "metrics")
    if not is_billing and (wide := _wide_metrics(found)):
        best = (_score(is_named=True, is_whole=True, share=1.0, columns=2.5), wide)  # unless a table has three columns
    for table in TABLE_WORDS:
        proposal = _of_table(table, found, portfolio, by_domain)
        named = is_named(found, table)
        if is_never(found, table):
            continue
        needed = needed_columns(STAGING[table](portfolio))
        have = len(needed) - len(proposal.missing)
        if not have or (proposal.missing and not named):
            continue
        if table in taken:
            is_another = is_another or named
            continue
        if not named and not _is_telling(proposal):
            continue
        if not named:
            doubt = f"{found.title} is taken for {table} by its columns alone: its name does not tell."
            proposal = replace(proposal, doubts=(doubt, *proposal.doubts))
        score = _score(named, not proposal.missing, have / len(needed), len(proposal.columns))
        if best is None or score > best[0]:
            best = (score, proposal)
    if best and is_another and best[0] < _score(is_named=True, is_whole=False, share=0.0, columns=0.0):
        return None
    return best[1] if best else None


def is_named(found: FoundFiles, table: str | None = None) -> bool:
    """Whether the name of files tells that they hold a table, or any."""
    words = [word for name, words in TABLE_WORDS.items() if table in (None, name) for word in words]
    return any(word in found.plain_name for word in words)


def is_never(found: FoundFiles, table: str) -> bool:
    """Whether the name of files tells that they hold something else than a table, whatever their columns are called."""
    return "usage" not in found.plain_name and any(word in found.plain_name for word in NEVER_NAMED.get(table, ()))


def _is_telling(proposal: TableProposal) -> bool:
    """Whether the columns of a file, its name apart, tell its table from others."""
    words = TELLING.get(proposal.table)
    names = [plain(name) for name in proposal.columns.values()]
    return words is None or any(word in name for name in names for word in words)


def of_all_or_one(price: str, units: str) -> str:
    """What is said of a price beside a number of units."""
    return f"Whether {price} is for all of {units} or for one is not told; it is taken for all."


def taken_off(price: str, discount: str) -> str:
    """What is said of a recurring amount beside a discount."""
    return f"{price} is taken for what is paid, {discount} taken off already."


def guessed(table: str, found: FoundFiles, portfolio: Portfolio) -> TableProposal:
    """The files as a table, whether they can be it or not."""
    return _of_table(table, found, portfolio, by_domain=False)


def _score(is_named: bool, is_whole: bool, share: float, columns: float) -> float:
    """How well files fit a table: by their name, then by having all or most columns that it needs, then by the others."""
    return 10 * is_named + 4 * is_whole + 2 * share + columns / 100


_NAMES_OF_PEOPLE = {"contact_name", "first_name", "last_name", "email"}


def _wide_metrics(found: FoundFiles) -> TableProposal | None:
    """Measured figures, a column each, with an account and a day: one row of metrics a figure."""
    if not found.rows:
        return None
    given = {plain(name): name for name in reversed(found.columns)}
    account = next((given[word] for word in COLUMN_WORDS["metrics"]["account_id"] if word in given), None)
    days = [n for n in found.columns if (seen := found.values(n)) and all(day_of(v) for v in seen)]
    days = [name for name in days if name not in loaded_at(found)]
    others = [n for n in found.columns if n != account and not re.search(r"(^|_)id$", plain(n))]
    figures = [n for n in others if (seen := found.values(n)) and all(FIGURE.match(value) for value in seen)]
    if account is None or len(days) != 1 or len(figures) < MIN_FIGURES:
        return None
    unpivot = {"columns": figures, "name_to": "metric", "value_to": "value"}
    columns = {"account_id": account, "measured_on": days[0]}
    doubt = f"{', '.join(figures)} are taken for figures measured on {days[0]}."
    return TableProposal("metrics", found, columns, {"unpivot": unpivot}, doubts=(doubt,))


def _of_table(table: str, found: FoundFiles, portfolio: Portfolio, by_domain: bool) -> TableProposal:
    contract = STAGING[table](portfolio)
    kinds = {column.name: column for column in delivered_columns(contract)}
    needed = needed_columns(contract)
    columns = mapping(table, found, kinds, needed)
    unread = misread(table, columns, found, kinds)
    stood_in = _standing_in(table, columns, found)
    by_mail: dict[str, object] = {}
    if by_domain and "account_id" in kinds and "account_id" not in columns and (mail := _mail_column(found)):
        columns = {"account_id": mail, **columns}
        by_mail = {"system": "domain"}
    said_of_periods = without_billing(columns) if table == "subscriptions" else []
    missing = tuple(name for name in needed if name not in columns)
    if table == "subscriptions" and not {"amount", "unit_amount"} & set(columns):
        missing += ("amount",)
    if table == "contacts" and not _NAMES_OF_PEOPLE & set(columns):
        missing += ("email",)
    more, doubts = spellings(columns, found, kinds)
    doubts += [*unread.values(), *stood_in, *said_of_periods]
    if found.columns and not found.rows:
        doubts.insert(0, f"{found.title} has no rows: only the names of its columns were looked at.")
    if found.below:
        doubts.append(
            f"The last {len(found.below)} lines of {found.title} are no rows, such as {found.below[0][:50]!r}: they are "
            f"quarantined, and above `max_quarantined_pct` (5) stop the refresh. Export it without them."
        )
    if table == "subscriptions" and {"amount", "quantity"} <= set(columns):
        doubts.append(of_all_or_one(columns["amount"], columns["quantity"]))
        more["amount_is"] = "total"
    if table in _BILLING:
        ends, said = (of_ends if table == "subscriptions" else of_periods)(columns, found, _formats(more))
        more, doubts = more | ends, doubts + said
    keys, said = meanings(table, columns, found)
    namesakes = [name for name in kinds if name in found.columns and name not in (*columns, *unread)]
    return TableProposal(
        table, found, columns, {**by_mail, **more, **keys}, missing, (*doubts, *said), namesakes=tuple(namesakes)
    )


def _mail_column(found: FoundFiles) -> str | None:
    """The first column of e-mail addresses."""
    seen = {name: found.values(name) for name in found.columns}
    return next((n for n, v in seen.items() if v and sum("@" in x for x in v) >= FITTING_SHARE * len(v)), None)


def _standing_in(table: str, columns: dict[str, str], found: FoundFiles) -> list[str]:
    """What is said where a column stands in for another, or is left out; those that change do so in `columns`."""
    doubts = [
        f"{name} is one day in all rows, on which they were written: it tells no other day."
        for name in loaded_at(found)
    ]
    if table != "subscriptions":
        return sorted(doubts)
    if "canceled_at" in columns and not {"end_date", "cancel_at"} & set(columns):
        columns["end_date"] = columns.pop("canceled_at")
        doubts.append(f"{columns['end_date']} is taken for the day from which a contract is no longer in force.")
    if "discount_pct" in columns and is_recurring(columns.get("amount", "")):
        doubts.append(taken_off(columns["amount"], columns.pop("discount_pct")))
    if "subscription_id" not in columns and (account := columns.get("account_id")):
        ids = found.values_to_the_end(account)
        if ids and len(set(found.values(account))) == len(found.values(account)):
            columns |= {"subscription_id": account}
            doubts.append(f"No column has an id of contracts: each {account} is taken for one, as it stands once.")
    return doubts
