"""The day on which something was known is a day to the engine too, not only to Ibis."""

from datetime import date

import ibis

from cx_intel.contracts.staging.tables import STAGING
from cx_intel.models.staging.dated_facts import dated_facts
from cx_intel_tests.helpers.builders import rows, shipped


def test_the_figure_of_a_month_is_known_on_the_last_day_of_it():
    of = shipped("fleet")
    given = [{"account_id": "c0", "month": date(2024, 2, 1), "mrr": 100}]
    con = ibis.duckdb.connect()
    staged = con.create_table("staged", rows(STAGING["mrr_history"](of), given).to_pyarrow())
    found = dated_facts({"mrr_history": staged}, portfolio=of)
    assert found is not None
    assert con.con.execute(f"SELECT typeof(day), day FROM ({con.compile(found)})").fetchall() == [
        ("DATE", date(2024, 2, 29))
    ]
    con.disconnect()
