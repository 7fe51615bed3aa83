"""What the status of a contract tells: which rows are none, and which a refresh will not take.

What each word means for MRR: `cx_intel.settings.revenue.subscription_statuses`.
"""

import re
from collections.abc import Iterable

from cx_intel.proposals.folders import FoundFiles
from cx_intel.proposals.words.names import plain
from cx_intel.proposals.words.values import STATUSES, WON
from cx_intel.settings.revenue.subscription_statuses import STATUSES as ROLES
from cx_intel.settings.revenue.subscription_statuses import StatusRole, status_key

OF_DEALS = ("opportunity_id", "deal_id")
"""Ids of what a CRM has in the place of contracts."""
_NOTHING = re.compile(r"|0+([.,]0+)?")


def of_statuses(table: str, columns: dict[str, str], found: FoundFiles) -> tuple[dict[str, object], list[str]]:
    """Keys of a source of contracts, and doubts: deals that are not won and what never began are left out."""
    if table != "subscriptions":
        return {}, []
    status = columns.get("status", "")
    if status and plain(columns.get("subscription_id", "")) in OF_DEALS:
        won = [word for word in found.values(status) if word.lower() in WON][:1]
        doubt = f"Only deals that are won count: `where` says which {status} they have."
        return {"where": {status: won} if won else {}}, [doubt]
    left_out, doubts = _never_begun(columns, found)
    said = {word for word in found.values_to_the_end(status) if word not in left_out} if status else set()
    where: dict[str, object] = {"where": {status: {"not": left_out}}} if left_out else {}
    return where, [*doubts, *_not_taken(columns, sorted(said))]


def _never_begun(columns: dict[str, str], found: FoundFiles) -> tuple[list[str], list[str]]:
    """The statuses that rows without a start and an amount have alone, such as of trials that came to nothing; and doubts.

    By the status and not by the missing start, so that a contract further down that lacks it is told by the refresh.
    """
    start, price = columns.get("start_date", ""), columns.get("amount", columns.get("unit_amount", ""))
    status = columns.get("status", "")
    without = [row for row in found.rows if not _cell(row, start)] if start and price else []
    if not without:
        return [], []
    words = {_cell(row, status) for row in without}
    others = {_cell(row, status) for row in found.rows if _cell(row, start)}
    if "" not in words and not words & others and all(_NOTHING.fullmatch(_cell(row, price)) for row in without):
        told = ", ".join(sorted(words))
        said = f"Rows that are {told} have no {start} and no {price}: they never began, and `where` leaves them out."
        return sorted(words), [said]
    return [], [f"{start} is empty in {len(without)} of {len(found.rows)} rows: without a start they are quarantined."]


def _not_taken(columns: dict[str, str], words: Iterable[str]) -> list[str]:
    """What a refresh quarantines: words that are not known, and contracts that have ended without a day."""
    roles = {word: _role(word) for word in words}
    unknown, ended = [w for w, role in roles.items() if role is None], [w for w, r in roles.items() if r == "ended"]
    doubts = []
    if unknown:
        doubts.append(
            f"{columns['status']} says {', '.join(unknown[:5])}, which is not known: state under "
            f"`revenue.subscription_statuses` what it means, such as {{{unknown[0]}: counting}}."
        )
    if ended and not {"end_date", "canceled_at", "cancel_at"} & set(columns):
        doubts.append(
            f"No column says when those ended that are {', '.join(ended)}: map the day to end_date, or state "
            f"{{{ended[0]}: never}} under `revenue.subscription_statuses`, which leaves them out of the past too."
        )
    return doubts


def _role(word: str) -> StatusRole | None:
    """What a word means, also one that the draft translates."""
    meant = next((name for name, words in STATUSES["subscriptions"].items() if word.lower() in words), word)
    return ROLES.get(status_key(meant))


def _cell(row: dict[str, str | None], column: str) -> str:
    return (row.get(column) or "").strip()
