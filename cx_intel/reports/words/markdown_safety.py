"""Keeps text of customers from being read as Markdown or HTML: names stay names in a brief and in a data dictionary.

Only what would mean something is escaped, so that an ordinary name reads the same in the source. HTML pages are escaped
by Jinja itself.
"""

import re

_BLANKS = re.compile(r"[\s\x00-\x1f\x7f\u2028\u2029]+")
_SPECIAL = re.compile(r"([\\`*\[\]|~])")
_UNDERSCORES = re.compile(r"(?<![^\W_])_+|_+(?![^\W_])")
"""Within a word underscores mean nothing."""
_ENTITY = re.compile(r"&(?=#?\w+;)")
_REFERENCES = (("://", "&#58;//"), ("www.", "www&#46;"), ("@", "&#64;"))


def escaped(text: object) -> str:
    """The text on one line, with whatever Markdown, or HTML within it, would take for more than text made harmless.

    It is to stand within a line, a cell or an item: what means something only at the start of a line is left as it is.
    """
    line = _BLANKS.sub(lambda found: found.group(0) if found.group(0) == "\u00a0" else " ", str(text)).strip(" ")
    line = _ENTITY.sub("&amp;", line)
    line = _SPECIAL.sub(r"\\\1", line)
    line = _UNDERSCORES.sub(lambda found: "\\_" * len(found.group(0)), line).replace("<", "&lt;").replace(">", "&gt;")
    for mark, harmless in _REFERENCES:
        line = line.replace(mark, harmless)
    return line
