"""What a portfolio calls a thing for people: one text, or one in each language of the reports.

Labels are shown on pages, in the brief, the picture and the workbook; tables, exports and filters keep the codes. How
codes without a label are made readable stands in `cx_intel.reports.words.labels`.
"""

from typing import Annotated, TypeAlias

from pydantic import Field

from cx_intel.settings.base import Settings


class Translations(Settings):
    """A text in each language."""

    en: str = Field(min_length=1)
    """In English; also where a language below has no text of its own, and in tables."""
    de: str | None = Field(default=None, min_length=1)
    """In German."""


Label: TypeAlias = Annotated[str | Translations, Field(union_mode="left_to_right")]
"""One text for every language, or `{en: ..., de: ...}`."""


def worded(label: str | Translations, language: str = "en") -> str:
    """The label in a language; in English where it has none in that."""
    if isinstance(label, str):
        return label
    return {"de": label.de}.get(language) or label.en
