"""What a long command says: at once what it does, then nothing longer than a few seconds without a line."""

import io

import pytest
from rich.console import Console

from cx_intel.cli import progress as module
from cx_intel.cli.progress import Progress


class Clock:
    """A clock that stands until it is moved."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    stopped = Clock()
    monkeypatch.setattr(module, "time", stopped)
    return stopped


def test_a_line_says_the_step_its_layer_and_for_how_long(clock: Clock) -> None:
    progress = Progress(Console(file=io.StringIO()))
    progress.doing("loading")
    clock.now = 3
    assert progress.line == "     3 s  loading, for 3 s"
    progress.plan({"raw_accounts": "raw", "dim_account": "core"})
    progress.step("raw_accounts", None)
    progress.step("past_days", None)
    assert progress.line == "     0 s  step 2 of 2  past days"
    progress.step("dim_account", None)
    clock.now = 8
    assert progress.line.endswith("core: dim_account, for 5 s")


def test_tables_have_lines_of_their_own_where_everything_is_wanted(clock: Clock) -> None:
    for verbose, said in ((False, ""), (True, "     2.0 s  dim_account                                12 rows\n")):
        written = io.StringIO()
        progress = Progress(Console(file=written, width=100), verbose=verbose)
        progress.plan({"dim_account": "core"})
        clock.now += 2
        progress.step("dim_account", 12)
        assert written.getvalue() == said


def test_a_silence_ends_by_itself_where_there_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EVERY_SECONDS", 0.01)
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.005)
    written = io.StringIO()
    console = Console(file=written, width=100)
    monkeypatch.setattr(Progress, "_keep_apart", lambda self: None)
    with Progress(console) as progress:
        progress.doing("waiting")
        progress._thread.join(0.2)
    assert "0 s  waiting\n" in written.getvalue()
