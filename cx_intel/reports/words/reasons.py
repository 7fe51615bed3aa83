"""Why a row is in quarantine, and why an id belongs to no account, in the language of the portfolio.

The reasons and their English sentences are `cx_intel.contracts.staging.reasons`; tables have the sentence and the parts that
it was made of, and the sentence of another language is made of these. What rules of the contracts ask stands in `rules.py`.
"""

import json
from typing import Any

from cx_intel.contracts.staging.reasons import REASONS
from cx_intel.reports.words.catalogue import ENGLISH
from cx_intel.reports.words.language import Language
from cx_intel.reports.words.rounding import is_missing

WITHIN = "why"
"""The gap that holds another reason."""


def why(reason: Any, parts: Any, f: Language) -> str:
    """A reason in a language.

    Args:
        reason: The English sentence, which is also shown where the parts are not known.
        parts: What it is made of, as JSON: an object, or a list where a row has several faults. An earlier version of the
            program left none.
        f: The language.
    """
    if f.code == ENGLISH or is_missing(parts):
        return str(reason)
    found = json.loads(parts, strict=False)
    said = [_said(part, f) for part in (found if isinstance(found, list) else [found])]
    return "; ".join(text for text in said if text) if all(said) else str(reason)


def _said(part: Any, f: Language) -> str:
    """The sentence of one reason; empty where a gap or the code itself is not known to this version of the program."""
    if not isinstance(part, dict) or part.get("code") not in REASONS:
        return ""
    text, gaps = REASONS[part["code"]], {name: _gap(name, value, f) for name, value in part.items() if name != "code"}
    return f.say(text, **gaps) if all(gaps.values()) else ""


def _gap(name: str, value: Any, f: Language) -> str:
    """A number as the language writes it, the reason within a reason, or the text as it is."""
    if name == WITHIN:
        return _said(json.loads(value), f) if value else ""
    return f.number(value) if isinstance(value, int | float) else str(value)
