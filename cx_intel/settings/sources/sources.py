"""The `sources` block of a portfolio: a list of sources, each delivering tables, checked for what no two may deliver.

What each kind states is beside this module; reading is done in `cx_intel.sources` and by the warehouse. Entries that
take a preset have become sources before they come here (`cx_intel.settings.yaml.presets`).
"""

from typing import Annotated, TypeAlias

from pydantic import BeforeValidator, Field, model_validator

from cx_intel.settings.base import Misfit, Settings
from cx_intel.settings.sources.base import DELIVERED_ONCE, TableSource
from cx_intel.settings.sources.files import FilesSource
from cx_intel.settings.sources.presets import PresetUse
from cx_intel.settings.sources.sql import SqlSource
from cx_intel.settings.sources.synthetic import SyntheticSource
from cx_intel.settings.sources.vendors import OBJECTS, Vendor, VendorSource

Source: TypeAlias = Annotated[SyntheticSource | FilesSource | SqlSource, Field(discriminator="kind")]
"""A source that delivers canonical tables."""
AnySource: TypeAlias = Annotated[SyntheticSource | FilesSource | SqlSource | Vendor, Field(discriminator="kind")]
"""Any source: those that deliver canonical tables, and those whose objects others read."""


def _as_it_is(given: object) -> object:
    """So that the schema for editors knows that a file may take presets too."""
    return given


class SourcesMixin(Settings):
    """The `sources` block, checked for tables that two sources deliver."""

    sources: Annotated[
        list[AnySource], BeforeValidator(_as_it_is, json_schema_input_type=list[AnySource | PresetUse])
    ] = Field(min_length=1)
    """Where the canonical tables come from. `preset: NAME` takes those of a vendor's export. Several may deliver one table,
    each with a `name`: their rows stand beside each other, accounts are joined column by column."""

    @model_validator(mode="after")
    def _told_apart(self) -> "SourcesMixin":
        of_table: dict[str, list[tuple[int, TableSource]]] = {}
        for place, source in enumerate(self.sources):
            if isinstance(source, TableSource):
                of_table.setdefault(source.table, []).append((place, source))
        for table, listed in of_table.items():
            (first, leading), *more = listed
            if table == "accounts" and leading.system:
                message = "has to deliver accounts under their own ids: list a source without `system` first"
                raise Misfit(message, ("sources", first, "system"))
            if leading.owns and not more:
                raise Misfit("is for a table that several sources deliver", ("sources", first, "owns"))
            if leading.added_columns:
                message = "adds columns to rows of another source: list that one first"
                raise Misfit(message, ("sources", first, "owns"))
            for n, (at, delivering) in enumerate(listed if more else ()):
                if message := _fault_beside(delivering, [s for _, s in listed[:n]]):
                    raise Misfit(f"{table}: {message}", ("sources", at))
        return self

    @property
    def vendors(self) -> dict[str, Vendor]:
        """The sources that land a vendor's objects, by name."""
        return {source.name: source for source in self.sources if isinstance(source, VendorSource)}

    def landed_objects(self, vendor: str) -> tuple[str, ...]:
        """The objects of a vendor that sources read, as its tables are called."""
        read = {
            name
            for source in self.sources
            if isinstance(source, SqlSource)
            for table in source.landed.values()
            if table.landed == vendor
            for name in table.names
        }
        return tuple(name for name in OBJECTS[self.vendors[vendor].kind] if name in read)

    @model_validator(mode="after")
    def _landed_somewhere(self) -> "SourcesMixin":
        names: list[str] = []
        for place, source in enumerate(self.sources):
            if isinstance(source, VendorSource):
                if source.name in names:
                    raise Misfit("is the name of another source: give each one of its own", ("sources", place, "name"))
                names.append(source.name)
        for place, source in enumerate(self.sources):
            for query_name, table in (source.landed if isinstance(source, SqlSource) else {}).items():
                at = ("sources", place, "tables", query_name)
                if table.landed not in names:
                    known = ", ".join(names) or "none"
                    message = f"no source is called {table.landed!r} that lands a vendor's objects; there are: {known}"
                    raise Misfit(message, (*at, "landed"))
                objects = OBJECTS[self.vendors[str(table.landed)].kind]
                if table.names[0] not in objects and not table.may_be_missing:
                    message = f"{table.landed} lands no {table.names[0]!r}; it lands {', '.join(objects)}"
                    raise Misfit(message, (*at, "name"))
        for place, source in enumerate(self.sources):
            if isinstance(source, VendorSource) and not self.landed_objects(source.name):
                example = f"{{preset: {source.kind}_export, landed: {source.name}}}"
                message = f"lands objects that nothing reads: add a source such as {example}"
                raise Misfit(message, ("sources", place))
        return self


def _fault_beside(source: TableSource, earlier: list[TableSource]) -> str:
    """What is wrong with a further source of a table; empty where nothing is."""
    if source.table in DELIVERED_ONCE:
        return "is delivered twice; join the files with a glob"
    if not source.label or source.label in [s.label for s in earlier]:
        return "is delivered twice: give each source a `name` of its own, or join the files with a glob"
    if owned := sorted({c for s in earlier for c in s.owns} & set(source.owns)):
        return f"{', '.join(owned)} is owned by two sources"
    same = ("end_date", "missing_rows", "delivers_all")
    delivering = [] if source.added_columns else [s for s in earlier if not s.added_columns]
    differing = [name for name in same if any(getattr(source, name) != getattr(s, name) for s in delivering)]
    if source.table == "subscriptions" and differing:
        return f"{differing[0].removesuffix('_all')} is to be the same for all sources of subscriptions"
    return ""
