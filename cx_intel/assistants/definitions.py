"""The page of definitions, by its sections, as an assistant reads it.

The page is docs/definitions.md; a wheel carries it beside this module. Nothing is defined here.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from cx_intel.reports.ask.answer import NoAnswer

HEADING = re.compile(r"\n#{2,3} ")
PAGE = "definitions.md"
PLACES = (Path(__file__).with_name(PAGE), Path(__file__).parents[2] / "docs" / PAGE)
"""In an installed package, and in a checkout."""


@lru_cache(maxsize=1)
def page() -> str:
    """All of it, as Markdown."""
    return next(place for place in PLACES if place.is_file()).read_text(encoding="utf-8")


def sections() -> Mapping[str, str]:
    """Heading: its section, in order; what stands under a smaller heading is a section of its own."""
    parts = (part.strip() for part in HEADING.split(f"\n{page()}")[1:])
    return {part.partition("\n")[0]: part for part in parts}


def section(topic: str) -> str:
    """The first section whose heading has the topic in it, else the first whose text has.

    Raises:
        NoAnswer: None has; the message names the headings.
    """
    wanted, known = topic.strip().casefold(), sections()
    by_heading = [text for heading, text in known.items() if wanted in heading.casefold()]
    by_text = [text for text in known.values() if wanted in text.casefold()]
    if wanted and (found := [*by_heading, *by_text]):
        return found[0]
    raise NoAnswer(f"No definition is about {topic!r}; there are {', '.join(known)}.")
