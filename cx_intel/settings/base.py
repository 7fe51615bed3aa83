"""The base of every settings model, and the error that all of them raise.

Only what is common to all blocks of a portfolio belongs here. The blocks themselves live beside this module, one file a
subject; `loader.py` reads YAML into them and keeps the line numbers.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeAlias
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

NAME_PATTERN = r"^[a-z][a-z0-9_]*$"
"""What may name a portfolio, signal, dimension or attribute: it becomes a schema, table or column name."""

RESERVED_NAMES = frozenset({"cx_state", "information_schema", "main", "pg_catalog", "system", "temp"})
"""Schemas that a warehouse has already: the program's own, and those of the database."""


def _free_name(name: str) -> str:
    if name in RESERVED_NAMES:
        raise ValueError(
            f"{name!r} is a schema that every warehouse has; give the portfolio, and its file, another name"
        )
    return name


PortfolioName: TypeAlias = Annotated[str, Field(pattern=NAME_PATTERN), AfterValidator(_free_name)]
"""The name of a portfolio: its schema in the warehouse."""


def _existing_zone(zone: str) -> str:
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"{zone!r} is no IANA time zone, such as Europe/Berlin") from error
    return zone


TimeZone: TypeAlias = Annotated[str, AfterValidator(_existing_zone)]
"""The name of an IANA time zone, such as Europe/Berlin."""


class Settings(BaseModel):
    """A block of settings: unknown keys are refused, values are not changed after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, allow_inf_nan=False)


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a portfolio file: where (1-based line, None when unknown) and what to do."""

    line: int | None
    path: str
    message: str


class Misfit(ValueError):
    """Settings that are well-formed each and do not fit together; `at` leads to the key to blame, below the block."""

    def __init__(self, message: str, at: tuple[str | int, ...] = ()):
        super().__init__(message)
        self.at = at


class SettingsError(ValueError):
    """A portfolio file that cannot be used; the text names the file, each line, and what is wrong there."""

    def __init__(self, file: Path | str, problems: list[Problem]):
        self.file = Path(file)
        self.problems = problems
        lines = [f"{self.file}:{p.line or 1}: {p.path + ': ' if p.path else ''}{p.message}" for p in problems]
        super().__init__("\n".join(lines))
