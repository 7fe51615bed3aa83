"""Which account an id belongs to: the strongest link, chains, domains, what is remembered, and why there is none."""

from datetime import date
from typing import Any

import pytest

from cx_intel.contracts.staging.reasons import REASONS
from cx_intel_tests.helpers.identity_loads import BOOK, book, found, link, load

JANUARY, FEBRUARY, MARCH = date(2025, 1, 31), date(2025, 2, 28), date(2025, 3, 31)


def account_of(system_id: str, *links: dict[str, Any], **more: Any) -> tuple[str | None, str | None]:
    return found(load(links, **more))[system_id]


def test_a_link_to_an_account_leads_there():
    assert account_of("stripe:c1", link("stripe", "c1", "A")) == ("A", "direct")


def test_a_chain_leads_over_other_systems_to_an_account():
    links = (link("segment", "w1", "stripe:c1"), link("stripe", "c1", "crm:k1"), link("crm", "k1", "A"))
    assert account_of("segment:w1", *links) == ("A", "chain")


def test_four_links_are_followed():
    def chain(name: str, between: int) -> list[dict[str, Any]]:
        links = [link("s", f"{name}{n}", f"s:{name}{n + 1}") for n in range(between)]
        return [*links, link("s", f"{name}{between}", "A")]

    loaded = found(load([*chain("i", 3), *chain("j", 4)]))
    assert loaded["s:i0"] == ("A", "chain")
    assert loaded["s:j0"] == (None, "is linked to s 'j1', which leads to no account")


def test_a_domain_leads_to_the_one_account_that_has_it():
    links = (link("domain", "a.example", "A"), link("stripe", "c1", "domain:a.example"))
    assert account_of("stripe:c1", *links) == ("A", "domain")


def test_a_domain_of_several_accounts_or_of_none_leads_nowhere():
    links = [link("domain", "group.example", "A"), link("domain", "group.example", "B")]
    links += [link("stripe", "c1", "domain:group.example"), link("stripe", "c2", "domain:mail.example")]
    loaded = found(load(links))
    assert loaded["stripe:c1"] == (None, "has the domain 'group.example', as several accounts have")
    assert loaded["stripe:c2"] == (None, "has the domain 'mail.example', as no account has")
    assert loaded["domain:group.example"] == (None, "is linked to several accounts alike: 'A' and 'B'")


STATED = {
    "holding.example": "Holding.example",
    "agency.example": "@agency.example",
    "office.example": "https://www.office.example/",
    "bureau.example": "bureau.example\u00a0",
}


@pytest.fixture(scope="module")
def with_shared_domains() -> dict[str, Any]:
    """Where links lead if these domains are stated as shared, each written in another way."""
    links = [link("domain", name, "A") for name in ("gmail.com", *STATED, "a.example")]
    links += [link("stripe", name, f"domain:{name}") for name in ("gmail.com", *STATED)]
    return found(load(links, of=book(identity={"shared_domains": list(STATED.values())})))


@pytest.mark.parametrize("name", ["gmail.com", *STATED])
def test_domains_of_mail_providers_and_those_stated_as_shared_belong_to_nobody(
    name: str, with_shared_domains: dict[str, Any]
):
    assert with_shared_domains[f"stripe:{name}"] == (None, f"has the domain '{name}', which is no company's own")
    assert with_shared_domains[f"domain:{name}"] == (None, REASONS["shared_domain"])
    assert with_shared_domains["domain:a.example"] == ("A", "direct")


def test_mail_providers_are_known_under_the_domains_of_many_countries():
    links = [link("domain", name, "A") for name in ("yahoo.co.uk", "gmx.at", "myyahoo.example")]
    loaded = found(load(links))
    assert loaded["domain:yahoo.co.uk"] == loaded["domain:gmx.at"] == (None, REASONS["shared_domain"])
    assert loaded["domain:myyahoo.example"] == ("A", "direct")


def test_a_text_that_is_no_domain_leads_nowhere():
    loaded = found(load([link("domain", "n/a", "A"), link("stripe", "c1", "domain:n/a")]))
    assert loaded["domain:n/a"] == (None, REASONS["shared_domain"])
    assert loaded["stripe:c1"] == (None, "has the domain 'n/a', which is no company's own")


@pytest.mark.slow
def test_what_led_over_a_domain_is_forgotten_when_it_is_stated_as_shared():
    links = [link("domain", "group.example", "A"), link("stripe", "c1", "domain:group.example")]
    links += [link("segment", "w1", "stripe:c1"), link("segment", "w2", "segment:w1"), link("stripe", "c2", "A")]
    first = load(links)
    assert found(first)["segment:w2"] == ("A", "chain")
    of = book(identity={"shared_domains": ["group.example"]})
    second = found(load(links, before=first, as_of=FEBRUARY, of=of))
    assert second == {
        "domain:group.example": (None, REASONS["shared_domain"]),
        "stripe:c1": (None, "has the domain 'group.example', which is no company's own"),
        "segment:w1": (None, "is linked to stripe 'c1', which leads to no account"),
        "segment:w2": (None, "is linked to segment 'w1', which leads to no account"),
        "stripe:c2": ("A", "direct"),
    }


WRITTEN = {"1042.0": "1042", "77": "0077", "a1b": "A1b", "0015g00000AbCdEAAW": "0015g00000AbCdE"}
"""Accounts as links write them, and as they are delivered."""


def test_an_account_that_is_written_otherwise_is_named():
    reason = "is linked to the account '{}', which no load delivered; there is '{}'"
    loaded = found(load([link("stripe", linked, linked) for linked in WRITTEN], accounts=[*WRITTEN.values(), "B"]))
    assert loaded == {f"stripe:{linked}": (None, reason.format(linked, known)) for linked, known in WRITTEN.items()}
    both = [*WRITTEN.values(), *WRITTEN]
    loaded = found(load([link("stripe", known, known) for known in WRITTEN.values()], accounts=both))
    assert loaded == {f"stripe:{known}": (known, "direct") for known in WRITTEN.values()}


def test_of_two_accounts_that_are_written_like_the_linked_one_none_is_named():
    reason = "is linked to the account '1042.0', which no load delivered"
    assert account_of("stripe:c1", link("stripe", "c1", "1042.0"), accounts=["1042", "01042"]) == (None, reason)


def test_an_id_that_rows_write_otherwise_than_links_is_told():
    named = {"usage_events": ["W1"], "support_tickets": ["w1"]}
    loaded = found(load([link("segment", "w1", "A")], named=named))
    assert loaded["segment:W1"] == (None, "has no link; 'w1' has one")
    assert loaded["zendesk:w1"] == (None, "has no link")


def test_a_direct_link_counts_before_one_over_a_system_and_that_before_a_domain():
    direct, chain = link("segment", "w1", "A"), link("segment", "w1", "stripe:c1")
    domain = link("segment", "w1", "domain:c.example")
    others = (link("stripe", "c1", "B"), link("domain", "c.example", "C"))
    for links, expected in (
        ((direct, chain, domain), ("A", "direct")),
        ((chain, domain), ("B", "chain")),
        ((domain,), ("C", "domain")),
    ):
        assert account_of("segment:w1", *links, *others, accounts="ABC") == expected


def test_a_stated_priority_decides_and_a_stronger_link_that_leads_nowhere_does_not():
    others = (link("domain", "b.example", "B"),)
    by_domain = link("stripe", "c1", "domain:b.example", priority=1)
    assert account_of("stripe:c1", link("stripe", "c1", "A", priority=2), by_domain, *others) == ("B", "domain")
    assert account_of("stripe:c1", link("stripe", "c1", "gone"), by_domain, *others) == ("B", "domain")


def test_equally_strong_links_to_several_accounts_lead_to_none_and_to_one_account_they_lead():
    both = [link("stripe", "c1", "A"), link("stripe", "c1", "B")]
    assert account_of("stripe:c1", *both) == (None, "is linked to several accounts alike: 'A' and 'B'")
    assert account_of("stripe:c1", *both, merged={"B": "A"}) == ("A", "direct")


def test_circles_are_told():
    links = (link("s", "x", "s:y"), link("s", "y", "s:z"), link("s", "z", "s:x"), link("s", "w", "s:x"))
    assert set(found(load(links)).values()) == {(None, "is linked in a circle, or over more than 4 links")}


def test_what_a_link_leads_to_is_told_where_it_ends_nowhere():
    loaded = found(load([link("stripe", "c1", "Z"), link("segment", "w1", "stripe:c1"), link("zendesk", "o1")]))
    assert loaded["stripe:c1"] == (None, "is linked to the account 'Z', which no load delivered")
    assert loaded["segment:w1"] == (None, "is linked to stripe 'c1', which leads to no account")
    assert loaded["zendesk:o1"] == (None, "has no link")


def test_an_id_that_rows_name_is_an_account_itself_where_its_system_delivers_mrr_or_the_portfolio_says_so():
    named = {"subscriptions": ["c1"], "support_tickets": ["o1"], "usage_events": ["w1"]}
    links = [link("stripe", "c2", "Z")]  # rows do not name c2
    loaded = found(load(links, named=named))
    assert loaded["stripe:c1"] == ("stripe:c1", "own")
    assert loaded["stripe:c2"][0] is None
    assert loaded["zendesk:o1"] == (None, "has no link")
    of = book(identity={"unmatched": {"stripe": "none", "segment": "account"}})
    loaded = found(load(links, named=named, of=of))
    assert loaded["stripe:c1"] == (None, "has no link")
    assert loaded["segment:w1"] == ("segment:w1", "own")


def test_an_email_address_in_a_row_counts_as_its_domain():
    loaded = found(load([link("domain", "a.example", "A")], named={"nps_responses": ["Eve@A.Example", "x@b.example"]}))
    assert loaded == {"domain:a.example": ("A", "direct"), "domain:b.example": (None, "has no link")}


@pytest.mark.slow
def test_a_link_that_is_no_longer_delivered_stays_and_so_does_its_account():
    first = load([link("stripe", "c1", "A", external_name="Acme"), link("domain", "b.example", "B")])
    named = {"subscriptions": ["c1"], "nps_responses": ["x@b.example"]}
    second = load([], named=named, accounts="C", before=first, as_of=FEBRUARY)
    assert found(second) == {"stripe:c1": ("A", "direct"), "domain:b.example": ("B", "direct")}
    (row,) = [r for r in second if r["system"] == "stripe"]
    assert (row["valid_from"], row["first_seen_on"], row["last_seen_on"]) == (JANUARY, JANUARY, FEBRUARY)
    assert (row["is_delivered"], row["external_name"]) == (False, "Acme")
    third = load([], accounts="C", before=second, as_of=MARCH)
    (row,) = [r for r in third if r["system"] == "stripe"]
    assert (row["account_id"], row["named_in"], row["last_seen_on"]) == ("A", None, FEBRUARY)


def test_a_newer_link_wins_unless_it_is_weaker_and_the_old_one_stays_as_history():
    first = load([link("stripe", "c1", "A")])
    second = load([link("stripe", "c1", "B")], before=first, as_of=FEBRUARY)
    history = [(r["account_id"], r["valid_from"], r["valid_to"]) for r in second if r["system"] == "stripe"]
    assert history == [("A", JANUARY, FEBRUARY), ("B", FEBRUARY, None)]
    weaker = [link("stripe", "c1", "domain:b.example"), link("domain", "b.example", "B")]
    assert found(load(weaker, before=first, as_of=FEBRUARY))["stripe:c1"] == ("A", "direct")


def test_a_domain_that_a_second_account_gets_too_stays_where_a_link_used_it():
    links = [link("domain", "a.example", "A"), link("stripe", "c1", "domain:a.example")]
    first = load(links)
    second = load([*links, link("domain", "a.example", "B")], before=first, as_of=FEBRUARY)
    assert found(second) == {
        "domain:a.example": (None, "is linked to several accounts alike: 'A' and 'B'"),
        "stripe:c1": ("A", "domain"),
    }


def test_an_id_that_was_an_account_itself_stays_one_and_moves_when_a_link_comes():
    first = load([], named={"subscriptions": ["c1"]})
    second = load([], before=first, as_of=FEBRUARY)
    assert found(second) == {"stripe:c1": ("stripe:c1", "own")}
    assert found(load([link("stripe", "c1", "B")], before=second, as_of=MARCH)) == {"stripe:c1": ("B", "direct")}


def test_a_merged_account_leads_to_the_one_that_survives():
    first = load([link("stripe", "c1", "A")])
    links = [link("stripe", "c1", "A"), link("zendesk", "o1", "A")]
    second = load(links, accounts="B", merged={"A": "B"}, before=first, as_of=FEBRUARY)
    assert found(second) == {"stripe:c1": ("B", "direct"), "zendesk:o1": ("B", "direct")}


@pytest.mark.slow
def test_a_day_again_replaces_what_it_wrote():
    first = load([link("stripe", "c1", "A")])
    load_again = {"before": load([link("stripe", "c1", "B")], before=first, as_of=FEBRUARY), "as_of": FEBRUARY}
    assert load([link("stripe", "c1", "B")], **load_again) == load_again["before"]
    assert found(load([link("stripe", "c1", "A")], **load_again)) == {"stripe:c1": ("A", "direct")}
    assert len([r for r in load([link("stripe", "c1", "A")], **load_again) if r["system"] == "stripe"]) == 1


@pytest.mark.slow
def test_the_order_of_links_changes_nothing():
    links = [link("segment", "w1", "stripe:c1"), link("stripe", "c1", "domain:a.example")]
    links += [link("domain", "a.example", "A"), link("stripe", "c1", "B", priority=5)]
    assert load(links) == load(links[::-1]) == load([*links, *links])


def test_ids_of_erased_accounts_are_left_out():
    assert found(load([], named={"subscriptions": ["erased-12345678"]}, of=BOOK)) == {}
