"""What is taken from the environment: where things lie, and nothing about a portfolio. Read once, here.

`CX_HOME`, `CX_PORTFOLIOS`, `CX_LOCK_WAIT_SECONDS`, `CX_UI_URL`, `CX_KEEP_BACKUPS` and `CX_DAILY_BACKUP`; besides them,
a portfolio's YAML may name variables of its own as `${NAME}`, which are looked up when that portfolio is refreshed, or
when a message is sent.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cx_intel.settings.base import Problem, SettingsError

DEFAULT_UI_URL = "http://127.0.0.1:3000"
SPELT = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
SHIPPED_PORTFOLIOS = Path(__file__).parent.parent / "portfolios"


@dataclass(frozen=True)
class Environment:
    """The settings of the environment.

    Attributes:
        home: Dagster's home, the warehouse, reports and exports.
        portfolios: The folder of portfolio files.
        lock_wait_seconds: How long a run waits for another one to end.
        variables: What `${NAME}` in a portfolio is taken from; never shown, for it holds secrets.
        ui_url: Where people open the Dagster UI: what links in messages begin with.
        keep_backups: How many back-ups are kept.
        daily_backup: The first run of each day makes one.
    """

    home: Path
    portfolios: Path
    lock_wait_seconds: float
    variables: Mapping[str, str] = field(repr=False)
    ui_url: str = DEFAULT_UI_URL
    keep_backups: int = 7
    daily_backup: bool = False

    @property
    def warehouse(self) -> Path:
        return self.home / "warehouse.duckdb"

    def reports(self, portfolio: str) -> Path:
        return self.home / "reports" / portfolio

    def exports(self, portfolio: str) -> Path:
        return self.home / "exports" / portfolio

    def published(self, portfolio: str) -> Path:
        return self.home / "published" / f"{portfolio}.duckdb"


def read_environment(variables: Mapping[str, str]) -> Environment:
    """The settings of the environment; raises SettingsError naming the variable that is wrong."""

    def wrong(name: str, message: str) -> SettingsError:
        return SettingsError("environment", [Problem(None, name, message)])

    wait = variables.get("CX_LOCK_WAIT_SECONDS", "3600")
    try:
        seconds = float(wait)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:  # nothing is between when it is no number
        raise wrong("CX_LOCK_WAIT_SECONDS", f"is {wait!r}, expected a number of seconds")
    folder = variables.get("CX_PORTFOLIOS")
    portfolios = Path(folder).expanduser().resolve() if folder else SHIPPED_PORTFOLIOS
    if not portfolios.is_dir():
        raise wrong("CX_PORTFOLIOS", f"{portfolios} is not a folder; name the one that holds the portfolio YAML")
    home = Path(variables.get("CX_HOME") or ".cx_intel").expanduser().resolve()
    ui_url = (variables.get("CX_UI_URL") or DEFAULT_UI_URL).rstrip("/")
    kept = variables.get("CX_KEEP_BACKUPS") or "7"
    if not kept.isascii() or not kept.isdigit() or int(kept) < 1:
        raise wrong("CX_KEEP_BACKUPS", f"is {kept!r}, expected how many back-ups to keep, at least 1")
    daily = (variables.get("CX_DAILY_BACKUP") or "no").lower()
    if daily not in SPELT:
        raise wrong("CX_DAILY_BACKUP", f"is {daily!r}, expected yes or no")
    return Environment(home, portfolios, seconds, dict(variables), ui_url, int(kept), SPELT[daily])
