"""The objects of a `.json` file that is one document: a list of them, or an API's answer that wraps such a list.

Each is given as a line of JSON, in its own spelling, so that `json_lines.py` reads it as any other.
"""

import json
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, TextIO

from cx_intel.settings.sources.files import FileSet
from cx_intel.sources.errors import SourceError
from cx_intel.sources.files.content import open_text
from cx_intel.sources.files.limits import LARGEST_DOCUMENT
from cx_intel.sources.files.paths import SourceFile

_DECODER = json.JSONDecoder()
_BLANKS = re.compile(r"[\s,]*")
_ANSWERS = ("data", "results", "records")
"""What APIs call the list of their answer, where it is not called what is in it."""


class NoObjects(SourceError):
    """A document whose list has no object: the last page of an answer, or an answer where there is nothing."""


def refuse_first_pages(files: Sequence[SourceFile], source: FileSet) -> None:
    """Raises SourceError where files are pages of an API's answer of which each says that more follow."""
    if files and all(_says_more(file, source) for file in reversed(files)):
        raise SourceError(
            f"{files[-1].path}: the answer says that more objects follow, and no file of {files[-1].of} is its last page. "
            "Fetch the pages after it too, each into a file of its own: what is on them would count as gone."
        )


def object_lines(file: SourceFile, text: TextIO) -> Iterator[str]:
    """The lines of a file of JSON lines; of a `.json` document the objects of its list, one a line.

    An answer of an API is an object without an id that has one list of objects: {"tickets": [...], "next_page": ...}.
    Of several lists that counts with whose name the file's begins: the tickets of `tickets_1.json` that has their users
    too. Any other document is one object. Lines are not held in memory, a document is.
    """
    if not file.path.name.lower().removesuffix(".gz").endswith(".json"):
        yield from lines_of(text)
        return
    written = (line for line in lines_of(text) if line.strip())
    beginning = list(islice(written, 2))
    if len(beginning) == 2 and _is_object(beginning[0]):
        yield from beginning
        yield from written
        return
    document = "".join(beginning) + text.read(LARGEST_DOCUMENT)
    if len(document) > LARGEST_DOCUMENT or text.read(1):
        raise SourceError(
            f"{file.path}: is one document of over {LARGEST_DOCUMENT:,} characters, which is to be held whole. Write it as "
            "JSON lines, an object each, under a name that ends in .jsonl; or split it."
        )
    start = _past_blanks(document, 0)
    try:
        found = json.loads(document)
    except (ValueError, RecursionError):  # lines after all, or damaged ones
        yield from document.split("\n")
        return
    if isinstance(found, dict):
        lists = [name for name, value in found.items() if _is_list_of_objects(value)]
        named = [name for name in lists if _is_named(file, name)]
        empty = [name for name, value in found.items() if value == [] and (name in _ANSWERS or _is_named(file, name))]
        if "id" not in found and not lists and len(empty) == 1:
            raise NoObjects(f"{file.path}: is an answer whose list {empty[0]} is empty; fetch it again.")
        lists = lists if len(lists) == 1 else named
        if "id" in found or len(lists) != 1:
            yield _on_one_line(document)
            return
        start = _place_of(lists[0], document, start)
    elif found == []:
        raise NoObjects(f"{file.path}: is empty, a list without any object; fetch it again.")
    elif not _is_list_of_objects(found):
        yield _on_one_line(document)
        return
    place = _past_blanks(document, start + 1)
    while document[place] != "]":
        _, end = _DECODER.raw_decode(document, place)
        yield _on_one_line(document[place:end])
        place = _past_blanks(document, end)


def lines_of(text: TextIO) -> Iterator[str]:
    """The lines, of which none is held beyond what a document may have."""
    return iter(lambda: text.readline(LARGEST_DOCUMENT + 1), "")


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _says_more(file: SourceFile, source: FileSet) -> bool:
    """Whether a file is an answer of which more pages follow, in the words of one of the APIs that the presets know."""
    if not file.path.name.lower().removesuffix(".gz").endswith(".json"):
        return False
    try:
        with open_text(file, source) as text:
            found = json.loads(text.read(LARGEST_DOCUMENT))
    except (ValueError, RecursionError):  # lines, or a damaged file: told when it is read
        return False
    if not isinstance(found, dict) or "id" in found:
        return False
    words: dict[str, Any] = dict(found)
    for name in ("meta", "paging", "pages"):
        words |= found[name] if isinstance(found.get(name), dict) else {}
    if "end_of_stream" in words:
        return words["end_of_stream"] is False
    next_page = words.get("next") or ("end_time" not in words and words.get("next_page"))
    return words.get("has_more") is True or words.get("done") is False or bool(next_page)


def _is_named(file: SourceFile, name: str) -> bool:
    return file.path.name.lower().startswith(name.lower())


def _is_list_of_objects(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)


def _place_of(name: str, document: str, start: int) -> int:
    """Where the value of a key of the outermost object begins."""
    place = _past_blanks(document, start + 1)
    while True:
        key, end = _DECODER.raw_decode(document, place)
        value = _past_blanks(document, document.index(":", end) + 1)
        if key == name:
            return value
        _, end = _DECODER.raw_decode(document, value)
        place = _past_blanks(document, end)


def _past_blanks(document: str, place: int) -> int:
    found = _BLANKS.match(document, place)
    return found.end() if found else place


def _on_one_line(text: str) -> str:
    return text.replace("\n", " ")
