"""The `links` block: where an account opens in other systems, such as CRM, help desk and CS platform.

Only templates of addresses. They are filled in for each account by `cx_intel.reports.data.account.links`; what is written
to other systems is the `write_back` block's.
"""

import re
from string import Formatter
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, Field

from cx_intel.settings.base import Settings
from cx_intel.settings.identity import SystemName

ACCOUNT_ID, SYSTEM_ID = "account_id", "id"
ADDRESS = re.compile(r"^https?://[A-Za-z0-9.-]+(:[0-9]+)?/[^\s\"'<>\\]*$")
"""A scheme, a host that is written out, and a path; only what follows the host may have gaps."""


def gaps_of(url: str) -> list[str]:
    """The names in braces, in order."""
    return [name + (f"!{how}" if how else "") + (f":{form}" if form else "") for _, name, form, how in _parsed(url)]


def _parsed(url: str) -> list[tuple[str, str, str | None, str | None]]:
    return [(text, name, form, how) for text, name, form, how in Formatter().parse(url) if name is not None]


def _address(url: str) -> str:
    host_part = url.split("{", 1)[0]
    if not ADDRESS.match(url) or host_part.count("/") < 3:
        raise ValueError(
            "is no address such as https://crm.example.com/accounts/{account_id}: http or https, a host, a path"
        )
    try:
        gaps = gaps_of(url)
    except ValueError as error:
        raise ValueError(f"has braces that do not fit: {error}") from error
    if unknown := [gap for gap in gaps if gap not in (ACCOUNT_ID, SYSTEM_ID)]:
        raise ValueError(f"has {{{unknown[0]}}}; there are {{account_id}} and, with `system`, {{id}}")
    if not gaps:
        raise ValueError("names no account: write {account_id}, or {id} with a `system`, where its id belongs")
    return url


UrlTemplate: TypeAlias = Annotated[str, AfterValidator(_address)]
"""An address with gaps: {account_id}, or {id} for the account's id in `system`; ids are percent-encoded."""


class Link(Settings):
    """A link from an account into another system."""

    url: UrlTemplate
    """The address with gaps: {account_id}, or {id} for the account's id in `system`; ids are percent-encoded."""
    system: SystemName | None = None
    """The system of `identity_links`, or of a source's `system`, whose id of the account fills {id}; an account without
    one there has no link, one with several has a link each."""
    label: Annotated[str, Field(max_length=40)] = ""
    """How the link reads; default: its key, such as CRM for `crm`."""


LinkSettings: TypeAlias = UrlTemplate | Link


def link_of(stated: LinkSettings) -> Link:
    """A link as it is when only its address is stated, or all of it."""
    return Link(url=stated) if isinstance(stated, str) else stated


def fault_of(link: Link, has_identity: bool) -> str:
    """What is wrong with a link in its portfolio; nothing where it fits.

    Args:
        link: The link.
        has_identity: Whether ids of other systems are known in it.
    """
    if (SYSTEM_ID in gaps_of(link.url)) != (link.system is not None):
        return "has {id} without a `system` whose id it is, or a `system` without {id}"
    if link.system is not None and not has_identity:
        return "needs `identity_links`, or a source with a `system`: no id of another system is known"
    return ""
