"""Links from an account into other systems, by the templates of the `links` block.

What a template may hold is decided in `cx_intel.settings.outputs.links`, which id is whose by `identity_map`. Ids are
percent-encoded, so that none can lead elsewhere; how links are shown is decided by the page of accounts.
"""

from collections import defaultdict
from urllib.parse import quote

from cx_intel.contracts.erased import ERASED_PREFIX
from cx_intel.reports.data.report_data import ReportData, records
from cx_intel.reports.words.catalogue import term
from cx_intel.settings.outputs.links import Link, link_of

LABELS = {
    "crm": term("CRM"),
    "help_desk": term("Help desk"),
    "cs_platform": term("CS platform"),
    "billing": term("Billing"),
}
"""Key of a link: how it reads, where the settings do not say."""
MOST_IDS = 3
"""So many ids that one account has in one system become links."""


def account_links(data: ReportData, ids: list[str]) -> dict[str, list[list[str]]]:
    """Account: label and address of each of its links."""
    links = {key: link_of(stated) for key, stated in data.portfolio.links.items()}
    if not links:
        return {}
    known: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in records(data["identity_map"]):
        known[str(row["system"]), str(row["account_id"])].append(str(row["external_id"]))
    found = {}
    for account in (a for a in ids if not a.startswith(ERASED_PREFIX)):
        lines = []
        for key, link in links.items():
            there = sorted(known[link.system, account])[:MOST_IDS] if link.system else [""]
            label = link.label or data.language.say(LABELS.get(key, key.replace("_", " ").capitalize()))
            lines += [[label if n == 0 else f"{label} {n + 1}", _filled(link, account, i)] for n, i in enumerate(there)]
        if lines:
            found[account] = lines
    return found


def _filled(link: Link, account_id: str, system_id: str) -> str:
    return link.url.format(account_id=quote(account_id, safe=""), id=quote(system_id, safe=""))
