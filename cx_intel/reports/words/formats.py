"""Numbers, money, percentages and dates as text, in the language and currency of a portfolio.

Every figure that a reader sees goes through here, in pages as in charts, so that both write it alike. What the figures
mean does not belong here; where they are put is the matter of `pages` and `charts`.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

import pandas as pd

MISSING = "–"
NBSP = "\u00a0"
SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥"}
MONTHS = {
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    "de": ("Jan.", "Feb.", "März", "Apr.", "Mai", "Juni", "Juli", "Aug.", "Sep.", "Okt.", "Nov.", "Dez."),
}
THOUSAND_MILLION = {"en": ("K", "M"), "de": (f"{NBSP}Tsd.", f"{NBSP}Mio.")}


def is_missing(value: Any) -> bool:
    """None, NaN and NaT: nothing to show."""
    return value is None or bool(pd.isna(value))


@dataclass(frozen=True)
class Formats:
    """How one portfolio writes its figures.

    Attributes:
        language: Of numbers and dates.
        currency: ISO 4217 code of the reporting currency.
    """

    language: Literal["en", "de"]
    currency: str

    @property
    def symbol(self) -> str:
        return SYMBOLS.get(self.currency, self.currency)

    @property
    def percent_sign(self) -> str:
        return "%" if self.language == "en" else f"{NBSP}%"

    @property
    def _symbol_first(self) -> bool:
        return self.language == "en"

    def number(self, value: Any, digits: int = 0) -> str:
        """A number with grouped thousands: 1,234.5 or 1.234,5; a minus sign, never a hyphen."""
        if is_missing(value):
            return MISSING
        rounded = round(float(value), digits) + 0.0
        text = f"{abs(rounded):,.{digits}f}"
        if self.language == "de":
            text = text.translate(str.maketrans(",.", ".,"))
        return f"−{text}" if rounded < 0 else text

    def money(self, value: Any, digits: int = 0) -> str:
        """An amount in the reporting currency: $1,234 or 1.234 €."""
        return MISSING if is_missing(value) else self._with_symbol(self.number(value, digits))

    def short_money(self, value: Any) -> str:
        """An amount in three figures or so: $1.2M, $345K; 1,2 Mio. €, 345 Tsd. €."""
        if is_missing(value):
            return MISSING
        amount = float(value)
        thousand, million = THOUSAND_MILLION[self.language]
        if abs(amount) >= 999_500:
            text = self.number(amount / 1e6, 2 if abs(amount) < 9_995_000 else 1) + million
        elif abs(amount) >= 9_999.5:
            text = self.number(amount / 1e3, 1 if abs(amount) < 99_950 else 0) + thousand
        else:
            text = self.number(amount)
        return self._with_symbol(text)

    def _with_symbol(self, text: str) -> str:
        if not self._symbol_first:
            return f"{text}{NBSP}{self.symbol}"
        gap = NBSP if self.symbol == self.currency else ""
        return f"−{self.symbol}{gap}{text[1:]}" if text.startswith("−") else f"{self.symbol}{gap}{text}"

    def percent(self, value: Any, digits: int = 1) -> str:
        """A percentage given as 0 to 100: 97.3% or 97,3 %."""
        if is_missing(value):
            return MISSING
        return f"{self.number(value, digits)}{self.percent_sign}"

    def signed(self, value: Any, text: str) -> str:
        """The text of a change with its sign in front; ± when it rounds to nothing."""
        if is_missing(value):
            return MISSING
        plain = text.lstrip("−")
        if not any(digit in plain for digit in "123456789"):
            return f"±{plain}"
        return f"{'+' if float(value) > 0 else '−'}{plain}"

    def points(self, value: Any, digits: int = 1) -> str:
        """A change in points, with its sign."""
        return self.signed(value, self.number(value, digits))

    def day(self, value: Any) -> str:
        """A day: 21 Nov 2026 or 21.11.2026."""
        if is_missing(value):
            return MISSING
        day = pd.Timestamp(value)
        if self.language == "de":
            return f"{day.day:02d}.{day.month:02d}.{day.year}"
        return f"{day.day} {MONTHS['en'][day.month - 1]} {day.year}"

    def month(self, value: Any) -> str:
        """A month: Oct 2026 or Okt. 2026."""
        if is_missing(value):
            return MISSING
        day = pd.Timestamp(value)
        return f"{MONTHS[self.language][day.month - 1]} {day.year}"

    def short_month(self, value: Any) -> str:
        """A month in few letters: Oct 26 or Okt. 26."""
        return MISSING if is_missing(value) else self.month(value)[:-4] + self.month(value)[-2:]

    def time(self, value: datetime) -> str:
        """A moment to the minute, with its zone."""
        return f"{self.day(value)}, {value:%H:%M %Z}".strip()

    def days(self, value: Any) -> str:
        """A number of days in words."""
        return MISSING if is_missing(value) else f"{self.number(value)} {'day' if int(value) == 1 else 'days'}"

    def vega_locale(self) -> dict[str, Any]:
        """The same numbers for Vega: the locale of its number formats, `$` being the reporting currency."""
        gap = NBSP if self.symbol == self.currency else ""
        if self.language == "de":
            return {"decimal": ",", "thousands": ".", "grouping": [3], "currency": ["", f"{NBSP}{self.symbol}"]}
        return {"decimal": ".", "thousands": ",", "grouping": [3], "currency": [f"{self.symbol}{gap}", ""]}

    def script_words(self) -> dict[str, Any]:
        """The same for the scripts of a page: the parts that they put amounts together from."""
        thousand, million = THOUSAND_MILLION[self.language]
        return {
            "language": self.language,
            "symbol": self.symbol,
            "symbolFirst": self._symbol_first,
            "gap": NBSP if self.symbol == self.currency or not self._symbol_first else "",
            "thousand": thousand,
            "million": million,
            "missing": MISSING,
        }


def iso(value: Any) -> str | None:
    """A day as YYYY-MM-DD, for sorting and for scripts."""
    return None if is_missing(value) else f"{date.fromisoformat(str(value)[:10])}"
