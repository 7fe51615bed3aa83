"""What is told of a vendor's fields: those that are new, those that are gone, and those of another type."""

from typing import Any

from cx_intel.sources.vendors.answers import Number
from cx_intel.sources.vendors.drift import MANY, Drift, Fields

BEFORE = {"id": ["text"], "mrr": ["number"], "owner": ["text"], "web": []}


def fields(*objects: dict[str, Any], is_whole: bool = False) -> Fields:
    found = Fields(is_whole=is_whole)
    for given in objects:
        found.note(given)
    return found


def test_what_is_as_before_is_not_told() -> None:
    now = fields({"id": "a", "mrr": Number("1"), "owner": None, "web": "x"}, is_whole=True)
    assert now.drift_since(BEFORE) == []
    assert now.remembered(BEFORE) == {"id": ["text"], "mrr": ["number"], "owner": ["text"], "web": ["text"]}


def test_new_fields_and_other_types_are_told_once() -> None:
    now = fields({"id": "a", "mrr": "1", "owner": {"_id": "u"}, "tags": [], "is_new": True})
    assert now.drift_since(BEFORE) == [
        Drift("tags", "new"),
        Drift("is_new", "new"),
        Drift("mrr", "was number, is text"),
        Drift("owner", "was text, is object"),
    ]
    after = now.remembered(BEFORE)
    assert after["owner"] == ["object", "text"]
    assert (after["tags"], after["is_new"]) == (["list"], ["flag"])
    assert now.drift_since(after) == []


def test_a_field_is_gone_where_all_objects_lack_it_or_many() -> None:
    one = {"id": "a", "mrr": None, "owner": "u"}
    assert fields(one).drift_since(BEFORE) == []
    for now in (fields(one, is_whole=True), fields(*[one] * MANY)):
        assert now.drift_since(BEFORE) == [Drift("web", "gone")]
        assert "web" not in now.remembered(BEFORE)


def test_without_any_object_nothing_is_gone() -> None:
    assert fields(is_whole=True).drift_since(BEFORE) == []


def test_what_is_within_a_field_is_no_further_object() -> None:
    now = Fields()
    now.note({"custom": {"Segment": "SMB"}})
    now.note({"Segment": "SMB"}, "custom.")
    assert (now.objects, now.types) == (1, {"custom": {"object"}, "custom.Segment": {"text"}})
