"""Whether the canonical names in the mapping of a source are columns of its table.

Told when the portfolio is loaded, with the line in the YAML; what a file must have for it is told when it is read, in
`cx_intel.warehouse.duckdb.files.columns`.
"""

from collections.abc import Iterator

from cx_intel.contracts.contract import Contract
from cx_intel.contracts.delivered import delivered_columns
from cx_intel.contracts.staging.tables import STAGING
from cx_intel.settings.base import Misfit
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.sources.base import TableSource
from cx_intel.settings.sources.files import FilesSource
from cx_intel.settings.yaml.keys import did_you_mean
from cx_intel.sources.errors import SourceError


def check_sources(portfolio: Portfolio) -> None:
    """Raises Misfit, at its key, for the first canonical name that the table of a source does not have."""
    for place, source in enumerate(portfolio.sources):
        if isinstance(source, TableSource):
            contract = STAGING[source.table](portfolio)
            for name, *at in _targets(source):
                if message := _fault(name, source, contract):
                    raise Misfit(message, ("sources", place, *at))


def check_mapping(source: TableSource, contract: Contract) -> None:
    """Refuses names on the canonical side of the mapping that the table does not have."""
    for name, *_ in _targets(source):
        if message := _fault(name, source, contract):
            raise SourceError(f"The {source.title}: {message}.")


def _targets(source: TableSource) -> Iterator[tuple[str, ...]]:
    """Each canonical name that the mapping gives, and the keys that lead to it below the source."""
    yield from ((name, "values", name) for name in source.values)
    if not isinstance(source, FilesSource):
        return
    for key in ("columns", "constants", "split"):
        yield from ((name, key, name) for name in getattr(source, key))
    yield from ((s.count_to, "split", name, "count_to") for name, s in source.split.items() if s.count_to)
    if source.unpivot:
        yield source.unpivot.name_to, "unpivot", "name_to"
        yield source.unpivot.value_to, "unpivot", "value_to"


def _fault(name: str, source: TableSource, contract: Contract) -> str:
    known = [column.name for column in delivered_columns(contract)]
    if name in known:
        return ""
    more = "; further ones are declared under account_attributes" if source.table == "accounts" else ""
    return (
        f"{source.table} has no column {name!r}{did_you_mean(name, known)}; "
        f"its columns are {', '.join(sorted(known))}{more}"
    )
