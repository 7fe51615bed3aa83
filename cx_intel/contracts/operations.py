"""The contracts of tables about the running itself: the rows that staging rejected, and what it keeps for its next run.

What the tables of the business promise stands in the modules beside this one. How rows come here:
`cx_intel.models.staging.tables`.
"""

from cx_intel.contracts.contract import COUNT, DATE, TEXT, Column, Contract, Invariant
from cx_intel.settings.portfolio import Portfolio


def quarantine(portfolio: Portfolio) -> Contract:
    return Contract(
        "quarantine",
        "operations",
        "Which delivered rows staging rejected, and why; nothing is dropped silently.",
        ("as_of", "source_table", "source_file", "row_number", "occurrence"),
        (
            Column("as_of", DATE, "The day whose refresh rejected the row.", nullable=False),
            Column("source_table", TEXT, "The canonical table.", nullable=False),
            Column(
                "source_file",
                TEXT,
                "The file, relative to its folder; empty when it was none.",
                nullable=False,
            ),
            Column(
                "row_number",
                COUNT,
                "Data row in the file, from 1; 0 when it has none.",
                nullable=False,
                minimum=0,
            ),
            Column(
                "occurrence",
                COUNT,
                "From 1 within the row of the file: a wide row gives several rows.",
                nullable=False,
                minimum=1,
            ),
            Column("reason", TEXT, "What is wrong with it; several faults are joined by `; `.", nullable=False),
            _parts_column(),
            Column("raw_row", TEXT, "The row as delivered.", null_means="the source keeps no text of its rows"),
        ),
        kind="snapshot",
    )


def _parts_column() -> Column:
    return Column(
        "reason_parts",
        TEXT,
        "What the reason is made of: a JSON list with the code of each fault, the column, the value and what else it names.",
        null_means="an earlier version of the program rejected it",
    )


def _conflict_columns() -> tuple[Column, ...]:
    return (
        Column("source_table", TEXT, "The canonical table.", nullable=False),
        Column(
            "row_key",
            TEXT,
            "The account or contract, or the id that two sources have for different rows.",
            nullable=False,
        ),
        Column("column_name", TEXT, "The column in which they differ.", nullable=False),
        Column("kept_source", TEXT, "The source whose value counts.", nullable=False),
        Column("kept_value", TEXT, "That value, as text.", nullable=False),
        Column("other_source", TEXT, "The source that says otherwise.", nullable=False),
        Column("other_value", TEXT, "What it says; of an id, what it is called here instead.", nullable=False),
    )


def source_conflicts(portfolio: Portfolio) -> Contract:
    return Contract(
        "source_conflicts",
        "operations",
        "In what the sources of one table differ: columns of accounts and contracts, and ids that two sources have.",
        ("source_table", "row_key", "column_name", "other_source"),
        _conflict_columns(),
        invariants=(
            Invariant(
                "sources_agree",
                "Sources of one table say the same of an account or a contract, and have no id in common.",
                lambda t: t.other_value.isnull(),
                "Mend the value in one of the systems, or state which of them is right: `owns: [column]` at its source. An id "
                "that two sources have begins with the name of the later one here.",
                "warn",
            ),
        ),
    )


def conflicting_values(portfolio: Portfolio) -> Contract:
    """What the staged tables collect for `source_conflicts`: no asset."""
    return Contract(
        "conflicting_values",
        "operations",
        "In what sources of one table differ, collected for source_conflicts: read that.",
        (),
        _conflict_columns(),
    )


def judged_accounts(portfolio: Portfolio) -> Contract:
    """What staged events from files were last judged by: no asset."""
    return Contract(
        "judged_accounts",
        "operations",
        "Which accounts were known when events from files were last staged: days with events of others are staged again.",
        ("source_table", "account_id"),
        (
            Column("source_table", TEXT, "The canonical table of events.", nullable=False),
            Column("account_id", TEXT, "The account.", nullable=False),
        ),
    )


def rejected_rows(portfolio: Portfolio) -> Contract:
    """What the staged tables collect for the quarantine: no asset."""
    return Contract(
        "rejected_rows",
        "operations",
        "Rows of each source that were not valid when it was last staged, collected for quarantine: read that.",
        (),
        (
            Column("source_table", TEXT, "The canonical table.", nullable=False),
            Column("day", DATE, "The day that the row is of, where its table is kept by day and it has one."),
            Column("delivered_day", DATE, "The day that the row was delivered of, where its raw table is kept by day."),
            Column("source_file", TEXT, "The file, relative to its folder; empty when it was none.", nullable=False),
            Column("row_number", COUNT, "Data row in the file, from 1; 0 when it has none.", nullable=False),
            Column("account_id", TEXT, "The account that the row names.", null_means="it names none"),
            Column("reason", TEXT, "What is wrong with it.", nullable=False),
            _parts_column(),
            Column("raw_row", TEXT, "The row as delivered."),
        ),
    )
