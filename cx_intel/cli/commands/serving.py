"""The commands that go on until they are stopped: the Dagster UI, and the server of reports and exports.

What is served stands in `cx_intel.reports.serving`; the other commands are beside this module.
"""

import os
import signal
import socket
import sys
from collections.abc import Sequence
from itertools import zip_longest
from typing import Annotated

import typer
from rich.markup import escape

from cx_intel.cli.common import MISUSE, explained
from cx_intel.cli.output import console, errors
from cx_intel.settings.base import SettingsError
from cx_intel.settings.environment import note_ui, read_environment

serving = typer.Typer(add_completion=False)
QUIET = ("--log-level", "warning")
"""Of `dagster dev`, which else tells of each look of each sensor; a later option of the same name stands above it."""
SUPERSEDED = "ignore:Function `dev_command` is superseded"
"""The warning that it begins with, which nobody who starts the UI can follow."""

UI_PORT = 3000
"""Where the UI is looked for; the next free one is taken where another program has it."""


@serving.command()
def reports(
    port: Annotated[int | None, typer.Option("-p", "--port", help="Default: that of CX_REPORTS_URL, or 3030.")] = None,
    host: Annotated[str, typer.Option(help="In a container, 0.0.0.0.")] = "127.0.0.1",
    parent: Annotated[int | None, typer.Option("--ends-with", hidden=True)] = None,
) -> None:
    """Serve reports and exports of all portfolios on 127.0.0.1:3030, to read; links in the UI and in messages lead there."""
    from cx_intel.reports.serving.process import default_port, listening, serve

    try:
        environment = read_environment(os.environ)
    except SettingsError as error:
        errors.print(escape(str(error)), style="red")
        raise typer.Exit(MISUSE) from None
    port = port or default_port(environment)
    try:
        taken = listening(host, port)
    except OSError as error:
        errors.print(
            f"Reports are not served: {host}:{port} cannot be used ({escape(error.strerror or str(error))}). "
            "Choose another port with -p, or in CX_REPORTS_URL.",
            style="red",
        )
        raise typer.Exit(1) from None
    with taken:
        said = f"Reports of {environment.home} on http://{host}:{port}"
        serve(environment, taken, lambda: console.print(said, highlight=False), parent=parent)


@serving.command(
    context_settings={
        "allow_extra_args": True,
        "ignore_unknown_options": True,
        "help_option_names": ["--help"],  # `-h` is the host of `dagster dev`
    }
)
def ui(context: typer.Context) -> None:
    """Open the Dagster UI on 127.0.0.1:3000 with schedules and sensors running; further options go to `dagster dev`.

    The server of the reports runs beside it. This process becomes `dagster dev`, so that whoever stops it stops all that
    it started.
    """
    from cx_intel.orchestration.instance import prepare_home
    from cx_intel.reports.serving.process import start_beside

    with explained():
        environment = read_environment(os.environ)
        prepare_home(environment.home)
    host, port = address_of_ui(context.args)
    options = ["-h", host, "-p", str(port), *QUIET, *context.args]
    command = [sys.executable, "-W", SUPERSEDED, "-m", "dagster", "dev", "-m", "cx_intel.definitions", *options]
    # in a script's background SIGINT is ignored, and Dagster would then ignore SIGTERM too
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.stdout.flush()
    sys.stderr.flush()
    variables = {**os.environ, "CX_HOME": str(environment.home)}
    shown_at = f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}"
    if not variables.get("CX_UI_URL"):  # links in messages lead to the port in use
        variables["CX_UI_URL"] = shown_at
    note_ui(environment.home, variables["CX_UI_URL"])
    console.print(f"Dagster UI of {environment.home} on {shown_at} in a moment; Ctrl-C ends it", highlight=False)
    start_beside(variables)
    os.execve(sys.executable, command, variables)


def address_of_ui(options: Sequence[str]) -> tuple[str, int]:
    """The host and port that `dagster dev` is told, by these options or else 127.0.0.1 and the first free from 3000 on."""
    stated: dict[str, str] = {}
    for option, following in zip_longest(options, options[1:], fillvalue=""):
        name, equals, value = option.partition("=")
        if name in ("-h", "--host", "-p", "--port"):
            stated[name.lstrip("-")[0]] = value if equals else following
    host = stated.get("h", "127.0.0.1")
    return host, int(stated["p"]) if stated.get("p", "").isdigit() else _first_free(host)


def _first_free(host: str) -> int:
    for port in range(UI_PORT, UI_PORT + 100):
        with socket.socket() as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                tried.bind((host, port))
            except OSError:
                continue
            return port
    return UI_PORT  # what is wrong is said by whoever opens it
