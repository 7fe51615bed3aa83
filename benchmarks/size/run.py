"""What a refresh of a large company costs: the first one, the next day with one more file, and one with nothing new.

    python benchmarks/size/run.py [--events 1000000 10000000] [--formats parquet csv] [--folder FOLDER]

Each is a process of its own, as the command line starts it; measured are seconds of the processor and by the clock, and
the largest memory. Beside them, in the same run, the tables of usage by hand-written SQL (`by_hand.py`). Prints a table and
writes `benchmarks/size/results.json`. The files are made by `company.py`; reports and exports are made as by default.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
from company import LAST, Company
from ruamel.yaml import YAML

HERE = Path(__file__).parent
EXAMPLE = HERE.parent.parent / "examples/novacrm_csv.yaml"
NEXT = LAST + timedelta(days=1)


def write_portfolio(folder: Path) -> None:
    """The example portfolio, on subscriptions and the files of the company."""
    with EXAMPLE.open(encoding="utf-8") as file:
        settings = YAML(typ="safe", pure=True).load(file)
    settings["name"] = "large"
    settings["revenue"] = {"basis": "subscriptions", "products": settings["revenue"]["products"]}
    settings["as_of"] = {"default": "yesterday", "earliest": date(2023, 1, 1)}
    settings["sources"] = [s for s in settings["sources"] if s["table"] != "invoices"]
    for source in settings["sources"]:
        is_events = source["table"] == "usage_events"
        source["path"] = "${LARGE_FILES}/" + ("usage_events" if is_events else f"{source['table']}.csv")
    folder.mkdir()
    with (folder / "large.yaml").open("w", encoding="utf-8") as file:
        YAML(typ="safe", pure=True).dump(settings, file)


def measured(words: list[str], variables: dict[str, str] | None = None) -> tuple[dict[str, float], str]:
    """Seconds of the processor, by the clock, and gigabytes of memory that a process takes; and what it printed."""
    began = time.perf_counter()
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen([sys.executable, *words], env=os.environ | (variables or {}), stdout=output)
        _, status, used = os.wait4(process.pid, 0)
        output.seek(0)
        printed = output.read()
    if status:
        raise SystemExit(f"{' '.join(words)} failed: {printed[-2000:]}")
    gigabytes = used.ru_maxrss * (1024 if sys.platform == "linux" else 1) / 1e9
    figures = {
        "cpu_seconds": used.ru_utime + used.ru_stime,
        "seconds": time.perf_counter() - began,
        "memory_gb": gigabytes,
    }
    return {name: round(figure, 2) for name, figure in figures.items()}, printed


def results_of(folder: Path, events: int, file_format: str) -> dict[str, Any]:
    """What a company of that size costs."""
    company = Company(folder / "files", events, file_format)
    company.make()
    write_portfolio(folder / "portfolios")
    home = folder / "home"
    variables = {
        "CX_HOME": str(home),
        "CX_PORTFOLIOS": str(folder / "portfolios"),
        "LARGE_FILES": str(company.folder),
    }

    def refresh(day: date) -> dict[str, float]:
        figures, _ = measured(["-m", "cx_intel", "refresh", "large", "--as-of", day.isoformat()], variables)
        return figures | {"warehouse_mb": round((home / "warehouse.duckdb").stat().st_size / 1e6)}

    by_hand, printed = measured(
        [str(HERE / "by_hand.py"), str(company.folder), file_format, str(folder / "hand.duckdb")]
    )
    found = {"by_hand": by_hand | {"tables": json.loads(printed)}, "first": refresh(LAST)}
    company.add_day(NEXT)
    found["next_day"] = refresh(NEXT)
    found["nothing_new"] = refresh(NEXT)
    return {"events": events, "format": file_format, "accounts": company.accounts, **found}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--events", type=int, nargs="+", default=[1_000_000, 10_000_000])
    arguments.add_argument("--formats", nargs="+", choices=["parquet", "csv"], default=["parquet", "csv"])
    arguments.add_argument("--folder", type=Path, help="where to work; default: a temporary folder")
    arguments.add_argument("--results", type=Path, default=HERE / "results.json")
    given = arguments.parse_args()
    runs = []
    print(f"{'events':>11} {'format':<8}{'what':<14}{'cpu s':>8}{'s':>8}{'GB':>7}{'file MB':>9}")
    for events in given.events:
        for file_format in given.formats:
            with tempfile.TemporaryDirectory(dir=given.folder) as folder:
                runs.append(results_of(Path(folder), events, file_format))
            for what in ("by_hand", "first", "next_day", "nothing_new"):
                figures = runs[-1][what]
                print(
                    f"{events:>11,} {file_format:<8}{what:<14}{figures['cpu_seconds']:>8.1f}{figures['seconds']:>8.1f}"
                    f"{figures['memory_gb']:>7.2f}{figures.get('warehouse_mb', 0):>9}",
                    flush=True,
                )
    machine = {"cores": os.cpu_count(), "system": platform.platform(), "python": platform.python_version()}
    told = {"measured_on": date.today().isoformat(), "machine": machine | {"duckdb": duckdb.__version__}, "runs": runs}
    given.results.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
