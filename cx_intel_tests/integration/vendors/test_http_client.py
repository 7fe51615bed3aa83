"""The HTTP client at its edges: redirects, long waits, waits stated as a moment."""

from collections.abc import Callable, Iterator
from email.utils import formatdate
from typing import Any

import pytest

from cx_intel.sources.errors import SourceError
from cx_intel.sources.vendors.http import ApiClient, Clock
from cx_intel.sources.vendors.sign_in import Bearer
from cx_intel_tests.helpers.vendor_server import Asked, Reply, StandIn, serving

NOW = 1_750_000_000.0


class Scripted(StandIn):
    """Answers by a list of replies, the last one for ever."""

    replies: tuple[Reply, ...] = ()

    def answer(self, asked: Asked, fault: str) -> Reply:
        return self.replies[min(len(self.asked), len(self.replies)) - 1]

    def error(self, status: int, message: str, **more: Any) -> Reply:
        return Reply({"error": {"message": message}}, status)


@pytest.fixture
def stand_in() -> Iterator[Scripted]:
    scripted = Scripted()
    with serving(scripted):
        yield scripted


@pytest.fixture
def ask(stand_in: Scripted) -> Callable[..., object]:
    slept: list[float] = []

    def asking(*replies: Reply) -> object:
        stand_in.replies = replies
        sign_in = Bearer("very-secret", "A_KEY", "rights")
        with ApiClient("Acme", stand_in.host, sign_in, clock=Clock(lambda: NOW, slept.append)) as client:
            return client.get("/v1/things", {"limit": 1}), slept

    return asking


def test_a_redirect_to_another_host_is_refused(ask: Callable[..., object], stand_in: Scripted) -> None:
    with pytest.raises(SourceError, match=r"redirects to localhost, which is another host"):
        ask(Reply({}, 302, {"Location": stand_in.host.replace("127.0.0.1", "localhost")}))
    assert len(stand_in.asked) == 1


def test_a_redirect_within_the_host_is_followed(ask: Callable[..., object], stand_in: Scripted) -> None:
    found, _ = ask(Reply({}, 307, {"Location": "/v2/things"}), Reply({"price": 19.90}))  # type: ignore[misc]
    assert (found, stand_in.asked[1].path) == ({"price": "19.9"}, "/v2/things")


def test_redirects_without_end_are_given_up(ask: Callable[..., object]) -> None:
    with pytest.raises(SourceError, match="more than 3 times"):
        ask(Reply({}, 302, {"Location": "/v1/things"}))


def test_a_moment_to_wait_for_is_waited_for(ask: Callable[..., object]) -> None:
    _, slept = ask(Reply({}, 503, {"Retry-After": formatdate(NOW + 90, usegmt=True)}), Reply({}))  # type: ignore[misc]
    assert 90 <= slept[0] <= 91


def test_a_wait_of_hours_ends_the_run(ask: Callable[..., object]) -> None:
    with pytest.raises(SourceError, match="asks to wait 7,200 seconds"):
        ask(Reply({}, 429, {"Retry-After": "7200"}))


def test_a_key_that_an_answer_repeats_is_not_shown(ask: Callable[..., object]) -> None:
    with pytest.raises(SourceError, match=r"answers 403 .*no right for \*\*\*\. See to the key in A_KEY") as raised:
        ask(Reply({"error": {"message": "no right for very-secret"}}, 403))
    assert "very-secret" not in str(raised.value)
