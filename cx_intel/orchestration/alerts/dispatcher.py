"""One look at the event log: what is new is written into the outbox, and what is in the outbox is sent.

Joins the pure parts to the log, the file and the clock; the sensors and the command line call it. Sending never raises:
what did not arrive stays and is tried again.
"""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

import dagster as dg

from cx_intel.orchestration.alerts.addresses import SHORTEST_TOKEN, addresses, addresses_of, redacted
from cx_intel.orchestration.alerts.delivery import deliver
from cx_intel.orchestration.alerts.incidents import RunReport, changes
from cx_intel.orchestration.alerts.lifecycle import lifecycle_news
from cx_intel.orchestration.alerts.outbox import Draft, Outbox
from cx_intel.orchestration.alerts.run_reports import run_reports
from cx_intel.orchestration.alerts.wording import lifecycle_message, problems_message, resolved_message
from cx_intel.settings.environment import Environment
from cx_intel.settings.portfolio import Portfolio

PROBLEMS, LIFECYCLE, REPORTS = "problems", "lifecycle", "reports"
SENDING_SECONDS = 30
"""A sensor may not take much longer than this for a look."""
NOWHERE = "Messages go nowhere: none of {} is set in the environment."


@dataclass(frozen=True)
class Dispatcher:
    """Who tells of one portfolio; `clock` gives seconds since 1970."""

    portfolio: Portfolio
    environment: Environment
    clock: Callable[[], float] = time.time

    @property
    def outbox(self) -> Outbox:
        return Outbox(self.environment.home / "alerts.sqlite")

    def look(self, instance: dg.DagsterInstance, topic: str) -> str:
        """Listens to what is new on a topic, sends what is due, and says what was done.

        Args:
            instance: Whose event log is read.
            topic: PROBLEMS or LIFECYCLE.
        """
        outbox, name = self.outbox, self.portfolio.name
        reports, last = run_reports(instance, self.portfolio, after=outbox.heard(name, topic), now=self.clock())
        if topic == PROBLEMS:
            said = self._problems(reports, last)
        else:
            said = self._lifecycle(reports, last)
        topics = (PROBLEMS, REPORTS) if topic == PROBLEMS else (LIFECYCLE,)
        return " ".join(part for part in (said, self.send(topics)) if part)

    def post(self, draft: Draft, topic: str = REPORTS) -> str:
        """Puts a message into the outbox and sends it; what happens to it after that is the sensors' matter."""
        self.outbox.record(self.portfolio.name, topic, now=self.clock(), drafts=[draft] if self._anywhere() else [])
        return self.send((topic,)) if self._anywhere() else self._nowhere()

    def send(self, topics: Collection[str]) -> str:
        """Sends what is due and says how that went."""
        rules, variables = self.portfolio.automation.alerts, self.environment.variables
        until = self.clock() + SENDING_SECONDS
        sent, failures = 0, []
        while self.clock() < until and (message := self.outbox.take(self.portfolio.name, topics, self.clock())):
            targets = addresses_of(message.audience, rules, variables)
            arrived, failed = set(message.arrived), []
            for address in targets:
                if address.digest not in arrived:
                    reason = deliver(address, message.title, message.body, message.files)
                    failed += [reason] if reason else []
                    arrived |= set() if reason else {address.digest}
            failure = "; ".join(failed) if targets else self._nowhere()
            self.outbox.settle(message, arrived, failure or None, self.clock())
            sent += not failure
            failures += [failure] if failure else []
        parts = [f"Sent {sent} messages." if sent else ""]
        parts += [f"Not sent, to be tried again: {failure}." for failure in dict.fromkeys(failures)]
        return " ".join(part for part in parts if part)

    def _problems(self, reports: list[RunReport], last: int) -> str:
        name, outbox = self.portfolio.name, self.outbox
        if not self._anywhere():
            outbox.record(name, PROBLEMS, now=self.clock(), heard=last)
            return self._nowhere()
        news = changes(reports, outbox.incidents(name), self.portfolio.automation.alerts)
        drafts = []
        if news.opened:
            drafts.append(self._draft(*problems_message(name, news.opened, self.environment.ui_url)))
        if news.resolved:
            drafts.append(self._draft(*resolved_message(name, news.resolved)))
        outbox.record(
            name,
            PROBLEMS,
            now=self.clock(),
            heard=last,
            opened=news.opened,
            resolved=news.resolved,
            drafts=drafts,
        )
        waiting = len(outbox.incidents(name))
        if not drafts:
            return f"Nothing new in {len(reports)} finished runs; {waiting} problems are known and not over."
        return f"{len(news.opened)} new problems, {len(news.resolved)} resolved."

    def _lifecycle(self, reports: list[RunReport], last: int) -> str:
        name, outbox = self.portfolio.name, self.outbox
        is_told = self._anywhere() and self.portfolio.automation.alerts.lifecycle
        events = [event for report in reports for event in report.lifecycle] if is_told else []
        found = lifecycle_news(events, outbox.told(name))
        drafts = [self._draft(*lifecycle_message(name, owner, told), owner) for owner, told in found.by_owner.items()]
        outbox.record(name, LIFECYCLE, now=self.clock(), heard=last, told=found.told, moved=found.moved, drafts=drafts)
        if not self._anywhere():
            return self._nowhere()
        if not drafts:
            return f"No account changed that nobody was told of, in {len(reports)} finished runs."
        return f"{sum(map(len, found.by_owner.values()))} changes of accounts, of {len(drafts)} owners."

    def _draft(self, title: str, body: str, audience: str = "") -> Draft:
        rules, variables = self.portfolio.automation.alerts, self.environment.variables
        hidden = addresses([*rules.urls, *(r for listed in rules.owners.values() for r in listed)], variables)
        return Draft(redacted(title, hidden, SHORTEST_TOKEN), redacted(body, hidden, SHORTEST_TOKEN), audience)

    def _anywhere(self) -> bool:
        rules = self.portfolio.automation.alerts
        references = [*rules.urls, *(r for listed in rules.owners.values() for r in listed)]
        return bool(addresses(references, self.environment.variables))

    def _nowhere(self) -> str:
        return NOWHERE.format(", ".join(r.strip("${}") for r in self.portfolio.automation.alerts.urls))
