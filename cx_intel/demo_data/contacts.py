"""The people at the customers of the synthetic worlds: who decides, who stands up for the product, who pays the invoices.

Each customer has up to four, one for each of `_PLACES`; some leave. Addresses end in `.example` and phone numbers are of
ranges that are kept for fiction. Names come from a pool that a seeded Faker fills once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cx_intel.demo_data.companies.names import first_and_last_names
from cx_intel.demo_data.draws import generator
from cx_intel.demo_data.text_columns import Counter, blank, identifiers, picked, texts
from cx_intel.demo_data.timeline import Ints, dates

_SHARES = np.array([0.85, 0.80, 0.65, 0.55])
_ROLES = ("decision_maker", "champion", "end_user", "billing")
_ROLE_IS_KNOWN = np.array([0.80, 0.70, 0.50, 0.95])
_USES = np.array([False, True, True, False])
_LEAVES, _STAYS_AT_LEAST, _STAYS_UP_TO = 0.16, 150, 1200
_KNOWN_WITHIN = 120
_STATUSES = ("active", "left")
_TITLES = {
    "en_US": ("Chief Operating Officer", "Head of Operations", "Operations Analyst", "Accounts Payable"),
    "de_DE": ("Geschäftsführung", "Leitung Fuhrpark", "Disposition", "Buchhaltung"),
}
_PHONES = {"en_US": "+1 202 555 01", "de_DE": "+49 30 23125 0"}
"""Numbers that nobody has: what regulators keep for films and examples."""


@dataclass(frozen=True)
class ContactBook:
    """The people of a world.

    Attributes:
        seed: Of the world.
        locale: Of names: en_US or de_DE.
        prefix: Before the number in the id of an account.
        width: Digits of that number.
        actor: What stands between the account's id and a user's number in usage events.
        actor_width: Digits of that number.
        signup: Day of signing up by account.
    """

    seed: int
    locale: str
    prefix: str
    width: int
    actor: str
    actor_width: int
    signup: Ints

    def frame(self, as_of: int) -> pd.DataFrame:
        """Grain: a person, from the day that the CRM knows them; `status`: active or left.

        `user_id` is the person's id in usage events, null for those who do not use the product; `contact_role` null: unknown.
        """
        count = len(self.signup)
        draws = generator(self.seed, "contacts").random((count, len(_SHARES), 8))
        since = self.signup[:, None] + np.floor(draws[:, :, 1] * _KNOWN_WITHIN).astype(np.int64)
        stays = _STAYS_AT_LEAST + draws[:, :, 3] * (_STAYS_UP_TO - _STAYS_AT_LEAST)
        until = np.where(draws[:, :, 2] < _LEAVES, since + stays.astype(np.int64), np.iinfo(np.int64).max)
        account, place = np.nonzero((draws[:, :, 0] < _SHARES) & (since <= as_of))
        order = np.argsort(since[account, place], kind="stable")  # whoever becomes known later comes after
        account, place = account[order], place[order]
        d, left = draws[account, place], until[account, place] <= as_of
        first, last, first_address, last_address = first_and_last_names(self.seed, self.locale, d[:, 4], d[:, 5])
        domains = np.asarray(identifiers(self.prefix.lower(), Counter(account + 1, self.width)), dtype=object)
        user = np.where(place == 1, 1, 2)
        account_ids = identifiers(self.prefix, Counter(account + 1, self.width))
        user_ids = identifiers(
            self.prefix, Counter(account + 1, self.width), self.actor, Counter(user, self.actor_width)
        )
        changed = np.where(left, until[account, place], since[account, place])
        return pd.DataFrame(
            {
                "contact_id": identifiers("CON-", Counter(account * len(_ROLES) + place + 1, self.width + 1)),
                "account_id": account_ids,
                "contact_name": texts(first + " " + last),
                "email": texts(first_address + "." + last_address + "@" + domains + ".example"),
                "phone": blank(
                    identifiers(_PHONES[self.locale], Counter((d[:, 6] * 100).astype(np.int64), 2)), d[:, 6] < 0.2
                ),
                "job_title": picked(_TITLES[self.locale], place),
                "contact_role": picked(_ROLES, place, d[:, 7] >= _ROLE_IS_KNOWN[place]),
                "status": picked(_STATUSES, left.astype(np.int64)),
                "user_id": blank(user_ids, ~_USES[place]),
                "updated_at": dates(changed),
            }
        )
