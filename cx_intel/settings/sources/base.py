"""What every kind of source states about the tables that it delivers, and about the spelling of one table's values.

Where the rows come from stands in `files.py`, `sql.py` and `synthetic.py`; the list of a portfolio's sources in
`sources.py`. The canonical tables and columns are the staging contracts (`cx_intel.contracts.staging`).
"""

from collections.abc import Iterable
from typing import Annotated, Literal, TypeAlias

from pydantic import ConfigDict, Field, field_validator, model_validator

from cx_intel.settings.base import Misfit, Settings, TimeZone
from cx_intel.settings.identity import ACCOUNT, SystemName
from cx_intel.settings.sources.date_formats import check_date_format
from cx_intel.settings.support import Satisfaction

CanonicalTable: TypeAlias = Literal[
    "account_aliases",
    "identity_links",
    "accounts",
    "subscriptions",
    "invoices",
    "mrr_history",
    "usage_events",
    "support_tickets",
    "nps_responses",
    "csm_activities",
    "contacts",
    "metrics",
    "ticket_status_history",
    "actions",
]

ID_OF = {
    "usage_events": "event_id",
    "support_tickets": "ticket_id",
    "nps_responses": "response_id",
    "csm_activities": "activity_id",
    "contacts": "contact_id",
}
"""Tables whose ids may be unique within an account only: their id."""
WITHOUT_ACCOUNT_ID = ("account_aliases", "identity_links", "accounts", "ticket_status_history", "actions")
"""Tables whose rows belong to no account, are accounts, or answer to the intervention list, which names them: another system's
ids cannot stand there, unless the source adds columns to accounts that another one delivers."""
DELIVERED_ONCE = ("account_aliases", "ticket_status_history")
"""Tables that one source delivers: chains of merges are followed within it; tickets may be called alike by several."""
ADDED = {"subscriptions": ("plan_tier", "renewal_date", "term_months")}
"""Canonical table: the columns that a source may add to rows of another one. They decide about no amount and no end."""
WITHOUT_NUMBERS = ("account_aliases", "usage_events", "contacts", "ticket_status_history", "actions")
"""Tables that have no column of numbers."""
MINOR_DIGITS = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI"), 0),
    **dict.fromkeys(("VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}
"""ISO 4217: the digits of currencies that have others than two."""


class EndDate(Settings):
    """What an end of a subscription says."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    is_: Literal["first_day_without", "last_day_in_force"] = Field(default="first_day_without", alias="is")
    """`last_day_in_force` where a contract to 31 March is followed by one from 1 April."""
    means: Literal["cancellation", "term"] | None = None
    """`term` where an end is the end of a term that is usually renewed. Default: the contract is cancelled."""


class SourceBase(Settings):
    """What every kind of source states."""

    time_zone: TimeZone = "UTC"
    """IANA zone of times that carry none."""
    max_quarantined_pct: float = Field(default=5.0, ge=0, le=100)
    """Share of rejected rows (0 to 100) above which the refresh stops before it replaces the table."""
    stale_after_days: int | None = Field(default=None, ge=0)
    """Newest row older than this many days at `as_of`: a warning. Default: 1.5 rhythms of the source and 2 days."""
    freeze_after_days: int | None = Field(default=None, ge=0)
    """Newest row older than this many days at `as_of`: signals that read it are missing, tiers held. Default: 3 rhythms and
    4 days, and not before it is late."""

    delivers: Literal["all", "changes"] | None = None
    """Whether each delivery holds every row. Only then a row that is gone is missing. Default: `all` for one file."""
    missing_rows: Literal["end", "never_existed"] = "end"
    """Of subscriptions: what became of one that a delivery of all rows no longer has; it ends on that day by default."""
    max_missing_pct: float = Field(default=10.0, ge=0, le=100)
    """Share of the MRR in force (0 to 100) that missing subscriptions may end; above it the delivery is refused, a single
    missing one apart, which is told."""
    end_date: EndDate = EndDate()
    """How the ends of subscriptions are to be read."""
    amount_is: Literal["total", "per_unit"] | None = None
    """Of subscriptions with a quantity: whether `amount` is for all units or for one."""
    in_minor_units: bool | dict[Annotated[str, Field(pattern=r"^[A-Z]{3}$")], Annotated[int, Field(ge=0, le=4)]] = False
    """Amounts are whole numbers of the currency's smallest unit: 1999 is 19.99 USD, 1999 JPY. A mapping states the
    digits of currencies that the source writes otherwise, e.g. {ISK: 2}."""

    def digits_of(self, currencies: Iterable[str]) -> dict[str, int]:
        """Currency: how many digits its smallest unit has after the decimal sign, as the source writes it."""
        stated = self.in_minor_units if isinstance(self.in_minor_units, dict) else {}
        return {code: stated.get(code, MINOR_DIGITS.get(code, 2)) for code in currencies}

    @property
    def delivers_all(self) -> bool:
        """Whether a row that a delivery no longer has is missing."""
        return self.delivers == "all"


class TableSource(SourceBase):
    """One canonical table, and how its values are spelt."""

    table: CanonicalTable
    """The canonical table that the source delivers."""
    values: dict[str, dict[str, str]] = {}
    """Canonical name: the source's spelling of a value (in any case): the canonical one, e.g. {priority: {high: p2}}."""
    preset: Annotated[str, Field(exclude=True)] = ""
    """The preset that this source is from; filled in where it is expanded."""
    date_formats: list[str] = []
    """How dates and times are written, e.g. ["%d.%m.%Y", "%d.%m.%Y %H:%M"]: the first that fits a whole cell reads it.

    Further directives: %y, %b and %B (English), %I with %p, %S, %f, %z; `excel` reads days as Excel counts them, 45231 for
    2023-11-01. ISO 8601 is read too; typed values stay.
    """
    decimal: Literal[".", ","] | None = None
    """What stands before the fraction of a number in text: with "," it is 24.000,50, with "." 24,000.50.

    Where it is not stated, each number is read as it can only be meant; one such as 1,234 or 1.234, which may be meant
    either way, is quarantined. 12,34,567 is read as in India. Blanks and apostrophes part thousands too; typed numbers stay.
    """
    satisfaction: Satisfaction | None = None
    """Of support_tickets: how ratings are written, where not from 1 to 5."""
    name: SystemName | None = None
    """What the source is called where several deliver one table; default: its `system`."""
    owns: list[str] = []
    """Where several sources deliver accounts: the columns of which this one's value counts. Others are those of the source
    that is listed first and has a value. Of subscriptions: the columns that this source adds to contracts of the others,
    by their subscription_id (`renewal_date`, `term_months`, `plan_tier`); it delivers no contract itself."""
    system: SystemName | None = None
    """The system whose ids `account_id` holds, where they are not the accounts' own: stripe, zendesk, or `domain` for
    domains and e-mail addresses. `identity_links` say which account each id belongs to."""
    key: list[str] = []
    """The columns that identify a row, where ids are unique within an account only: [account_id, event_id]."""

    @field_validator("date_formats")
    @classmethod
    def _formats_tell_days(cls, formats: list[str]) -> list[str]:
        for date_format in formats:
            check_date_format(date_format)
        return formats

    @model_validator(mode="after")
    def _fits_its_table(self) -> "TableSource":
        if self.satisfaction and self.table != "support_tickets":
            raise Misfit("is about the ratings of support_tickets", ("satisfaction",))
        if self.system == ACCOUNT:
            raise Misfit("is left out where the ids are the accounts' own", ("system",))
        if self.owns and self.table not in ("accounts", *ADDED):
            raise Misfit("is about accounts and subscriptions; rows of other tables stay apart", ("owns",))
        if others := sorted({*self.owns} - {*ADDED.get(self.table, self.owns)}):
            allowed = ", ".join(ADDED[self.table])
            raise Misfit(f"{', '.join(others)} comes with the contract itself; owned may be {allowed}", ("owns",))
        if self.system and self.table in WITHOUT_ACCOUNT_ID and self.table != "accounts":
            raise Misfit(
                f"is about the account_id of a row, which {self.table} has not or does not borrow", ("system",)
            )
        if not self.key:
            return self
        if self.table not in ID_OF:
            raise Misfit(f"is for {', '.join(ID_OF)}; ids of {self.table} have to be unique", ("key",))
        if sorted(self.key) != sorted(("account_id", ID_OF[self.table])):
            raise Misfit(f"is [account_id, {ID_OF[self.table]}] or left out", ("key",))
        return self

    @property
    def title(self) -> str:
        """What messages call it: source of subscriptions (preset stripe_export)."""
        return f"source of {self.table}" + (f" (preset {self.preset})" if self.preset else "")

    @property
    def label(self) -> str:
        """What the source is called among others of its table; empty where nothing says."""
        return self.name or self.system or ""

    @property
    def added_columns(self) -> tuple[str, ...]:
        """The columns that it adds to rows of other sources; none where it delivers rows of its own."""
        return tuple(self.owns) if self.table in ADDED else ()

    @property
    def has_local_spellings(self) -> bool:
        """Whether it matters to the reading of a cell that the file has it typed."""
        return bool(self.date_formats) or (self.decimal != "." and self.table not in WITHOUT_NUMBERS)
