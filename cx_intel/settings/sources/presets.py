"""Presets: the sources of a vendor's exports or landed tables, ready to use, and how a portfolio takes one.

Only descriptions. The presets that ship are YAML in `cx_intel/presets`; they become ordinary sources when a portfolio is
loaded (`cx_intel.settings.yaml.presets`).
"""

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import ConfigDict, Field, model_validator

from cx_intel.settings.base import NAME_PATTERN, Misfit, Settings
from cx_intel.settings.identity import SystemName
from cx_intel.settings.sources.base import CanonicalTable

Parameter: TypeAlias = Literal["folder", "connection", "schema"]
"""What a preset takes; where its vendor can be a source, `landed` stands for the folder."""


class PresetUse(Settings):
    """An entry of `sources` that takes a preset: all the sources that it knows, with what differs here."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    preset: str = Field(pattern=NAME_PATTERN)
    """Its name; `cx-intel presets` lists them."""
    folder: str | None = Field(default=None, min_length=1)
    """Of exports: the folder that holds them, such as ${STRIPE}."""
    connection: str | None = None
    """Of landed tables: the variable with the address of their database, such as ${WAREHOUSE_URL}."""
    schema_: str | None = Field(default=None, alias="schema", pattern=r"^[A-Za-z_][\w$-]*(\.[A-Za-z_][\w$-]*)?$")
    """Of landed tables: the schema that holds them, such as stripe."""
    landed: SystemName | None = None
    """In place of `folder`: the source of this portfolio that lands the vendor's objects, such as `stripe`."""
    options: dict[str, Annotated[str, Field(pattern=r"^[\w .-]+$")]] = {}
    """What the preset lets a company name, such as the key of its metadata that holds the account, by the names that
    `cx-intel presets NAME` shows.
    """
    tables: dict[CanonicalTable, dict[str, Any] | None] = {}
    """Canonical table: the keys of its source that differ, e.g. {subscriptions: {max_quarantined_pct: 20}}. Mappings are
    merged key by key, null takes a key away; null in place of the keys leaves the table out.
    """

    @property
    def parameters(self) -> dict[str, str]:
        """What is stated of folder, connection and schema."""
        stated: dict[str, str | None] = {
            "folder": self.folder,
            "connection": self.connection,
            "schema": self.schema_,
        }
        return {name: value.rstrip("/") or value for name, value in stated.items() if value is not None}


class Preset(Settings):
    """A preset as its file describes it. In all texts of `sources`, ${folder} and the like stand for what a portfolio states."""

    vendor: str
    description: str
    takes: dict[Parameter, str] = Field(min_length=1)
    """Parameter: what to write for it, as an example."""
    landed_by: SystemName | None = None
    """The kind of source that lands the same objects; a file's path is then read as the name of the objects."""
    options: dict[str, str] = {}
    """What a company may name otherwise: its default; ${name} in `sources`."""
    system: SystemName | None = None
    """The system whose ids its rows name where the accounts are those of another source: ${system}, else `account`."""
    cannot_know: list[Annotated[str, Field(min_length=1)]] = []
    """What the vendor's data do not hold, and what that does to the figures."""
    alone: list[CanonicalTable] = []
    """Tables that are left out where another source of the portfolio delivers them."""
    on_request: list[CanonicalTable] = []
    """Tables that are taken only where `tables` of the entry names them, since many exports lack their files."""
    sources: list[dict[str, Any]] = Field(min_length=1)
    """Ordinary sources, one a table."""
    settings: dict[str, Any] = {}
    """Blocks of a portfolio that fit the vendor's words; what the portfolio states itself wins."""

    @model_validator(mode="after")
    def _one_source_a_table(self) -> "Preset":
        tables = self.tables
        if len(set(tables)) < len(tables):
            raise Misfit("delivers a table twice", ("sources",))
        return self

    @property
    def examples(self) -> dict[str, str]:
        """What may stand for each ${name}: the examples of what it takes, the defaults of its options, its system."""
        system = {"system": self.system} if self.system else {}
        return {**self.options, **system, **{str(name): example for name, example in self.takes.items()}}

    @property
    def tables(self) -> tuple[str, ...]:
        """The canonical tables that it delivers."""
        return tuple(str(source.get("table")) for source in self.sources)
