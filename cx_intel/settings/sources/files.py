"""Where a portfolio's raw tables come from: the `sources` block, a list of sources, each delivering tables.

Only descriptions; reading is done in `cx_intel.sources`. The canonical tables and columns that a source may
deliver are the staging contracts (`cx_intel.contracts.staging`).
"""

import codecs
from collections.abc import Iterable
from datetime import date
from typing import Annotated, Literal, TypeAlias
from zoneinfo import ZoneInfo

from pydantic import ConfigDict, Field, field_validator, model_validator

from cx_intel.settings.base import Misfit, Settings
from cx_intel.settings.sources.date_formats import check_date_format
from cx_intel.settings.support import Satisfaction

CanonicalTable: TypeAlias = Literal[
    "accounts",
    "subscriptions",
    "invoices",
    "mrr_history",
    "usage_events",
    "support_tickets",
    "nps_responses",
    "csm_activities",
    "metrics",
    "ticket_status_history",
]

ID_OF = {
    "usage_events": "event_id",
    "support_tickets": "ticket_id",
    "nps_responses": "response_id",
    "csm_activities": "activity_id",
}
"""Tables whose ids may be unique within an account only: their id."""
WITHOUT_NUMBERS = ("usage_events", "ticket_status_history")
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

    time_zone: str = "UTC"
    """IANA zone of times that carry none."""
    max_quarantined_pct: float = Field(default=5.0, ge=0, le=100)
    """Share of rejected rows (0 to 100) above which the refresh stops before it replaces the table."""
    stale_after_days: int | None = Field(default=None, ge=0)
    """Newest row older than this many days at `as_of`: a warning."""
    freeze_after_days: int | None = Field(default=None, ge=0)
    """Newest row older than this many days at `as_of`: signals that read it are missing, tiers held."""

    delivers: Literal["all", "changes"] | None = None
    """Whether each delivery holds every row. Only then a row that is gone is missing. Default: `all` for one file."""
    missing_rows: Literal["end", "never_existed"] = "end"
    """Of subscriptions: what became of one that a delivery of all rows no longer has; it ends on that day by default."""
    max_missing_pct: float = Field(default=10.0, ge=0, le=100)
    """Share of the MRR in force (0 to 100) that missing subscriptions may end; above it the delivery is refused."""
    end_date: EndDate = EndDate()
    """How the ends of subscriptions are to be read."""
    amount_is: Literal["total", "per_unit"] | None = None
    """Of subscriptions with a quantity: whether `amount` is for all units or for one."""
    in_minor_units: bool | dict[Annotated[str, Field(pattern=r"^[A-Z]{3}$")], Annotated[int, Field(ge=0, le=4)]] = False
    """Amounts are whole numbers of the currency's smallest unit: 1999 is 19.99 USD, 1999 JPY. A mapping states the
    digits of currencies that the source writes otherwise, e.g. {ISK: 2}."""

    @field_validator("time_zone")
    @classmethod
    def _zone_exists(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(f"{zone!r} is no IANA time zone, such as Europe/Berlin") from error
        return zone

    def digits_of(self, currencies: Iterable[str]) -> dict[str, int]:
        """Currency: how many digits its smallest unit has after the decimal sign, as the source writes it."""
        stated = self.in_minor_units if isinstance(self.in_minor_units, dict) else {}
        return {code: stated.get(code, MINOR_DIGITS.get(code, 2)) for code in currencies}

    @property
    def delivers_all(self) -> bool:
        """Whether a row that a delivery no longer has is missing."""
        return self.delivers == "all"


class SyntheticSource(SourceBase):
    """A made-up company: a deterministic function of seed and calendar day."""

    kind: Literal["synthetic"]
    world: Literal["novacrm", "fleet"]
    seed: int = Field(default=1, ge=0)
    accounts: int = Field(default=150, ge=1, le=1_000_000)
    starts_on: date = date(2023, 1, 1)
    events_from: date = date(2023, 1, 1)
    """First day with usage events; later than `starts_on` keeps the first load quick."""
    exclude: list[CanonicalTable] = []
    """Tables of the world that this portfolio leaves out."""


class Unpivot(Settings):
    """Turns wide columns into rows: one row for each listed column that is not empty."""

    columns: list[str] | dict[str, str] = Field(min_length=1)
    """The file's columns; a mapping gives each another name."""
    name_to: str
    """The canonical column that receives the name."""
    value_to: str
    """The canonical column that receives the value."""


class Split(Settings):
    """Splits one delimited cell into its parts, joined again by `|`, so that conditions may use `contains`.

    Blanks around parts and empty parts are dropped; an empty cell stays missing, and so does its count.
    """

    delimiter: str = Field(min_length=1)
    count_to: str | None = None
    """A further column that receives the number of parts."""


class FilesSource(SourceBase):
    """One canonical table from files: CSV, Parquet or JSON lines, plain or gzip."""

    kind: Literal["files"]
    table: CanonicalTable
    path: str
    """A file, a folder (its files, not those of folders in it), or a glob; `${NAME}` is taken from the
    environment when the portfolio is refreshed.
    """
    format: Literal["csv", "parquet", "jsonl"] | None = None
    """Default: told by the file's ending."""
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    quote: str = Field(default='"', max_length=1)
    """Empty: cells are never quoted."""
    encoding: str = "utf-8"
    """Any that Python knows: utf-8, latin-1, cp1252, utf-16 ... A byte order mark is dropped."""
    null_text: list[str] = [""]
    """Spellings of a missing value."""
    date_formats: list[str] = []
    """How dates and times are written, e.g. ["%d.%m.%Y", "%d.%m.%Y %H:%M"]: the first that fits a whole cell reads it.

    Further directives: %y, %b and %B (English), %I with %p, %S, %f, %z. ISO 8601 is read too; typed values stay.
    """
    decimal: Literal[".", ","] | None = None
    """What stands before the fraction of a number in text: with "," it is 24.000,50, with "." 24,000.50.

    Where it is not stated, each number is read as it can only be meant; one such as 1,234 or 1.234, which may be meant
    either way, is quarantined. Blanks and apostrophes part thousands too; typed numbers stay.
    """
    satisfaction: Satisfaction | None = None
    """Of support_tickets: how ratings are written, where not from 1 to 5."""
    key: list[str] = []
    """The columns that identify a row, where ids are unique within an account only: [account_id, event_id]."""
    columns: dict[str, str] = {}
    """Canonical name: the file's name, for columns whose names differ. The others keep theirs."""
    constants: dict[str, str | int | float] = {}
    """Canonical name: a value that every row has."""
    values: dict[str, dict[str, str]] = {}
    """Canonical name: the file's spelling of a value (in any case): the canonical one, e.g. {priority: {high: p2}}."""
    split: dict[str, Split] = {}
    """Canonical name: how its cell is split."""
    unpivot: Unpivot | None = None

    @field_validator("encoding")
    @classmethod
    def _encoding_exists(cls, encoding: str) -> str:
        try:
            codecs.lookup(encoding)
        except LookupError as error:
            raise ValueError(f"{encoding!r} is no text encoding, such as utf-8 or latin-1") from error
        return encoding

    @field_validator("date_formats")
    @classmethod
    def _formats_tell_days(cls, formats: list[str]) -> list[str]:
        for date_format in formats:
            check_date_format(date_format)
        return formats

    @model_validator(mode="after")
    def _one_origin_a_column(self) -> "FilesSource":
        origins = [*self.columns, *self.constants, *(s.count_to for s in self.split.values() if s.count_to)]
        if self.unpivot:
            origins += [self.unpivot.name_to, self.unpivot.value_to]
        if twice := sorted({name for name in origins if origins.count(name) > 1}):
            raise Misfit(f"{', '.join(twice)} is given twice by columns, constants, split and unpivot", ("table",))
        return self

    @model_validator(mode="after")
    def _fits_its_table(self) -> "FilesSource":
        if self.satisfaction and self.table != "support_tickets":
            raise Misfit("is about the ratings of support_tickets", ("satisfaction",))
        if not self.key:
            return self
        if self.table not in ID_OF:
            raise Misfit(f"is for {', '.join(ID_OF)}; ids of {self.table} have to be unique", ("key",))
        if sorted(self.key) != sorted(("account_id", ID_OF[self.table])):
            raise Misfit(f"is [account_id, {ID_OF[self.table]}] or left out", ("key",))
        return self

    @property
    def delivers_all(self) -> bool:
        """Whether a row that a delivery no longer has is missing: as stated, else where the path is one file."""
        if self.delivers:
            return self.delivers == "all"
        return "." in self.path.rsplit("/", 1)[-1] and not any(sign in self.path for sign in "*?[")

    @property
    def has_local_spellings(self) -> bool:
        """Whether it matters to the reading of a cell that the file has it typed."""
        return bool(self.date_formats) or (self.decimal != "." and self.table not in WITHOUT_NUMBERS)


Source: TypeAlias = Annotated[SyntheticSource | FilesSource, Field(discriminator="kind")]


class SourcesMixin(Settings):
    """The `sources` block, checked for tables that two sources deliver."""

    sources: list[Source] = Field(min_length=1)

    @model_validator(mode="after")
    def _one_source_a_table(self) -> "SourcesMixin":
        listed = [s.table for s in self.sources if isinstance(s, FilesSource)]
        if twice := sorted({t for t in listed if listed.count(t) > 1}):
            raise ValueError(f"sources: {', '.join(twice)} is delivered twice; join the files with a glob")
        return self
