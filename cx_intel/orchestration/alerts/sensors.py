"""The two sensors of a portfolio that tell people: of problems and their end, and of accounts that changed.

Thin: what they do is `telling.Dispatcher.look`. The cursor in the UI shows how far they have listened; what counts is the
outbox, in which that is written together with what was decided.
"""

import dagster as dg

from cx_intel.orchestration.alerts.dispatcher import Dispatcher
from cx_intel.orchestration.alerts.messages import LIFECYCLE, PROBLEMS
from cx_intel.settings.environment import Environment
from cx_intel.settings.portfolio import Portfolio

LOOK_EVERY_SECONDS = 30

DESCRIPTIONS = {
    PROBLEMS: "Tells of failed checks and runs, stale sources and too many rejected rows: once each, and once more "
    "when it is over. Sends what could not be sent before.",
    LIFECYCLE: "Tells each owner of the accounts that changed their tier or dropped in a watched signal.",
}
NAMES = {PROBLEMS: "alerts", LIFECYCLE: "tier_changes"}


def topics_of(portfolio: Portfolio) -> tuple[str, ...]:
    """What there is to tell of a portfolio: changes of accounts only where there are renewals."""
    return (PROBLEMS, LIFECYCLE) if portfolio.renewals else (PROBLEMS,)


def alert_sensors(portfolio: Portfolio, environment: Environment) -> list[dg.SensorDefinition]:
    """The sensors that tell people of a portfolio.

    Args:
        portfolio: Its settings.
        environment: The addresses, and where it is remembered what was told.
    """
    dispatcher = Dispatcher(portfolio, environment)
    return [_sensor(dispatcher, topic) for topic in topics_of(portfolio)]


def _sensor(dispatcher: Dispatcher, topic: str) -> dg.SensorDefinition:
    @dg.sensor(
        name=f"{dispatcher.portfolio.name}_{NAMES[topic]}",
        minimum_interval_seconds=LOOK_EVERY_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=DESCRIPTIONS[topic],
    )
    def tell(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        said = dispatcher.look(context.instance, topic)
        return dg.SensorResult(
            skip_reason=said, cursor=str(dispatcher.outbox.heard(dispatcher.portfolio.name, topic) or 0)
        )

    return tell
