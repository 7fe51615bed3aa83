"""Opens a sync of a portfolio: its vendors with their secrets from the environment, and who was erased.

The packages that requests need come with `pip install 'cx-intel[connected]'`; they are imported when a sync is opened. What a
sync does is in `sync.py`.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from cx_intel.privacy.register import Register
from cx_intel.settings.portfolio import Portfolio
from cx_intel.sources.errors import SourceError
from cx_intel.sources.vendors.readers import salesforce_sign_in, secrets_of
from cx_intel.warehouse.protocol import Warehouse

if TYPE_CHECKING:
    from cx_intel.sources.vendors.http import Clock
    from cx_intel.sync.sync import Sync
    from cx_intel.sync.writers.writer import VendorWriter


@contextmanager
def opened_sync(
    portfolio: Portfolio,
    warehouse: Warehouse,
    variables: Mapping[str, str],
    home: Path,
    clock: "Clock | None" = None,
) -> "Iterator[Sync]":
    """A sync, for the length of a run.

    Args:
        portfolio: Its settings.
        warehouse: Its tables, open for writing.
        variables: Hold the secrets.
        home: Where it is remembered who was erased.
        clock: The time; default: that of this machine.

    Raises:
        SourceError: Nothing is written back, a variable is not set, the packages are not installed, or there is no snapshot.
        PrivacyError: Somebody was erased, and the key is not there.
    """
    if portfolio.write_back is None:
        raise SourceError(f"{portfolio.name} writes nothing back: it has no `write_back` block.")
    as_of = _newest_scores(portfolio, warehouse)
    with ExitStack() as opened:
        writers = _writers(portfolio, variables, clock, as_of, opened)
        from cx_intel.sync.sync import Sync
        from cx_intel.sync.wanted import Wanted

        keys = {writer.name: writer.key_of for writer in writers}
        wanted = Wanted(portfolio, warehouse, as_of, erased_accounts(portfolio, Register(home, variables)), keys)
        yield Sync(portfolio, warehouse, writers, wanted)


def sync_refusals(portfolio: Portfolio, variables: Mapping[str, str]) -> list[str]:
    """What vendors refuse of what a sync of a portfolio would read, in words; raises SourceError as `opened_sync`."""
    if portfolio.write_back is None or not portfolio.write_back.enabled:
        return []
    found: list[str] = []
    with ExitStack() as opened:
        for writer in _writers(portfolio, variables, None, date.today(), opened):
            for client in writer.clients:
                client.tries = 2
            try:
                found += writer.refusals()
            except SourceError as error:
                found.append(str(error))
    return found


def erased_accounts(portfolio: Portfolio, register: Register) -> "_Erased":
    """Tells whether an account was erased. Raises PrivacyError where somebody was and the key is not there."""
    return _Erased(portfolio.name, register)


class _Erased:
    def __init__(self, portfolio: str, register: Register):
        self.portfolio, self.register = portfolio, register
        self.hashes = {entry.hash for entry in register.entries(portfolio)}
        if self.hashes:
            register.check()

    def __call__(self, account_id: str) -> bool:
        return bool(self.hashes) and self.register.hash(self.portfolio, "account", account_id) in self.hashes


def _newest_scores(portfolio: Portfolio, warehouse: Warehouse) -> date:
    newest = warehouse.newest()
    if newest is None or not warehouse.exists("customer_health_scores"):
        raise SourceError(f"{portfolio.name} has no health scores yet: refresh it first.")
    return newest


def _writers(
    portfolio: Portfolio, variables: Mapping[str, str], clock: "Clock | None", as_of: date, opened: ExitStack
) -> "list[VendorWriter]":
    try:
        from cx_intel.sources.vendors.http import Clock
        from cx_intel.sync.writers.planhat import PlanhatWriter, planhat_clients
        from cx_intel.sync.writers.salesforce import SalesforceWriter, salesforce_write_client
    except ImportError as error:
        raise SourceError("Writing back needs packages: pip install 'cx-intel[connected]'.") from error
    clock = clock or Clock()
    settings, writers = portfolio.write_back, list["VendorWriter"]()
    if settings and (planhat := settings.planhat):
        stated = [planhat.token, *([planhat.tenant] if planhat.tenant else [])]
        held, names = secrets_of("Planhat", stated, variables)
        token, tenant = (*held, "")[:2]
        clients = planhat_clients(planhat, token, tenant, (names[0], (*names, "")[1]), clock)
        api, analytics = (opened.enter_context(client) for client in clients)
        writers.append(PlanhatWriter(planhat, api, analytics, tenant, as_of))
    if settings and (salesforce := settings.salesforce):
        sign_in = salesforce_sign_in(salesforce, "Salesforce", variables)
        api = opened.enter_context(salesforce_write_client(salesforce.host, sign_in, clock))
        writers.append(SalesforceWriter(salesforce, api))
    return writers
