"""The portfolios: whether their YAML is valid, the variables they name are set, their files are there, alerts can go out.

Each portfolio file is looked at for itself, so that one wrong file hides nothing of the others. What the settings mean
stands in `cx_intel.settings`.
"""

import logging
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from cx_intel.doctor.findings import Finding, note, ok, problem
from cx_intel.orchestration.alerts.addresses import addresses
from cx_intel.settings.base import SettingsError
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.sources.sql import SqlSource
from cx_intel.settings.yaml.loader import load_portfolio
from cx_intel.sources.errors import SourceError
from cx_intel.sources.files.neighbours import unread_beside
from cx_intel.sources.files.paths import file_sets, source_files, with_variables
from cx_intel.sources.vendors.readers import refusals
from cx_intel.sync.opening import sync_refusals
from cx_intel.warehouse.servers.connections import reach

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def portfolios(folder: Path) -> tuple[list[Portfolio], list[Finding]]:
    """The portfolios that can be read, and what is wrong with the others."""
    readable, findings = [], []
    for file in sorted(folder.glob("*.yaml")):
        try:
            readable.append(load_portfolio(file))
        except SettingsError as error:
            to_do = "Mend the lines named; `cx-intel validate` looks again."
            findings.append(problem(f"portfolio {file.stem}", str(error), to_do))
    if not readable and not findings:
        findings.append(
            problem("portfolios", f"there is none in {folder}", "A portfolio is a .yaml file: CX_PORTFOLIOS.")
        )
    return readable, findings


def examine(portfolio: Portfolio, variables: Mapping[str, str]) -> Iterator[Finding]:
    """What a portfolio needs of its surroundings.

    Args:
        portfolio: Its settings.
        variables: The environment.
    """
    subject = f"portfolio {portfolio.name}"
    if unset := unset_variables(portfolio, variables):
        yield problem(
            subject,
            f"names {', '.join(unset)}, which are not set in the environment",
            "Set it for the service that runs the refresh too, not only in this shell.",
        )
    unreachable = [
        *missing_files(portfolio, variables),
        *_unreachable_connections(portfolio, variables),
        *(_refusing_vendors(portfolio, variables) if not unset else ()),
    ]
    for text in unreachable if not unset else ():
        yield problem(subject, text, "Bring the file there, or mend the path or the connection of the source.")
    for found in unread_beside(portfolio, variables):
        yield note(subject, found.sentence, "`cx-intel validate` looks again.")
    yield from _alerts(portfolio, variables)
    if not unset and not unreachable:
        yield ok(subject, f"valid, {len(portfolio.sources)} sources reachable")


def unset_variables(portfolio: Portfolio, variables: Mapping[str, str]) -> list[str]:
    """The variables that a portfolio names and that are not set; addresses of alerts may be left unset."""
    named = sorted(set(_VARIABLE.findall(portfolio.model_dump_json(exclude={"automation": {"alerts"}}))))
    return [name for name in named if not variables.get(name)]


def missing_files(portfolio: Portfolio, variables: Mapping[str, str]) -> list[str]:
    """What is wrong with the files that sources name: they are not there, or cannot be opened."""
    return [text for source in portfolio.sources if (text := _missing(source, variables))]


def _missing(source: object, variables: Mapping[str, str]) -> str:
    try:
        for files, of in file_sets(source):
            for file in source_files(files, variables, of):
                with file.path.open("rb"):
                    pass
    except SourceError as error:
        return str(error)
    except OSError as error:
        return f"{error.filename} cannot be read: {error.strerror}"
    return ""


def _unreachable_connections(portfolio: Portfolio, variables: Mapping[str, str]) -> Iterator[str]:
    for source in portfolio.sources:
        if isinstance(source, SqlSource) and source.connection and not source.is_at_cluster:  # see `engines.py`
            try:
                address = with_variables(source.connection, variables)
                reach(address, f"The connection of the source of {source.table}")
            except KeyError:
                continue  # told as a variable that is not set
            except SourceError as error:
                yield str(error)


def _refusing_vendors(portfolio: Portfolio, variables: Mapping[str, str]) -> Iterator[str]:
    for source in portfolio.vendors.values():
        try:
            yield from refusals(source, portfolio.landed_objects(source.name), variables)
        except SourceError as error:
            yield str(error)
    try:
        yield from sync_refusals(portfolio, variables)
    except SourceError as error:
        yield str(error)


def _alerts(portfolio: Portfolio, variables: Mapping[str, str]) -> Iterator[Finding]:
    subject, rules = f"alerts of {portfolio.name}", portfolio.automation.alerts
    references = [*rules.urls, *(url for urls in rules.owners.values() for url in urls)]
    unset = [r for r in references if not variables.get(r.strip("${}"))]
    if unset:
        yield note(
            subject, f"{', '.join(unset)} is not set: those messages go nowhere", "Set it to addresses of Apprise."
        )
    found = addresses([r for r in references if r not in unset], variables)
    wrong = [a for a in found if not _is_known(a.url)]
    if wrong:  # an address is a secret: only how it begins is shown
        shown = ", ".join(sorted({a.shown for a in wrong}))
        yield problem(
            subject, f"{len(wrong)} addresses that Apprise cannot read: {shown}", "See appriseit.com/services."
        )
    elif found:
        yield ok(subject, f"{len(found)} addresses")


def _is_known(url: str) -> bool:
    """Whether Apprise can read the address; what it logs about one that it cannot would repeat it."""
    import apprise

    logger = logging.getLogger("apprise")
    disabled, logger.disabled = logger.disabled, True
    try:
        return bool(apprise.Apprise().add(url))
    finally:
        logger.disabled = disabled
