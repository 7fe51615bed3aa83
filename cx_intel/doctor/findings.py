"""What an examination found: one thing, how bad it is, and what to do about it.

The examinations stand in the modules beside this one; how findings are shown is decided in `cx_intel.cli.commands.deployment`.
"""

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "note", "problem"]


@dataclass(frozen=True)
class Finding:
    """One finding.

    Attributes:
        subject: What was looked at, in a word or two.
        level: ok; note: may be meant so; problem: the deployment does not do what it is there for.
        text: What is so.
        to_do: What to do about it; empty when there is nothing to do.
    """

    subject: str
    level: Level
    text: str
    to_do: str = ""


def ok(subject: str, text: str) -> Finding:
    """Nothing to do."""
    return Finding(subject, "ok", text)


def note(subject: str, text: str, to_do: str = "") -> Finding:
    """Worth knowing, and no problem."""
    return Finding(subject, "note", text, to_do)


def problem(subject: str, text: str, to_do: str) -> Finding:
    """Something that has to be put right, and how."""
    return Finding(subject, "problem", text, to_do)
