"""What a refresh says in the end, on one screen: tables by layer, warnings, the headline figures, whom to call first.

What it says on the way is in `progress.py`; where the figures come from, in `cx_intel.reports.data.figures.headline`.
"""

from typing import TYPE_CHECKING, Any, get_args

from rich import box
from rich.markup import escape
from rich.table import Table

from cx_intel.cli.output import console
from cx_intel.contracts.contract import Layer
from cx_intel.settings.environment import Environment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cx_intel.orchestration.runs import Outcome
    from cx_intel.reports.data.figures.headline import Headline
    from cx_intel.settings.portfolio import Portfolio

WARNINGS = 5
"""How many are listed, each on a line; all of them, whole, where everything is wanted."""
SHORTEST = 20
"""Below which width a reason is left out."""
RIGHT = ("", "expected loss")
ORDER = get_args(Layer)
SIDE_BY_SIDE = 110
"""From which width on tables and figures stand beside each other."""


def print_summary(
    portfolio: "Portfolio",
    outcome: "Outcome",
    environment: Environment,
    seconds: float,
    *,
    layers: "Mapping[str, str]",
    verbose: bool = False,
) -> None:
    """What a refresh wrote and found, its headline figures and the accounts to call first.

    Args:
        portfolio: Its settings.
        outcome: What became of the refresh.
        environment: Where its tables are read.
        seconds: How long it took.
        layers: Step: its layer.
        verbose: Every warning whole.
    """
    found = _headline(portfolio, outcome, environment) if outcome.is_complete else None
    _print_found(outcome, seconds, verbose=verbose)
    tables = _by_layer(outcome, layers)
    if found is None:
        console.print(tables)
        return
    if console.width >= SIDE_BY_SIDE:
        beside = Table.grid(padding=(0, 3))
        beside.add_row(tables, _figures(found))
        console.print(beside)
    else:
        console.print(tables, _figures(found), sep="\n")
    for sentence in (found.arr, *found.notes):
        console.print(escape(sentence), highlight=False)
    if len(found.call_first):
        console.print("[bold]Call first[/]")
        console.print(_calls(found, portfolio.currency.reporting))


def _print_found(outcome: "Outcome", seconds: float, *, verbose: bool) -> None:
    checks = outcome.checks
    console.print(
        f"{len(outcome.tables)} tables, {len(outcome.unchanged)} of them unchanged; checks: {checks['passed']} passed, "
        f"{checks['warned']} warned, {checks['failed']} failed; {seconds:.1f} s",
        highlight=False,
    )
    listed = outcome.warnings if verbose else outcome.warnings[:WARNINGS]
    for text in listed:
        line = f"  [yellow]warning[/] {escape(text)}"
        console.print(line, highlight=False, no_wrap=not verbose, overflow="fold" if verbose else "ellipsis", crop=True)
    if more := len(outcome.warnings) - len(listed):
        console.print(f"  and {more} more warnings: --verbose lists all, the page on data quality explains them")
    for text in outcome.failures:
        console.print(f"  [bold red]failed[/] {escape(text)}", highlight=False)


def _by_layer(outcome: "Outcome", layers: "Mapping[str, str]") -> Table:
    """The layers from the sources on: how many tables, how many of them changed, rows written, seconds."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
    table.add_column("layer")
    for heading in ("tables", "changed", "rows written", "seconds"):
        table.add_column(heading, justify="right")
    for layer in sorted(set(layers.values()), key=lambda layer: ORDER.index(layer) if layer in ORDER else len(ORDER)):
        steps = [step for step in layers if layers[step] == layer and step in outcome.seconds]
        made = [step for step in steps if step in outcome.tables]
        changed = [step for step in made if step not in outcome.unchanged]
        rows = sum(outcome.tables[step] for step in changed)
        took = sum(outcome.seconds[step] for step in steps)
        counts = (str(len(made)), str(len(changed)), f"{rows:,}") if made else ("", "", "")
        if steps:
            table.add_row(layer, *counts, f"{took:.1f}")
    return table


def _headline(portfolio: "Portfolio", outcome: "Outcome", environment: Environment) -> "Headline | None":
    """The figures of the day; nothing while another run writes the warehouse already, which is said."""
    from cx_intel.reports.data.figures.headline import headline
    from cx_intel.warehouse.duckdb.access.readable import readable
    from cx_intel.warehouse.errors import WarehouseLocked

    try:
        with readable(environment.warehouse, {portfolio.name: environment.published(portfolio.name)}) as source:
            warehouse = source.warehouses[portfolio.name]
            found, newest = headline(warehouse, portfolio, outcome.as_of), warehouse.newest()
    except WarehouseLocked:
        console.print("Another run writes the warehouse already: `cx-intel show` tells the figures.", highlight=False)
        return None
    if newest and outcome.as_of < newest:
        console.print(
            f"These figures are of {outcome.as_of}. Reports, exports and tables kept whole show {newest}, as before.",
            highlight=False,
        )
    return found


def _figures(found: "Headline") -> Table:
    figures = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    for figure in found.figures:
        figures.add_row(figure.label, escape(figure.text))
    quarantined = ", ".join(f"{table} {count}" for table, count in sorted(found.quarantined.items()))
    figures.add_row("Rows in quarantine", quarantined or "none")
    return figures


def _calls(found: "Headline", currency: str) -> Table:
    from cx_intel.reports.data.terms import due_in
    from cx_intel.reports.words.language import Language
    from cx_intel.settings.renewals import CANCELLED

    english = Language("en", currency)
    rows: list[list[str]] = []
    call: Any
    for call in found.call_first.itertuples(index=False):
        ends = "" if call.renewal_risk == CANCELLED else "renews "
        why = f"{call.renewal_risk}; {call.primary_risk_signal}" if call.primary_risk_signal else call.renewal_risk
        cells = [
            str(call.priority_rank),
            call.account_name or call.account_id,
            call.owner or "",
            f"{ends}{due_in(english, call.days_to_renewal)}",
            english.money(call.expected_arr_loss),
            f"{call.recommended_playbook} by {english.day(call.due_date)}",
            why,
        ]
        rows.append([escape(cell) for cell in cells])
    return _fitting(("", "account", "owner", "ends", "expected loss", "playbook", "why"), rows)


def _fitting(headings: "Sequence[str]", rows: "Sequence[Sequence[str]]") -> Table:
    """A table of a line for each row: the last column is cut where they are too long, or left out, and before it the owner."""
    lengths = [max(len(cell) for cell in cells) + 2 for cells in zip(headings, *rows, strict=True)]
    shown = list(range(len(headings)))
    if sum(lengths[:-1]) + SHORTEST > console.width:
        shown = [n for n in shown if headings[n] not in ("owner", "why")]
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for n in shown:
        table.add_column(headings[n], no_wrap=headings[n] != "why", justify="right" if headings[n] in RIGHT else "left")
    room = console.width - sum(lengths[n] for n in shown if headings[n] != "why")
    for row in rows:
        table.add_row(*(_cut(row[n], room) if headings[n] == "why" else row[n] for n in shown))
    return table


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"
