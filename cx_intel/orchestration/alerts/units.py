"""Tells that a service of the deployment has failed, and that it goes well again: once a day for as long as that lasts.

The services are units of systemd (`deploy/systemd`), which starts `cx-intel notify` when one has ended and says how. What
is told of portfolios is decided in `dispatcher.py`; how messages are sent is in `messages.py`.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

from cx_intel.orchestration.alerts.incidents import Problem
from cx_intel.orchestration.alerts.messages import PROBLEMS, Messages
from cx_intel.orchestration.alerts.wording import problems_message, resolved_message
from cx_intel.settings.automation import Alerts
from cx_intel.settings.environment import Environment

DEPLOYMENT = "cx-intel"
"""Stands where messages of a portfolio have its name; no portfolio can be called so."""
KEY = "unit/{}/"
RESULT, STATUS, FINE = "MONITOR_SERVICE_RESULT", "MONITOR_EXIT_STATUS", "success"
"""What systemd says of the unit that ended, to the unit that is started by `OnFailure=` and `OnSuccess=`."""


def tell_unit(unit: str, environment: Environment, messages: Messages | None = None) -> str:
    """Tells how a unit ended, where that is news, sends what could not be sent before, and says what was done.

    Args:
        unit: Its name, without `.service`.
        environment: The addresses, what systemd says, and where it is remembered what was told.
        messages: How they are sent; by default to the addresses that portfolios have.
    """
    messages = messages or Messages(DEPLOYMENT, Alerts(), environment)
    if not messages.go_anywhere():
        return messages.nowhere()
    known = {k: t for k, t in messages.outbox.incidents(DEPLOYMENT).items() if k.startswith(KEY.format(unit))}
    now = messages.clock()
    key = KEY.format(unit) + datetime.fromtimestamp(now, UTC).date().isoformat()
    said = "Nothing new."
    if environment.variables.get(RESULT) == FINE:
        if known:
            resolved = dict([max(known.items())])
            draft = messages.draft(*resolved_message(DEPLOYMENT, resolved))
            messages.outbox.record(DEPLOYMENT, PROBLEMS, now=now, resolved=known, drafts=[draft])
            said = "Alert: it works again."
    elif key not in known:
        problem = Problem(key, f"{unit} failed", _text(unit, environment.variables), "")
        draft = messages.draft(*problems_message(DEPLOYMENT, [problem], environment.ui_url))
        messages.outbox.record(DEPLOYMENT, PROBLEMS, now=now, opened=[problem], drafts=[draft])
        said = "Alert: it failed."
    return " ".join(part for part in (said, messages.send((PROBLEMS,))) if part)


def _text(unit: str, variables: Mapping[str, str]) -> str:
    how = variables.get(RESULT, "")
    status = variables.get(STATUS, "")
    told = f"How it ended: {how}{f', status {status}' if status else ''}.\n\n" if how else ""
    return f"{told}`journalctl -u {unit} -n 50` says why; `cx-intel doctor` looks at the whole deployment."
