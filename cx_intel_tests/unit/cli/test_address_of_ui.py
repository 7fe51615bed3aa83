"""Where the UI is opened, so that links in messages lead there."""

import socket

import pytest

from cx_intel.cli.commands.serving import UI_PORT, address_of_ui


@pytest.mark.parametrize(
    ("options", "host", "port"),
    [
        (["-p", "3001"], "127.0.0.1", 3001),
        (["--port=3002", "-h", "0.0.0.0"], "0.0.0.0", 3002),
        (["--verbose", "--port", "3003"], "127.0.0.1", 3003),
    ],
)
def test_what_is_stated_counts(options: list[str], host: str, port: int) -> None:
    assert address_of_ui(options) == (host, port)


def test_a_port_that_another_program_has_is_left_to_it() -> None:
    _, free = address_of_ui([])
    assert free >= UI_PORT
    with socket.create_server(("127.0.0.1", free)):
        assert address_of_ui([])[1] > free
