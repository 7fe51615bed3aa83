"""What became of a sync, as people and Dagster are told.

Only figures and words; what is sent is decided in `plan.py` and sent by `sync.py`.
"""

from dataclasses import dataclass, field
from datetime import date

from cx_intel.contracts.write_back import CANNOT, EDITED, NO_RECORD, REJECTED_BEFORE, SEND

ACTION_WORDS = {
    SEND: "to be sent",
    EDITED: "edited at the vendor since, left alone",
    NO_RECORD: "of accounts that the vendor has no record of",
    REJECTED_BEFORE: "refused before; `cx-intel sync retry` sends them again",
    CANNOT: "that cannot be taken back",
}


@dataclass
class Outcome:
    """What became of a sync.

    Attributes:
        sync_id: Its id.
        operation: sync, retry or undo.
        as_of: The day of the values.
        planned: Target, object and action: how many fields.
        sent: Fields that vendors took.
        confirmed: Fields that an earlier sync, which ended half-way, had sent.
        rejected: Fields that vendors refused in this sync.
        dead: Fields that are refused by now, of all syncs.
        records: Records that were sent.
        rejected_records: Of these, refused ones.
        tasks_done: Tasks that were found done at a vendor, and written down as actions.
        requests: Requests that were sent.
        failures: Why a vendor was given up, in words.
    """

    sync_id: str
    operation: str
    as_of: date
    planned: dict[tuple[str, str, str], int] = field(default_factory=dict)
    sent: int = 0
    confirmed: int = 0
    rejected: int = 0
    dead: int = 0
    records: int = 0
    rejected_records: int = 0
    tasks_done: int = 0
    requests: int = 0
    failures: list[str] = field(default_factory=list)

    @property
    def rejected_pct(self) -> float:
        """Share of the records sent that were refused."""
        return 100 * self.rejected_records / self.records if self.records else 0.0

    def count(self, action: str) -> int:
        """Fields of the plan with an action."""
        return sum(n for (_, _, of), n in self.planned.items() if of == action)

    def lines(self) -> list[str]:
        """The plan in words, a line each: how many fields of which object, and what becomes of them."""
        return [
            f"{target} {name}: {n:,} fields, {ACTION_WORDS[action]}"
            for (target, name, action), n in self.planned.items()
        ]
