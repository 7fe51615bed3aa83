"""Puts into a report's language what the tables say of a signal in words: "GPS adoption 22 % (benchmark 80 %)".

Models write English with a decimal point (`cx_intel.models.expressions.wording`), since a table has one language;
labels and units are the portfolio's own and stay. Figures of their own are formatted in `formats.py`.
"""

import re
from typing import Literal

from cx_intel.reports.words.formats import NBSP

_BENCHMARK = re.compile(r" \(benchmark (-?[0-9.]+[^()]*)\)$")
_ANSWER = re.compile(r": (yes|no)$")
_DECIMAL = re.compile(rf"(?<![\w.])(-?\d+)\.(\d{{1,2}})(?=$|[ {NBSP})])")
_BENCHMARKS = {"en": "benchmark", "de": "Richtwert"}
_ANSWERS = {"yes": "ja", "no": "nein"}


def signal_in_language(text: str, language: Literal["en", "de"]) -> str:
    """The words of a signal in the language, without a line break in figures; label and unit are not translated."""
    text = text.replace(" %", f"{NBSP}%")
    if benchmark := _BENCHMARK.search(text):
        name, value = _BENCHMARKS[language], benchmark.group(1).replace(" ", NBSP)
        text = f"{text[: benchmark.start()]} ({name}{NBSP}{value})"
    if language == "en":
        return text
    text = _ANSWER.sub(lambda found: f": {_ANSWERS[found.group(1)]}", text)
    return _DECIMAL.sub(r"\1,\2", text)
