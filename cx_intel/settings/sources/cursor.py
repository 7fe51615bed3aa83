"""The cursor of a query at a connection: which of its rows a refresh asks for, and which rows they replace.

Only the description; how far a table was read is in `cx_intel.sources.cursors`, how rows are fetched and kept in
`cx_intel.warehouse.duckdb.files.by_cursor`.
"""

import re
from datetime import timedelta
from typing import Annotated, TypeAlias

from pydantic import BeforeValidator, StrictInt, model_validator

from cx_intel.settings.base import Misfit, Settings

ROW_KEYS = {
    "actions": ("action_id",),
    "account_aliases": ("old_account_id",),
    "accounts": ("account_id",),
    "contacts": ("contact_id",),
    "csm_activities": ("activity_id",),
    "invoices": ("invoice_id",),
    "metrics": ("account_id", "metric", "measured_on"),
    "nps_responses": ("response_id",),
    "support_tickets": ("ticket_id",),
    "ticket_status_history": ("ticket_id", "field", "changed_at"),
    "usage_events": ("event_id",),
}
"""Canonical table: the columns that tell its rows apart. The tables that are not here have several rows of one id by right."""

_DURATION = re.compile(r"^(\d+) (day|hour|minute)s?$")


def _listed(given: object) -> object:
    return [given] if isinstance(given, str) else given


Names: TypeAlias = Annotated[list[str], BeforeValidator(_listed, json_schema_input_type=str | list[str])]


class Cursor(Settings):
    """Reads of a query at a connection only what is new: rows whose cursor is not before the newest one that was read.

    A row that comes again, changed or not, takes the place of the one with its key.
    """

    column: str
    """The column of the query's result that grows whenever a row is written: a time, a date, a whole number, or a time as
    ISO 8601 text."""
    key: Names = []
    """The canonical columns that tell the rows apart, one or several. Default: the id of the table; to be stated for
    subscriptions, mrr_history and identity_links, which may have several rows of one id."""
    look_back: StrictInt | str = "3 days"
    """How far before the newest cursor rows are read again, as some are committed late: `6 hours`, `3 days`; of a cursor of
    whole numbers a number."""
    deleted: str | None = None
    """A column of the result that is true of rows that are deleted at the server: they go here too."""

    @property
    def duration(self) -> timedelta | None:
        """The look-back in time; None where it is a number."""
        found = _DURATION.match(self.look_back) if isinstance(self.look_back, str) else None
        return timedelta(**{f"{found[2]}s": int(found[1])}) if found else None

    @property
    def beside_rows(self) -> tuple[str, ...]:
        """The columns of the result that only the fetching reads."""
        return (self.column, *([self.deleted] if self.deleted else []))

    @model_validator(mode="after")
    def _look_back_is_known(self) -> "Cursor":
        if isinstance(self.look_back, str) and self.duration is None:
            raise Misfit("is a number of days, hours or minutes, such as `3 days`, or a whole number", ("look_back",))
        if isinstance(self.look_back, int) and self.look_back < 0:
            raise Misfit("is at least 0", ("look_back",))
        return self

    def key_of(self, table: str) -> tuple[str, ...]:
        """The columns that tell the rows of a canonical table apart; none where they have to be stated."""
        return tuple(self.key) or ROW_KEYS.get(table, ())


def _of_a_column(given: object) -> object:
    return {"column": given} if isinstance(given, str) else given


CursorSetting: TypeAlias = Annotated[Cursor, BeforeValidator(_of_a_column, json_schema_input_type=str | Cursor)]
"""A cursor, or its column alone."""
