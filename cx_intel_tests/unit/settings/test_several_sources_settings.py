"""Sources of one table, and ids of other systems, in the settings: what is refused, and what is said."""

from typing import Any

import pytest
from pydantic import ValidationError

from cx_intel_tests.helpers.builders import portfolio
from cx_intel_tests.helpers.identity_loads import BOOK, book


def source(table: str, **more: Any) -> dict[str, Any]:
    return {"kind": "files", "table": table, "path": f"{table}.csv"} | more


def refused(*more: dict[str, Any], **blocks: Any) -> str:
    with pytest.raises(ValidationError) as found:
        portfolio(sources=[source("accounts", name="crm"), source("subscriptions", name="old"), *more], **blocks)
    return str(found.value)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (source("subscriptions"), "subscriptions: is delivered twice: give each source a `name` of its own"),
        (
            source("subscriptions", name="old"),
            "subscriptions: is delivered twice: give each source a `name` of its own",
        ),
        (source("subscriptions", name="b", delivers="changes"), "delivers is to be the same for all sources"),
        (source("subscriptions", name="b", end_date={"means": "term"}), "end_date is to be the same for all sources"),
        (source("invoices", name="b", owns=["status"]), "is about accounts and subscriptions; rows of other tables"),
        (
            source("subscriptions", name="b", owns=["renewal_date", "status"]),
            "status comes with the contract itself; owned may be plan_tier, renewal_date, term_months",
        ),
        (source("invoices", system="account"), "is left out where the ids are the accounts' own"),
        (source("account_aliases", system="crm"), "is about the account_id of a row"),
    ],
)
def test_what_cannot_be_told_apart_is_refused(more: dict[str, Any], message: str):
    assert message in refused(more)


def test_a_column_has_one_owner_and_merges_are_delivered_once():
    both = [source("accounts", name="a", owns=["owner"]), source("accounts", name="b", owns=["owner"])]
    assert "accounts: owner is owned by two sources" in refused(*both)
    twice = [source("account_aliases", name="a"), source("account_aliases", name="b")]
    assert "account_aliases: is delivered twice; join the files with a glob" in refused(*twice)


def test_owning_takes_another_source_and_accounts_need_ids_of_their_own():
    with pytest.raises(ValidationError, match="is for a table that several sources deliver"):
        portfolio(sources=[source("accounts", owns=["owner"]), source("subscriptions")])
    with pytest.raises(ValidationError, match="list a source without `system` first"):
        portfolio(sources=[source("accounts", system="billing"), source("subscriptions")])
    adding = source("subscriptions", name="crm", owns=["renewal_date"], delivers="changes")
    with pytest.raises(ValidationError, match="adds columns to rows of another source: list that one first"):
        portfolio(sources=[source("accounts"), adding, source("subscriptions", name="billing")])
    portfolio(sources=[source("accounts"), source("subscriptions", name="billing"), adding])


def test_what_is_to_become_of_ids_is_stated_for_systems_that_are_there():
    with pytest.raises(ValidationError, match="no source states `system: stripes`; there are domain, segment, stripe"):
        book(identity={"unmatched": {"stripes": "none"}})


def test_ids_of_systems_that_deliver_mrr_become_accounts():
    assert [s for s in BOOK.systems if BOOK.makes_accounts_of(s)] == ["stripe"]
    assert BOOK.systems == {
        "stripe": ("subscriptions",),
        "zendesk": ("support_tickets",),
        "segment": ("usage_events",),
        "domain": ("nps_responses",),
    }
    stated = book(identity={"unmatched": {"stripe": "none", "segment": "account"}})
    assert [s for s in stated.systems if stated.makes_accounts_of(s)] == ["segment"]


def test_the_first_source_of_a_table_delivers_it_under_its_name_and_the_others_under_theirs():
    of = portfolio(
        sources=[source("accounts"), source("subscriptions", name="old"), source("subscriptions", name="new")]
    )
    assert list(of.parts_of("subscriptions")) == ["subscriptions", "subscriptions__new"]
    assert list(of.parts_of("accounts")) == ["accounts"]
    assert of.only("subscriptions", of.sources[2]).source_of("subscriptions") is of.sources[2]
