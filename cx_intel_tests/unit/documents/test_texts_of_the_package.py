"""What the package's own texts may say: an installation has no checkout around it, and SQL belongs to the warehouse."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

import cx_intel

PACKAGE = Path(cx_intel.__file__).parent
ONLY_IN_A_CHECKOUT = re.compile(r"\bmake (ui|setup|run|install|test|docs)\b|\b(docs|deploy)/[a-z]")
STATEMENT = re.compile(
    r"^\s*(SELECT|INSERT INTO|INSERT OR|DELETE FROM|UPDATE|CREATE|DROP|ALTER|ATTACH|COPY|FROM|WITH|SET)\s.*"
    r"(FROM|INTO|TABLE|WHERE|VALUES|AS|SET|TimeZone)\b"
)
SQLITE = {"orchestration/alerts/outbox.py", "privacy/runs/run_history.py"}
"""Modules that keep or change SQLite files, which are no warehouse: the outbox's own, and Dagster's."""
SOQL = {"sources/vendors/salesforce.py", "sync/writers/salesforce.py"}
"""Modules that ask a vendor in its own language, which no warehouse reads."""


def modules() -> list[str]:
    return sorted(str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py"))


@cache
def texts(module: str) -> list[str]:
    """The texts of a module that are no docstrings; of a text with parts that are filled in, what is fixed."""
    tree = ast.parse((PACKAGE / module).read_text(encoding="utf-8"))
    statements = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    inner: set[int] = set()
    found: list[str] = []
    for node in ast.walk(tree):
        if id(node) in statements | inner:
            continue
        if isinstance(node, ast.JoinedStr):
            inner |= {id(part) for part in node.values}
            found.append("".join(part.value if isinstance(part, ast.Constant) else "x" for part in node.values))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.append(node.value)
    return found


@pytest.mark.slow
def test_no_text_names_what_an_installation_lacks() -> None:
    assert [(module, text) for module in modules() for text in texts(module) if ONLY_IN_A_CHECKOUT.search(text)] == []


def test_statements_stand_in_the_warehouse_alone() -> None:
    others = (m for m in modules() if not m.startswith("warehouse/") and m not in SQLITE | SOQL)
    assert [(module, text) for module in others for text in texts(module) if STATEMENT.search(text)] == []


@pytest.mark.parametrize("text", ["SELECT 1 FROM x", "DELETE FROM x WHERE y", "SET TimeZone = 'UTC'", "FROM x WHERE y"])
def test_statements_are_found(text: str) -> None:
    assert STATEMENT.search(text)
