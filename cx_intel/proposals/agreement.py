"""What the proposals of one folder say of each other: one decimal sign, and ids of accounts that are the accounts'.

What each is by itself is decided in `tables.py`.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from cx_intel.proposals.columns.spellings import EITHER_WAY
from cx_intel.proposals.folders import SAMPLE_ROWS
from cx_intel.proposals.presets import PresetProposal
from cx_intel.proposals.tables import TableProposal
from cx_intel.proposals.words.names import plain

MANY = 5
"""Ids of accounts of which one at least is expected to be known."""


def with_decimal_sign(tables: Iterable[TableProposal]) -> list[TableProposal]:
    """The proposals, where numbers that may be meant either way are read as those of the other files are written."""
    given = list(tables)
    signs = {str(table.more["decimal"]) for table in given if "decimal" in table.more}
    if len(signs) != 1:
        return given
    (sign,) = signs
    said = f'Numbers such as 1,234 are read with `decimal: "{sign}"`, as in the other files.'
    return [
        replace(
            table,
            more={**table.more, "decimal": sign},
            doubts=tuple(said if doubt == EITHER_WAY else doubt for doubt in table.doubts),
        )
        if EITHER_WAY in table.doubts
        else table
        for table in given
    ]


def with_names(tables: Sequence[TableProposal]) -> list[TableProposal]:
    """The proposals, those of one table that several files hold with a name of their own, as figures of several systems."""
    held = Counter(table.table for table in tables)
    return [
        replace(table, more={"name": plain(table.found.title.split(".")[0]), **table.more})
        if held[table.table] > 1
        else table
        for table in tables
    ]


def with_strangers(table: TableProposal, accounts: Collection[str], *, is_linked: bool = False) -> TableProposal:
    """The proposal with a doubt where its account ids are not those of the accounts; left out where not one is.

    Of many accounts only the first are known: strangers are then ids that are written like none of them.

    Args:
        table: The proposal.
        accounts: Ids of accounts.
        is_linked: Whether there are links of other systems' ids, which may lead to accounts.
    """
    if not accounts or table.table == "accounts" or "account_id" not in table.columns or "system" in table.more:
        return table
    ids = set(table.found.values(table.columns["account_id"]))
    strangers = [value for value in ids if value not in accounts]
    if len(accounts) >= SAMPLE_ROWS:
        shapes = {_shape(value) for value in accounts}
        strangers = [value for value in strangers if _shape(value) not in shapes]
    if len(strangers) <= len(ids) / 2:
        return table
    if all(value.removesuffix(".0") in accounts or f"{value}.0" in accounts for value in strangers):
        doubt = f"The ids of accounts are decimal numbers in one file and none in the other, such as {min(strangers)}: "
        return replace(table, doubts=(*table.doubts, f"{doubt}export them as text, or cut off `.0` in a query."))
    doubt = (
        f"{len(strangers)} of {len(ids)} ids in {table.columns['account_id']} are no ids of the accounts, such as "
        f"{min(strangers)}: where they are another system's, state its `system` and its links under `identity`."
    )
    if len(strangers) == len(ids) >= MANY and not is_linked:
        return replace(table, left_out=doubt)
    return replace(table, doubts=(*table.doubts, doubt))


def _shape(value: str) -> str:
    """How an id is written: CUST-0042 as CUST-0."""
    return re.sub(r"\d+", "0", value)


def known_accounts(presets: Sequence[PresetProposal], tables: Sequence[TableProposal]) -> frozenset[str]:
    """The ids of the accounts seen, of many the first."""
    ids = {account for preset in presets for account in preset.accounts}
    for table in tables:
        if table.table == "accounts":
            ids.update(table.found.values(table.columns["account_id"]))
    return frozenset(ids)
