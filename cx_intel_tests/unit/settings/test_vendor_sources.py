"""Sources that are a vendor's own system, as a portfolio states them: what is refused, with the line."""

from pathlib import Path

import pytest

from cx_intel.settings.base import SettingsError
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.yaml.loader import parse_portfolio

STRIPE = "  - {kind: stripe, api_key: '${STRIPE_API_KEY}'}\n"
READ = "  - {preset: stripe_export, landed: stripe}\n"


def book(*sources: str) -> Portfolio:
    text = f"currency: {{reporting: USD}}\nrevenue: {{basis: subscriptions}}\nsources:\n{''.join(sources)}"
    return parse_portfolio(text, Path("book.yaml"))


def test_what_is_landed_is_what_is_read() -> None:
    found = book(STRIPE, READ)
    assert found.tables == ("accounts", "subscriptions")
    assert found.landed_objects("stripe") == ("customers", "products", "prices", "coupons", "subscriptions")
    with_invoices = book(STRIPE, "  - {preset: stripe_export, landed: stripe, tables: {invoices: {}}}\n")
    assert with_invoices.landed_objects("stripe")[-2:] == ("invoices", "credit_notes")


def test_two_accounts_of_one_vendor_have_names() -> None:
    second = STRIPE.replace("{kind", "{name: stripe_eu, kind")
    named = "tables: {{accounts: {{name: {0}}}, subscriptions: {{name: {0}}}}}"
    first_read = READ.replace("}", f", {named.format('us')}}}")
    second_read = f"  - {{preset: stripe_export, landed: stripe_eu, {named.format('eu')}}}\n"
    found = book(STRIPE, second, first_read, second_read)
    assert found.landed_objects("stripe_eu") == found.landed_objects("stripe")
    with pytest.raises(SettingsError, match=r"book.yaml:5: .*is the name of another source"):
        book(STRIPE, STRIPE, READ)


@pytest.mark.parametrize(
    ("sources", "told"),
    [
        ((READ,), r"book.yaml:4: .*no source is called 'stripe' that lands a vendor's objects; there are: none"),
        ((STRIPE, READ.replace("d: stripe", "d: strip")), r"book.yaml:5: .*no source is called 'strip' .* are: stripe"),
        ((STRIPE, READ.replace("}", ", folder: x}")), r"book.yaml:5: .*landed: stands in place of a folder"),
        ((STRIPE, READ.replace("stripe_export", "hubspot_export")), r"hubspot_export reads what others deliver"),
        ((STRIPE.replace("${STRIPE_API_KEY}", "rk_live_1"), READ), r"book.yaml:4: sources.0.api_key"),
        ((STRIPE.replace("}'}", "}', host: 'http://api.stripe.com'}"), READ), r"is no host: write it as https://"),
        (
            (STRIPE.replace("}'}", "}', host: 'http://127.0.0.1.example.com'}"), READ),
            r"is no host: write it as https://",
        ),
        ((STRIPE.replace("}'}", "}', host: 'https://a@b.example'}"), READ), r"is no host: write it as https://"),
        (
            (STRIPE, "  - {kind: files, table: accounts, path: a.csv}\n"),
            r"lands objects that nothing reads: .*stripe_export",
        ),
    ],
)
def test_what_is_refused(sources: tuple[str, ...], told: str) -> None:
    with pytest.raises(SettingsError, match=told) as raised:
        book(*sources)
    assert "rk_live" not in str(raised.value)


SALESFORCE = "  - {kind: salesforce, host: 'https://a.my.salesforce.com', client_id: '${A}'SIGNS}\n"
EXPORTED = "  - {preset: salesforce_export, landed: salesforce}\n"
BY_SECRET, BY_CLAIM = ", client_secret: '${B}'", ", username: '${C}', private_key: '${D}'"


@pytest.mark.parametrize("signs", [BY_SECRET, BY_CLAIM])
def test_salesforce_signs_in_by_a_secret_or_by_a_claim(signs: str) -> None:
    found = book(SALESFORCE.replace("SIGNS", signs), EXPORTED)
    assert found.landed_objects("salesforce") == ("user", "account", "contract", "opportunity", "task")
    billing = "  - {kind: files, table: subscriptions, path: s.csv}\n"
    without_contracts = book(SALESFORCE.replace("SIGNS", signs), EXPORTED, billing)
    assert without_contracts.landed_objects("salesforce") == ("user", "account", "task")
    people = ("contact", "accountcontactrole")
    asked = book(SALESFORCE.replace("SIGNS", signs), EXPORTED.replace("}", ", tables: {contacts: {}}}"))
    assert asked.landed_objects("salesforce") == (*found.landed_objects("salesforce"), *people)


@pytest.mark.parametrize("signs", ["", BY_SECRET + BY_CLAIM, ", username: '${C}'", BY_SECRET + ", private_key: '${D}'"])
def test_salesforce_signs_in_one_way(signs: str) -> None:
    told = r"book.yaml:4: .*signs in by a `client_secret`, or by `username` and `private_key`"
    with pytest.raises(SettingsError, match=told):
        book(SALESFORCE.replace("SIGNS", signs), EXPORTED)


def test_a_query_names_objects_that_are_landed() -> None:
    query = "  - {kind: sql, table: metrics, query: select 1, tables: {c: {name: charges, landed: stripe}}}\n"
    with pytest.raises(SettingsError, match=r"stripe lands no 'charges'; it lands customers, products"):
        book(STRIPE, READ, query)
