"""What the ends of contracts and of invoiced periods mean, from how they lie beside their starts.

What amounts, ratings and words are for is in `meanings.py`.
"""

from collections.abc import Sequence
from datetime import date, timedelta

from cx_intel.proposals.columns.meanings import Meaning
from cx_intel.proposals.columns.spellings import day_of
from cx_intel.proposals.folders import FoundFiles
from cx_intel.proposals.words.names import plain

CREATED = ("created_at", "created_date", "created")
"""Names of columns that say when a row was made, which may not be when a subscription began."""
MOST = 0.6
"""Of the ends of contracts, the share that has to be a term's for all to be taken for that."""


def of_ends(columns: dict[str, str], found: FoundFiles, formats: Sequence[str]) -> Meaning:
    """What the ends of subscriptions mean: of terms where most have one, whole months after their start."""
    said: list[str] = []
    if columns.get("start_date", "") and plain(columns["start_date"]) in CREATED:
        said = [f"{columns['start_date']} is taken for the start of a subscription, for want of another."]
    if not {"start_date", "end_date"} <= set(columns):
        return {}, said
    start, end = columns["start_date"], columns["end_date"]
    begun = [(day_of(row.get(start) or "", formats), day_of(row.get(end) or "", formats)) for row in found.rows]
    terms = [(first, last) for first, last in begun if first and last]
    inclusive = sum(_is_whole(first, last + timedelta(days=1)) for first, last in terms)
    exclusive = sum(_is_whole(first, last) for first, last in terms)
    if not terms:
        return {}, said
    if max(inclusive, exclusive) < MOST * len(terms) or 2 * len(terms) < len(begun):
        newest = max(first for first, _ in begun if first)
        asked = (
            f"Whether {end} is the end of a term or a cancellation is not told: state `end_date: {{means: term}}` or "
        )
        is_open = any(last > newest for _, last in terms)
        return {}, [*said, f"{asked}`{{means: cancellation}}` where many lie in the future."] if is_open else said
    means = {"means": "term"}
    doubt = (
        f"{end} is whole months after {start} in most rows and is taken for the end of a term that is usually renewed"
    )
    if inclusive <= exclusive:
        return {"end_date": means}, [*said, f"{doubt}: state `means: cancellation` where it is not."]
    return {"end_date": {"is": "last_day_in_force", **means}}, [
        *said,
        f"{doubt}, and for its last day: state `means: cancellation`, `is: first_day_without` where it is not.",
    ]


def of_periods(columns: dict[str, str], found: FoundFiles, formats: Sequence[str]) -> Meaning:
    """Whether the ends of periods of invoices are last days in force: as most are that lie a day before a whole month."""
    start, end = columns.get("period_start", ""), columns.get("period_end", "")
    days = [(day_of(row.get(start) or "", formats), day_of(row.get(end) or "", formats)) for row in found.rows]
    periods = [(first, last) for first, last in days if first and last]
    inclusive = sum(_is_whole(first, last + timedelta(days=1)) for first, last in periods)
    if not periods or inclusive < MOST * len(periods):
        return {}, []
    doubt = f"{end} is a day before whole months after {start} in most rows and is taken for the last day in force."
    return {"end_date": {"is": "last_day_in_force"}}, [doubt]


def _is_whole(first: date, after: date) -> bool:
    return first < after and first.day == after.day
