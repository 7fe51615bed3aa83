"""How messages reach their addresses: kept until they are taken, sent once, without a secret in any of them."""

import sqlite3
from contextlib import closing
from pathlib import Path
from threading import Thread

import pytest
from pydantic import ValidationError

from cx_intel.orchestration.alerts.addresses import Address, addresses, redacted
from cx_intel.orchestration.alerts.delivery import deliver
from cx_intel.orchestration.alerts.messages import PROBLEMS
from cx_intel.orchestration.alerts.outbox import SCHEMA, Draft, Outbox
from cx_intel_tests.helpers.builders import portfolio
from cx_intel_tests.helpers.office import SECRET, Office


def test_a_message_that_is_refused_is_kept_and_sent_later_after_growing_waits(team: Office) -> None:
    team.listener.refusing = True
    team.run(error="the disk is full")
    assert "Not sent, to be tried again: json://***: " in team.look()
    assert team.listener.refused == 1
    team.look()
    assert team.listener.refused == 1, "not before its time"
    for wait, refused in ((31, 2), (31, 2), (31, 3)):  # 30 seconds, then 60
        team.now += wait
        team.look()
        assert team.listener.refused == refused
    team.listener.refusing = False
    team.now += 3600
    assert "Sent 1 message." in team.look()
    team.now += 3600
    team.look()
    assert team.listener.titles == ["[small] small_refresh for 2025-01-31 failed"]


def test_an_address_that_took_the_message_does_not_get_it_again(team: Office) -> None:
    team.variables["CX_ALERT_URLS"] = f"{team.listener.url('first')}, json://127.0.0.1:9/closed"
    team.run(error="the disk is full")
    team.look()
    team.now += 31
    team.look()
    assert [message["path"] for message in team.listener.taken] == ["/first"]
    assert [attempts for _, attempts, _ in team.dispatcher.outbox.waiting("small")] == [2]


def test_nothing_is_sent_twice_by_two_that_look_at_once(team: Office) -> None:
    team.run(error="the disk is full")
    looks = [Thread(target=team.look) for _ in range(4)]
    for look in looks:
        look.start()
    for look in looks:
        look.join()
    assert len(team.listener.taken) == 1


def test_without_addresses_nothing_is_kept_for_later(team: Office) -> None:
    del team.variables["CX_ALERT_URLS"]
    team.run(error="the disk is full")
    assert team.look() == "Messages go nowhere: none of CX_ALERT_URLS is set in the environment."
    team.variables["CX_ALERT_URLS"] = team.listener.url()
    team.look()
    assert team.listener.taken == []


def test_a_first_look_leaves_what_is_long_past(team: Office) -> None:
    team.run(error="the disk is full")
    team.now += 2 * 86400
    team.look()
    team.look()
    assert team.listener.taken == []


def test_secrets_are_in_no_message_error_file_or_log(team: Office, caplog, capfd) -> None:
    team.listener.refusing = True
    team.variables["CX_ALERT_URLS"] = f"{team.listener.url()},json://user:{SECRET}@127.0.0.1:9/,nonsense://{SECRET}"
    team.run(error=f"posting to {team.listener.url()} failed")
    caplog.clear()
    capfd.readouterr()  # what the failing step itself says is not ours
    said = team.look()
    stored = b"".join(f.read_bytes() for f in team.home.glob("alerts.sqlite*"))
    shown = said + caplog.text + "".join(capfd.readouterr()) + repr(team.environment) + repr(team.dispatcher)
    assert "nonsense://*** is no address that Apprise knows" in said
    assert SECRET not in shown
    assert SECRET.encode() not in stored


def test_a_failed_delivery_says_why_without_the_address() -> None:
    reason = deliver(Address(f"json://user:{SECRET}@127.0.0.1:9/{SECRET}"), Draft("title", "body"))
    assert reason is not None
    assert reason.startswith("json://***: ")
    assert SECRET not in reason
    assert SECRET not in repr(Address(f"json://{SECRET}"))


def test_several_addresses_in_one_variable_may_hold_commas_themselves() -> None:
    found = addresses(["${A}", "${UNSET}"], {"A": "mailto://u:p@host?to=a,b, json://host/x,json://host/x"})
    assert [a.url for a in found] == ["mailto://u:p@host?to=a,b", "json://host/x"]
    assert redacted("to a host of p@ss", [Address("json://host/p%40ss")]) == "to a *** of ***"


def test_an_address_in_the_yaml_is_refused_and_not_repeated() -> None:
    with pytest.raises(ValidationError) as caught:
        portfolio(automation={"alerts": {"urls": [f"slack://{SECRET}"]}})
    assert SECRET not in caught.value.errors()[0]["msg"]


def test_files_travel_with_a_message(team: Office, tmp_path: Path) -> None:
    picture = tmp_path / "dashboard.png"
    picture.write_bytes(b"\x89PNG")
    team.dispatcher.messages.post(Draft("Review", "Look.", files=(picture, tmp_path / "missing.png")))
    (message,) = team.listener.taken
    assert [a["filename"] for a in message["attachments"]] == ["dashboard.png"]


def test_messages_say_how_much_they_matter(team: Office) -> None:
    for broken, stale in ((2, False), (0, False), (0, True)):
        team.run(broken=broken, stale=stale)
        team.look()
    team.dispatcher.messages.post(Draft("Review", "Look."))
    assert [message["type"] for message in team.listener.taken] == ["failure", "success", "warning", "info"]


def test_a_file_of_an_earlier_version_is_used_on(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "alerts.sqlite")) as connection, connection:
        connection.executescript(SCHEMA.replace(", severity TEXT", ""))
        connection.execute(
            "INSERT INTO message VALUES (1, 'small', 'problems', '', 'old', 'text', '[]', '[]', 0, 0, 0, NULL, NULL)"
        )
    outbox = Outbox(tmp_path / "alerts.sqlite")
    outbox.record("small", PROBLEMS, now=1, drafts=[Draft("new", "text", severity="warning")])
    taken = [outbox.take("small", [PROBLEMS], 2) for _ in range(2)]
    assert [(m.title, m.severity) for m in taken if m] == [("old", "info"), ("new", "warning")]


def test_words_that_arrived_are_not_kept(team: Office) -> None:
    team.run(broken=2)
    team.look()
    with sqlite3.connect(team.home / "alerts.sqlite") as connection:
        assert connection.execute("SELECT body FROM message").fetchall() == [("",)]
