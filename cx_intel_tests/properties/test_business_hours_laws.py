"""Laws of business hours: any span has the open time that plain Python counts, day by day."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import ibis
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cx_intel.contracts.support import business_hours as contract
from cx_intel.models.expressions.time import MICROSECONDS
from cx_intel.models.support.business_hours import business_hours, with_open_time
from cx_intel_tests.helpers.builders import portfolio

pytestmark = pytest.mark.slow  # many examples

AS_OF = date(2025, 12, 31)
CLOSED = date(2025, 5, 1)
WEEKDAYS = ("mon", "tue", "wed", "thu", "sat")
SPANS = [((8, 30), (12, 0)), ((22, 0), (24, 0))]
HOURS = ["08:30-12:00", "22:00-24:00"]
INSTANTS = st.integers(0, 400 * 86_400).map(lambda s: datetime(2024, 11, 20) + timedelta(seconds=s))


def counted(begin: datetime, finish: datetime, zone: str) -> int:
    """The open seconds between two instants of UTC, by walking through the days."""
    seconds, day = 0, begin.date() - timedelta(days=2)
    while day <= finish.date() + timedelta(days=2):
        if ("mon", "tue", "wed", "thu", "fri", "sat", "sun")[day.weekday()] in WEEKDAYS and day != CLOSED:
            for bounds in SPANS:
                opens, closes = (
                    (datetime.combine(day, time()) + timedelta(hours=h, minutes=m))
                    .replace(tzinfo=ZoneInfo(zone))
                    .astimezone(UTC)
                    .replace(tzinfo=None)
                    for h, m in bounds
                )
                overlap = min(finish, closes) - max(begin, opens)
                seconds += max(0, int(overlap.total_seconds()))
        day += timedelta(days=1)
    return seconds


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/Havana", "Australia/Lord_Howe"])
def test_any_span_has_the_open_time_that_plain_python_counts(zone: str) -> None:
    of = portfolio(
        ["support_tickets"],
        support={"business_hours": {"zone": zone, "weekdays": WEEKDAYS, "hours": HOURS, "closed_on": [CLOSED]}},
    )
    con = ibis.duckdb.connect()
    frame = business_hours(portfolio=of, as_of=AS_OF)
    pieces = con.create_table("business_hours", pa.Table.from_pandas(frame, preserve_index=False))
    assert tuple(pieces.schema().names) == contract(of).column_names
    assert (frame["until_at"][:-1].to_numpy() == frame["from_at"][1:].to_numpy()).all()  # neither gap nor overlap

    @settings(max_examples=10, deadline=None, derandomize=True)
    @given(st.lists(st.tuples(INSTANTS, INSTANTS).map(sorted), min_size=20, max_size=60))
    def law(spans: list[list[datetime]]) -> None:
        table = pa.table({"a": [a for a, _ in spans], "b": [b for _, b in spans], "n": range(len(spans))})
        rows = with_open_time(con.create_table("spans", table, overwrite=True), pieces, _a="a", _b="b")
        found = con.to_pyarrow(rows.order_by("n").select(s=rows["_b"] - rows["_a"]))["s"].to_pylist()
        assert found == [counted(a, b, zone) * MICROSECONDS for a, b in spans]

    law()
