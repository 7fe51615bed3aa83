"""The `write_back` block: figures and tiers that exist, secrets by name, and nothing that is read back."""

from pathlib import Path

import pytest

from cx_intel.settings.base import SettingsError
from cx_intel.settings.outputs.write_back import at_risk_tiers
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.yaml.loader import parse_portfolio

FLEET = (Path(__file__).parents[3] / "cx_intel" / "portfolios" / "fleet.yaml").read_text(encoding="utf-8")
PLANHAT = "planhat: {token: '${PLANHAT_TOKEN}'}"


def book(write_back: str, source: str = "") -> Portfolio:
    text = FLEET.replace("sources:\n", f"sources:\n{source}", 1) if source else FLEET
    return parse_portfolio(f"{text}\nwrite_back:\n  {write_back}\n", Path("fleet.yaml"))


def test_it_is_off_unless_it_is_stated() -> None:
    assert parse_portfolio(FLEET, Path("fleet.yaml")).write_back is None


def test_the_worst_tier_is_at_risk_unless_others_are_stated() -> None:
    for stated, tiers in (("", ("Red",)), ("\n  at_risk_tiers: [Amber, Red]", ("Amber", "Red"))):
        found = book(PLANHAT + stated)
        assert found.write_back
        assert found.health
        assert at_risk_tiers(found.write_back, found.health) == tiers
        assert not found.write_back.schedule.enabled


@pytest.mark.parametrize(
    ("write_back", "told"),
    [
        ("enabled: true", "names neither `planhat` nor `salesforce`"),
        ("planhat: {token: abc}", r"is to be \$\{NAME\}"),
        ("planhat: {token: '${T}', fields: {score: custom.X}}", "fields.score: is no figure; there are health_score"),
        (f"{PLANHAT}\n  at_risk_tiers: [Purple]", "at_risk_tiers: Purple is no tier"),
        (f"{PLANHAT}\n  tasks: {{to: salesforce}}", "is salesforce, which is not written to"),
        ("planhat: {token: '${T}', dimension_prefix: 'has space'}", "dimension_prefix"),
        ("planhat: {token: '${T}', system: crm}", "system: needs links between ids"),
        ("planhat: {token: '${T}', host: 'http://api.planhat.com'}", "is no host"),
    ],
)
def test_what_does_not_fit_is_told(write_back: str, told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        book(write_back)


SALESFORCE = "salesforce: {host: 'https://x.my.salesforce.com', client_id: '${I}', client_secret: '${S}'}"


@pytest.mark.parametrize(
    "source",
    [
        "  - {kind: files, table: metrics, path: m.csv, name: m, columns: {value: Planhat_Health_Score__c}}\n",
        "  - {kind: files, table: metrics, path: m.csv, name: m, columns: {value: planhat_health_score_c}}\n",
        "  - {kind: sql, table: metrics, name: m, files: {a: a.csv}, query: 'select id, Planhat_Health_Score__c from a'}\n",
        "  - {kind: sql, table: metrics, name: m, files: {a: a.csv}, query: 'select planhat_health_score_c from a'}\n",
    ],
    ids=["mapping", "mapping of landed tables", "query", "query of landed tables"],
)
def test_what_is_written_is_no_input(source: str) -> None:
    with pytest.raises(SettingsError, match=r"reads Planhat_Health_Score__c, which write_back writes"):
        book(SALESFORCE, source)


def test_a_field_that_is_only_called_alike_may_be_read() -> None:
    source = (
        "  - {kind: sql, table: metrics, name: m, files: {a: a.csv}, query: 'select my_churn_risk_flag__c_x from a'}\n"
    )
    assert book(SALESFORCE, source).write_back
