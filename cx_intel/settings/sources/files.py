"""A source of files: where they lie, how their text is laid out, and under which names their columns are wanted.

Only descriptions; files are read in `cx_intel.sources.files`.
"""

import codecs
from typing import Annotated, Literal, TypeAlias

from pydantic import ConfigDict, Field, StrictBool, StrictFloat, StrictInt, field_validator, model_validator

from cx_intel.settings.base import Misfit, Settings
from cx_intel.settings.sources.base import TableSource


class Except(Settings):
    """What a cell must not be."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    not_: "Scalar | Annotated[list[Scalar], Field(min_length=1)]" = Field(alias="not")
    """One value or several; null is a missing cell."""


Scalar: TypeAlias = StrictBool | StrictInt | StrictFloat | str | None
"""A value as YAML has it: a flag stays one."""


class FileSet(Settings):
    """Files of one layout: CSV, Parquet, JSON lines or Excel, the text formats plain or gzip."""

    path: str
    """A file, a folder (its files, not those of folders in it), or a glob; `${NAME}` is taken from the
    environment when the portfolio is refreshed.
    """
    format: Literal["csv", "parquet", "jsonl", "xlsx"] | None = None
    """Default: told by the file's ending."""
    sheet: str | None = None
    """Of Excel files: the sheet by its name; the first by default."""
    header_row: int | None = Field(default=None, ge=1, le=1000)
    """Of CSV and Excel files: the line that names the columns, as an editor or Excel counts lines, where a title stands above
    it. Default: the first with text."""
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    """Between the cells of CSV files."""
    quote: str = Field(default='"', max_length=1)
    """Empty: cells are never quoted."""
    encoding: str = "utf-8"
    """Any that Python knows: utf-8, latin-1, cp1252, utf-16 ... A byte order mark is dropped."""
    null_text: list[str] = [""]
    """Spellings of a missing value."""

    @field_validator("encoding")
    @classmethod
    def _encoding_exists(cls, encoding: str) -> str:
        try:
            codecs.lookup(encoding)
        except LookupError as error:
            raise ValueError(f"{encoding!r} is no text encoding, such as utf-8 or latin-1") from error
        try:
            "".encode(encoding)
        except LookupError as error:
            raise ValueError(f"{encoding!r} is no encoding of text, such as utf-8 or latin-1") from error
        return encoding

    @field_validator("delimiter", "quote")
    @classmethod
    def _is_one_byte(cls, sign: str) -> str:
        if not sign.isascii() or sign in ("\r", "\n"):
            raise ValueError(f"{sign!r} is to be one ASCII character, and no line break")
        return sign

    @property
    def has_local_spellings(self) -> bool:
        """Whether it matters to the reading of a cell that the file has it typed."""
        return False

    @property
    def is_one_file(self) -> bool:
        """Whether the path names a file, not a folder or a glob."""
        return "." in self.path.rsplit("/", 1)[-1] and not any(sign in self.path for sign in "*?[")


class Unpivot(Settings):
    """Turns wide columns into rows: one row for each listed column that is not empty."""

    columns: list[str] | dict[str, str] = Field(min_length=1)
    """The file's columns; a mapping gives each another name."""
    name_to: str
    """The canonical column that receives the name."""
    value_to: str
    """The canonical column that receives the value."""


class Split(Settings):
    """Splits one delimited cell into its parts, joined again by `|`, so that conditions may use `contains`.

    Blanks around parts and empty parts are dropped; an empty cell stays missing, and so does its count.
    """

    delimiter: str = Field(min_length=1)
    """Between the parts of the cell."""
    count_to: str | None = None
    """A further column that receives the number of parts."""


class ReadByFile(TableSource):
    """A source whose unit may be the file."""

    gone_files: Literal["keep", "take_back"] | None = None
    """Of usage_events: what becomes of the rows of a file that is not there any more. `keep` (default) where files are
    cleared away once they are read, `take_back` where a file is removed because it was wrong. Default where the source
    `delivers: all`: take_back."""

    @model_validator(mode="after")
    def _gone_files_are_of_events(self) -> "ReadByFile":
        if self.gone_files and self.table != "usage_events":
            raise Misfit("is about usage_events; other tables hold what their files hold", ("gone_files",))
        return self

    @property
    def takes_gone_files_back(self) -> bool:
        """Whether the rows of a file go with it."""
        return self.gone_files == "take_back" if self.gone_files else self.delivers_all


class FilesSource(ReadByFile, FileSet):
    """One canonical table from files: CSV, Parquet, JSON lines or Excel."""

    kind: Literal["files"]
    columns: dict[str, str] = {}
    """Canonical name: the file's name, for columns whose names differ. The others keep theirs.

    A name with dots that is no column leads into the JSON of the column that it begins with, by keys and by places
    from 0: {amount: items.data.0.price.unit_amount}.
    """
    where: dict[str, Scalar | Annotated[list[Scalar], Field(min_length=1)] | Except] = {}
    """The file's column, dots as in `columns`: what its cell has to be, or one of several, in any case; null is a missing
    cell, and `not` takes what it is not: {livemode: true, type: [track, page], context.groupId: {not: null}}. Other rows
    are left out, counted and told.
    """
    optional: list[str] = []
    """Names under `columns` and `where` that a file may lack, as JSON leaves keys out: null in that file. Of a name with
    dots, the column that it begins with.
    """
    constants: dict[str, str | int | float] = {}
    """Canonical name: a value that every row has."""
    split: dict[str, Split] = {}
    """Canonical name: how its cell is split."""
    unpivot: Unpivot | None = None
    """Of a wide file: which columns become rows."""

    @model_validator(mode="after")
    def _one_origin_a_column(self) -> "FilesSource":
        origins = [*self.columns, *self.constants, *(s.count_to for s in self.split.values() if s.count_to)]
        if self.unpivot:
            origins += [self.unpivot.name_to, self.unpivot.value_to]
        if twice := sorted({name for name in origins if origins.count(name) > 1}):
            raise Misfit(f"{', '.join(twice)} is given twice by columns, constants, split and unpivot", ("table",))
        return self

    def wanted(self, column: str) -> tuple[list[Scalar], bool]:
        """What the cells of a column of `where` may be, or where the flag says so must not be."""
        stated = self.where[column]
        is_except = isinstance(stated, Except)
        values = stated.not_ if isinstance(stated, Except) else stated
        return values if isinstance(values, list) else [values], is_except

    @property
    def delivers_all(self) -> bool:
        """Whether a row that a delivery no longer has is missing: as stated, else where the path is one file."""
        if self.delivers:
            return self.delivers == "all"
        return self.is_one_file
