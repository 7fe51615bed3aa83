"""What a refresh of a large company costs: the first one, a next day with and without new events, and with nothing new.

    python benchmarks/size/run.py [--events 1000000 10000000] [--formats parquet csv] [--folder FOLDER]

Each is a process of its own, as the command line starts it; measured are seconds of the processor and by the clock, the
largest memory, and the warehouse's file after it. Beside them, in the same run, the core tables by hand-written SQL
(`by_hand.py`), which have to be equal to the program's, row by row. Prints a table and writes `benchmarks/size/results.json`,
in which the seconds of each step stand too. The files are made by `company.py`; reports and exports are made as by default.
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
FIGURES = ("by_hand", "first", "nothing_new", "next_day_no_events", "next_day")


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

    def refresh(day: date) -> dict[str, Any]:
        figures, printed = measured([str(HERE / "by_step.py"), day.isoformat()], variables)
        return figures | {
            "warehouse_mb": round((home / "warehouse.duckdb").stat().st_size / 1e6),
            "steps": json.loads(printed),
        }

    words = [str(HERE / "by_hand.py"), str(company.folder), file_format, str(folder / "hand.duckdb"), LAST.isoformat()]
    by_hand, printed = measured(words)
    tables = json.loads(printed)
    found: dict[str, Any] = {"by_hand": by_hand | {"steps": tables}, "first": refresh(LAST)}
    _, printed = measured([*words, "--against", str(home / "warehouse.duckdb")])
    if differing := {table: rows for table, rows in json.loads(printed).items() if rows}:
        raise SystemExit(f"rows that hand-written SQL and the program make otherwise: {differing}")
    refresh(LAST)  # the first repetition executes what reads what the first load left
    found["nothing_new"] = refresh(LAST)
    found["next_day_no_events"] = refresh(LAST + timedelta(days=1))
    company.add_day(LAST + timedelta(days=2))
    found["next_day"] = refresh(LAST + timedelta(days=2))
    return {"events": events, "format": file_format, "accounts": company.accounts, **found}


def told(run: dict[str, Any]) -> list[str]:
    """What the figures of a company say, each as a line."""
    seconds = {what: run[what]["cpu_seconds"] for what in FIGURES}
    first, new = seconds["first"], seconds["next_day"] - seconds["nothing_new"]
    day = seconds["next_day_no_events"] - seconds["nothing_new"]
    steps, by_hand = run["first"]["steps"], run["by_hand"]["steps"]
    core = sum(
        steps.get(table, 0) + steps.get(table.replace("stg_", "raw_"), 0) * table.startswith("stg_")
        for table in by_hand
    )
    hand = sum(by_hand.values())
    grown = run["next_day"]["warehouse_mb"] - run["next_day_no_events"]["warehouse_mb"]
    return [
        f"the tables made by hand too: {core:.1f} s of the first refresh, {core / hand:.2f} times the {hand:.1f} s by hand",
        f"a next day above nothing new: {new:.1f} s, {100 * new / first:.1f} % of the first; of it the day {day:.1f} s, its "
        f"file of events {new - day:.1f} s; the warehouse grows by {grown} MB",
    ]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--events", type=int, nargs="+", default=[1_000_000, 10_000_000])
    arguments.add_argument("--formats", nargs="+", choices=["parquet", "csv"], default=["parquet", "csv"])
    arguments.add_argument("--folder", type=Path, help="where to work; default: a temporary folder")
    arguments.add_argument("--results", type=Path, default=HERE / "results.json")
    given = arguments.parse_args()
    runs = []
    print(f"{'events':>11} {'format':<8}{'what':<20}{'cpu s':>8}{'s':>8}{'GB':>7}{'file MB':>9}")
    for events in given.events:
        for file_format in given.formats:
            with tempfile.TemporaryDirectory(dir=given.folder) as folder:
                runs.append(results_of(Path(folder), events, file_format))
            for what in FIGURES:
                figures = runs[-1][what]
                print(
                    f"{events:>11,} {file_format:<8}{what:<20}{figures['cpu_seconds']:>8.1f}{figures['seconds']:>8.1f}"
                    f"{figures['memory_gb']:>7.2f}{figures.get('warehouse_mb', 0):>9}",
                    flush=True,
                )
            print("\n".join(told(runs[-1])), flush=True)
    machine = {"cores": os.cpu_count(), "system": platform.platform(), "python": platform.python_version()}
    results = {
        "measured_on": date.today().isoformat(),
        "machine": machine | {"duckdb": duckdb.__version__},
        "runs": runs,
    }
    given.results.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
