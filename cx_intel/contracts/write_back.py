"""The contracts of what is written to other systems: the plan of a sync, the audit of all of them, what was rejected.

None of these is made by a model: `cx_intel.sync` writes them, and how is told there. Fields and hosts are in
`cx_intel.settings.outputs.write_back`.
"""

from cx_intel.contracts.contract import COUNT, DATE, TEXT, TIME, Column, Contract
from cx_intel.settings.portfolio import Portfolio

PLAN, AUDIT, REJECTED = "write_back_plan", "write_back_audit", "write_back_rejected"
WRITE_BACK = (PLAN, AUDIT, REJECTED)
SEND, EDITED, NO_RECORD, REJECTED_BEFORE, CANNOT = "send", "edited", "no_record", "rejected_before", "cannot"
ACTIONS = (SEND, EDITED, NO_RECORD, REJECTED_BEFORE, CANNOT)
SENT, CONFIRMED, REFUSED = "sent", "confirmed", "rejected"
OUTCOMES = (SENT, CONFIRMED, REFUSED)
SYNC, RETRY, UNDO = "sync", "retry", "undo"
OPERATIONS = (SYNC, RETRY, UNDO)
KEY = ("target", "object", "record_key", "field")
"""What identifies a field of a record at a vendor."""


def _keys() -> tuple[Column, ...]:
    return (
        Column("target", TEXT, "The system.", nullable=False, accepted=("planhat", "salesforce")),
        Column(
            "object",
            TEXT,
            "What the record is: company and dimension in Planhat, Account and Opportunity in Salesforce, Task in both.",
            nullable=False,
        ),
        Column(
            "record_key",
            TEXT,
            "The id by which the record is found: externalId in Planhat, the first 15 characters of Id in Salesforce; of a task, "
            "the event.",
            nullable=False,
        ),
        Column("field", TEXT, "The field, as the vendor calls it; of a dimension, its id.", nullable=False),
    )


def _sync_id() -> Column:
    return Column("sync_id", TEXT, "The sync: the time at which it began, in UTC, and a random part.", nullable=False)


def _undoes() -> Column:
    return Column("undoes", TEXT, "The sync that is undone.", null_means="nothing is")


def write_back_plan(portfolio: Portfolio) -> Contract:
    return Contract(
        PLAN,
        "operations",
        "What the newest sync would change at other systems, field by field, and what it leaves alone, and why.",
        KEY,
        (
            *_keys(),
            _sync_id(),
            _undoes(),
            Column("as_of", DATE, "The day that the values are of.", nullable=False),
            Column("account_id", TEXT, "The account.", nullable=False),
            Column("record_id", TEXT, "The vendor's own id.", null_means="the vendor has no such record, or not yet"),
            Column("kind", TEXT, "number, flag or text.", nullable=False, accepted=("number", "flag", "text")),
            Column("old_value", TEXT, "What the vendor has.", null_means="nothing"),
            Column("sent_value", TEXT, "What was last sent.", null_means="nothing was sent yet, or it was emptied"),
            Column("new_value", TEXT, "What it is to be.", null_means="it is to be emptied, as before the first sync"),
            Column(
                "action",
                TEXT,
                "send; edited: somebody changed it at the vendor since, it is left alone; no_record: the vendor has no record of "
                "the account; rejected_before: the vendor refused this value, `cx-intel sync retry` sends it again; cannot: it "
                "cannot be undone.",
                nullable=False,
                accepted=ACTIONS,
            ),
            Column("record_number", COUNT, "Numbers the records of an object, from 1.", nullable=False, minimum=1),
        ),
    )


def _written_columns() -> tuple[Column, ...]:
    return (
        Column("account_id", TEXT, "The account.", nullable=False),
        Column("record_id", TEXT, "The vendor's own id.", null_means="it told none"),
        Column("kind", TEXT, "number, flag or text.", nullable=False, accepted=("number", "flag", "text")),
        Column("old_value", TEXT, "What the vendor had before.", null_means="nothing"),
        Column("new_value", TEXT, "What was sent.", null_means="it was emptied"),
    )


def write_back_audit(portfolio: Portfolio) -> Contract:
    return Contract(
        AUDIT,
        "operations",
        "What was written to other systems: when, what, what was there before, and what the vendor answered.",
        ("batch_id", *KEY),
        (
            Column("batch_id", TEXT, "The request or job in which it was sent.", nullable=False),
            Column("written_at", TIME, "When the answer came, in UTC.", nullable=False),
            _sync_id(),
            Column("operation", TEXT, "sync, retry or undo.", nullable=False, accepted=OPERATIONS),
            _undoes(),
            *_keys(),
            *_written_columns(),
            Column(
                "outcome",
                TEXT,
                "sent; confirmed: a sync that ended half-way had sent it; rejected: the vendor refused it.",
                nullable=False,
                accepted=OUTCOMES,
            ),
            Column("response", TEXT, "What the vendor answered.", nullable=False),
        ),
    )


def write_back_rejected(portfolio: Portfolio) -> Contract:
    return Contract(
        REJECTED,
        "operations",
        "What vendors refuse to take, and why; `cx-intel sync retry` sends it again.",
        KEY,
        (
            *_keys(),
            *_written_columns(),
            Column("reason", TEXT, "The vendor's own words.", nullable=False),
            Column("rejected_at", TIME, "When it was refused last, in UTC.", nullable=False),
        ),
    )
