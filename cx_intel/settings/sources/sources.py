"""The `sources` block of a portfolio: a list of sources, each delivering tables, checked for what no two may deliver.

What each kind states is beside this module; reading is done in `cx_intel.sources` and by the warehouse. Entries that
take a preset have become sources before they come here (`cx_intel.settings.yaml.presets`).
"""

from typing import Annotated, TypeAlias

from pydantic import BeforeValidator, Field, model_validator

from cx_intel.settings.base import Settings
from cx_intel.settings.sources.base import TableSource
from cx_intel.settings.sources.files import FilesSource
from cx_intel.settings.sources.presets import PresetUse
from cx_intel.settings.sources.sql import SqlSource
from cx_intel.settings.sources.synthetic import SyntheticSource

Source: TypeAlias = Annotated[SyntheticSource | FilesSource | SqlSource, Field(discriminator="kind")]


def _as_it_is(given: object) -> object:
    """So that the schema for editors knows that a file may take presets too."""
    return given


class SourcesMixin(Settings):
    """The `sources` block, checked for tables that two sources deliver."""

    sources: Annotated[list[Source], BeforeValidator(_as_it_is, json_schema_input_type=list[Source | PresetUse])] = (
        Field(min_length=1)
    )
    """Where the canonical tables come from; each table from one source. `preset: NAME` takes those of a vendor's
    export."""

    @model_validator(mode="after")
    def _one_source_a_table(self) -> "SourcesMixin":
        listed = [s.table for s in self.sources if isinstance(s, TableSource)]
        if twice := sorted({t for t in listed if listed.count(t) > 1}):
            raise ValueError(f"sources: {', '.join(twice)} is delivered twice; join the files with a glob")
        return self
