"""Which words an erasure looks for, and where one of them counts."""

import json

import pytest

from cx_intel.privacy.subject import Subject, is_telling


@pytest.mark.parametrize(
    ("word", "telling"),
    [("A02", True), ("0015g00000XyZ", True), ("7", False), ("42", False), ("EU", False), ("Acme AG", True)],
)
def test_words_that_would_be_found_everywhere_are_not_looked_for(word: str, telling: bool):
    assert is_telling(word) is telling


def test_a_word_counts_where_it_stands_by_itself():
    subject = Subject("small", "account", "A02", ("Müller & Söhne",), "erased-1")
    for text in ("A02", '{"id": "A02"}', "E-A02-1", "Müller &amp; Söhne", json.dumps("Müller & Söhne")):
        assert subject.pattern.search(text), text
    for text in ("A021", "BA02", "A02_x", "Müller"):
        assert not subject.pattern.search(text), text
