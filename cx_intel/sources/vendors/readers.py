"""Opens the reader of a source that lands a vendor's objects, with its secrets from the environment.

The packages that readers need come with `pip install 'cx-intel[connected]'`; they are imported when one is opened. What a
reader gives is described in `objects.py`; who takes it, in `cx_intel.orchestration.assets.delivery.landed`.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cx_intel.settings.sources.vendors import StripeSource
from cx_intel.sources.errors import SourceError
from cx_intel.sources.files.paths import with_variables

if TYPE_CHECKING:
    from cx_intel.sources.vendors.http import Clock
    from cx_intel.sources.vendors.stripe import StripeReader


@contextmanager
def reading(
    source: StripeSource,
    kinds: Sequence[str],
    known: Mapping[str, int],
    state: Mapping[str, str],
    variables: Mapping[str, str],
    clock: "Clock | None" = None,
) -> Iterator["StripeReader"]:
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
        from cx_intel.sources.vendors.http import Clock
        from cx_intel.sources.vendors.stripe import StripeReader, stripe_client
    except ImportError as error:
        raise SourceError(
            f"A source of kind {source.kind} needs packages: pip install 'cx-intel[connected]'."
        ) from error
    key = _secret(source.api_key, source, variables)
    with stripe_client(source.host, key, source.api_key.strip("${}"), clock or Clock()) as client:
        yield StripeReader(client, kinds, source.full_pass_days, known, dict(state))


def refusals(source: StripeSource, kinds: Sequence[str], variables: Mapping[str, str]) -> list[str]:
    """What the vendor refuses of what a refresh would ask for, in words; raises SourceError where it is not reached."""
    with reading(source, kinds, {}, {}, variables) as reader:
        reader.client.tries = 2
        return reader.refusals()


def _secret(stated: str, source: StripeSource, variables: Mapping[str, str]) -> str:
    try:
        secret = with_variables(stated, variables).strip()
    except KeyError as error:
        raise SourceError(
            f"The environment variable {error.args[0]} is not set, which signs in to {source.name}."
        ) from None
    if not secret.isascii() or not secret.isprintable():
        raise SourceError(f"{stated} holds signs that no key has, such as a line break: set it anew.")
    return secret
