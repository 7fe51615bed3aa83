"""Segment's calls: track calls of a group are events, all others are left out and counted."""

import gzip
from pathlib import Path

from cx_intel_tests.helpers.vendor_files import delivered, judged, taking, write_lines

FILES = "".join(f"  - {{kind: files, table: {t}, path: {t}.csv}}\n" for t in ("accounts", "subscriptions"))


def call(n: int, kind: str = "track", group: str | None = "ws_1", **more: object) -> dict[str, object]:
    context = {"library": {"name": "web"}} | ({"groupId": group} if group else {})
    name = {"event": "Report Created"} if kind == "track" else {"name": "Pricing"}
    made = {"messageId": f"m{n}", "type": kind, "userId": f"u{n % 5}", **name, "context": context}
    return made | {"properties": {"n": n}, "timestamp": f"2025-06-01T10:{n % 60:02}:00.250Z"} | more


def test_track_calls_are_events(tmp_path: Path) -> None:
    calls = [call(n) for n in range(60)] + [call(0)]  # the first one again
    calls += [call(100, "page"), call(101, "identify"), call(102, group=None), call(103, context={"groupId": None})]
    write_lines(tmp_path / "events-1.jsonl", calls[:30])
    packed = tmp_path / "segment-logs" / "source" / "1748736000000" / "part.1748.0.gz"  # as Segment's storage has them
    write_lines(packed.with_suffix(".jsonl"), calls[30:])
    packed.write_bytes(gzip.compress(packed.with_suffix(".jsonl").read_bytes()))
    packed.with_suffix(".jsonl").unlink()
    write_lines(
        tmp_path / "events-3.jsonl", [{"messageId": "i1", "type": "identify", "timestamp": "2025-06-01T10:00:00Z"}]
    )
    book = taking("segment_events", more=FILES, folder=str(tmp_path))
    read = delivered(book, "usage_events")
    assert (read.table.num_rows, read.left_out) == (61, 5)
    rows = judged(book, "usage_events", ["ws_1"])
    kept = [row for row in rows if row["_reason"] is None]
    assert len(kept) == 60  # each message once
    first = next(row for row in kept if row["event_id"] == "m0")
    assert (first["account_id"], first["user_id"], first["event_name"]) == ("ws_1", "u0", "report created")
    assert (f"{first['event_timestamp']:%H:%M:%S.%f}", first["properties"]) == ("10:00:00.250000", '{"n": "0"}')
