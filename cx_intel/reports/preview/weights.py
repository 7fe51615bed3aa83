"""The weights that past months would choose, in plain words and as YAML to paste.

What is read of the back-test, and how the suggestion is said. How weights are fitted stands in
`cx_intel.models.backtest.weights`; what they would change is shown by a preview (`page.py` beside this module).
"""

import pandas as pd

from cx_intel.contracts.backtest.columns import ALL, OUTCOMES
from cx_intel.contracts.backtest.results import MAY_KNOW, SIGNAL_PREFIX
from cx_intel.models.backtest.observations import Observations
from cx_intel.models.backtest.verdicts import WORDS, of_ten
from cx_intel.models.backtest.weights import Suggestion, suggested_weights
from cx_intel.reports.ask.answer import Answer, NoAnswer, Section
from cx_intel.settings.portfolio import Portfolio
from cx_intel.warehouse.protocol import Warehouse

RESULTS = "backtest_results"
LITTLE = 0.02
"""A gain of AUC below which weights are hardly worth a change."""
TABLES = ("backtest_scores", "backtest_signals", "backtest_outcomes")


def suggestion(
    warehouse: Warehouse, portfolio: Portfolio, *, outcome: str, window_days: int, within: float
) -> Suggestion:
    """What the back-test of a portfolio suggests.

    Raises:
        NoAnswer: There is no back-test, it is one of other signals, or it has no such outcome and window.
    """
    if portfolio.health is None:
        raise NoAnswer(f"{portfolio.name} has no health model: its YAML has no `health` block.")
    if missing := [table for table in TABLES if not warehouse.exists(table)]:
        raise NoAnswer(
            f"There is no back-test yet ({missing[0]} is not there): run `cx-intel backtest {portfolio.name}`."
        )
    scores, signals, outcomes = (_frame(warehouse, table) for table in TABLES)
    scored = {signal for d in portfolio.health.dimensions.values() for signal in d.signals}
    if unknown := sorted(scored - set(signals["signal"])):
        raise NoAnswer(
            f"The back-test was made without {', '.join(unknown)}: run `cx-intel backtest {portfolio.name}` again."
        )
    observed = Observations(scores)
    chosen = [f for f in observed.followed(outcomes) if (f.outcome, f.window_days) == (outcome, window_days)]
    if not chosen:
        windows = ", ".join(str(days) for days in sorted(set(outcomes["window_days"])))
        raise NoAnswer(
            f"The back-test knows nothing of {outcome} within {window_days} days; outcomes are {', '.join(OUTCOMES)}, "
            f"days {windows or 'none, since no window is over'}."
        )
    held = leaking(warehouse, outcome, window_days)
    return suggested_weights(observed, chosen[0], observed.predictors(signals), portfolio.health, within, held)


def leaking(warehouse: Warehouse, outcome: str, window_days: int) -> tuple[str, ...]:
    """The signals that, by the last back-test, may know the outcome."""
    if not warehouse.exists(RESULTS):
        return ()
    rows = warehouse.table(RESULTS)
    of_outcome = (rows.outcome == outcome) & (rows.window_days == window_days) & (rows.slice == ALL)
    found = warehouse.rows(rows.filter(of_outcome & (rows.verdict == MAY_KNOW)).select("predictor"))
    names = sorted(str(row["predictor"]) for row in found)
    return tuple(name.removeprefix(SIGNAL_PREFIX) for name in names if name.startswith(SIGNAL_PREFIX))


def _frame(warehouse: Warehouse, table: str) -> pd.DataFrame:
    return pd.DataFrame(warehouse.execute(warehouse.table(table)))


def told(found: Suggestion, portfolio: Portfolio, within: float) -> Answer:
    """The suggestion as an answer, in English."""
    kept = [weight.signal for weight in found.weights if weight.least == weight.most]
    did, others = WORDS[found.outcome]
    seen = (
        f"Seen: {found.observations:,} scores of accounts on past month ends of which enough was measured; "
        f"{found.event_accounts} distinct accounts {did} within {found.window_days} days."
    )
    title = f"{portfolio.name}: the weights that past months would choose"
    if not found.weights:
        text = f"No suggestion: it takes {found.missing} more accounts that {did}; of fewer than twenty the weights are chance."
        return Answer(title, (seen, text), ())
    lines = [seen, *_judged(found, did, others)]
    if kept:
        lines.append(
            f"{', '.join(kept)} tells better than what was known on the day can: it may be entered when the outcome is known. "
            "It keeps today's share here; find out when it is written, and take it out of the score until then."
        )
    lines.append(
        f"Each signal's share of the score was held within {100 * within:.0f} % of today's. Nothing is changed: paste what "
        "you want, give `health.version` another value, and look at it first with `cx-intel preview`."
    )
    return Answer(title, tuple(lines), (_weights(found), Section("YAML to paste", lines=tuple(yaml_of(found)))))


def _judged(found: Suggestion, did: str, others: str) -> list[str]:
    """How well both sets of weights do, on months that were not seen where there are such."""
    if found.held_out is None:
        return [
            f"Whether they do better on months that they were not fitted to cannot be told: fewer than five accounts {did} "
            "in the earlier, or in the later, months."
        ]
    held = found.held_out
    gain, low, high = held.gain
    today, suggested = (of_ten(side.below_median_pct) for side in (held.today, held.suggested))
    lines = [
        f"On the months from {held.first} to {held.last}, with weights fitted only to what was known before: of ten "
        f"accounts that {did}, today's score had {today} below the middle of those that {others}, the suggested one "
        f"{suggested} (AUC {held.today.auc:.2f} and {held.suggested.auc:.2f})."
    ]
    span = f"{gain:+.3f}, 9 times in 10 within {low:+.3f} to {high:+.3f}"
    if held.is_better and gain < LITTLE:
        lines.append(f"That is better by more than chance, but by little (AUC {span}).")
    elif held.is_better:
        lines.append(f"That is better by more than chance (AUC {span}).")
    elif high < 0:
        lines.append(f"That is worse by more than chance (AUC {span}): keep today's weights.")
    else:
        lines.append(f"The difference may be chance (AUC {span}): the data give no reason to change the weights.")
    return lines


def _weights(found: Suggestion) -> Section:
    rows = tuple(
        (
            w.dimension,
            w.signal,
            f"{100 * w.today:.1f} %",
            f"{100 * w.suggested:.1f} %",
            _span(w.low, w.high),
            _span(w.least, w.most),
        )
        for w in found.weights
    )
    headings = ("dimension", "signal", "share today", "suggested", "nine of ten resamples", "bounds")
    return Section("Shares of the health score", rows, headings)


def _span(low: float, high: float) -> str:
    return f"{100 * low:.1f} to {100 * high:.1f} %"


def yaml_of(found: Suggestion) -> list[str]:
    """The lines of a `health` block that state the weights."""
    lines = ["health:", "  dimensions:"]
    for dimension, (outer, inner) in found.by_dimension().items():
        lines += [f"    {dimension}:", f"      weight: {outer:g}", "      signals:"]
        lines += [f"        {signal}: {{weight: {weight:g}}} # its curve stays" for signal, weight in inner.items()]
    return lines
