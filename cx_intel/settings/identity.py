"""The `identity` block: what becomes of ids of other systems that no link leads to an account.

The links themselves are delivered as a table, `identity_links`, by sources like any other; which ids a source names is
stated by its `system` (`sources/base.py`). How links are followed: `cx_intel.models.identity`.
"""

import re
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from cx_intel.settings.base import NAME_PATTERN, Settings

ACCOUNT, DOMAIN = "account", "domain"
"""Where links lead in the end, and the system whose ids are e-mail domains; an e-mail address counts as its domain."""

SystemName: TypeAlias = Annotated[str, Field(pattern=NAME_PATTERN)]

FREE_MAIL = (
    "126.com",
    "163.com",
    "alice.it",
    "att.net",
    "bellsouth.net",
    "bigpond.com",
    "bluewin.ch",
    "bol.com.br",
    "btinternet.com",
    "comcast.net",
    "cox.net",
    "earthlink.net",
    "fastmail.com",
    "foxmail.com",
    "free.fr",
    "freenet.de",
    "gmail.com",
    "hanmail.net",
    "icloud.com",
    "laposte.net",
    "libero.it",
    "live.co.uk",
    "live.com",
    "live.de",
    "live.fr",
    "live.nl",
    "mac.com",
    "mail.com",
    "mail.ru",
    "me.com",
    "msn.com",
    "naver.com",
    "o2.pl",
    "onet.pl",
    "orange.fr",
    "pm.me",
    "proton.me",
    "qq.com",
    "rediffmail.com",
    "rocketmail.com",
    "sbcglobal.net",
    "seznam.cz",
    "sfr.fr",
    "t-online.de",
    "tiscali.it",
    "uol.com.br",
    "verizon.net",
    "virgilio.it",
    "wanadoo.fr",
    "web.de",
    "wp.pl",
    "ymail.com",
    "zohomail.com",
)
"""Domains of mail providers: an account that has one of them as its own does not own it."""
FREE_MAIL_NAMES = ("aol", "gmx", "googlemail", "hotmail", "outlook", "protonmail", "tutanota", "yahoo", "yandex")
"""Mail providers under the domains of many countries, such as yahoo.co.uk."""
UNSEEN = "[\u00a0\u00ad\u200b-\u200f\u202f\u2060\ufeff]"
"""Characters that look like a blank, or like nothing, and come with what is pasted."""
AROUND_DOMAIN = (r"^[a-z][a-z0-9+.-]*://", r"[/?#].*$", r"^.*@", r"^www[.]", r"(:[0-9]+)?[.>]*$")
"""What stands around a domain in an address of the web or of e-mail in lower case, to be taken off one after the other."""


def plain_domain_of(text: str) -> str:
    """A domain, or that of an address, as links name it (`cx_intel.models.staging.columns.identity`)."""
    whole = re.sub(UNSEEN, "", text).strip().lower()
    found = whole
    for pattern in AROUND_DOMAIN:
        found = re.sub(pattern, "", found)
    return found if "." in found else whole


class IdentitySettings(Settings):
    """What becomes of ids that find no account, and which domains tell nothing about one."""

    unmatched: dict[SystemName, Literal["account", "none"]] = {}
    """System: `account` makes an account `<system>:<id>` of an id that rows name and no link leads to an account, so that
    its MRR stays in the book; with `none` such rows are quarantined. Default: `account` for systems that deliver
    subscriptions, invoices or mrr_history, else `none`."""
    shared_domains: list[str] = []
    """Domains that several companies share, such as a group's, beside those of the usual mail providers: no account is
    found by them."""

    @property
    def ignored_domains(self) -> tuple[str, ...]:
        """Domains by which no account is found, in lower case, beside those of FREE_MAIL_NAMES."""
        return tuple(dict.fromkeys((*FREE_MAIL, *(plain_domain_of(domain) for domain in self.shared_domains))))
