"""The words of reports by language: English stands in the code, every other language in a catalogue `<code>.po` here.

A catalogue is read as it is, once and only for its own language, so that nothing compiled can lag behind it and a wheel
carries all that is needed. How texts are collected and merged into it is told in `docs/languages.md`; how figures are
written stands in `language.py`.
"""

from functools import lru_cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

ENGLISH = "en"
CATALOGUES = Path(__file__).parent


@lru_cache(maxsize=4)
def catalogue(code: str) -> NullTranslations:
    """The texts of a language; English has none, since texts are English already.

    Raises:
        FileNotFoundError: There is no catalogue of that language.
    """
    if code == ENGLISH:
        return NullTranslations()
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    compiled = BytesIO()
    with (CATALOGUES / f"{code}.po").open("rb") as source:
        write_mo(compiled, read_po(source, code))
    compiled.seek(0)
    return GNUTranslations(compiled)


def term(text: str) -> str:
    """The text itself: marks a word that is said elsewhere by `Language.say`, so that it is collected here."""
    return text


def plural(one: str, many: str) -> tuple[str, str]:
    """The two forms of a text: marks them, so that they are collected here and said elsewhere by `Language.count`."""
    return one, many
