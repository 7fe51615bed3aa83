"""Messages of one portfolio: put into the outbox, and sent from it until they have arrived.

What there is to tell is decided elsewhere: in `dispatcher.py` by its runs, in `cx_intel.orchestration.unusable` where its YAML
cannot be used. Sending never raises: what did not arrive stays and is tried again.
"""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

from cx_intel.orchestration.alerts.addresses import SHORTEST_TOKEN, addresses, addresses_of, redacted
from cx_intel.orchestration.alerts.delivery import deliver
from cx_intel.orchestration.alerts.incidents import Severity
from cx_intel.orchestration.alerts.outbox import FILE, Draft, Outbox
from cx_intel.settings.automation import Alerts
from cx_intel.settings.environment import Environment

PROBLEMS, LIFECYCLE, REPORTS = "problems", "lifecycle", "reports"
SENDING_SECONDS = 30
"""A sensor may not take much longer than this for a look."""
NOWHERE = "Messages go nowhere: none of {} is set in the environment."


@dataclass(frozen=True)
class Messages:
    """Those of one portfolio, and by which rules they go where; `clock` gives seconds since 1970."""

    name: str
    rules: Alerts
    environment: Environment
    clock: Callable[[], float] = time.time

    @property
    def outbox(self) -> Outbox:
        return Outbox(self.environment.home / FILE)

    def post(self, draft: Draft, topic: str = REPORTS) -> str:
        """Puts a message into the outbox and sends it; what happens to it after that is the sensors' matter."""
        self.outbox.record(self.name, topic, now=self.clock(), drafts=[draft] if self.go_anywhere() else [])
        return self.send((topic,)) if self.go_anywhere() else self.nowhere()

    def send(self, topics: Collection[str]) -> str:
        """Sends what is due and says how that went."""
        rules, variables = self.rules, self.environment.variables
        until = self.clock() + SENDING_SECONDS
        sent, failures = 0, []
        while self.clock() < until and (message := self.outbox.take(self.name, topics, self.clock())):
            targets = addresses_of(message.audience, rules, variables)
            arrived, failed = set(message.arrived), []
            for address in targets:
                if address.digest not in arrived:
                    reason = deliver(address, message)
                    failed += [reason] if reason else []
                    arrived |= set() if reason else {address.digest}
            failure = "; ".join(failed) if targets else self.nowhere()
            self.outbox.settle(message, arrived, failure or None, self.clock())
            sent += not failure
            failures += [failure] if failure else []
        parts = [f"Sent {sent} message{'s' * (sent != 1)}." if sent else ""]
        parts += [f"Not sent, to be tried again: {failure}." for failure in dict.fromkeys(failures)]
        return " ".join(part for part in parts if part)

    def draft(self, title: str, body: str, audience: str = "", severity: Severity = "info") -> Draft:
        """A message without the secrets of any address."""
        rules, variables = self.rules, self.environment.variables
        hidden = addresses([*rules.urls, *(r for listed in rules.owners.values() for r in listed)], variables)
        title, body = (redacted(text, hidden, SHORTEST_TOKEN) for text in (title, body))
        return Draft(title, body, audience, severity=severity)

    def go_anywhere(self) -> bool:
        """Whether there is any address."""
        rules = self.rules
        references = [*rules.urls, *(r for listed in rules.owners.values() for r in listed)]
        return bool(addresses(references, self.environment.variables))

    def nowhere(self) -> str:
        """Says what has to be set."""
        return NOWHERE.format(", ".join(r.strip("${}") for r in self.rules.urls))
