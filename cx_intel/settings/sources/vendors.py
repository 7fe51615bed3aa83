"""Sources that are a vendor's own system: its objects are landed as they are, and presets read the landed tables.

Only descriptions; requests are sent in `cx_intel.sources.vendors`. Which canonical tables come of the objects, a preset
says (`landed: NAME` in place of its folder), or a `sql` source whose `tables` name what was landed.
"""

import re
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from cx_intel.settings.base import Misfit, Settings
from cx_intel.settings.identity import SystemName

_VARIABLE = r"^\$\{[A-Za-z_][A-Za-z0-9_]*\}$"
_HOST = r"^(https://[A-Za-z0-9.-]+|http://(127\.0\.0\.1|localhost))(:\d+)?$"


def _is_variable(stated: object) -> object:
    if not isinstance(stated, str) or not re.match(_VARIABLE, stated):  # which may be the secret: it is not repeated
        raise ValueError("is to be ${NAME} of a variable that holds the secret: none stands in a file")
    return stated


def _is_https(host: str) -> str:
    if not re.match(_HOST, host):
        raise ValueError(f"{host!r} is no host: write it as https://api.example.com, without a path")
    return host


Secret: TypeAlias = Annotated[str, BeforeValidator(_is_variable), Field(json_schema_extra={"pattern": _VARIABLE})]
"""`${NAME}` of a variable of the environment: a secret stands in no file."""
Host: TypeAlias = Annotated[str, AfterValidator(_is_https)]
"""Where a vendor is reached, over TLS; http on this machine alone."""


class VendorSource(Settings):
    """What every source of this kind states."""

    name: SystemName
    """What the source is called: its tables are `landed_<name>_<objects>`."""
    full_pass_days: int = Field(default=7, ge=1, le=60)
    """After so many days all objects are read again, not only those that changed."""
    max_gone_pct: float = Field(default=10.0, ge=0, le=100)
    """Share of the objects of one kind (0 to 100) that may be gone at once; above it nothing is changed, a single one
    apart."""
    fresh_within_hours: int = Field(default=36, ge=1)
    """Dagster shows the source as late when nothing was landed for so long."""


class StripeSource(VendorSource):
    """Stripe's own objects: customers, subscriptions, prices and what else presets and queries name."""

    kind: Literal["stripe"]
    name: SystemName = "stripe"
    api_key: Secret
    """A restricted key that may read, by its variable: ${STRIPE_API_KEY}."""
    host: Host = "https://api.stripe.com"
    """Where Stripe is reached."""


class ZendeskSource(VendorSource):
    """Zendesk's own objects: tickets, users and organizations."""

    kind: Literal["zendesk"]
    name: SystemName = "zendesk"
    client_id: Secret
    """The identifier of a confidential OAuth client, by its variable: ${ZENDESK_CLIENT_ID}."""
    client_secret: Secret
    """Its secret, by its variable: ${ZENDESK_CLIENT_SECRET}."""
    host: Host
    """Where Zendesk is reached: https://example.zendesk.com."""


class SalesforceSignIn(Settings):
    """Signs in by client credentials (`client_secret`), or as a user by a signed claim (`username`, `private_key`)."""

    client_id: Secret
    """The consumer key of an external client app, by its variable: ${SALESFORCE_CLIENT_ID}."""
    client_secret: Secret | None = None
    """Its secret, by its variable: ${SALESFORCE_CLIENT_SECRET}."""
    username: Secret | None = None
    """In place of the secret: the user that requests act as, by its variable: ${SALESFORCE_USERNAME}."""
    private_key: Secret | None = None
    """The private key (RSA, PEM) whose certificate the app has, by its variable: ${SALESFORCE_PRIVATE_KEY}."""
    audience: Host = "https://login.salesforce.com"
    """Whom the claim is for: of a sandbox https://test.salesforce.com."""
    host: Host
    """The My Domain of the organisation: https://example.my.salesforce.com."""

    @model_validator(mode="after")
    def _signs_in_one_way(self) -> "SalesforceSignIn":
        by_claim = [self.username, self.private_key]
        if (self.client_secret is None) == (by_claim == [None, None]) or by_claim.count(None) == 1:
            raise Misfit("signs in by a `client_secret`, or by `username` and `private_key`", ("client_id",))
        return self


class SalesforceSource(VendorSource, SalesforceSignIn):
    """Salesforce's own objects: accounts, contracts, opportunities, tasks and users, with their custom fields.

    Signs in by client credentials (`client_secret`), or as a user by a signed claim (`username`, `private_key`).
    """

    kind: Literal["salesforce"]
    name: SystemName = "salesforce"


class PlanhatSource(VendorSource):
    """Planhat's own objects: companies, licences, surveys, tasks and what else presets and queries name; all each time."""

    kind: Literal["planhat"]
    name: SystemName = "planhat"
    token: Secret
    """An API token that may read, by its variable: ${PLANHAT_TOKEN}."""
    host: Host = "https://api.planhat.com"
    """Where Planhat is reached; tenants of some regions have a host of their own."""


Vendor: TypeAlias = StripeSource | ZendeskSource | SalesforceSource | PlanhatSource
"""Any source that is a vendor's own system."""
OBJECTS = {
    "stripe": ("customers", "products", "prices", "coupons", "subscriptions", "invoices", "credit_notes"),
    "zendesk": ("organizations", "users", "tickets"),
    "planhat": ("users", "companies", "endusers", "licenses", "nps", "tasks", "churn"),
    "salesforce": ("user", "account", "contract", "opportunity", "task", "contact", "accountcontactrole"),
}
"""Kind of a source: the objects that it lands, where something reads them; those that others need come first."""
CUSTOMER_OF: dict[str, tuple[str, ...]] = {
    "customers": ("id",),
    "subscriptions": ("customer",),
    "invoices": ("customer",),
    "credit_notes": ("customer",),
    "organizations": ("id",),
    "users": ("organization_id",),
    "tickets": ("organization_id",),
    "account": ("id",),
    "contract": ("AccountId",),
    "opportunity": ("AccountId",),
    "task": ("AccountId",),
    "contact": ("AccountId",),
    "accountcontactrole": ("AccountId",),
    "companies": ("id",),
    "endusers": ("companyId",),
    "licenses": ("companyId",),
    "nps": ("cId", "companyId"),
    "tasks": ("companyId",),
    "churn": ("companyId",),
}
"""Objects that are about one customer: the fields that may say which. With the customer they are erased, and landed no
more."""
PERSON_OF = {"contact": "Email", "endusers": "email", "users": "email", "nps": "email"}
"""Objects that are about one person: the field with the address. With the person they are erased, and landed no more."""
