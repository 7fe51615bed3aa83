"""What becomes of net revenue retention in the next 90 days: `nrr_outlook`, in closed form and by simulation.

The only model in pandas and NumPy: its draws need a generator with a seed, which no engine offers portably.
What it reads is small, a row for each account; probabilities and playbooks are chosen in `pipeline.py` and
`actions.py`.
"""

from collections.abc import Callable
from datetime import date
from fractions import Fraction
from math import floor
from typing import NamedTuple

import numpy as np
import pandas as pd

from cx_intel.contracts.renewals import outlook as contracts
from cx_intel.contracts.renewals.interventions import is_in_force
from cx_intel.contracts.renewals.outlook import ALL_SEGMENTS, SIMULATED
from cx_intel.contracts.staging.values import DONE, NO_VALUE
from cx_intel.models.renewals.pipeline import is_in_book, renewal_settings
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.renewals import LEARNED

ENTRY = ("account_id", "renewal_date")
NO_ACTIONS = pd.DataFrame({name: [] for name in (*ENTRY, "status", "acted_on", "valid_to")}, dtype=object)
CELLS_AT_ONCE = 4_000_000
"""Accounts x draws held in memory at a time."""


class Prospect(NamedTuple):
    """What decides how much of a renewal stays; the same for many accounts."""

    renewal_probability: float
    save_rate: float
    is_acted_on: bool
    is_not_healthy: bool
    is_cancelled: bool


def _exact(share: float) -> Fraction:
    """The share as the portfolio states it, without the noise of floats."""
    return Fraction(share).limit_denominator(10**9)


def _expected(prospect: Prospect) -> Fraction:
    return _exact(prospect.renewal_probability)


def _with_playbook(prospect: Prospect) -> Fraction:
    renewed = _expected(prospect)
    saved = _exact(prospect.save_rate) if prospect.is_acted_on else Fraction(0)
    return renewed + (1 - renewed) * saved


KEPT: dict[str, Callable[[Prospect], Fraction]] = {
    "all_renew": lambda _: Fraction(1),
    "expected_no_action": _expected,
    "expected_with_playbooks": _with_playbook,
    "worst_case": lambda prospect: Fraction(0) if prospect.is_not_healthy else _expected(prospect),
}
"""Scenario in closed form: the share of a renewal's MRR that stays; of cancelled accounts nothing does."""


def nrr_outlook(
    renewal_pipeline: pd.DataFrame,
    cs_intervention_list: pd.DataFrame,
    account_snapshot: pd.DataFrame,
    actions: pd.DataFrame = NO_ACTIONS,
    *,
    portfolio: Portfolio,
    as_of: date,
) -> pd.DataFrame:
    """NRR of the renewals due within 90 days, and of the whole book, by segment and scenario.

    A cancelled account is lost in every scenario, and so is what an account loses by announced ends within the
    window while it stays (`announced_contraction_mrr`). A lapsed term is among the renewals due, with its last MRR
    (`lapsed_mrr`), and outside the book.

    Grain: as_of, segment (and `all`), scenario. Reads the pipeline, the list and the accounts of `as_of`, and the actions
    known by then: an entry that is done counts as acted on, listed or not. The
    simulation draws each renewal once per draw, by its probability, independently, accounts in the order of
    their ids; segments and total come from the same draws.

    Columns: see the contract; a null nrr_pct says that no renewal is due, a null book_nrr_pct that nobody
    pays.

    Always true: ends_within_start, rate_when_due, scenarios_in_order, segments_sum_to_total.
    """
    outlook = renewal_settings(portfolio).outlook
    accounts = account_snapshot[is_in_book(account_snapshot, portfolio=portfolio)]
    book = _cents(accounts["current_mrr"]).groupby(_segment(accounts)).sum()
    contraction = _cents(accounts["announced_contraction_90d_mrr"]).groupby(_segment(accounts)).sum()
    due = _renewals_due(renewal_pipeline, cs_intervention_list, _done(actions, as_of))
    segments = sorted({*book.index, *due["segment"]})
    in_book = due[~due["is_lapsed"]]
    kept = simulate(
        due["staying_cents"].to_numpy(),
        due["renewal_probability"].to_numpy(dtype=float),
        2 * pd.Categorical(due["segment"], categories=segments).codes + due["is_lapsed"].to_numpy(dtype=int),
        segments=2 * len(segments),
        draws=outlook.draws,
        seed=outlook.seed,
    )
    draws_of_book = pd.DataFrame(kept[0::2], index=segments)
    draws = draws_of_book + kept[1::2]
    rows = []
    for segment in (ALL_SEGMENTS, *segments):
        chosen = segments if segment == ALL_SEGMENTS else [segment]
        part, booked = (rows[rows["segment"].isin(chosen)] for rows in (due, in_book))
        starting, of_book = int(part["cents"].sum()), int(booked["cents"].sum())
        whole, contracting = (int(sums.reindex(chosen, fill_value=0).sum()) for sums in (book, contraction))
        elsewhere = whole - of_book - (contracting - int(booked["contraction_cents"].sum()))
        of_booked = _endings(booked, draws_of_book.loc[chosen])
        for scenario, ending in _endings(part, draws.loc[chosen]).items():
            rows.append(
                {
                    "as_of": as_of,
                    "segment": segment,
                    "scenario": scenario,
                    "renewals_due": len(part),
                    "learned_renewals": int((part["probability_from"] == LEARNED).sum()),
                    "starting_mrr": starting / 100,
                    "ending_mrr": floor(ending + Fraction(1, 2)) / 100,
                    "nrr_pct": _percentage(ending, starting),
                    "lapsed_mrr": (starting - of_book) / 100,
                    "announced_contraction_mrr": contracting / 100,
                    "book_starting_mrr": whole / 100,
                    "book_nrr_pct": _percentage(elsewhere + of_booked[scenario], whole),
                }
            )
    return pd.DataFrame(rows, columns=list(contracts.nrr_outlook(portfolio).column_names))


def scenario_parts(
    renewal_pipeline: pd.DataFrame,
    cs_intervention_list: pd.DataFrame,
    account_snapshot: pd.DataFrame,
    actions: pd.DataFrame | None = None,
    *,
    portfolio: Portfolio,
    as_of: date,
) -> pd.DataFrame:
    """What each account adds to the scenarios in closed form of `nrr_outlook`, which are its sums.

    Grain: account_id, scenario. Columns: segment; renewals_due, learned_renewals; starting_mrr and ending_mrr of the renewal
    that is due, book_starting_mrr and book_ending_mrr of the account in the book; unrounded.
    """
    accounts = account_snapshot[is_in_book(account_snapshot, portfolio=portfolio)]
    due = _renewals_due(
        renewal_pipeline, cs_intervention_list, _done(NO_ACTIONS if actions is None else actions, as_of)
    )
    due = due.assign(account_id=renewal_pipeline["account_id"].reindex(due.index))
    book = pd.DataFrame(
        {
            "account_id": accounts["account_id"],
            "segment": _segment(accounts),
            "booked": _cents(accounts["current_mrr"]),
            "contracting": _cents(accounts["announced_contraction_90d_mrr"]),
        }
    )
    in_book = due[~due["is_lapsed"]].set_index("account_id")
    is_due = book["account_id"].isin(in_book.index)
    elsewhere = (book["booked"] - book["contracting"]).where(~is_due, 0)
    prospects = [Prospect(*row) for row in due[list(Prospect._fields)].itertuples(index=False, name=None)]
    found = []
    for scenario, kept in KEPT.items():
        shares = {p: 0.0 if p.is_cancelled else float(kept(p)) for p in set(prospects)}
        staying = due["staying_cents"] * [shares[p] for p in prospects]
        renewals = pd.DataFrame(
            {
                "account_id": due["account_id"],
                "segment": due["segment"],
                "renewals_due": 1,
                "learned_renewals": (due["probability_from"] == LEARNED).astype(int),
                "starting_mrr": due["cents"] / 100,
                "ending_mrr": staying / 100,
                "book_ending_mrr": staying.where(~due["is_lapsed"], 0) / 100,
            }
        )
        booked = book[["account_id", "segment"]].assign(
            book_starting_mrr=book["booked"] / 100, book_ending_mrr=elsewhere / 100
        )
        found.append(pd.concat([renewals, booked], ignore_index=True).fillna(0).assign(scenario=scenario))
    rows = pd.concat(found, ignore_index=True)
    return rows.groupby(["account_id", "segment", "scenario"], as_index=False).sum()


def simulate(
    amounts: np.ndarray, probabilities: np.ndarray, codes: np.ndarray, *, segments: int, draws: int, seed: int
) -> np.ndarray:
    """What each segment keeps in each draw: an array of segments x draws.

    Args:
        amounts: At stake with each renewal.
        probabilities: Of each renewal.
        codes: The segment of each renewal, 0 to `segments` - 1.
        segments: How many there are.
        draws: How often all renewals are drawn.
        seed: Of the generator; the same gives the same draws, however many accounts are drawn at a time.
    """
    generator = np.random.default_rng(seed)
    kept = np.zeros((segments, draws))
    step = max(1, CELLS_AT_ONCE // draws)
    for start in range(0, len(amounts), step):
        rows = slice(start, start + step)
        renewed = generator.random((len(amounts[rows]), draws)) < probabilities[rows, np.newaxis]
        for code in np.unique(codes[rows]):
            mine = codes[rows] == code
            kept[code] += amounts[rows][mine].astype(float) @ renewed[mine].astype(float)
    return kept


def is_acted_on(due: pd.DataFrame, cs_intervention_list: pd.DataFrame, done: pd.DataFrame) -> "pd.Series[bool]":
    """Renewals whose playbook is at work: on the list within capacity, or done, listed or not.

    Args:
        due: Rows of the pipeline.
        cs_intervention_list: The list of the day.
        done: The actions in force on the day that are done.
    """
    within = cs_intervention_list.loc[cs_intervention_list["is_within_capacity"].isin([True]), "account_id"]
    entries = set(zip(done["account_id"], _days(done["renewal_date"]), strict=True))
    renewals = zip(due["account_id"], _days(due["renewal_date"]), strict=True)
    return due["account_id"].isin(within) | np.array([entry in entries for entry in renewals], bool)


def _done(actions: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """The newest action by the day of each entry that is done."""
    acted = actions.assign(
        acted_on=_days(actions["acted_on"]),
        valid_to=_days(actions["valid_to"]).where(actions["valid_to"].notna()),
    )
    return acted[is_in_force(acted, as_of.isoformat()) & (acted["status"] == DONE)]


def _days(days: pd.Series) -> pd.Series:
    """As text, whatever type a driver gives days."""
    return days.astype(str).str[:10]


def _renewals_due(
    renewal_pipeline: pd.DataFrame, cs_intervention_list: pd.DataFrame, done: pd.DataFrame
) -> pd.DataFrame:
    """The renewals within the window by account id, with what `Prospect` asks."""
    due = renewal_pipeline[renewal_pipeline["is_within_window"].isin([True])].sort_values("account_id")
    contraction = _cents(due["announced_contraction_90d_mrr"])
    return pd.DataFrame(
        {
            "segment": _segment(due),
            "cents": _cents(due["current_mrr"]),
            "contraction_cents": contraction,
            "staying_cents": _cents(due["current_mrr"]) - contraction,
            "is_lapsed": due["is_lapsed"].isin([True]),
            "is_cancelled": due["is_cancelled"].isin([True]),
            "renewal_probability": due["renewal_probability"],
            "probability_from": due["probability_from"],
            "save_rate": due["save_rate"],
            "is_acted_on": is_acted_on(due, cs_intervention_list, done),
            "is_not_healthy": due["is_healthy"].isin([False]),
        }
    )


def _endings(due: pd.DataFrame, draws: pd.DataFrame) -> dict[str, Fraction]:
    """Scenario: what stays of the renewals, in cents, unrounded."""
    prospects = [
        (Prospect(*key), int(cents))  # type: ignore[misc]
        for key, cents in due.groupby(list(Prospect._fields), sort=False)["staying_cents"].sum().items()
    ]
    closed = {
        scenario: sum(
            (kept(prospect) * cents for prospect, cents in prospects if not prospect.is_cancelled), Fraction(0)
        )
        for scenario, kept in KEPT.items()
    }
    levels = np.quantile(draws.to_numpy().sum(axis=0), list(SIMULATED.values()))
    return closed | {scenario: Fraction(float(level)) for scenario, level in zip(SIMULATED, levels, strict=True)}


def _percentage(part: Fraction, whole: int) -> float | None:
    return float(100 * part / whole) if whole else None


def _segment(accounts: pd.DataFrame) -> pd.Series:
    return accounts["segment"].astype(object).where(accounts["segment"].notna(), NO_VALUE)


def _cents(amounts: pd.Series) -> pd.Series:
    return (amounts.astype(float) * 100).round().astype("int64")
