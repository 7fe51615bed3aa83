"""Makes a fixture of a warehouse that an earlier version wrote: its tables as CSV, and the SQL that makes them, in a zip.

    .venv/bin/python tools/upgrade_fixture.py COMMIT NAME

The commit is checked out beside this tree and refreshes its own small company with the packages of this environment, which
works while the locks name the same DuckDB, Ibis and Dagster; else give the environment of that commit as a third word.
`cx_intel_tests/integration/upkeep/test_upgrades_of_warehouses.py` refreshes what is made here with today's program.
"""

import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import duckdb

ROOT = Path(__file__).parents[1]
FIXTURES = ROOT / "cx_intel_tests" / "helpers" / "earlier_warehouses"
HERE = "@"
"""Stands in `load.sql` for the folder that the files are unpacked into."""
LARGEST_BYTES = 200_000
REFRESH = """
import sys
from pathlib import Path
try:
    from cx_intel_tests.helpers.small_company import AS_OF, SmallCompany
except ImportError:
    from cx_intel_tests.small_company import AS_OF, SmallCompany
company = SmallCompany(Path(sys.argv[1]))
company.only("accounts", "subscriptions")
company.settings["reports"] = {"exports": []}
outcome = company.refresh(AS_OF)
assert not outcome.failures, outcome.failures
"""
"""What the earlier version does: a refresh of accounts and subscriptions alone, with its own names of modules."""


def main(commit: str, name: str, python: str = sys.executable) -> None:
    """Refreshes the commit's small company and packs the warehouse."""
    with tempfile.TemporaryDirectory() as folder:
        tree, home = Path(folder, "tree"), Path(folder, "company")
        subprocess.run(["git", "worktree", "add", "--detach", str(tree), commit], cwd=ROOT, check=True)
        try:
            variables = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
            subprocess.run([python, "-c", REFRESH, str(home)], cwd=tree, env=variables, check=True)
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", str(tree)], cwd=ROOT, check=True)
        exported = Path(folder, "exported")
        with duckdb.connect(str(home / "home" / "warehouse.duckdb"), read_only=True) as connection:
            connection.execute(f"EXPORT DATABASE '{exported}' (FORMAT csv)")
        FIXTURES.mkdir(exist_ok=True)
        file = FIXTURES / f"{name}.zip"
        with zipfile.ZipFile(file, "w") as packed:
            for part in sorted(exported.iterdir()):
                text = part.read_text(encoding="utf-8").replace(str(exported), HERE).replace(folder, "/home")
                info = zipfile.ZipInfo(part.name, (2025, 1, 31, 0, 0, 0))
                packed.writestr(info, text, zipfile.ZIP_DEFLATED, compresslevel=9)
    size = file.stat().st_size
    print(f"{file.relative_to(ROOT)}: {size:,} bytes")
    if size > LARGEST_BYTES:
        raise SystemExit(f"larger than {LARGEST_BYTES:,} bytes")


if __name__ == "__main__":
    main(*sys.argv[1:])
