"""Exports of Mixpanel, Amplitude and PostHog: each event of an account once, all others left out and counted."""

import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cx_intel_tests.helpers.vendor_files import delivered, judged, taking, write_lines

FILES = "".join(f"  - {{kind: files, table: {t}, path: {t}.csv}}\n" for t in ("accounts", "subscriptions"))
COUNT = 60
BEGIN = datetime(2025, 6, 1, 10, tzinfo=UTC)
ACCOUNTS = ("acme", "birch")


def at(n: int) -> datetime:
    return BEGIN + timedelta(minutes=37 * n)


def account(n: int) -> str | None:
    """Every tenth event is of nobody."""
    return None if n % 10 == 9 else ACCOUNTS[n % 2]


def mixpanel(n: int, **more: Any) -> dict[str, Any]:
    time = at(n).timestamp() * (1000 if n % 2 else 1)  # of older and of newer exports
    properties = {"time": int(time), "distinct_id": f"u{n % 7}", "$insert_id": f"i{n}", "plan": "pro"}
    properties |= {"company_id": account(n)} if account(n) else {}
    return {"event": "Report Created", "properties": properties | more}


def amplitude(n: int, **more: Any) -> dict[str, Any]:
    groups = {"company": [account(n)]} if account(n) else {}
    times = {
        "event_time": f"{at(n):%Y-%m-%d %H:%M:%S.000000}",
        "server_upload_time": f"{at(n):%Y-%m-%d %H:%M:%S.500000}",
    }
    return {
        "uuid": f"i{n}",
        "$insert_id": f"x{n}",
        "event_id": n,
        "event_type": "Report Created",
        "user_id": f"u{n % 7}",
        "amplitude_id": 5,
        "event_properties": {"plan": "pro"},
        "groups": groups,
        **times,
    } | more


def posthog(n: int, **more: Any) -> dict[str, Any]:
    properties = {"plan": "pro", "$lib": "web"} | ({"$groups": {"company": account(n)}} if account(n) else {})
    return {
        "uuid": f"i{n}",
        "event": "Report Created",
        "distinct_id": f"d{n}",
        "person_id": f"u{n % 7}",
        "properties": properties,
        "timestamp": f"{at(n):%Y-%m-%dT%H:%M:%S.000000Z}",
        "created_at": f"{at(n):%Y-%m-%dT%H:%M:%S.700000Z}",
    } | more


def mixpanel_lines(folder: Path) -> int:
    """An event that came twice differs in what Mixpanel notes about its arrival."""
    again = [mixpanel(n, mp_processing_time_ms=5 + n) for n in range(3)]
    write_lines(folder / "2025-06-01.jsonl", [mixpanel(n) for n in range(30)])
    write_lines(folder / "2025-06-02.json", [mixpanel(n) for n in range(30, COUNT)] + again)
    return 6


def amplitude_lines(folder: Path) -> int:
    """Hours of an archive, of which one was exported twice."""
    folder.mkdir(exist_ok=True)
    for name, numbers in {"1_0#0": range(20), "1_1#0": range(20, 40), "1_2#0": range(35, COUNT)}.items():
        text = "".join(json.dumps(amplitude(n)) + "\n" for n in numbers)
        (folder / f"{name}.json.gz").write_bytes(gzip.compress(text.encode()))
    return 7  # 9, 19, 29, 39 twice, 49, 59


def posthog_lines(folder: Path) -> int:
    own = [
        posthog(100, event="$identify"),
        posthog(101, event="$feature_flag_called"),
        posthog(102, event="$groupidentify"),
    ]
    write_lines(folder / "a.jsonl", [posthog(n) for n in range(COUNT)] + own + [posthog(1)])
    return 9


def posthog_parquet(folder: Path) -> int:
    """Times are typed there, and properties text."""
    rows = [posthog(n) for n in range(COUNT)]
    rows = [
        r | {"properties": json.dumps(r["properties"]), "timestamp": at(n), "created_at": at(n)}
        for n, r in enumerate(rows)
    ]
    pq.write_table(pa.Table.from_pylist(rows[:40]), folder / "a.parquet")
    pq.write_table(pa.Table.from_pylist(rows[40:]), folder / "b.parquet")
    return 6


SHAPES: dict[str, tuple[str, Callable[[Path], int]]] = {
    "Mixpanel": ("mixpanel_events", mixpanel_lines),
    "Amplitude": ("amplitude_events", amplitude_lines),
    "PostHog as JSON lines": ("posthog_events", posthog_lines),
    "PostHog as Parquet": ("posthog_events", posthog_parquet),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_each_event_of_an_account_once(tmp_path: Path, shape: str) -> None:
    preset, written = SHAPES[shape]
    left_out = written(tmp_path)
    book = taking(preset, more=FILES, folder=str(tmp_path))
    assert delivered(book, "usage_events").left_out == left_out
    kept = [row for row in judged(book, "usage_events", ACCOUNTS) if row["_reason"] is None]
    assert sorted(row["event_id"] for row in kept) == sorted(f"i{n}" for n in range(COUNT) if account(n))
    for row in kept:
        n = int(row["event_id"][1:])
        assert (row["account_id"], row["user_id"], row["event_name"]) == (account(n), f"u{n % 7}", "report created")
        assert row["event_timestamp"] == at(n).replace(tzinfo=None)
        assert json.loads(row["properties"])["plan"] == "pro"


def test_another_property_names_the_account(tmp_path: Path) -> None:
    write_lines(tmp_path / "a.jsonl", [mixpanel(n, workspace="acme") for n in (9, 19)])
    where = "{properties.company_id: null, properties.workspace: {not: null}}"
    tables = f"{{usage_events: {{columns: {{account_id: properties.workspace}}, where: {where}}}}}"
    book = taking("mixpanel_events", more=FILES, folder=str(tmp_path), tables=tables)
    assert [row["_reason"] for row in judged(book, "usage_events", ACCOUNTS)] == [None, None]
