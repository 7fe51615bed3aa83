"""Days and months as whole numbers, and the calendar's weight on activity.

Days count from 1970-01-01 and months from 1970-01, so that dates are plain NumPy arithmetic; conversion to
columns of a frame is here too. When accounts sign up is in `signups`, what they do on a day in
`novacrm_events` and `fleet_events`.
"""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

FAR = 2**30
"""The day number that stands for "not within the planned time"; a null in every frame."""

_DAY_US = 86_400_000_000
_EPOCH = date(1970, 1, 1)


def day_number(day: date) -> int:
    return (day - _EPOCH).days


def day_of(number: int) -> date:
    return _EPOCH + timedelta(days=number)


def month_number(day: date) -> int:
    return (day.year - 1970) * 12 + day.month - 1


def months_of(days: Ints) -> Ints:
    """The month number of each day number."""
    return days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)


def first_day(month: int) -> int:
    """The day number of the first day of a month number."""
    return int(np.datetime64(month, "M").astype("datetime64[D]").astype(np.int64))


def first_days(months: Ints) -> Ints:
    return months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)


def day_of_month(day: Ints) -> Ints:
    """The day of the month (1..31) of each day number."""
    return day - first_days(months_of(day)) + 1


def is_weekend(days: Ints) -> Bools:
    return (days + 3) % 7 >= 5


def working_weight(day: int, *, weekend: float) -> float:
    """How busy a calendar day is: about 1.2 on a working day, `weekend` at weekends, less in holidays."""
    moment = day_of(day)
    weight = weekend if moment.weekday() >= 5 else (1.25, 1.3, 1.25, 1.2, 1.05)[moment.weekday()]
    if (moment.month, moment.day) >= (12, 24) or (moment.month, moment.day) <= (1, 2):
        return weight * 0.4
    if (7, 20) <= (moment.month, moment.day) <= (8, 25):
        return weight * 0.88
    return weight


def dates(days: Ints) -> NDArray[np.datetime64]:
    """Midnights as datetime64[us]; FAR is NaT."""
    stamps = (days * _DAY_US).view("datetime64[us]")
    stamps[days >= FAR] = np.datetime64("NaT")
    return stamps


def timestamps(seconds: Ints) -> NDArray[np.datetime64]:
    """Seconds since 1970-01-01 UTC as datetime64[us]; FAR days and later is NaT."""
    stamps = (seconds * 1_000_000).view("datetime64[us]")
    stamps[seconds >= FAR * 86_400] = np.datetime64("NaT")
    return stamps
