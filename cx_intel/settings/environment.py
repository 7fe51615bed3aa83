"""What is taken from the environment: where things lie, and nothing about a portfolio. Read once, here.

`CX_HOME`, `CX_PORTFOLIOS`, `CX_LOCK_WAIT_SECONDS`, `CX_UI_URL`, `CX_REPORTS_URL`, `CX_KEEP_BACKUPS`, `CX_DAILY_BACKUP`,
`CX_MEMORY_LIMIT`, `CX_THREADS` and `CX_SPILL_FOLDER`; besides them, a portfolio's YAML may name variables of its own as
`${NAME}`, which are looked up when that portfolio is refreshed, or when a message is sent.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

from pydantic import AfterValidator, Field, SkipValidation, ValidationError

from cx_intel.settings.base import Problem, Settings, SettingsError

PREFIX = "CX_"
UI_NOTE = "ui_address"
"""File of the home that says where `cx-intel ui` last opened the Dagster UI."""
UI_URL = "http://127.0.0.1:3000"
SHIPPED_PORTFOLIOS = Path(__file__).parent.parent / "portfolios"
EXPECTED = {
    "lock_wait_seconds": "a number of seconds",
    "portfolios": "the folder that holds the portfolio YAML; it is not a folder",
    "keep_backups": "how many back-ups to keep, at least 1",
    "daily_backup": "yes or no",
    "memory_limit": "how much memory a run may take, such as 4GB or 800MB",
    "threads": "how many threads the warehouse may use, at least 1",
}
"""What each variable is to be, for the error when it is something else."""


def _folder(path: Path) -> Path:
    if not path.is_dir():
        raise ValueError("not a folder")
    return path


Absolute = Annotated[Path, AfterValidator(lambda path: path.expanduser().resolve())]


class Environment(Settings):
    """The settings of the environment; each is the variable of its name in capitals, after `CX_`."""

    home: Absolute = Path(".cx_intel")
    """Dagster's home, the warehouse, reports and exports."""
    portfolios: Annotated[Absolute, AfterValidator(_folder)] = SHIPPED_PORTFOLIOS
    """The folder of portfolio files."""
    lock_wait_seconds: float = Field(default=3600, ge=0)
    """How long a run waits for another one to end."""
    ui_url: Annotated[str, AfterValidator(lambda url: url.rstrip("/"))] = UI_URL
    """Where people open the Dagster UI: what links in messages begin with; default: where `cx-intel ui` last opened it."""
    reports_url: Annotated[str, AfterValidator(lambda url: url.rstrip("/"))] = "http://127.0.0.1:3030"
    """Where people open reports and exports (`cx-intel reports`): what links to them begin with."""
    keep_backups: int = Field(default=7, ge=1)
    """How many back-ups are kept."""
    daily_backup: bool = False
    """The first run of each day makes a back-up."""
    memory_limit: str = Field(default="", pattern=r"^([0-9]+([.][0-9]+)? ?[KMGT]i?B)?$")
    """Memory that a run may take, such as 4GB, of which Python and reports have a quarter, at least 750 MB, at most half;
    default: 60 % of the machine's, or of the container's, for the warehouse alone."""
    threads: int = Field(default=0, ge=0)
    """Threads that the warehouse may use; default: as many as there are cores."""
    spill_folder: Absolute | None = None
    """Where the warehouse puts what does not fit into memory; default: beside the warehouse."""
    variables: SkipValidation[Mapping[str, str]] = Field(default={}, repr=False)
    """All variables: what `${NAME}` in a portfolio is taken from; never shown, for they hold secrets."""

    @property
    def warehouse(self) -> Path:
        """The warehouse file."""
        return self.home / "warehouse.duckdb"

    def reports(self, portfolio: str) -> Path:
        """The folder of a portfolio's pages."""
        return self.home / "reports" / portfolio

    def exports(self, portfolio: str) -> Path:
        """The folder of a portfolio's exports."""
        return self.home / "exports" / portfolio

    def published(self, portfolio: str) -> Path:
        """The published copy of a portfolio's tables."""
        return self.home / "published" / f"{portfolio}.duckdb"

    def link(self, file: Path) -> str:
        """The address under which a file or folder of the reports or exports is opened."""
        return f"{self.reports_url}/{quote(file.relative_to(self.home).as_posix())}"


def read_environment(variables: Mapping[str, str]) -> Environment:
    """The settings of the environment; an empty variable counts as unset.

    Raises:
        SettingsError: Variables are wrong; all of them are named, with what each is to be.
    """
    named = {name: PREFIX + name.upper() for name in Environment.model_fields if name != "variables"}
    given = {name: variables[variable] for name, variable in named.items() if variables.get(variable)}
    try:
        found = Environment(**given, variables=dict(variables))  # type: ignore[arg-type]
    except ValidationError as error:
        wrong = [str(found["loc"][0]) for found in error.errors()]
        text = "is {given!r}, expected {expected}"
        problems = [
            Problem(None, named[name], text.format(given=given[name], expected=EXPECTED[name])) for name in wrong
        ]
        raise SettingsError("environment", problems) from None
    return found if "ui_url" in given else found.model_copy(update={"ui_url": noted_ui(found.home) or UI_URL})


def note_ui(home: Path, address: str) -> None:
    """Leaves in the home where the UI is opened, for links in what is sent from elsewhere, such as by `cx-intel alerts`."""
    (home / UI_NOTE).write_text(address + "\n", encoding="utf-8")


def noted_ui(home: Path) -> str:
    """Where the UI was last opened; empty where nobody opened it, or the note cannot be read."""
    try:
        address = (home / UI_NOTE).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""
    return address if address.startswith(("http://", "https://")) and len(address.split()) == 1 else ""
