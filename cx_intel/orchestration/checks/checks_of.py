"""Which kinds of checks a table has: the one list that its asset goes through.

A new kind is a class of its own beside this module, and a line here. What they have in common: `check.py`.
"""

from cx_intel.contracts.contract import Contract
from cx_intel.orchestration.checks.check import Check
from cx_intel.orchestration.checks.contract_checks import ContractChecks
from cx_intel.orchestration.checks.dated_ahead import DatedAhead
from cx_intel.orchestration.checks.event_names import EventNames
from cx_intel.orchestration.checks.freshness import Freshness
from cx_intel.orchestration.checks.gone_files import GoneFiles
from cx_intel.orchestration.checks.model_version import ModelVersion
from cx_intel.orchestration.checks.quarantined_share import QuarantinedShare
from cx_intel.settings.portfolio import Portfolio

KINDS: tuple[type[Check], ...] = (
    ContractChecks,
    QuarantinedShare,
    ModelVersion,
    EventNames,
    Freshness,
    DatedAhead,
    GoneFiles,
)


def checks_of(contract: Contract, portfolio: Portfolio) -> tuple[Check, ...]:
    """The checks of a table, in the order in which they are made and shown."""
    return tuple(kind(contract, portfolio) for kind in KINDS)
