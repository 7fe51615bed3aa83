"""A preview over a real warehouse: one weight changed and worked by hand, what is not in it, and that nothing is written."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner, Result

from cx_intel.cli.app import app
from cx_intel_tests.helpers.small_company import SmallCompany

pytestmark = pytest.mark.slow

HOLDER = "import sys, time, duckdb; held = duckdb.connect(sys.argv[1]); print('held', flush=True); time.sleep(600)"
USAGE = "health.dimensions.usage.weight"


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> SmallCompany:
    company = SmallCompany(tmp_path_factory.mktemp("company"))
    company.settings["churn_risk"] = {}
    assert company.refresh().succeeded
    return company


@contextmanager
def held_by_a_run(company: SmallCompany) -> Iterator[None]:
    """The warehouse, open for writing in another process."""
    command = [sys.executable, "-c", HOLDER, str(company.warehouse)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        yield
        process.kill()


def run(company: SmallCompany, *words: str) -> Result:
    return CliRunner().invoke(app, ["preview", *words], env=company.variables | {"COLUMNS": "200"})


def found(company: SmallCompany, *words: str) -> dict[str, Any]:
    done = run(company, *words, "--format", "json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_one_weight_on_accounts_worked_by_hand(company: SmallCompany) -> None:
    """A01: 10 logins of 20 score 50, no open ticket 100. A02: 50, and two tickets 0. A05: no login 0, no ticket 100."""
    before = company.warehouse.read_bytes()
    told = found(company, "small", "--set", f"{USAGE}=0.8")
    changes = {row["account_id"]: row for row in told["changes"]}
    scores = {a: (changes[a]["score_before"], changes[a]["score_after"]) for a in ("A01", "A02", "A05")}
    assert scores == {
        "A01": (75.0, 60.0),  # 0.5 x 50 + 0.5 x 100; 0.8 x 50 + 0.2 x 100
        "A02": (25.0, 40.0),  # 0.5 x 50 + 0.5 x 0; 0.8 x 50 + 0.2 x 0
        "A05": (50.0, 20.0),  # 0.5 x 0 + 0.5 x 100; 0.8 x 0 + 0.2 x 100
    }
    tiers = {a: (changes[a]["tier_before"], changes[a]["tier_after"], changes[a]["steps"]) for a in scores}
    assert tiers == {"A01": ("good", "fair", -1), "A02": ("poor", "fair", 1), "A05": ("fair", "poor", -1)}
    assert changes["A01"]["moved"] == [["Open tickets", pytest.approx(-30)]]
    assert "A06" not in changes  # 50 on both: fair before and after
    assert [row["current_arr"] for row in told["changes"]] == sorted(
        (row["current_arr"] for row in told["changes"]), reverse=True
    )
    assert told["terms"]["scaled"] == ["health.dimensions.support.weight"]
    assert told["terms"]["scored_otherwise"] == 0
    assert company.warehouse.read_bytes() == before
    assert sum(t["accounts_before"] for t in told["tiers"]) == sum(t["accounts_after"] for t in told["tiers"]) == 11
    listed = {row["account_id"]: row for row in told["list"]}
    assert list(listed) == ["A04", "A02"]  # the two that renew within 90 days
    ranks = {a: (row["rank_before"], row["rank_after"]) for a, row in listed.items()}
    risks = {a: (row["risk_before"], row["risk_after"]) for a, row in listed.items()}
    losses = {a: (row["loss_before"], row["loss_after"]) for a, row in listed.items()}
    assert ranks == {"A04": (None, 1), "A02": (1, 2)}
    assert risks == {"A04": ("Low", "High"), "A02": ("Critical", "High")}
    assert losses == {"A04": (0, 2700), "A02": (1680, 1200)}  # 5,400 x 0.5; 2,400 x 0.7 and x 0.5
    rates = {row["scenario"]: row for row in told["outlook"]}["expected_no_action"]
    assert rates["nrr_before"] == pytest.approx(100 * (200 * 0.3 + 450 * 0.9) / 650)
    assert rates["nrr_after"] == pytest.approx(50)
    assert (told["terms"]["no_backtest"], told["backtest"]) == ("none_yet", [])


def test_without_a_change_both_sides_are_what_the_refresh_wrote(company: SmallCompany) -> None:
    told = found(company, "small")
    assert (told["changes"], told["terms"]["is_against_stored"], told["mean_change"]) == ([], True, 0)
    assert all(row["nrr_before"] == row["nrr_after"] for row in told["outlook"])


def test_a_file_of_another_name_against_the_portfolio(company: SmallCompany, tmp_path: Path) -> None:
    settings = company.settings | {
        "name": "candidate",
        "currency": {"reporting": "EUR", "rates": {"CHF": 1.5}},
        "description": "other words",
        "renewals": company.settings["renewals"]
        | {"probability": {"Critical": 0.1, "High": 0.5, "Medium": 0.75, "Low": 0.9}},
    }
    file = tmp_path / "candidate.yaml"
    with file.open("w", encoding="utf-8") as stream:
        YAML(typ="safe", pure=True).dump(settings, stream)
    told = found(company, str(file), "--against", "small", "--to", str(tmp_path / "page.html"))
    assert told["terms"]["settings"] == [["renewals.probability.Critical", 0.3, 0.1]]
    assert told["terms"]["not_loaded"] == {"currency": ["currency.rates.CHF"]}
    assert told["terms"]["without_figures"] == ["description"]
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "Not in this preview: currency.rates.CHF" in page
    assert '<a href="accounts.html' not in page  # no such page beside it


def test_a_new_signal_is_measured_from_what_is_loaded(company: SmallCompany) -> None:
    told = found(company, "small", "--set", "health.signals.logins_30d.measure.window_days=60")
    assert told["mean_change"] > 0  # A01's login of 1 January counts too


def test_past_days_by_both_settings(company: SmallCompany, tmp_path: Path) -> None:
    copy = company.copied(tmp_path / "copy")
    made = CliRunner().invoke(app, ["backtest", "small"], env=copy.variables)
    assert made.exit_code == 0, made.output
    quick = found(copy, "small", "--set", f"{USAGE}=0.8")
    slow = found(copy, "small", "--set", "health.signals.logins_30d.measure.window_days=60")
    for told in (quick, slow):
        assert told["terms"]["no_backtest"] == ""
        of_churn = {row["window_days"]: row for row in told["backtest"] if row["outcome"] == "churn"}
        assert of_churn[30]["event_accounts"] + of_churn[30]["missing"] == 20  # nobody, or A03 alone
        assert of_churn[30]["before"] is of_churn[30]["after"] is None
    same = found(copy, "small", "--set", "renewals.probability.High=0.4")
    assert (same["terms"]["no_backtest"], same["backtest"]) == ("same_scores", [])
    assert found(copy, "small", "--set", f"{USAGE}=0.8", "--no-backtest")["backtest"] == []
    withheld = CliRunner().invoke(app, ["suggest-weights", "small", "--days", "30"], env=copy.variables)
    assert (withheld.exit_code, "more accounts that left" in withheld.output) == (1, True), withheld.output


def test_while_a_run_writes_the_published_copy_is_judged(company: SmallCompany) -> None:
    live = found(company, "small", "--set", f"{USAGE}=0.8")
    with held_by_a_run(company):
        done = run(company, "small", "--set", f"{USAGE}=0.8", "--format", "json")
        new_signal = run(company, "small", "--set", "health.signals.logins_30d.measure.window_days=60")
    assert "this is the copy that the last run published" in done.stderr
    assert json.loads(done.stdout)["changes"] == live["changes"]
    assert (new_signal.exit_code, "which can be read when no run is going on" in new_signal.output) == (2, True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nowhere",), "neither a file nor a portfolio"),
        (("small", "--set", "health.dimensions.usge.weight=0.4"), "did you mean 'usage'?"),
        (("small", "--set", "health.min_coverage_pct=140"), "min_coverage_pct"),
        (("nowhere.yaml",), "cannot be read"),
        (("small",), "Run `cx-intel refresh` first"),
    ],
)
def test_misuse_ends_with_status_two(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    company = SmallCompany(tmp_path)
    company.write_settings()
    done = run(company, *words)
    assert (done.exit_code, said in done.output) == (2, True), done.output


def test_the_table_says_what_the_page_says(company: SmallCompany) -> None:
    done = run(company, "small", "--set", f"{USAGE}=0.8")
    assert done.exit_code == 0
    for text in (
        "accounts change tier",
        "Scaled, so that the weights of a level sum to 1",
        "Company 5",
        "preview.html",
    ):
        assert text in done.output
    page = (company.home / "reports" / "small" / "preview.html").read_text(encoding="utf-8")
    assert "What would change if other settings judged the same day?" in page
