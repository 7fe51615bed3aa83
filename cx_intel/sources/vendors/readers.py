"""Opens the reader of a source that lands a vendor's objects, with its secrets from the environment.

The packages that readers need come with `pip install 'cx-intel[connected]'`; they are imported when one is opened. What a
reader gives is described in `objects.py`; who takes it, in `cx_intel.orchestration.assets.delivery.landed`.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cx_intel.settings.sources.vendors import PlanhatSource, SalesforceSignIn, SalesforceSource, StripeSource, Vendor
from cx_intel.sources.errors import SourceError
from cx_intel.sources.files.paths import with_variables
from cx_intel.sources.vendors.objects import Reader

if TYPE_CHECKING:
    from cx_intel.sources.vendors.http import Clock
    from cx_intel.sources.vendors.sign_in import SignIn

PEM = "-----BEGIN "


@contextmanager
def reading(
    source: Vendor,
    kinds: Sequence[str],
    known: Mapping[str, int],
    state: Mapping[str, str],
    variables: Mapping[str, str],
    clock: "Clock | None" = None,
) -> Iterator[Reader]:
    """The reader of a source, for the length of a run.

    Args:
        source: Its settings.
        kinds: The objects that are wanted.
        known: Kind: how many objects are there already.
        state: Kind: how far it was read, as the reader wrote it down.
        variables: Hold the secrets.
        clock: The time; default: that of this machine.

    Raises:
        SourceError: A variable is not set, or the packages are not installed.
    """
    try:
        from cx_intel.sources.vendors import http, planhat, salesforce, salesforce_api, stripe, zendesk
    except ImportError as error:
        raise SourceError(
            f"A source of kind {source.kind} needs packages: pip install 'cx-intel[connected]'."
        ) from error
    time, days = clock or http.Clock(), source.full_pass_days
    if isinstance(source, StripeSource):
        (key,), (variable,) = secrets_of(source.name, (source.api_key,), variables)
        with stripe.stripe_client(source.host, key, variable, time) as client:
            yield stripe.StripeReader(client, kinds, days, known, dict(state))
    elif isinstance(source, PlanhatSource):
        (key,), (variable,) = secrets_of(source.name, (source.token,), variables)
        with planhat.planhat_client(source.host, key, variable, time) as client:
            yield planhat.PlanhatReader(client, kinds, dict(state))
    elif isinstance(source, SalesforceSource):
        with salesforce_api.salesforce_client(
            source.host, salesforce_sign_in(source, source.name, variables), time
        ) as client:
            yield salesforce.SalesforceReader(client, kinds, days, dict(state))
    else:
        secrets, names = secrets_of(source.name, (source.client_id, source.client_secret), variables)
        with zendesk.zendesk_client(source.host, secrets, names, time) as client:
            yield zendesk.ZendeskReader(client, kinds, days, dict(state))


def salesforce_sign_in(settings: SalesforceSignIn, name: str, variables: Mapping[str, str]) -> "SignIn":
    """How requests to Salesforce sign in; `name` says for what, in messages. Raises SourceError as `reading` does."""
    from cx_intel.sources.vendors import salesforce_api

    if settings.client_secret:
        return salesforce_api.by_secret(*secrets_of(name, (settings.client_id, settings.client_secret), variables))
    stated = (settings.client_id, settings.username or "", settings.private_key or "")
    secrets, names = secrets_of(name, stated, variables)
    return salesforce_api.by_claim(secrets, names, settings.audience)


def refusals(source: Vendor, kinds: Sequence[str], variables: Mapping[str, str]) -> list[str]:
    """What the vendor refuses of what a refresh would ask for, in words; raises SourceError where it is not reached."""
    with reading(source, kinds, {}, {}, variables) as reader:
        reader.client.tries = 2
        return reader.refusals()


def secrets_of(
    name: str, stated: Sequence[str], variables: Mapping[str, str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What the variables that settings name as `${NAME}` hold, and how they are called.

    Args:
        name: Whose they are, for messages.
        stated: As the settings say.
        variables: The environment.

    Raises:
        SourceError: One is not set, or holds what no key has.
    """
    found = []
    for text in stated:
        try:
            secret = _in_lines(with_variables(text, variables).strip())
        except KeyError as error:
            told = f"The environment variable {error.args[0]} is not set, which signs in to {name}."
            raise SourceError(told) from None
        is_key = secret.startswith(PEM)
        if not secret.isascii() or not (is_key or secret.isprintable()):
            raise SourceError(f"{text} holds signs that no key has, such as a line break: set it anew.")
        found.append(secret)
    return tuple(found), tuple(text.strip("${}") for text in stated)


def _in_lines(secret: str) -> str:
    """A key as PEM in its lines; a variable may hold a backslash and n in the place of their ends."""
    return secret.replace("\\n", "\n") if secret.startswith(PEM) else secret
