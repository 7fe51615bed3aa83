"""The check that nothing lies unread beside the files of a source: a ZIP among CSV files, a wrong ending, a broken link.

It is made with each delivery of a raw table, also of one that is as it was, since the folder may not be. What counts as
unread is decided in `cx_intel.sources.files.neighbours`; what all checks share is in `check.py`.
"""

from collections.abc import Mapping, Sequence

import dagster as dg
import pandas as pd

from cx_intel.orchestration.checks.check import RuleResult
from cx_intel.orchestration.checks.rules import Rule
from cx_intel.settings.portfolio import Portfolio
from cx_intel.sources.files.neighbours import folders_beside, may_lie_beside

CHECK = "no_unread_files"
TEXT = "No file lies unread beside those of the source that looks like one of its deliveries."


def unread_specs(source: object, key: dg.AssetKey) -> Sequence[dg.AssetCheckSpec]:
    """The spec of the check on the raw table of a source; none where its files are named one by one."""
    return [dg.AssetCheckSpec(CHECK, asset=key, description=TEXT)] if may_lie_beside(source) else []


def unread_results(source: object, portfolio: Portfolio, variables: Mapping[str, str]) -> list[RuleResult]:
    """What lies unread in the folders of a source now, other tables of an export apart; counted are files.

    Args:
        source: One of the portfolio's.
        portfolio: All its sources.
        variables: Give the values of `${NAME}` in the paths.
    """
    if not may_lie_beside(source):
        return []
    folders = [one.without_other_tables() for one in folders_beside(source, portfolio, variables)]
    unread = [{"folder": str(one.folder), "file": name} for one in folders for name in one.names]
    told = " ".join(one.sentence for one in folders if one.names)
    rule = Rule(CHECK, CHECK, TEXT, told or "No file lies unread.", "warn")
    metadata = {"files": len(unread), "what_to_do": told} if unread else {}
    sample = pd.DataFrame(unread) if unread else None
    total = sum(one.delivered_count for one in folders)
    return [RuleResult(rule, len(unread), total, sample, told=told, metadata=metadata)]
