"""A delivery with everything that is dated after a day altered: values, rows added, rows removed, what was settled later.

What is dated up to the day stays as it is, to the letter. Frames are those of `cx_intel.demo_data`: days are midnights, times
UTC. Whether nothing of the day moves is tested in `test_leakage_laws.py`.
"""

from collections.abc import Mapping
from datetime import date

import numpy as np
import pandas as pd

Frames = Mapping[str, pd.DataFrame]
DATED = {
    "usage_events": "event_timestamp",
    "support_tickets": "created_at",
    "nps_responses": "responded_at",
    "csm_activities": "completed_at",
    "metrics": "measured_on",
    "invoices": "invoice_date",
    "mrr_history": "month",
}
"""Table: the column that dates a row; a month is dated its last day."""
FIGURES = {"nps_responses": "score", "metrics": "value", "invoices": "amount", "mrr_history": "mrr"}
"""The figure of a row that may be another."""
NEW_IDS = {
    "usage_events": "event_id",
    "support_tickets": "ticket_id",
    "nps_responses": "response_id",
    "csm_activities": "activity_id",
    "invoices": "invoice_id",
}


def altered(delivered: Frames, day: date, seed: int, *, with_ends: bool) -> dict[str, pd.DataFrame]:
    """The delivery with other news after the day.

    Args:
        delivered: The tables.
        day: Up to its end everything stays.
        seed: Chooses what happens instead.
        with_ends: Whether ends and starts of subscriptions after the day are news: so they are for a day before the first
            load, and not for the day of the load itself, by which they were announced.
    """
    rng = np.random.default_rng(seed)
    after = pd.Timestamp(day) + pd.Timedelta(days=1)
    found = {table: frame.copy() for table, frame in delivered.items()}
    for table, column in DATED.items():
        if table in found:
            found[table] = _other_rows(found[table], table, column, after, rng)
    if "support_tickets" in found:
        found["support_tickets"] = _otherwise_settled(found["support_tickets"], after, rng)
    if with_ends and "subscriptions" in found:
        found["subscriptions"] = _other_ends(found["subscriptions"], after, rng)
    return found


def _other_rows(
    frame: pd.DataFrame, table: str, column: str, after: pd.Timestamp, rng: np.random.Generator
) -> pd.DataFrame:
    """Of the rows dated later a part is gone, a part has other figures, and a part stands twice, under a new id."""
    at = frame[column] if table != "mrr_history" else frame[column] + pd.offsets.MonthEnd(0)
    is_later = (at >= after).to_numpy()
    known, later = frame[~is_later], frame[is_later]
    later = later[rng.random(len(later)) < rng.choice([0.0, 0.3, 0.9, 1.0])]
    if figure := FIGURES.get(table):
        factor = rng.choice([0.0, 0.5, 1.0, 3.0], size=len(later))
        scale = (later[figure].astype("float64") * factor).clip(upper=10 if figure == "score" else None).round(2)
        later = later.assign(**{figure: scale.astype(later[figure].dtype)})
    if table in NEW_IDS and len(later):
        more = later.sample(frac=0.5, random_state=int(rng.integers(1 << 30)))
        later = pd.concat([later, more.assign(**{NEW_IDS[table]: more[NEW_IDS[table]] + "-more"})])
    return pd.concat([known, later])


def _otherwise_settled(tickets: pd.DataFrame, after: pd.Timestamp, rng: np.random.Generator) -> pd.DataFrame:
    """Tickets that were open at the end of the day are resolved at other times or not at all, with other ratings.

    Escalated ones stay escalated: since when is not delivered.
    """
    status = tickets["status"].astype("string")
    was_open = ((tickets["resolved_at"] >= after) | (status == "open")).to_numpy()
    resolves = was_open & (rng.random(len(tickets)) < rng.choice([0.0, 0.5, 1.0]))
    wait = pd.Series(pd.to_timedelta(rng.integers(0, 20 * 86_400, size=len(tickets)), unit="s"), index=tickets.index)
    at = tickets["created_at"].clip(lower=after) + wait
    resolved_at = tickets["resolved_at"].mask(was_open, pd.NaT).mask(resolves, at)
    rating = pd.Series(rng.integers(1, 6, size=len(tickets)), index=tickets.index)
    score = tickets["satisfaction_score"].mask(was_open, pd.NA)
    return tickets.assign(
        status=status.mask(was_open, "open").mask(resolves, "resolved"),
        resolved_at=resolved_at.astype(tickets["resolved_at"].dtype),
        satisfaction_score=score.mask(resolves, rating.astype(score.dtype)),
    )


def _other_ends(subscriptions: pd.DataFrame, after: pd.Timestamp, rng: np.random.Generator) -> pd.DataFrame:
    """Contracts in force at the end of the day end at other times or not at all, and others begin later, or none.

    Trials stay trials: since when is not delivered.
    """
    begins_later = (subscriptions["start_date"] >= after).to_numpy()
    found = subscriptions[~begins_later | (rng.random(len(subscriptions)) < rng.choice([0.0, 0.5, 1.0]))]
    runs = (found["end_date"].isna() | (found["end_date"] >= after)).to_numpy() & (
        found["status"] != "trial"
    ).to_numpy()
    ends = runs & (rng.random(len(found)) < rng.choice([0.0, 0.3, 1.0]))
    runs_on = pd.Series(pd.to_timedelta(rng.integers(1, 60, size=len(found)), unit="D"), index=found.index)
    end = found["end_date"].mask(runs, pd.NaT).mask(ends, found["start_date"].clip(lower=after) + runs_on)
    status = found["status"].astype("string")
    return found.assign(
        end_date=end.astype(found["end_date"].dtype),
        status=status.mask(runs, "active").mask(ends & (rng.random(len(found)) < 0.5), "cancelled"),
    )
