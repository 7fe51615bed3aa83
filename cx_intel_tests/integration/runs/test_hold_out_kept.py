"""A hold-out over several refreshes: who is held out stays so, is no work anywhere, and leaves nothing after an erasure."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cx_intel.cli.app import app
from cx_intel.models.renewals.hold_out import place_of
from cx_intel_tests.helpers.small_company import AS_OF, SmallCompany

pytestmark = pytest.mark.slow  # three refreshes and an erasure

NEXT = AS_OF + timedelta(days=1)
KEY = next(f"k{n}" for n in range(99) if place_of("A02", f"k{n}") < 0.05 and place_of("A04", f"k{n}") > 0.6)


def company_with(folder: Path, **hold_out: Any) -> SmallCompany:
    company = SmallCompany(folder)
    company.settings["publish"] = {"enabled": False}
    company.settings["renewals"] = company.settings["renewals"] | {"hold_out": {"key": KEY} | hold_out}
    company.tables["support_tickets"].append(
        company.tables["support_tickets"][1] | {"ticket_id": "T9", "account_id": "A04"}
    )
    return company


def lots(company: SmallCompany) -> dict[str, tuple[bool, date]]:
    return company.values("hold_out_assignments", "is_held_out", "assigned_on")


def test_who_is_held_out_stays_so_and_is_no_work(tmp_path: Path) -> None:
    company = company_with(tmp_path, share_pct=50)
    assert company.refresh(AS_OF).failures == []
    drawn = {"A02": (True, AS_OF), "A04": (False, AS_OF)}
    assert lots(company) == drawn
    listed = company.values("cs_intervention_list", "priority_rank", "is_held_out", "is_within_capacity")
    assert listed == {"A04": (1, False, True), "A02": (2, True, False)}

    company.settings["renewals"]["hold_out"] = {"share_pct": 0.5, "key": "another"}
    assert company.refresh(NEXT).failures == []
    assert lots(company) == drawn
    assert company.query("SELECT sum(held_out_entries), sum(entries) FROM playbook_outcomes") == [(1, 2)]
    told = company.values("playbook_effects", "undecided", "missing", "verdict", by="playbook")
    assert told["all"] == (2, 20, "withheld")

    del company.settings["renewals"]["hold_out"]
    later = NEXT + timedelta(days=1)
    assert company.refresh(later).failures == []
    assert company.values("cs_intervention_list", "is_held_out", where=f"as_of = DATE '{later}'") == {
        "A02": False,
        "A04": False,
    }
    assert lots(company) == drawn  # remembered, should it go on

    erased = CliRunner().invoke(app, ["erase", "small", "--account", "A02", "--yes"], env=company.variables)
    assert erased.exit_code == 0, erased.output
    for table in ("hold_out_assignments", "intervention_entries", "cs_intervention_list"):
        assert company.query(f"SELECT 1 FROM {table} WHERE account_id = 'A02'") == []
