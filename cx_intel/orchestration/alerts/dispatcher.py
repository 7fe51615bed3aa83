"""One look at the event log: what is new is written into the outbox, and what is in the outbox is sent.

Joins the pure parts to the log, the file and the clock; the sensors and the command line call it. How messages are sent is
in `messages.py`.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import dagster as dg

from cx_intel.orchestration.alerts.incidents import SETTINGS, RunReport, changes, gravest
from cx_intel.orchestration.alerts.lifecycle import lifecycle_news
from cx_intel.orchestration.alerts.messages import LIFECYCLE, PROBLEMS, REPORTS, Messages
from cx_intel.orchestration.alerts.outbox import Outbox
from cx_intel.orchestration.alerts.run_reports import run_reports
from cx_intel.orchestration.alerts.wording import lifecycle_message, problems_message, resolved_message
from cx_intel.settings.environment import Environment
from cx_intel.settings.portfolio import Portfolio


@dataclass(frozen=True)
class Dispatcher:
    """Who tells of one portfolio; `clock` gives seconds since 1970."""

    portfolio: Portfolio
    environment: Environment
    clock: Callable[[], float] = time.time

    @property
    def messages(self) -> Messages:
        """How they are written and sent."""
        return Messages(self.portfolio.name, self.portfolio.automation.alerts, self.environment, self.clock)

    @property
    def outbox(self) -> Outbox:
        return self.messages.outbox

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
        return " ".join(part for part in (said, self.messages.send(topics)) if part)

    def _problems(self, reports: list[RunReport], last: int) -> str:
        name, outbox = self.portfolio.name, self.outbox
        if not self.messages.go_anywhere():
            outbox.record(name, PROBLEMS, now=self.clock(), heard=last)
            return self.messages.nowhere()
        known = outbox.incidents(name)
        news = changes(reports, known, self.portfolio.automation.alerts)
        resolved = {**news.resolved, **{key: title for key, title in known.items() if key.startswith(SETTINGS)}}
        drafts = []
        if news.opened:
            title, body = problems_message(name, news.opened, self.environment.ui_url)
            drafts.append(self.messages.draft(title, body, severity=gravest(news.opened)))
        if resolved:
            drafts.append(self.messages.draft(*resolved_message(name, resolved), severity="success"))
        outbox.record(
            name,
            PROBLEMS,
            now=self.clock(),
            heard=last,
            opened=news.opened,
            resolved=resolved,
            drafts=drafts,
        )
        waiting = len(outbox.incidents(name))
        if not drafts:
            return f"Nothing new in {len(reports)} finished runs; {waiting} problems are known and not over."
        return f"{len(news.opened)} new problems, {len(resolved)} resolved."

    def _lifecycle(self, reports: list[RunReport], last: int) -> str:
        name, outbox = self.portfolio.name, self.outbox
        is_told = self.messages.go_anywhere() and self.portfolio.automation.alerts.lifecycle
        events = [event for report in reports for event in report.lifecycle] if is_told else []
        found = lifecycle_news(events, outbox.told(name))
        accounts = self.environment.reports(name) / "accounts.html"
        page = self.environment.link(accounts) if self.portfolio.reports.enabled else ""
        drafts = [
            self.messages.draft(*lifecycle_message(name, owner, told, page), owner)
            for owner, told in found.by_owner.items()
        ]
        outbox.record(name, LIFECYCLE, now=self.clock(), heard=last, told=found.told, moved=found.moved, drafts=drafts)
        if not self.messages.go_anywhere():
            return self.messages.nowhere()
        if not drafts:
            return f"No account changed that nobody was told of, in {len(reports)} finished runs."
        return f"{sum(map(len, found.by_owner.values()))} changes of accounts, of {len(drafts)} owners."
