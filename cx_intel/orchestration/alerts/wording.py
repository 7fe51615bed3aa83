"""Words of messages: a title in a line and a body in Markdown. What is said is decided in `incidents`, `lifecycle`.

Names and reasons come from the data of customers: they are kept to a line each.
"""

from collections.abc import Iterable, Mapping, Sequence

from cx_intel.orchestration.alerts.incidents import Problem
from cx_intel.orchestration.alerts.lifecycle import NOBODY, Event

MOST_TEXT = 3000
"""Characters of one problem: chat systems cut or refuse long messages."""
MOST_ACCOUNTS = 25


def problems_message(portfolio: str, problems: Sequence[Problem], ui_url: str) -> tuple[str, str]:
    """The title and body of a message about new problems."""
    title = problems[0].title if len(problems) == 1 else f"{len(problems)} problems"
    parts = []
    for problem in problems:
        text = problem.text if len(problem.text) <= MOST_TEXT else problem.text[: MOST_TEXT - 1] + "…"
        run = f"\n\nRun: {run_link(problem.run_id, ui_url)}" if problem.run_id else ""
        parts.append(f"**{problem.title}**\n\n{text}{run}")
    return f"[{portfolio}] {title}", "\n\n---\n\n".join(parts)


def resolved_message(portfolio: str, resolved: Mapping[str, str]) -> tuple[str, str]:
    """The title and body of a message about problems that are over."""
    titles = list(resolved.values())
    title = titles[0] if len(titles) == 1 else f"{len(titles)} problems"
    return f"[{portfolio}] Resolved: {title}", "\n".join(f"- Resolved: {t}" for t in titles)


def lifecycle_message(portfolio: str, owner: str, events: Sequence[Event], page: str = "") -> tuple[str, str]:
    """The title and body of a message to an owner about the accounts that changed, with the page of accounts."""
    accounts = len({event["account_id"] for event in events})
    count = f"{accounts} accounts changed" if accounts > 1 else "an account changed"
    whose = owner if owner != NOBODY else "accounts without an owner"
    lines = [_event_line(event) for event in events[:MOST_ACCOUNTS]]
    if len(events) > MOST_ACCOUNTS:
        lines.append(f"- and {len(events) - MOST_ACCOUNTS} more, in the table lifecycle_events")
    if page:
        lines.append(f"\nAccounts: {page}")
    return f"[{portfolio}] {whose}: {count}", "\n".join(lines)


def run_link(run_id: str, ui_url: str) -> str:
    """The page of a run in the UI."""
    return f"{ui_url}/runs/{run_id}"


def _event_line(event: Event) -> str:
    who = " ".join(str(event.get("account_name") or event["account_id"]).split())
    what = " ".join(str(event["reason"]).split())
    playbook = f" Playbook: {event['playbook']}." if event.get("playbook") else ""
    return f"- {who} ({event['account_id']}, {event['as_of']}): {what}.{playbook}"


def joined(titles: Iterable[str]) -> str:
    """Several titles as one."""
    return "; ".join(titles)
