"""The contracts of tables about the running itself: rows that were turned away.

What the tables of the business promise stands in the modules beside this one. How rows come here:
`cx_intel.models.staging.tables`.
"""

from cx_intel.contracts.contract import COUNT, DATE, TEXT, Column, Contract
from cx_intel.settings.portfolio import Portfolio


def quarantine(portfolio: Portfolio) -> Contract:
    return Contract(
        "quarantine",
        "operations",
        "Which delivered rows were turned away at staging, and why; nothing is dropped silently.",
        ("as_of", "source_table", "source_file", "row_number", "occurrence"),
        (
            Column("as_of", DATE, "The day whose refresh turned the row away.", nullable=False),
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
            Column("raw_row", TEXT, "The row as delivered.", null_means="the source keeps no text of its rows"),
        ),
        kind="snapshot",
    )
