"""The `reports` block: language of numbers and what is exported. Rendered in `cx_intel.reports`."""

from typing import Literal

from cx_intel.settings.base import Settings


class ReportSettings(Settings):
    language: Literal["en", "de"] = "en"
    """How numbers, dates and money are written."""
    exports: list[Literal["csv", "parquet", "xlsx"]] = ["csv", "parquet", "xlsx"]
