"""Presets in a portfolio: what they become, what may be changed, and errors that name preset, table and line."""

from pathlib import Path
from typing import Any

import pytest

from cx_intel.settings.base import SettingsError
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.sources.sql import SqlSource
from cx_intel.settings.yaml.loader import parse_portfolio
from cx_intel.settings.yaml.presets import merged, preset_names, preset_of
from cx_intel.sources.files.mapping import check_sources

HEAD = """\
currency: {reporting: USD}
revenue: {basis: subscriptions}
sources:
"""
STRIPE = (
    HEAD
    + """\
  - preset: stripe_export
    folder: ${STRIPE}
"""
)


def parsed(text: str) -> Portfolio:
    return parse_portfolio(text, Path("books/small.yaml"), also=(check_sources,))


def problem(text: str) -> tuple[int | None, str, str]:
    with pytest.raises(SettingsError) as error:
        parsed(text)
    (found,) = error.value.problems
    return found.line, found.path, found.message


def source(portfolio: Portfolio, table: str) -> Any:
    return portfolio.source_of(table)


def test_a_preset_becomes_sources() -> None:
    found = parsed(STRIPE)
    assert set(found.tables) >= {"accounts", "subscriptions"}
    assert found.presets == {"stripe_export": list(found.tables)}
    subscriptions = source(found, "subscriptions")
    assert isinstance(subscriptions, SqlSource)
    assert subscriptions.in_minor_units == {"ISK": 2, "UGX": 2, "MGA": 0}  # where Stripe and ISO 4217 differ
    assert subscriptions.title == "source of subscriptions (preset stripe_export)"


def test_the_folder_is_put_in_its_place() -> None:
    found = parsed(HEAD + "  - {preset: stripe_export, folder: '${EXPORTS}/stripe/'}\n")
    assert source(found, "subscriptions").files["prices"].path == "${EXPORTS}/stripe/prices*"


def test_the_place_in_the_digest_of_settings_is_not_the_presets_name() -> None:
    """So that a portfolio that copies a preset keeps what was published."""
    found = parsed(STRIPE)
    plain = [s.model_copy(update={"preset": ""}) for s in found.sources]
    assert found.model_copy(update={"sources": plain}).ledger_fingerprint == found.ledger_fingerprint


def test_settings_of_a_preset_give_way_to_those_of_the_portfolio() -> None:
    assert parsed(STRIPE).revenue.recognised_statuses == ["paid", "open", "overdue"]
    stated = STRIPE.replace("{basis: subscriptions}", "{basis: subscriptions, recognised_statuses: [paid]}")
    assert parsed(stated).revenue.recognised_statuses == ["paid"]


def test_keys_of_a_table_are_merged() -> None:
    found = parsed(
        STRIPE
        + """\
    tables:
      subscriptions:
        max_quarantined_pct: 20
        files: {subscriptions: {path: "${STRIPE}/all_subscriptions.csv"}}
        decimal: null
"""
    )
    subscriptions = source(found, "subscriptions")
    assert (subscriptions.max_quarantined_pct, subscriptions.decimal) == (20, None)
    assert subscriptions.files["subscriptions"].path == "${STRIPE}/all_subscriptions.csv"
    assert "discounts" in subscriptions.files["subscriptions"].optional
    assert "prices" in subscriptions.files


def test_a_table_is_left_out() -> None:
    text = STRIPE.replace("preset: stripe_export", "preset: stripe_export\n    tables: {accounts: null}")
    text += "  - {kind: files, table: accounts, path: a.csv}\n"
    assert source(parsed(text), "accounts").kind == "files"


def test_accounts_of_billing_give_way_to_those_of_another_source() -> None:
    found = parsed(STRIPE + "  - {kind: files, table: accounts, path: a.csv}\n")
    assert [s.kind for s in found.sources if getattr(s, "table", "") == "accounts"] == ["files"]


def test_a_preset_that_is_not_there() -> None:
    line, path, message = problem(STRIPE.replace("stripe_export", "strip_export"))
    assert (line, path) == (4, "sources.0.preset")
    assert message.startswith("there is no preset 'strip_export' (did you mean 'stripe_export'?); there are ")


def test_what_a_preset_takes() -> None:
    assert problem(HEAD + "  - preset: stripe_export\n") == (
        4,
        "sources.0.folder",
        "preset stripe_export needs it, for instance `folder: ${STRIPE}`",
    )
    assert problem(STRIPE + "    schema: stripe\n") == (
        6,
        "sources.0.schema",
        "preset stripe_export takes folder, and no schema",
    )


def test_an_unknown_key_of_the_entry() -> None:
    line, path, message = problem(STRIPE + "    table: {subscriptions: null}\n")
    assert (line, path) == (6, "sources.0.table")
    assert (
        message
        == "unknown key (did you mean 'tables'?); there are connection, folder, landed, options, preset, schema, tables"
    )


def test_a_schema_is_a_name() -> None:
    line, path, _ = problem(STRIPE + '    schema: "stripe; drop table x"\n')
    assert (line, path) == (6, "sources.0.schema")


def test_a_table_that_the_preset_does_not_deliver() -> None:
    line, path, message = problem(STRIPE + "    tables:\n      metrics: {decimal: ','}\n")
    assert (line, path) == (7, "sources.0.tables.metrics")
    assert message.startswith("preset stripe_export does not deliver it; it delivers accounts, subscriptions")


@pytest.mark.parametrize(
    ("change", "line", "path", "message"),
    [
        ("max_quarantined_pct: 200", 8, "max_quarantined_pct", "less than or equal to 100"),
        ("paths: x", 8, "paths", "unknown key"),
        ("values: {state: {a: b}}", 8, "values.state", "subscriptions has no column 'state'"),
        ("files: {subscriptions: {encoding: utf-99}}", 8, "files.subscriptions.encoding", "is no text encoding"),
        ("query: null", 8, "query", "is required"),
    ],
)
def test_a_fault_in_what_is_changed_names_the_line_and_the_preset(
    change: str, line: int, path: str, message: str
) -> None:
    found = problem(STRIPE + f"    tables:\n      subscriptions:\n        {change}\n")
    assert found[:2] == (line, f"sources.0.tables.subscriptions.{path}")
    assert message in found[2]
    assert found[2].endswith("(preset stripe_export, subscriptions)")


def test_a_fault_of_a_source_beside_a_preset_keeps_its_line() -> None:
    text = STRIPE + "  - kind: files\n    table: accounts\n    path: a.csv\n    colums: {}\n"
    line, path, message = problem(text)
    assert (line, path) == (9, "sources.1.colums")
    assert message.startswith("unknown key (did you mean 'columns'?)")


HUBSPOT = "  - {preset: hubspot_export, folder: h}\n"


def test_billing_names_its_system_where_the_accounts_are_of_the_crm() -> None:
    alone, beside = parsed(STRIPE), parsed(STRIPE + HUBSPOT)
    assert (source(alone, "subscriptions").system, "identity_links" in alone.tables) == (None, False)
    assert (source(beside, "subscriptions").system, "identity_links" in beside.tables) == ("stripe", True)
    stated = STRIPE + "    tables: {subscriptions: {system: billing}}\n" + HUBSPOT
    assert source(parsed(stated), "subscriptions").system == "billing"
    same = STRIPE + "    tables: {subscriptions: {system: null}, identity_links: null}\n" + HUBSPOT
    assert source(parsed(same), "subscriptions").system is None


def test_each_preset_has_links_of_its_own() -> None:
    links = parsed(STRIPE + HUBSPOT).parts_of("identity_links")
    assert {part: links[part].title for part in links} == {
        "identity_links": "source of identity_links (preset stripe_export)",
        "identity_links__hubspot_export": "source of identity_links (preset hubspot_export)",
    }


def test_a_preset_is_taken_twice() -> None:
    twice = STRIPE + HUBSPOT + "  - {preset: stripe_export, folder: other, tables: {subscriptions: {name: second}}}\n"
    found = parsed(twice)
    assert list(found.parts_of("subscriptions")) == ["subscriptions", "subscriptions__second"]
    names = ["stripe_export", "hubspot_export", "stripe_export_2"]
    assert [source.name for source in found.parts_of("identity_links").values()] == names


def test_options() -> None:
    stated = STRIPE + "    options: {account_key: crm_id, product: app}\n" + HUBSPOT
    query = source(parsed(stated), "identity_links").query
    assert "metadata->>'crm_id'" in query
    assert "select 'app', metadata->>'workspace_id', 'stripe', id" in query
    assert problem(STRIPE + "    options: {account: x}\n") == (
        6,
        "sources.0.options.account",
        "preset stripe_export has the options account_key, workspace_key, product, and no account",
    )
    line, path, _ = problem(STRIPE + '    options: {account_key: "x\' or 1"}\n')
    assert (line, path) == (6, "sources.0.options.account_key")


def test_a_product_leads_to_the_accounts_of_billing() -> None:
    segment = "  - {preset: segment_events, folder: e}\n"
    query = source(parsed(STRIPE + segment), "identity_links").query
    assert "'account', id, null from known" in query


def test_merging() -> None:
    assert merged({"a": {"b": 1, "c": [1]}, "d": 2}, {"a": {"b": None, "c": [2]}, "e": None}) == {
        "a": {"c": [2]},
        "d": 2,
        "e": None,
    }


@pytest.mark.parametrize("name", preset_names())
def test_a_shipped_preset_is_good_alone(name: str) -> None:
    preset = preset_of(name)
    stated = "".join(f"    {key}: {value}\n" for key, value in preset.takes.items())
    others = {"accounts", "subscriptions"} - set(preset.tables)
    text = HEAD + f"  - preset: {name}\n{stated}"
    text += f"    tables: {{{', '.join(f'{table}: {{}}' for table in preset.on_request)}}}\n"
    text += "".join(f"  - {{kind: files, table: {table}, path: {table}.csv}}\n" for table in sorted(others))
    assert set(parsed(text).presets[name]) >= set(preset.tables) - {"identity_links"}


def test_tables_on_request() -> None:
    zendesk = "  - preset: zendesk_export\n    folder: ${ZENDESK}\n"
    assert "ticket_status_history" not in parsed(STRIPE + zendesk).tables
    asked = STRIPE + zendesk + "    tables: {ticket_status_history: {time_zone: Europe/Berlin}}\n"
    assert source(parsed(asked), "ticket_status_history").time_zone == "Europe/Berlin"
