"""What a spreadsheet might run, in texts that exports hold."""

import ibis
import pytest

from cx_intel.reports.workbook.spreadsheet_safety import guarded, guarded_columns


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("=1+1", "'=1+1"),
        ("+49 30", "'+49 30"),
        ("-5", "'-5"),
        ("@SUM", "'@SUM"),
        ("\tTab", "'\tTab"),
        ("\rReturn", "'\rReturn"),
        ("  =1", "'  =1"),
        ("＝1", "'＝1"),
        ("a;=1", "a;'=1"),
        ("a; +1;-2", "a; '+1;'-2"),
        ("line\n=1", "line\n'=1"),
        ("\t=1", "'\t'=1"),
        ("", ""),
        ("A = B", "A = B"),
        ("Müller & Co. KG", "Müller & Co. KG"),
        ("'quoted", "'quoted"),
    ],
)
def test_what_a_spreadsheet_might_run_gets_an_apostrophe_the_same_in_python_and_in_the_engine(text: str, safe: str):
    assert guarded(text) == safe
    column = ibis.memtable([{"t": text, "n": -5}])
    assert guarded_columns(column).execute().to_dict("records") == [{"t": safe, "n": -5}]
