"""What staging computes of links between ids: rows without a link, equal links, and the domain of an e-mail address.

How links are followed is in `cx_intel.models.identity`; how rows of other tables get the account of their id, in
`cx_intel.models.staging.identity`.
"""

from datetime import date

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.staging.values import NO_VALUE
from cx_intel.models.expressions.reasons import Fault, reason
from cx_intel.settings.identity import ACCOUNT, AROUND_DOMAIN, DOMAIN, FREE_MAIL_NAMES, UNSEEN
from cx_intel.settings.portfolio import Portfolio

LINK = ("system", "external_id", "linked_system", "linked_id")


def domain_of(text: ir.StringValue) -> ir.StringValue:
    """A domain, or that of an address of e-mail or of the web, in lower case; a text that holds none stays as it is."""
    whole = text.re_replace(UNSEEN, "").strip().lower()
    found = whole
    for pattern in AROUND_DOMAIN:
        found = found.re_replace(pattern, "")
    return ibis.ifelse(found.contains("."), found, whole).nullif("")


def is_shared(domain: ir.StringValue, portfolio: Portfolio) -> ir.BooleanValue:
    """Whether a domain tells no company: that of a mail provider, one that several share, or a text such as `n/a`."""
    of_providers = "^(" + "|".join(FREE_MAIL_NAMES) + ")[.]"
    is_listed = domain.isin(list(portfolio.identity.ignored_domains)) | domain.re_search(of_providers)
    return is_listed | ~domain.contains(".")


def link_columns(rows: ir.Table, portfolio: Portfolio, as_of: date) -> dict[str, ir.Value]:
    """The ids as they are compared; an id whose link names no system or no id has none."""
    linked_id = ibis.ifelse(rows.linked_system == DOMAIN, domain_of(rows.linked_id), rows.linked_id)
    has_link = rows.linked_system.notnull() & linked_id.notnull()
    return {
        "external_id": ibis.ifelse(rows.system == DOMAIN, domain_of(rows.external_id), rows.external_id),
        "linked_system": ibis.ifelse(has_link, rows.linked_system, NO_VALUE),
        "linked_id": ibis.ifelse(has_link, linked_id, NO_VALUE),
    }


def equal_links(rows: ir.Table, portfolio: Portfolio, as_of: date) -> dict[str, ir.Value]:
    """`occurrence` counts equal links: exports repeat them, and that is no fault."""
    equal = ibis.window(group_by=[*LINK], order_by=["_source_file", "_row_number", "external_name"])
    return {"occurrence": (ibis.row_number().over(equal) + 1).cast("int64")}


def link_faults(rows: ir.Table) -> list[Fault]:
    """Accounts are where links end: none begins there."""
    begins_at_account = ibis.coalesce(rows.system == ACCOUNT, ibis.literal(False))
    return [(begins_at_account, reason("link_from_account"))]
