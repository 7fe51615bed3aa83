"""The `reports` block: language of the reports, and what is exported in which form. Rendered in `cx_intel.reports`.

Whether the tables named here exist depends on the whole portfolio and on the contracts; that is checked when the
portfolios are loaded (`cx_intel.reports.exports.tables.check_exports`).
"""

from typing import Literal

from pydantic import Field

from cx_intel.settings.accounts import Name
from cx_intel.settings.base import Settings
from cx_intel.settings.labels import Label


class ReportSettings(Settings):
    """Whether reports are made, in which language, and which exports."""

    enabled: bool = True
    """False: a refresh makes no pages, no picture, no brief and no exports; tables and their checks stay."""
    language: Literal["en", "de"] = "en"
    """Of pages, brief, workbook and messages: their words, numbers, dates and money."""
    labels: dict[Name, dict[str, Label]] = {}
    """Account attribute, `category` or `priority` of tickets, `contact_role` of people, or `dimension` of the score: value:
    what people read in its place, a text or one in each language, such as {segment: {smb: {en: Small business, de:
    Kleinbetrieb}}}. Default: the value, made readable (mid_market is Mid market). Tables, exports and conditions keep the
    values."""
    exports: list[Literal["csv", "parquet", "xlsx"]] = ["csv", "parquet", "xlsx"]
    """Forms of export: tables as CSV and Parquet, a workbook for leaders of customer success as XLSX; [] for none."""
    export_tables: Literal["all"] | list[str] = "all"
    """Tables exported as CSV and Parquet; all: every table beyond raw, staging, events, past days of the back-test, and
    dim_contact, which says who people are. Others may be named."""
    keep_exports: int = Field(default=7, ge=1)
    """Days of exports that are kept; older folders are removed."""
    keep_days: int = Field(default=14, ge=0)
    """Earlier days whose pages are kept as they were published, for readers to pick; 0: none but those of months."""
    keep_months: int = Field(default=12, ge=0)
    """Earlier months of which the pages of the last published day are kept; 0: none. With `keep_days: 0` too, only the
    newest pages are."""
