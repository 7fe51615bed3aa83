"""What the words in the status of a subscription mean for MRR, and how a word is compared.

Only the words that billing systems share belong here; a portfolio adds its own under `revenue.subscription_statuses`.
What follows from a role is in `cx_intel.models.subscriptions.periods`.
"""

import re
from typing import Literal, TypeAlias

StatusRole: TypeAlias = Literal["counting", "ended", "never", "trial", "paused"]
"""counting: in force from start to end. ended: counts up to its end. never: no contract (yet). trial: counts from its
`trial_end`, else never. paused: counts until `paused_at`, else until the load that shows it."""

STATUSES: dict[str, StatusRole] = {
    **dict.fromkeys(("active", "activated", "live", "past_due", "unpaid", "non_renewing"), "counting"),
    **dict.fromkeys(
        (
            "cancelled",
            "canceled",
            "expired",
            "ended",
            "upgraded",
            "downgraded",
            "replaced",
            "terminated",
            "churned",
            "inactive",
            "closed",
            "lapsed",
        ),
        "ended",
    ),
    **dict.fromkeys(("trial", "trialing", "in_trial"), "trial"),
    **dict.fromkeys(("draft", "incomplete", "incomplete_expired", "future", "void"), "never"),
    **dict.fromkeys(("paused", "suspended"), "paused"),
}
"""Known words: what each means."""


def status_key(word: str) -> str:
    """A word as it is compared: lower case, with an underscore for blanks and hyphens."""
    return re.sub(r"[ -]+", "_", word.strip().lower())
