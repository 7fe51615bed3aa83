"""Rows for scripts: as JSON that cannot end its script element, as columns, and packed small.

What is packed is decided by the pages; that it is safe in a page, and small, is seen to here.
"""

import base64
import gzip
import json
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from cx_intel.reports.charts.drawing.figure import Rows

ESCAPES = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"})


def script_json(value: Any) -> Markup:
    """JSON that may stand in a script element: nothing in it can end the element or begin a comment."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return Markup(text.translate(ESCAPES))


def packed(value: Any) -> str:
    """JSON, compressed, as text that a script unpacks."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=str)
    return base64.b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode()


def columnar(rows: Rows) -> dict[str, Any]:
    """Rows as columns; text that repeats is written once and numbered."""
    return {
        "length": len(rows),
        "columns": numbered({name: [row[name] for row in rows] for name in rows[0]} if rows else {}),
    }


def numbered(given: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    """Columns in which text that repeats is written once and numbered."""
    columns: dict[str, Any] = {}
    for name, values in given.items():
        texts = [v for v in values if isinstance(v, str)]
        distinct = list(dict.fromkeys(texts))
        if texts and len(distinct) * 2 < len(texts):
            places = {text: place for place, text in enumerate(distinct)}
            columns[name] = {"of": distinct, "at": [places[v] if v is not None else -1 for v in values]}
        else:
            columns[name] = list(values)
    return columns
