"""The contract of the service-level roll-up. Its model is in `cx_intel.models.support.tickets`."""

from cx_intel.contracts.contract import COUNT, DATE, NUMBER, TEXT, Column, Contract, Invariant
from cx_intel.settings.portfolio import Portfolio

MODEL_FAULT = "A fault of the model, not of the data: report it."


def sla_adherence(portfolio: Portfolio) -> Contract:
    def count(name: str, description: str) -> Column:
        return Column(name, COUNT, description, "tickets", nullable=False, minimum=0)

    def percent(name: str, description: str) -> Column:
        return Column(name, NUMBER, description, "%", null_means="nothing to judge", minimum=0, maximum=100)

    def hours(name: str, description: str) -> Column:
        return Column(name, NUMBER, description, "hours", null_means="none resolved")

    return Contract(
        "sla_adherence",
        "support",
        "Does support keep its promises, month by month, by priority and by segment?",
        ("ticket_month", "dimension_type", "dimension_value"),
        (
            Column("ticket_month", DATE, "Month of creation, its first day.", nullable=False),
            Column("dimension_type", TEXT, "What is told apart.", nullable=False, accepted=("priority", "segment")),
            Column("dimension_value", TEXT, "The priority or segment; (none) without one.", nullable=False),
            count("total_tickets", "Tickets created."),
            count("resolved_tickets", "Resolved by as_of."),
            count("sla_breaches", "Resolved later than promised."),
            count("within_sla", "Resolved in time."),
            count("unresolved_tickets", "Open or escalated at as_of."),
            count("open_breaches", "Unresolved and older than promised."),
            percent("sla_adherence_pct", "within_sla / resolved_tickets."),
            percent("adherence_incl_open_pct", "within_sla / (resolved_tickets + open_breaches)."),
            hours("avg_resolution_hours", "Mean time to resolution."),
            hours("median_resolution_hours", "Half of the tickets were resolved within."),
            hours("p90_resolution_hours", "Nine of ten tickets were resolved within."),
            Column("avg_csat", NUMBER, "Mean rating.", "1 to 5", null_means="no rating", minimum=1, maximum=5),
        ),
        invariants=(
            Invariant(
                "resolved_splits",
                "sla_breaches + within_sla = resolved_tickets.",
                lambda t: t.sla_breaches + t.within_sla == t.resolved_tickets,
                MODEL_FAULT,
            ),
            Invariant(
                "total_splits",
                "resolved_tickets + unresolved_tickets = total_tickets.",
                lambda t: t.resolved_tickets + t.unresolved_tickets == t.total_tickets,
                MODEL_FAULT,
            ),
        ),
        plots={"resolved_within_sla": lambda t: t.within_sla.sum()},
    )
