"""What presets say of which id belongs to which account: the links of HubSpot, Stripe, Zendesk and Segment."""

from pathlib import Path

from cx_intel_tests.helpers.vendor_files import Link, links_of, taking, write_lines, write_table


def links(folder: Path, *presets: str) -> dict[str, list[Link]]:
    """The links of presets beside HubSpot's, by system."""
    more = "".join(f"  - {{preset: {name}, folder: '{folder}/{name}'}}\n" for name in presets)
    more += "" if "stripe_export" in presets else "  - {kind: files, table: subscriptions, path: s.csv, system: x}\n"
    return links_of(taking("hubspot_export", more=more, folder=str(folder)))


def companies(folder: Path) -> None:
    rows = [("1", "alder.example", "Old.example; older.example"), ("2", None, None), ("3", "CEDAR.example", None)]
    names = ("Record ID", "Company Domain Name", "Additional Domains")
    write_table(folder / "companies.csv", [dict(zip(names, row, strict=True)) | {"Company name": "x"} for row in rows])


def test_domains_of_companies(tmp_path: Path) -> None:
    companies(tmp_path)
    assert links(tmp_path)["domain"] == [
        ("CEDAR.example", "account", "3", None),
        ("Old.example", "account", "1", None),
        ("alder.example", "account", "1", None),
        ("older.example", "account", "1", None),
    ]


def test_customers_of_stripe(tmp_path: Path) -> None:
    companies(tmp_path)
    customers = [
        {
            "id": "cus_1",
            "name": "Alder",
            "email": "a@alder.example",
            "metadata": {"hubspot_company_id": "1"},
            "livemode": True,
        },
        {"id": "cus_2", "name": None, "email": "b@x.example", "metadata": {"workspace_id": "ws_2"}, "livemode": True},
        {"id": "cus_3", "deleted": True, "livemode": True},
        {"id": "cus_4", "name": "Test", "email": "t@alder.example", "metadata": {}, "livemode": False},
    ]
    write_lines(tmp_path / "stripe_export" / "customers.jsonl", customers)
    found = links(tmp_path, "stripe_export")
    assert found["stripe"] == [
        ("cus_1", "account", "1", "Alder"),
        ("cus_1", "domain", "a@alder.example", None),
        ("cus_2", "domain", "b@x.example", None),
    ]
    assert found["segment"] == [("ws_2", "stripe", "cus_2", None)]


def test_organizations_of_zendesk(tmp_path: Path) -> None:
    companies(tmp_path)
    write_table(
        tmp_path / "zendesk_export" / "organizations.csv",
        [
            {"id": 10, "name": "Alder", "external_id": 1, "domain_names": ["alder.example", "b.example"]},
            {"id": 11, "name": "Birch", "external_id": None, "domain_names": "c.example d.example"},
            {"id": 12, "name": "Cedar", "external_id": None, "domain_names": []},
        ],
    )
    assert links(tmp_path, "zendesk_export")["zendesk"] == [
        ("10", "account", "1", "Alder"),
        ("10", "domain", "alder.example", None),
        ("10", "domain", "b.example", None),
        ("11", "domain", "c.example", None),
        ("11", "domain", "d.example", None),
    ]


def test_groups_of_segment(tmp_path: Path) -> None:
    companies(tmp_path)
    group = {"messageId": "m", "type": "group", "groupId": "ws_1", "timestamp": "2025-06-01T10:00:00Z"}
    calls = [
        group | {"traits": {"name": "One", "website": "https://www.Alder.example/about"}},
        group | {"traits": {"name": "One", "website": " HTTPS://WWW.Alder.example/about"}},
        group | {"groupId": "ws_2", "traits": {"name": "Two", "domain": "b.example", "account_id": "2"}},
        group | {"groupId": "ws_3", "traits": {"name": "Three", "domain": None}},
        group | {"type": "track", "event": "x", "context": {"groupId": "ws_4"}, "groupId": None},
    ]
    write_lines(tmp_path / "segment_events" / "calls.jsonl", calls)
    assert links(tmp_path, "segment_events")["segment"] == [
        ("ws_1", "domain", "alder.example", None),
        ("ws_2", "account", "2", "Two"),
        ("ws_2", "domain", "b.example", None),
    ]
