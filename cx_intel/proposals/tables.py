"""Which canonical table files hold, and which of their columns is which: from names, and from what the first rows say.

The names are in `words.py`; what is proposed is written down in `draft.py`. Nothing is certain here: what could not be told
is part of the proposal.
"""

import re
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from cx_intel.contracts.contract import COUNT, DATE, MONEY, NUMBER, PRICE, TIME, Column
from cx_intel.contracts.delivered import delivered_columns, needed_columns
from cx_intel.contracts.staging.tables import STAGING
from cx_intel.proposals.folders import FoundFiles
from cx_intel.proposals.words import COLUMN_WORDS, PRIORITIES, TABLE_WORDS, plain
from cx_intel.settings.portfolio import Portfolio

_NUMBER = re.compile(r"^[^\d(-]{0,4}\(?-?[\d.,' ]*\d\)?[^\d]{0,4}$")
_DAY = re.compile(r"^(\d{4}-\d\d?-\d\d?|\d\d?[./]\d\d?[./]\d{4}|\d{10}(\.\d+)?|\d{13}|\d{8}T?|\w{3,9} \d\d?,? \d{4})")
_MONTH = re.compile(r"^\d{4}-\d\d$")
_LOCAL_DAY = re.compile(r"^(\d\d?)([./])(\d\d?)\2(\d{4})(.*)$")
_COMMA = re.compile(r"^-?[\d.' ]*\d,\d{1,2}$")
_NEITHER = re.compile(r"^-?\d{1,3}[.,]\d{3}$")
_FIGURE = re.compile(r"^-?\d+(\.\d+)?$")
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
    def unread(self) -> tuple[str, ...]:
        """The columns of the files that nothing reads."""
        unpivot = self.more.get("unpivot")
        read = {*self.columns.values(), *(unpivot["columns"] if isinstance(unpivot, dict) else ())}
        return tuple(name for name in self.found.columns if name not in read)


def day_of(value: str) -> date | None:
    """The day that a cell begins with in ISO form; None where it does not."""
    try:
        return date.fromisoformat(value[:10])
    except ValueError:
        return None


def proposed(
    found: FoundFiles, portfolio: Portfolio, taken: Container[str] = (), *, by_domain: bool = False
) -> TableProposal | None:
    """The table that files most likely hold; None where neither their name nor their columns tell.

    Args:
        found: The files.
        portfolio: Gives the contracts of the tables.
        taken: Tables that other files hold.
        by_domain: Whether e-mail addresses lead to accounts, where the files have no ids of accounts.
    """
    best: tuple[float, TableProposal] | None = None
    if "metrics" not in taken and (wide := _wide_metrics(found)):
        best = (_score(is_named=True, is_whole=True, share=1.0, columns=2.5), wide)  # unless a table has three columns
    for table, words in TABLE_WORDS.items():
        proposal = _of_table(table, found, portfolio, by_domain)
        names = plain(found.pattern.rsplit("/", 1)[-1])
        is_named = any(word in names for word in words)
        needed = needed_columns(STAGING[table](portfolio))
        have = len(needed) - len(proposal.missing)
        if table in taken or not have or (proposal.missing and not is_named):
            continue
        score = _score(is_named, not proposal.missing, have / len(needed), len(proposal.columns))
        if best is None or score > best[0]:
            best = (score, proposal)
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
    figures = [n for n in found.columns if n != account and (v := found.values(n)) and all(_FIGURE.match(x) for x in v)]
    if account is None or len(days) != 1 or len(figures) < MIN_FIGURES:
        return None
    unpivot = {"columns": figures, "name_to": "metric", "value_to": "value"}
    return TableProposal("metrics", found, {"account_id": account, "measured_on": days[0]}, {"unpivot": unpivot})


def _of_table(table: str, found: FoundFiles, portfolio: Portfolio, by_domain: bool) -> TableProposal:
    contract = STAGING[table](portfolio)
    kinds = {column.name: column for column in delivered_columns(contract)}
    columns = _mapping(table, found, kinds)
    by_mail: dict[str, object] = {}
    if by_domain and "account_id" in kinds and "account_id" not in columns and (mail := _mail_column(found)):
        columns = {"account_id": mail, **columns}
        by_mail = {"system": "domain"}
    missing = tuple(name for name in needed_columns(contract) if name not in columns)
    if table == "subscriptions" and not {"amount", "unit_amount"} & set(columns):
        missing += ("amount",)
    more, doubts = _spellings(columns, found, kinds)
    if table == "subscriptions" and {"amount", "quantity"} <= set(columns):
        doubts.append(
            f"Whether {columns['amount']} is for all of {columns['quantity']} or for one is not told; it is taken for all."
        )
        more["amount_is"] = "total"
    for add in (_period, _priorities):
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


def _spellings(
    columns: dict[str, str], found: FoundFiles, kinds: dict[str, Column]
) -> tuple[dict[str, object], list[str]]:
    """How days and numbers are written, where they are not written as everywhere."""
    more: dict[str, object] = {}
    doubts: list[str] = []
    days = [v for n, c in columns.items() if kinds[n].type in (DATE, TIME) for v in found.values(c)]
    numbers = [v for n, c in columns.items() if kinds[n].type in (MONEY, PRICE, NUMBER) for v in found.values(c)]
    local = [match for value in days if (match := _LOCAL_DAY.match(value))]
    if local:
        more["date_formats"], said = _day_formats(local)
        doubts += said
    if any(_COMMA.match(value) for value in numbers):
        more["decimal"] = ","
    elif any(_NEITHER.match(value) for value in numbers) and not any(
        "." in v and not _NEITHER.match(v) for v in numbers
    ):
        doubts.append('A number such as 1,234 may be meant either way: state `decimal: "."` or `decimal: ","`.')
    return more, doubts


def _day_formats(local: Iterable[re.Match[str]]) -> tuple[list[str], list[str]]:
    found = list(local)
    signs = Counter(match[2] for match in found)
    sign = signs.most_common(1)[0][0]
    is_day_first = sign == "." or any(int(match[1]) > 12 for match in found)
    doubts = []
    if not is_day_first and not any(int(match[3]) > 12 for match in found):
        doubts.append("Whether 05/06/2025 is a day in June or in May is not told: May is in `date_formats`.")
    day = f"%d{sign}%m{sign}%Y" if is_day_first else f"%m{sign}%d{sign}%Y"
    return list(dict.fromkeys(f"{day}{clock}" for clock in sorted(set(_clocks(found))))), doubts


def _clocks(found: Iterable[re.Match[str]]) -> Iterator[str]:
    for match in found:
        rest = match[5]
        if not rest.strip():
            yield ""
            continue
        hour = "%I" if rest.rstrip().upper().endswith("M") else "%H"
        lead = re.match(r"^[, T]*", rest)
        colons = rest.count(":")
        clock = f"{lead[0] if lead else ' '}{hour}" + (":%M" if colons else "") + (":%S" if colons > 1 else "")
        yield clock + (" %p" if hour == "%I" else "")


def _period(table: str, columns: dict[str, str], found: FoundFiles) -> tuple[dict[str, object], list[str]]:
    """The months that an amount of a subscription is for, as its name tells."""
    if (
        table != "subscriptions"
        or {"billing_period_months", "billing_interval"} & set(columns)
        or "amount" not in columns
    ):
        return {}, []
    name = plain(columns["amount"])
    if any(word in name for word in ("arr", "annual", "acv", "year")):
        return {"constants": {"billing_period_months": 12}}, []
    if any(word in name for word in ("mrr", "month")):
        return {}, []
    return {}, [
        f"{columns['amount']} is taken for a month: state `constants: {{billing_period_months: 12}}` where it is a year's."
    ]


def _priorities(table: str, columns: dict[str, str], found: FoundFiles) -> tuple[dict[str, object], list[str]]:
    """What the words of a help desk's priorities mean."""
    if table != "support_tickets" or "priority" not in columns:
        return {}, []
    known = {word: name for name, words in PRIORITIES.items() for word in words}
    said = sorted({value.lower() for value in found.values(columns["priority"])})
    values = {word: known[word] for word in said if word in known and word != known[word]}
    unknown = [word for word in said if word not in known]
    doubts = [f"Which priority {', '.join(unknown[:5])} is, is not told: add it to `values`."] if unknown else []
    return ({"values": {"priority": values}} if values else {}), doubts
