"""The `identity` block: what becomes of ids of other systems that no link leads to an account.

The links themselves are delivered as a table, `identity_links`, by sources like any other; which ids a source names is
stated by its `system` (`sources/base.py`). How links are followed: `cx_intel.models.identity`.
"""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from cx_intel.settings.base import NAME_PATTERN, Settings

ACCOUNT, DOMAIN = "account", "domain"
"""Where links lead in the end, and the system whose ids are e-mail domains; an e-mail address counts as its domain."""

SystemName: TypeAlias = Annotated[str, Field(pattern=NAME_PATTERN)]

FREE_MAIL = (
    "aol.com",
    "gmail.com",
    "gmx.com",
    "gmx.de",
    "gmx.net",
    "googlemail.com",
    "hotmail.com",
    "icloud.com",
    "live.com",
    "mail.com",
    "me.com",
    "msn.com",
    "outlook.com",
    "proton.me",
    "protonmail.com",
    "qq.com",
    "t-online.de",
    "web.de",
    "yahoo.com",
    "yandex.ru",
)
"""Domains of mail providers: an account that has one of them as its own does not own it."""


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
        """The domains by which no account is found, in lower case."""
        return tuple(dict.fromkeys((*FREE_MAIL, *(domain.strip().lower() for domain in self.shared_domains))))
