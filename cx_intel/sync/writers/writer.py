"""What a sync asks of whoever writes to a vendor: what stands there now, and to change some records.

The protocol alone, with what it takes and gives; one module a vendor implements it (`planhat.py`, `salesforce.py`). Which
records are changed is decided in `plan.py`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import pandas as pd

from cx_intel.sources.vendors.http import ApiClient

COMPANY, DIMENSION, ACCOUNT, OPPORTUNITY, TASK = "company", "dimension", "Account", "Opportunity", "Task"
RECORDS_OF = {DIMENSION: COMPANY}
"""Objects that have no records of their own: whose records tell whether one may be written."""
CREATED = "task"
"""Stands for the field of a task, which is there or not."""
OWNER, CLOSES_ON, OF_ACCOUNT = "_owner", "_closes_on", "_account"
"""What is read of a record and not written: who gets its tasks, when an opportunity closes, whose it is."""
PRESENT = ("object", "record_key", "record_id", "field", "value")


@dataclass(frozen=True)
class Record:
    """A record to be changed.

    Attributes:
        key: By which it is found.
        record_id: The vendor's own id; None where it has none yet.
        values: Field: what it is to be; None empties it.
        kinds: Field: number, flag or text.
    """

    key: str
    record_id: str | None
    values: Mapping[str, str | None]
    kinds: Mapping[str, str]


@dataclass(frozen=True)
class Written:
    """What became of a record.

    Attributes:
        reason: Why the vendor refuses it; empty where it took it.
        response: What the vendor answered.
        record_id: The vendor's own id, where it told one.
    """

    reason: str = ""
    response: str = ""
    record_id: str | None = None


@dataclass(frozen=True)
class TaskDraft:
    """A task to be created: our key, the account's record, and what it says."""

    key: str
    record_id: str
    owner: str | None
    subject: str
    text: str
    due: str


class VendorWriter(Protocol):
    """Writes to one vendor.

    Attributes:
        name: planhat or salesforce.
        clients: That send its requests.
        objects: What it writes, in this order.
        parent: The object that stands for an account.
    """

    name: str
    clients: Sequence[ApiClient]
    objects: tuple[str, ...]
    parent: str

    def key_of(self, external_id: str) -> str:
        """The key of the record whose id the vendor knows by this text."""
        ...

    def refusals(self) -> list[str]:
        """What the vendor refuses of what a sync reads, in words; raises SourceError where it is not reached."""
        ...

    def most(self, name: str) -> int:
        """How many records of an object are changed at once."""
        ...

    def present(self, keys: Sequence[str]) -> Iterator[pd.DataFrame]:
        """What stands at the vendor of these accounts, by their keys, in the columns of `PRESENT`: all that is written."""
        ...

    def write(self, name: str, records: Sequence[Record]) -> Mapping[str, Written]:
        """Changes records of an object; what became of each, by its key. Raises SourceError where the vendor fails."""
        ...

    def tasks_there(self, keys: Sequence[str]) -> Mapping[str, tuple[str, bool]]:
        """Of these keys of ours those whose task is there: its id, and whether it is still open."""
        ...

    def create_tasks(self, drafts: Sequence[TaskDraft]) -> Mapping[str, Written]:
        """Creates tasks, each of a key that has none yet."""
        ...

    def remove_tasks(self, ids: Sequence[str]) -> Mapping[str, Written]:
        """Removes tasks; what became of each, by its id."""
        ...
