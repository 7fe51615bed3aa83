"""Staging of tickets and answers: words, ratings on every scale, times that do not fit. Values worked by hand."""

from datetime import date
from typing import Any, TypeAlias

import pytest
from pydantic import ValidationError

from cx_intel.contracts.staging.support import stg_nps_responses, stg_support_tickets
from cx_intel.settings.portfolio import Portfolio
from cx_intel_tests.helpers.builders import fetched, portfolio, rows
from cx_intel_tests.helpers.staged_rows import BERLIN, judged

TICKET = {"ticket_id": "T", "account_id": "A1", "created_at": "2025-01-01T23:30:00"}


def book(**source: Any) -> Portfolio:
    """A portfolio whose tickets come from one source with these keys."""
    files = [{"kind": "files", "table": t, "path": f"{t}.csv"} for t in ("accounts", "subscriptions")]
    tickets = {"kind": "files", "table": "support_tickets", "path": "t.csv", **source}
    return portfolio(sources=[*files, tickets])


def tickets(*given: dict[str, str | None], of: Portfolio | None = None) -> list[dict[str, Any]]:
    """The staged tickets, each with its `_told`: the warnings of the contract that it raises."""
    staged = judged(
        "support_tickets", [TICKET | {"ticket_id": str(n)} | row for n, row in enumerate(given)], of or book()
    )
    contract = stg_support_tickets(book())
    table = rows(contract, [{name: row[name] for name in contract.column_names} for row in staged])
    broken = table.select("ticket_id", **{rule.name: ~rule.holds(table) for rule in contract.invariants})
    told = {row.pop("ticket_id"): {name for name, is_broken in row.items() if is_broken} for row in fetched(broken)}
    assert {row["_reason"] for row in staged} == {None}
    return [row | {"_told": told[row["ticket_id"]]} for row in staged]


LATER = "2025-01-02T03:30:00"
STATUSES: list[tuple[str | None, str, set[str]]] = [
    *((word, "open", set()) for word in ("new", "Open", "pending", "HOLD", "on_hold", "on-hold", "waiting")),
    *((word, "open", set()) for word in ("in_progress", "In Progress", "reopened")),
    ("escalated", "escalated", set()),
    *((word, "resolved", set()) for word in ("resolved", "Solved", "closed", "done")),
    *((word, "left_out", {"no_ticket_left_out"}) for word in ("deleted", "spam", "merged")),
    ("parked", "open", {"statuses_known"}),  # an unknown word
    ("waiting on third party", "open", {"statuses_known"}),  # Freshdesk
    ("snoozed", "open", {"statuses_known"}),  # Intercom
    ("waiting for customer", "open", {"statuses_known"}),  # Jira Service Management
    (None, "resolved", set()),  # without a word the time decides
]
RESOLUTIONS: list[tuple[str | None, float | None, set[str]]] = [
    (LATER, 4.0, set()),
    ("2025-01-01T23:30:00", 0.0, set()),
    ("2025-01-01T23:29:59", None, {"resolved_have_a_time"}),
    (None, None, {"resolved_have_a_time"}),
]


Staged: TypeAlias = dict[tuple[str | None, str | None], dict[str, Any]]
"""Tickets by their word and the time of their resolution."""


@pytest.fixture(scope="module")
def staged() -> Staged:
    """The tickets of all cases, staged together."""
    cases = [*((word, LATER) for word, *_ in STATUSES), *(("solved", at) for at, *_ in RESOLUTIONS), (None, None)]
    cases = list(dict.fromkeys(cases))
    return dict(zip(cases, tickets(*({"status": w, "resolved_at": at} for w, at in cases)), strict=True))


@pytest.mark.parametrize(("word", "status", "told"), STATUSES)
def test_every_word_of_a_help_desk_has_a_status(word: str | None, status: str, told: set[str], staged: Staged) -> None:
    row = staged[word, LATER]
    assert (row["status"], row["source_status"]) == (status, word.lower() if word else None)
    assert row["unknown_status"] == (row["source_status"] if "statuses_known" in told else None)
    assert row["_told"] == told


def test_without_word_and_time_a_ticket_is_open(staged: Staged) -> None:
    assert staged[None, None]["status"] == "open"


def test_an_unresolved_word_beats_the_time_of_an_earlier_resolution(staged: Staged) -> None:
    row = staged["reopened", LATER]
    assert (row["status"], row["resolution_hours"]) == ("open", None)


@pytest.mark.parametrize(("resolved_at", "hours", "told"), RESOLUTIONS)
def test_a_resolution_has_hours_where_its_time_fits(
    resolved_at: str | None, hours: float | None, told: set[str], staged: Staged
) -> None:
    row = staged["solved", resolved_at]
    assert (row["status"], row["resolution_hours"]) == ("resolved", hours)
    assert row["_told"] == told


@pytest.mark.parametrize(
    ("hours", "is_told"),
    [
        ([0, 0, 24, 48, 0], True),  # opened and closed on days: what took an hour seems to have taken none
        ([0, 0, 24, 48], False),  # too few to tell
        ([0.0] * 9 + [3.5], True),
        ([0.0] * 8 + [3.5, 7.25], False),
        ([0.5, 23.75, 24.01, 47, 3], False),
        ([None] * 9, False),
    ],
)
def test_tickets_of_days_without_times_are_told(hours: list[float | None], is_told: bool) -> None:
    contract = stg_support_tickets(BERLIN)
    (rule,) = contract.cross_invariants
    given = rows(contract, [{"ticket_id": f"T{n}", "resolution_hours": h} for n, h in enumerate(hours)])
    assert (rule.name, rule.severity) == ("times_of_day", "warn")
    assert rule.broken({"self": given}).count().execute() == (
        sum(h % 24 == 0 for h in hours if h is not None) if is_told else 0
    )


def test_days_are_those_of_the_portfolio() -> None:
    (row,) = judged("support_tickets", [TICKET], BERLIN)
    assert row["created_date"] == date(2025, 1, 2)


WORDS = {"words": {"Good": 5, "bad": 1, "offered": None}}


SCALE = {"scale": [0, 100]}
RATINGS: list[tuple[dict[str, Any] | None, str | None, float | None, str | None]] = [
    (None, "5", 5.0, None),
    (None, "0.5", None, "0.5"),
    (None, "80", None, "80"),
    (None, "great", None, "great"),
    (None, None, None, None),
    (SCALE, "80", 80.0, None),
    (SCALE, "101", None, "101"),
    (WORDS, "good", 5.0, None),
    (WORDS, "BAD", 1.0, None),
    (WORDS, "offered", None, None),
    (WORDS, "good, with comment", None, "good, with comment"),
    (WORDS, "4", 4.0, None),
]


@pytest.fixture(scope="module")
def rated() -> list[tuple[dict[str, Any] | None, dict[str, Any]]]:
    """Each case with its ticket; those of one scale are staged together."""
    return [
        (scale, row)
        for scale in (None, SCALE, WORDS)
        for row in tickets(
            *({"satisfaction_score": cell} for of, cell, *_ in RATINGS if of is scale), of=book(satisfaction=scale)
        )
    ]


@pytest.mark.parametrize(
    "case", range(len(RATINGS)), ids=lambda n: f"{RATINGS[n][1]} of {', '.join(RATINGS[n][0] or ['1 to 5'])}"
)
def test_a_rating_is_read_on_its_scale_or_told(
    case: int, rated: list[tuple[dict[str, Any] | None, dict[str, Any]]]
) -> None:
    (scale, row), (satisfaction, _, score, unread) = rated[case], RATINGS[case]
    assert scale is satisfaction
    assert (row["satisfaction_score"], row["unread_rating"]) == (score, unread)
    assert row["csat_scale"] == ("0-100" if satisfaction is SCALE else "1-5")


@pytest.mark.parametrize(
    ("satisfaction", "message"),
    [
        ({"scale": [5, 1]}, "does not rise from the worst to the best"),
        ({"words": {"good": 7}}, "good is outside the scale of 1 to 5"),
    ],
)
def test_a_scale_that_cannot_be_is_an_error(satisfaction: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        book(satisfaction=satisfaction)


def test_the_scale_belongs_to_the_source_of_tickets() -> None:
    nps = {"kind": "files", "table": "nps_responses", "path": "n.csv", "satisfaction": {"scale": [0, 10]}}
    with pytest.raises(ValidationError, match="is about the ratings of support_tickets"):
        portfolio(sources=[{"kind": "files", "table": "accounts", "path": "a.csv"}, nps])


class TestResponses:
    given = {"account_id": "A1", "responded_at": "2025-01-01T10:00:00"}

    def rows(self, *given: dict[str, str]) -> list[Any]:
        return judged("nps_responses", [self.given | cells for cells in given])

    def test_a_score_outside_0_to_10_counts_as_none_and_is_told(self) -> None:
        cells = ["0", "10", "11", "-1", "n/a", ""]
        rows = self.rows(*({"response_id": str(n), "score": cell} for n, cell in enumerate(cells)))
        assert [(row["score"], row["unread_score"]) for row in rows] == [
            (0.0, None),
            (10.0, None),
            (None, "11"),
            (None, "-1"),
            (None, "n/a"),
            (None, None),
        ]
        assert {row["_reason"] for row in rows} == {None}
        (rule,) = stg_nps_responses(book()).invariants
        assert (rule.name, rule.severity) == ("scores_read", "warn")

    def test_an_answer_without_an_id_gets_one_from_account_and_time(self) -> None:
        first, again, later = self.rows(
            {"score": "9"}, {"score": "9"}, {"score": "9", "responded_at": "2025-01-01T10:00:01"}
        )
        assert first["_reason"] == "duplicate of row 2 of x.csv: the same response_id"
        assert (again["response_id"], later["response_id"]) == ("A1@1735725600", "A1@1735725601")


def test_ids_may_be_unique_within_an_account_only() -> None:
    rows = [
        {"event_id": "1", "account_id": account, "event_name": "x", "event_timestamp": "2025-01-15T10:00:00"}
        for account in ("A1", "A2", "A2")
    ]
    events = {"kind": "files", "table": "usage_events", "path": "e.csv"}
    accounts = {"kind": "files", "table": "accounts", "path": "a.csv"}
    subscriptions = {"kind": "files", "table": "subscriptions", "path": "s.csv"}

    def of(**more: Any) -> Portfolio:
        return portfolio(sources=[accounts, subscriptions, events | more])

    keyed = of(key=["account_id", "event_id"])
    assert [row["_reason"] for row in judged("usage_events", rows, keyed)] == [
        None,
        "duplicate of row 3 of x.csv: the same account_id, event_id",
        None,
    ]
    assert [row["_reason"] is None for row in judged("usage_events", rows, of())] == [False, False, True]
    with pytest.raises(ValidationError, match=r"is \[account_id, event_id\] or left out"):
        of(key=["event_id"])
    with pytest.raises(ValidationError, match="ids of accounts have to be unique"):
        portfolio(sources=[accounts | {"key": ["account_id"]}, subscriptions])
