"""Ten thousand companies and a million dimension values: within Planhat's quotas, and in bounded memory."""

import json
import resource
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cx_intel_tests.helpers.planhat_writing import A_MINUTE, PlanhatWritingStandIn
from cx_intel_tests.helpers.vendor_server import Faults, Reply, serving
from cx_intel_tests.helpers.written_back import AS_OF, SETTINGS, Book

COMPANIES, DIMENSIONS = 10_000, 99
MEGABYTE = 1_024
"""In the unit of ru_maxrss."""


class Counting(PlanhatWritingStandIn):
    """Keeps how many values came, and the largest post, in place of the values."""

    values = largest = 0

    def _dimensions(self, tenant: str, body: str) -> Reply:
        assert len(body) <= 32_000_000
        self.largest = max(self.largest, len(body))
        self.values += body.count('"dimensionId"')
        self.asked[-1] = replace(self.asked[-1], body="")  # its memory is none of the sync's
        assert json.loads(body)[0].keys() == {"dimensionId", "value", "externalId", "model", "date"}
        return Reply({"errors": []})


def book_of(folder: Path, planhat: Counting) -> Book:
    curve = "{weight: 1, curve: {linear: {zero: 0, full: 20}}}"
    weights = [round(1 / DIMENSIONS, 6)] * (DIMENSIONS - 1)
    weights.append(round(1 - sum(weights), 6))
    listed = "\n".join(
        f"    d{n:02}: {{weight: {weight:.6f}, signals: {{m{n:02}: {curve}}}}}" for n, weight in enumerate(weights)
    )
    signals = "\n".join(f"    m{n:02}: {{label: MRR, measure: {{kind: mrr_change}}}}" for n in range(DIMENSIONS))
    old = "    usage: {weight: 1, signals: {mrr: {weight: 1, curve: {linear: {zero: 0, full: 20}}}}}"
    hosts = f"host: '{planhat.host}', analytics_host: '{planhat.host}'"
    block = "write_back:\n  planhat: {token: '${PLANHAT_TOKEN}', tenant: '${PLANHAT_TENANT}', " + hosts + "}\n"
    book = Book(folder, block, planhat)
    signal = "    mrr: {label: MRR, measure: {kind: mrr_change}}"
    book.settings = SETTINGS.replace(old, listed).replace(signal, signals) + block
    draw = np.random.default_rng(7).integers(400, 1000, (COMPANIES, DIMENSIONS + 1)) / 10
    scores = pd.DataFrame(draw, columns=["health_score", *(f"d{n:02}_score" for n in range(DIMENSIONS))])
    told = {
        "health_tier": "Amber",
        "confirmed_tier": "Amber",
        "is_frozen": False,
        "is_cancelled": False,
        "current_mrr": 100.0,
    }
    ids = [f"C{n:05}" for n in range(COMPANIES)]
    book.accounts = scores.assign(as_of=AS_OF, account_id=ids, **told)  # type: ignore[assignment]
    return book


@pytest.mark.slow
def test_ten_thousand_companies_go_through(tmp_path: Path) -> None:
    planhat = Counting()
    for n in range(COMPANIES):
        planhat.put(f"C{n:05}")
    planhat.faults = Faults(3, 0.1)
    with serving(planhat):
        book = book_of(tmp_path, planhat)
        before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, planhat.now
        with book.opened() as sync:
            sync.warehouse.database.connection.execute("SET memory_limit = '400MB'")  # type: ignore[attr-defined]
            outcome = sync.run(*sync.plan())
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / MEGABYTE
        assert outcome.failures == []
        assert outcome.sent == 3 * COMPANIES + (DIMENSIONS + 1) * COMPANIES
        assert planhat.values >= 1_000_000  # what was lost on the way is sent again
        assert planhat.busiest <= A_MINUTE
        assert len(planhat.asked) < 120
        assert planhat.now - began < 600  # seconds of the vendor's clock
        assert grown < 1_000, f"{grown:.0f} MB"
        assert planhat.field("C09999", "cx Health Tier") == "Amber"


def test_requests_keep_to_the_minute(tmp_path: Path) -> None:
    planhat = PlanhatWritingStandIn(count=3)
    with serving(planhat):
        hosts = f"host: '{planhat.host}', analytics_host: '{planhat.host}'"
        block = "write_back:\n  planhat: {token: '${PLANHAT_TOKEN}', " + hosts + "}\n"
        book = Book(tmp_path, block, planhat)
        book.accounts = [{"as_of": AS_OF, "account_id": "A01", "health_score": 50.0, "usage_score": 50.0}]
        book.accounts[0] |= {
            "health_tier": "Amber",
            "confirmed_tier": "Amber",
            "is_frozen": False,
            "is_cancelled": False,
            "current_mrr": 100.0,
        }
        with book.opened() as sync:
            for _ in range(130):  # three pages each, the last of them empty
                list(sync.writers[0].present([]))
    assert planhat.busiest <= 180
    assert not any(asked.path != "/companies" for asked in planhat.asked)
    assert len(planhat.asked) == 390  # none was refused and asked again
