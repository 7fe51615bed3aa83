"""What is taken from the environment, and what is said when it is wrong."""

from pathlib import Path

import pytest

from cx_intel.settings.base import SettingsError
from cx_intel.settings.environment import SHIPPED_PORTFOLIOS, UI_NOTE, UI_URL, note_ui, read_environment


def test_defaults_lie_in_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = read_environment({})
    assert found.home == tmp_path / ".cx_intel"
    assert found.warehouse == tmp_path / ".cx_intel" / "warehouse.duckdb"
    assert (found.portfolios, found.lock_wait_seconds) == (SHIPPED_PORTFOLIOS, 3600)


def test_empty_variables_count_as_unset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert read_environment({"CX_HOME": "", "CX_PORTFOLIOS": ""}) == read_environment(
        {"CX_HOME": "", "CX_PORTFOLIOS": ""}
    )
    assert read_environment({"CX_HOME": ""}).home == tmp_path / ".cx_intel"


def test_paths_are_absolute_whatever_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "books").mkdir()
    found = read_environment({"CX_HOME": "here", "CX_PORTFOLIOS": "books", "CX_LOCK_WAIT_SECONDS": "2.5"})
    assert (found.home, found.portfolios, found.lock_wait_seconds) == (tmp_path / "here", tmp_path / "books", 2.5)
    assert found.reports("small") == tmp_path / "here" / "reports" / "small"
    assert found.exports("small") == tmp_path / "here" / "exports" / "small"


def test_links_begin_with_what_is_set_else_where_the_ui_was_last_opened_else_its_usual_port(tmp_path: Path) -> None:
    here = {"CX_HOME": str(tmp_path)}
    assert read_environment(here).ui_url == UI_URL
    note_ui(tmp_path, "http://127.0.0.1:3001")
    assert read_environment(here).ui_url == "http://127.0.0.1:3001"
    assert read_environment(here | {"CX_UI_URL": "https://cx.example/"}).ui_url == "https://cx.example"
    for broken in (b"", b"\xff\xfe", b"http://a b", b"javascript:alert(1)"):
        (tmp_path / UI_NOTE).write_bytes(broken)
        assert read_environment(here).ui_url == UI_URL


@pytest.mark.parametrize("wait", ["soon", "-1", "nan", "inf"])
def test_a_wait_that_is_no_number_of_seconds_is_refused(wait: str) -> None:
    with pytest.raises(SettingsError, match=r"CX_LOCK_WAIT_SECONDS: is .*expected a number of seconds"):
        read_environment({"CX_LOCK_WAIT_SECONDS": wait})


@pytest.mark.parametrize(
    ("name", "value"), [("CX_KEEP_BACKUPS", "0"), ("CX_KEEP_BACKUPS", "٣"), ("CX_DAILY_BACKUP", "maybe")]
)
def test_each_wrong_variable_is_named_with_what_it_is_to_be(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=rf"CX_LOCK_WAIT_SECONDS: is 'soon'.*\n.*{name}: is '{value}', expected "):
        read_environment({name: value, "CX_LOCK_WAIT_SECONDS": "soon"})


@pytest.mark.parametrize(("word", "made"), [("yes", True), ("TRUE", True), ("0", False), ("no", False), ("", False)])
def test_a_daily_backup_is_said_in_the_usual_words(word: str, made: bool) -> None:
    assert read_environment({"CX_DAILY_BACKUP": word}).daily_backup is made


def test_a_folder_of_portfolios_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"CX_PORTFOLIOS: .*is not a folder"):
        read_environment({"CX_PORTFOLIOS": str(tmp_path / "nowhere")})


def test_variables_are_kept_for_the_sources_and_never_shown() -> None:
    found = read_environment({"CRM_TOKEN": "secret-value"})
    assert found.variables["CRM_TOKEN"] == "secret-value"
    assert "secret-value" not in repr(found)
