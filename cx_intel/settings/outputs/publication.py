"""The `publish` block: what of a portfolio is copied at the end of a run for BI tools, notebooks and other readers.

Only which tables and how many days; the copy is made by `cx_intel.warehouse.duckdb.publish`. Files for people (CSV, workbooks)
are the `reports` block's.
"""

from pydantic import Field

from cx_intel.settings.base import Settings


class PublishSettings(Settings):
    """The copy of the warehouse that can be read while a run writes."""

    enabled: bool = True
    """False: no copy is made."""
    events: bool = False
    """Also the tables that are kept by day, such as fct_usage, and past days of the back-test; the copy then costs what the
    history costs."""
    contacts: bool = False
    """Also dim_contact: who the people at the customers are. Whoever reads the copy then reads their names and addresses."""
    snapshot_days: int = Field(default=1, ge=1, le=3660)
    """Days of each snapshot table, up to the newest one: 1 is the newest snapshot, 35 gives a month to compare with."""
