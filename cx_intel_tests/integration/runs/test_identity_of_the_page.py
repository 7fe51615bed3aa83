"""The example of links in docs/add-a-portfolio.md: it is refreshed as it stands there, over exports of a few rows."""

import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from cx_intel_tests.helpers.small_company import AS_OF, SmallCompany

pytestmark = pytest.mark.slow

PAGE = Path(__file__).parents[3] / "docs" / "add-a-portfolio.md"
EXPORTS = {
    "companies.csv": "id,name,domain\n1,Acme,acme.example\n2,Birch,birch.example\n3,Cedar,holding.example\n",
    "customers.csv": "id,name,email,metadata\n"
    'c1,Acme Ltd,pay@other.example,"{""company_id"": ""1""}"\n'
    "c2,Birch,Pay@BIRCH.example,{}\n"
    "c3,Someone,me@gmail.com,{}\n"
    "c4,Holding,pay@holding.example,\n",
    "contracts.csv": "id,customer,amount,starts\n"
    "s1,c1,100,2024-01-01\ns2,c2,200,2024-01-01\ns3,c3,40,2024-01-01\ns4,c4,60,2024-01-01\n",
    "answers.csv": "email,score,at\neve@acme.example,9,2025-01-10\nme@gmail.com,3,2025-01-11\n",
}


def test_the_example_leads_ids_to_accounts(tmp_path: Path):
    (text,) = re.findall(r"```yaml\n(identity:\n.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    company = SmallCompany(tmp_path)
    company.only()
    company.settings |= YAML(typ="safe", pure=True).load(text)
    company.settings |= {"usage": {}, "reports": {"exports": []}}
    company.tables = {}
    company.variables["EXPORTS"] = str(company.data)
    company.data.mkdir(parents=True)
    for name, content in EXPORTS.items():
        (company.data / name).write_text(content)
    assert company.refresh(AS_OF).failures == []
    mrr = "SELECT account_id, mrr FROM fct_revenue WHERE revenue_month = '2025-01-01' ORDER BY mrr"
    assert company.query(mrr) == [("billing:c3", 40), ("billing:c4", 60), ("1", 100), ("2", 200)]
    assert company.query("SELECT account_id, score FROM stg_nps_responses") == [("1", 9)]
    assert company.query("SELECT external_id, row_count, mrr FROM unmatched_accounts ORDER BY 1") == [
        ("c3", 1, 40),
        ("c4", 1, 60),
        ("gmail.com", 1, None),
    ]
