"""What a portfolio's reports are written in: texts, numbers, money, percentages and days, in its language and currency.

Every text and figure that a reader sees goes through here, in pages as in charts, so that all of them write it alike.
Separators, symbols and names of months are those of Babel's CLDR; texts come from `catalogue.py`, rounding from
`rounding.py`. What figures mean is decided elsewhere (`cx_intel.reports.data`).
"""

from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property, lru_cache
from typing import Any, Literal

from cx_intel.models.expressions.wording import SINGULAR_UNITS
from cx_intel.reports.words.catalogue import catalogue, term
from cx_intel.reports.words.rounding import is_missing, rounded

Code = Literal["en", "de"]
MISSING = "–"
NBSP = "\u00a0"
DAYS: dict[str, str] = {"en": "d MMM y", "de": "dd.MM.y"}
VEGA_DAYS = {"en": "%-d %b %y", "de": "%d.%m.%y"}
"""Days as they are written, where the locale's own order of them would be taken for another day."""
THOUSAND, MILLION = term("K"), term("M")
UNITS_AFTER_ONE: dict[str, dict[str, str]] = {
    "en": SINGULAR_UNITS,
    "de": {
        "Ereignisse": "Ereignis",
        "Ereignisse pro Tag": "Ereignis pro Tag",
        "Fahrzeuge": "Fahrzeug",
        "Funktionen": "Funktion",
        "Berichte": "Bericht",
        "Kunden": "Kunde",
        "Module": "Modul",
        "Monate": "Monat",
        "Produkte": "Produkt",
        "Punkte": "Punkt",
        "Stunden": "Stunde",
        "Tage": "Tag",
        "Tickets": "Ticket",
        "Wochen": "Woche",
    },
}
"""Units of signals that are counted: how they read after 1."""


@dataclass(frozen=True)
class Language:
    """How one portfolio writes.

    Attributes:
        code: Of the language (`reports.language`).
        currency: ISO 4217 code of the reporting currency.
    """

    code: Code
    currency: str

    def say(self, text: str, /, **gaps: object) -> str:
        """An English text in this language, its gaps `{...}` filled."""
        said = _said(self.code, text)
        return said.format(**gaps) if gaps else said

    def count(self, one: str, many: str, n: int, /, **gaps: object) -> str:
        """A text about a number of things, with the form that the number takes; `{n}` is that number."""
        return catalogue(self.code).ngettext(one, many, int(n)).format(n=self.number(n), **gaps)

    def forms(self, one: str, many: str) -> list[str]:
        """A text about one thing and about several in this language, with its gaps, for scripts."""
        return [catalogue(self.code).ngettext(one, many, n) for n in (1, 2)]

    @cached_property
    def _locale(self) -> Any:
        from babel import Locale

        return Locale.parse(self.code)

    @cached_property
    def symbol(self) -> str:
        """Of the currency."""
        return str(self._locale.currency_symbols.get(self.currency, self.currency))

    @cached_property
    def decimals(self) -> int:
        """Digits after the decimal sign that the currency has."""
        from babel.numbers import get_currency_precision

        return int(get_currency_precision(self.currency))

    @cached_property
    def _separators(self) -> dict[int, str]:
        symbols = self._locale.number_symbols["latn"]
        return str.maketrans({",": symbols["group"], ".": symbols["decimal"]})

    @cached_property
    def percent_sign(self) -> str:
        """With the space before it that the language wants."""
        return str(self._locale.percent_formats[None].suffix[0])

    @cached_property
    def symbol_first(self) -> bool:
        return str(self._locale.currency_formats["standard"].pattern).startswith("¤")

    @cached_property
    def gap(self) -> str:
        """Between amount and symbol: none between a sign such as $ and the amount behind it."""
        return "" if self.symbol_first and not self.symbol[-1].isalpha() else NBSP

    def number(self, value: Any, digits: int = 0) -> str:
        """A number with grouped thousands: 1,234.5 or 1.234,5; a minus sign, never a hyphen."""
        if is_missing(value):
            return MISSING
        amount = value if type(value) is int else rounded(value, digits)
        text = f"{abs(amount):,.{digits}f}".translate(self._separators)
        return f"−{text}" if amount < 0 else text

    def short_number(self, value: Any) -> str:
        """A number with as many decimals as it needs: two below 1, one above, none when whole."""
        digits = 2 if abs(value) < 1 else 1
        while digits and rounded(value, digits) == rounded(value, digits - 1):
            digits -= 1
        return self.number(value, digits)

    def money(self, value: Any, digits: int = 0) -> str:
        """An amount in the reporting currency, $1,234 or 1.234 €; no more digits than the currency has."""
        return MISSING if is_missing(value) else self._with_symbol(self.number(value, min(digits, self.decimals)))

    def short_money(self, value: Any) -> str:
        """An amount in three figures or so: $1.2M, $345K; 1,2 Mio. €, 345 Tsd. €."""
        if is_missing(value):
            return MISSING
        amount = float(value)
        if abs(amount) >= 999_500:
            text = self.number(amount / 1e6, 2 if abs(amount) < 9_995_000 else 1) + self.say(MILLION)
        elif abs(amount) >= 9_999.5:
            text = self.number(amount / 1e3, 1 if abs(amount) < 99_950 else 0) + self.say(THOUSAND)
        else:
            text = self.number(amount)
        return self._with_symbol(text)

    def with_unit(self, value: Any, unit: str) -> str:
        """A number with as many decimals as it needs, and its unit, in the singular after 1."""
        number = self.short_number(value)
        return f"{number}{NBSP}{self.unit_after_one(unit) if number == '1' else unit}".strip()

    def unit_after_one(self, unit: str) -> str:
        """The singular of a unit that is counted; any other as it is."""
        return (UNITS_AFTER_ONE[self.code] | SINGULAR_UNITS).get(unit, unit)

    def _with_symbol(self, text: str) -> str:
        if not self.symbol_first:
            return f"{text}{self.gap}{self.symbol}"
        sign, digits = ("−", text[1:]) if text.startswith("−") else ("", text)
        return f"{sign}{self.symbol}{self.gap}{digits}"

    def percent(self, value: Any, digits: int = 1) -> str:
        """A percentage given as 0 to 100: 97.3% or 97,3 %."""
        return MISSING if is_missing(value) else self.number(value, digits) + self.percent_sign

    def signed(self, value: Any, text: str) -> str:
        """The text of a change with its sign in front; ± when it rounds to nothing."""
        if is_missing(value):
            return MISSING
        plain = text.lstrip("−")
        if not any(digit in plain for digit in "123456789"):
            return f"±{plain}"
        return f"{'+' if float(value) > 0 else '−'}{plain}"

    def signed_money(self, value: Any, digits: int = 0) -> str:
        """A change of an amount, with its sign."""
        return MISSING if is_missing(value) else self.signed(value, self.money(abs(value), digits))

    def points(self, value: Any, digits: int = 1) -> str:
        """A change in points, with its sign."""
        return self.signed(value, self.number(value, digits))

    def day(self, value: Any) -> str:
        """A day: 21 Nov 2026 or 21.11.2026."""
        return self._date(value, DAYS[self.code])

    def month(self, value: Any) -> str:
        """A month: Oct 2026 or Okt. 2026."""
        return self._date(value, "MMM y")

    def short_month(self, value: Any) -> str:
        """A month in few letters: Oct 26 or Okt. 26."""
        return self._date(value, "MMM yy")

    def _date(self, value: Any, pattern: str) -> str:
        return MISSING if is_missing(value) else _written(str(value)[:10], pattern, self.code)

    def time(self, value: datetime) -> str:
        """A moment to the minute, with its zone."""
        return f"{self.day(value)}, {value:%H:%M %Z}".strip()

    def days(self, value: Any) -> str:
        """A number of days in words."""
        return MISSING if is_missing(value) else self.count("{n} day", "{n} days", value)

    def vega_locale(self) -> dict[str, Any]:
        """The same numbers for Vega: the locale of its number formats, `$` being the reporting currency."""
        symbol = [f"{self.symbol}{self.gap}", ""] if self.symbol_first else ["", f"{self.gap}{self.symbol}"]
        symbols = self._locale.number_symbols["latn"]
        numbers = {"decimal": symbols["decimal"], "thousands": symbols["group"], "grouping": [3]}
        return numbers | {"currency": symbol, "percent": self.percent_sign}

    def script_formats(self) -> dict[str, Any]:
        """The same for the scripts of a page: the parts that they put amounts together from."""
        return {
            "language": self.code,
            "symbol": self.symbol,
            "symbolFirst": self.symbol_first,
            "gap": self.gap,
            "thousand": self.say(THOUSAND),
            "million": self.say(MILLION),
            "percent": self.percent_sign,
            "missing": MISSING,
            "decimals": min(self.decimals, 2),
        }


@lru_cache(maxsize=8192)
def _said(code: Code, text: str) -> str:
    return catalogue(code).gettext(text) if text else text


@lru_cache(maxsize=8192)
def _written(day: str, pattern: str, code: str) -> str:
    from babel.dates import format_date

    return str(format_date(date.fromisoformat(day), pattern, locale=code))


def iso(value: Any) -> str | None:
    """A day as YYYY-MM-DD, for sorting and for scripts."""
    return None if is_missing(value) else str(value)[:10]
