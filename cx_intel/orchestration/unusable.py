"""What stands in the UI for a portfolio whose YAML cannot be used: an asset that says why, a refresh that fails, an alert.

The others run as ever. What is wrong is found by `load_portfolio`; how messages are sent is in `alerts/messages.py`.
"""

import hashlib

import dagster as dg

from cx_intel.orchestration.alerts.incidents import SETTINGS, Problem
from cx_intel.orchestration.alerts.messages import PROBLEMS, Messages
from cx_intel.orchestration.alerts.sensors import LOOK_EVERY_SECONDS, NAMES
from cx_intel.orchestration.alerts.wording import problems_message
from cx_intel.orchestration.schedules.jobs import refresh_job_name
from cx_intel.settings.automation import Alerts
from cx_intel.settings.environment import Environment

WHAT_TO_DO = "Mend the YAML, then reload the code location, or start `cx-intel ui` anew. The other portfolios go on."


def unusable_definitions(name: str, problem: str, environment: Environment) -> dg.Definitions:
    """An asset, the job of a refresh and the sensor of alerts for a portfolio that cannot be used.

    Args:
        name: The portfolio's, from its file.
        problem: What is wrong: file, line and path, a line each.
        environment: The addresses, and where it is remembered what was told.
    """
    lines = "\n".join(f"- {line}" for line in problem.splitlines())
    told = f"This portfolio cannot be used.\n\n{lines}\n\n{WHAT_TO_DO}"

    @dg.asset(key=[name, "settings"], group_name=name, description=told, tags={"portfolio": name})
    def settings() -> None:
        raise dg.Failure(told, allow_retries=False)

    @dg.sensor(
        name=f"{name}_{NAMES[PROBLEMS]}",
        minimum_interval_seconds=LOOK_EVERY_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Tells once that the YAML of this portfolio cannot be used.",
    )
    def tell() -> dg.SkipReason:
        return dg.SkipReason(tell_unusable(name, problem, environment))

    job = dg.define_asset_job(
        refresh_job_name(name),
        selection=dg.AssetSelection.assets([name, "settings"]),
        description=f"Fails: {problem.splitlines()[0]}",
        tags={"portfolio": name},
    )
    return dg.Definitions(assets=[settings], jobs=[job], sensors=[tell])


def tell_unusable(name: str, problem: str, environment: Environment) -> str:
    """Tells it once, and once more where something else is wrong; what was done is said.

    To the addresses that portfolios have by default, because its own stand in what cannot be read.
    """
    messages = Messages(name, Alerts(), environment)
    key = SETTINGS + hashlib.sha256(problem.encode()).hexdigest()[:16]
    known = messages.outbox.incidents(name)
    if not messages.go_anywhere():
        return messages.nowhere()
    said = "No new alert."
    if key not in known:
        found = Problem(key, "the portfolio's YAML cannot be used", f"{problem}\n\n{WHAT_TO_DO}", "")
        before = {k: title for k, title in known.items() if k.startswith(SETTINGS)}
        drafts = [messages.draft(*problems_message(name, [found], environment.ui_url), severity=found.severity)]
        messages.outbox.record(name, PROBLEMS, now=messages.clock(), opened=[found], resolved=before, drafts=drafts)
        said = "Alert: it cannot be used."
    return " ".join(part for part in (said, messages.send((PROBLEMS,))) if part)
