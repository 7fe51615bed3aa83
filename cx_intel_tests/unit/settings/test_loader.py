"""Good and bad YAML: every error names the file, the right line and the path, and what to do."""

from pathlib import Path

import pytest

from cx_intel.settings.base import SettingsError
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.sources.sql import SqlSource
from cx_intel.settings.yaml.loader import load_portfolio, parse_portfolio
from cx_intel.sources.files.mapping import check_sources
from cx_intel_tests.helpers.builders import PORTFOLIOS

GOOD = """\
name: small
currency: {reporting: EUR, rates: {CHF: 1.05}}
sources:
  - {kind: files, table: accounts, path: accounts.csv}
  - kind: files
    table: subscriptions
    path: subscriptions.csv
revenue:
  basis: subscriptions
health:
  version: one
  signals:
    logins:
      label: Logins
      measure: {kind: event_count, window_days: 30}
  dimensions:
    usage:
      weight: 1
      signals:
        logins: {weight: 1, curve: {linear: {zero: 0, full: 20}}}
  tiers:
    levels:
      - {name: good, at_least: 50, is_healthy: true}
      - {name: bad, at_least: 0, is_healthy: false}
"""


def parsed(text: str) -> Portfolio:
    return parse_portfolio(text, Path("books/small.yaml"))


def problems(text: str) -> list[tuple[int | None, str, str]]:
    with pytest.raises(SettingsError) as error:
        parsed(text)
    found = [(p.line, p.path, p.message) for p in error.value.problems]
    assert str(error.value).splitlines()[0].startswith(f"books/small.yaml:{found[0][0] or 1}: ")
    return found


def test_good_yaml_is_a_portfolio() -> None:
    assert parsed(GOOD).tables == ("accounts", "subscriptions")


@pytest.mark.parametrize("name", ["novacrm", "fleet"])
def test_the_shipped_portfolios_are_good(name: str) -> None:
    assert load_portfolio(PORTFOLIOS / f"{name}.yaml").name == name


@pytest.mark.parametrize(
    ("old", "new", "line", "path", "message"),
    [
        ("basis: subscriptions", "bais: subscriptions", 9, "revenue.bais", "unknown key"),
        ("    path: subscriptions.csv\n", "", 5, "sources.1.path", "is required"),
        ("logins: {weight: 1,", "logins: {weight: 0.9,", 19, "health.dimensions.usage.signals", "sum to 0.9"),
        ("      weight: 1\n", "      weight: 0.5\n", 16, "health.dimensions", "sum to 0.5"),
        (
            "        logins: {weight",
            "        logouts: {weight",
            20,
            "health.dimensions.usage.signals.logouts",
            "no signal",
        ),
        ("linear: {zero: 0, full: 20}", "sigmoid: {zero: 0}", 20, "logins.curve", "a curve is one of linear, steps"),
        ("at_least: 50", "at_least: 0", 22, "health.tiers.levels", "lower bounds must fall to 0"),
        (
            "at_least: 0, is_healthy: false",
            "at_least: 5, is_healthy: false",
            22,
            "health.tiers.levels",
            "must fall to 0",
        ),
        ("CHF: 1.05", "CHF: 0", 2, "currency.rates", "a rate is above 0"),
        ("CHF: 1.05", "CHF: much", 2, "currency.rates.CHF", "not 'much'"),
        ("basis: subscriptions", "basis: invoices", 9, "revenue.basis", "no source delivers that table"),
        ("basis: subscriptions", "basis: bookings", 9, "revenue.basis", "not 'bookings'"),
        ("name: small", "name: large", 1, "name", "rename one of them"),
        ("name: small", "time_zone: Mars/Olympus", 1, "time_zone", "no IANA time zone"),
        ("kind: files\n", "kind: fax\n", 5, "sources.1", "'files'"),
        ("window_days: 30", "window_days: 0", 15, "health.signals.logins.measure.window_days", "not 0"),
    ],
)
def test_each_error_names_line_path_and_what_is_wrong(old: str, new: str, line: int, path: str, message: str) -> None:
    assert GOOD.count(old) == 1
    found = problems(GOOD.replace(old, new))
    assert [p for p in found if p[0] == line and path in p[1] and message in p[2]], found


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "revenue:",
            "revenu:",
            "unknown key (did you mean 'revenue'?); the models in cx_intel/settings describe every",
        ),
        ("basis:", "bais:", "unknown key (did you mean 'basis'?); there are basis, closed_through, corrections"),
        ("window_days: 30", "windo_days: 30", "unknown key (did you mean 'window_days'?); there are events, kind, wi"),
        ("full: 20", "ful: 20", "unknown key (did you mean 'full'?); there are full, zero"),
        ("path: accounts.csv}", "path: a.csv, delimeter: x}", "unknown key (did you mean 'delimiter'?); the models"),
        (
            "path: accounts.csv}",
            "path: a.csv, unpivot: {nam_to: x}}",
            "did you mean 'name_to'?); there are columns, na",
        ),
        ("at_least: 50,", "at_least: 50, colour: red,", "unknown key; there are at_least, is_healthy, label, name"),
    ],
)
def test_an_unknown_key_is_told_with_the_one_that_was_meant(old: str, new: str, message: str) -> None:
    assert GOOD.count(old) == 1
    (found,) = [told for _, _, told in problems(GOOD.replace(old, new)) if "unknown key" in told]
    assert message in found


def test_the_place_that_describes_every_key_is_there() -> None:
    assert (PORTFOLIOS.parent / "settings" / "sources" / "files.py").is_file()


CHECKED_BY = (check_sources,)


@pytest.mark.parametrize(
    ("mapping", "path", "message"),
    [
        ("columns: {signup_dat: signed}", "columns.signup_dat", "no column 'signup_dat' (did you mean 'signup_date'?)"),
        ("constants: {stat: active}", "constants.stat", "no column 'stat' (did you mean 'status'?)"),
        ("values: {regio: {n: north}}", "values.regio", "did you mean 'region'?"),
        ("split: {ownr: {delimiter: x}}", "split.ownr", "did you mean 'owner'?"),
        ("split: {owner: {delimiter: x, count_to: n}}", "split.owner.count_to", "no column 'n'; its columns are acc"),
        ("unpivot: {columns: [a], name_to: b, value_to: region}", "unpivot.name_to", "no column 'b'"),
        ("columns: {seats: s}", "columns.seats", "further ones are declared under account_attributes"),
    ],
)
def test_a_mapping_to_a_column_that_the_table_has_not_is_told_with_its_line(
    mapping: str, path: str, message: str
) -> None:
    text = GOOD.replace("path: accounts.csv}", f"path: a.csv,\n    {mapping}}}")
    with pytest.raises(SettingsError) as error:
        parse_portfolio(text, Path("books/small.yaml"), CHECKED_BY)
    (found,) = error.value.problems
    assert (found.line, found.path) == (5, f"sources.0.{path}")
    assert message in found.message
    assert found.message.startswith("accounts has no column ")


def test_attributes_of_the_portfolio_may_be_mapped_to() -> None:
    text = GOOD.replace("path: accounts.csv}", "path: a.csv, columns: {seats: Plätze, region: Gebiet}}")
    declared = text + "account_attributes: {seats: {type: integer, description: Seats.}}\n"
    assert parse_portfolio(declared, Path("small.yaml"), CHECKED_BY).tables == ("accounts", "subscriptions")


@pytest.mark.parametrize("name", ["novacrm", "fleet"])
@pytest.mark.parametrize("folder", [PORTFOLIOS, PORTFOLIOS.parents[1] / "examples"])
def test_the_mappings_that_ship_are_good(folder: Path, name: str) -> None:
    (file,) = folder.glob(f"{name}*.yaml")
    load_portfolio(file, CHECKED_BY)


def test_two_problems_are_told_at_once() -> None:
    found = problems(GOOD.replace("CHF: 1.05", "CHF: -1").replace("window_days: 30", "windo_days: 30"))
    assert [(line, path) for line, path, _ in found] == [
        (2, "currency.rates"),
        (15, "health.signals.logins.measure.windo_days"),
    ]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 1, "expected a mapping"),
        ("- a\n- b\n", 1, "expected a mapping"),
        ("just words\n", 1, "expected a mapping"),
        ("name: small\ncurrency: [EUR\n", 3, "not valid YAML"),
        ("name: small\ncurrency:\n\treporting: EUR\n", 3, "not valid YAML"),
        ("name: small\nname: small\n", 2, "duplicate key"),
    ],
    ids=["empty", "a list", "text", "unclosed", "tab", "duplicate key"],
)
def test_what_is_no_mapping_of_settings_is_refused_with_its_line(text: str, line: int, message: str) -> None:
    found = problems(text)
    assert len(found) == 1
    assert found[0][0] == line
    assert message in found[0][2]


def test_a_query_knows_where_it_stands() -> None:
    query = "  - kind: sql\n    table: usage_events\n    connection: ${THERE}\n    query: |\n      select\n      1\n"
    source = parsed(GOOD.replace("revenue:\n", f"{query}revenue:\n")).source_of("usage_events")
    assert isinstance(source, SqlSource)
    assert source.query_title == "The query of the source of usage_events (line 11 of small.yaml)"


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path: Path) -> None:
    file = tmp_path / "small.yaml"
    file.write_text(GOOD, encoding="utf-8-sig")
    assert load_portfolio(file).name == "small"


def test_the_name_may_be_left_to_the_file(tmp_path: Path) -> None:
    file = tmp_path / "payroll.yaml"
    file.write_text(GOOD.removeprefix("name: small\n"))
    assert load_portfolio(file).name == "payroll"


def test_a_file_name_that_is_no_schema_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "My Book.yaml"
    file.write_text(GOOD.removeprefix("name: small\n"))
    with pytest.raises(SettingsError, match=r"name: .*not 'My Book'"):
        load_portfolio(file)


@pytest.mark.parametrize("name", ["main", "cx_state", "information_schema", "temp"])
def test_a_name_that_every_warehouse_has_as_a_schema_is_refused(name: str, tmp_path: Path) -> None:
    file = tmp_path / f"{name}.yaml"
    file.write_text(GOOD.replace("name: small", f"name: {name}"))
    with pytest.raises(SettingsError, match=f"yaml:1: name: .*'{name}' is a schema that every warehouse has"):
        load_portfolio(file)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"nothing\.yaml:1: cannot be read"):
        load_portfolio(tmp_path / "nothing.yaml")
    (tmp_path / "small.yaml").write_bytes(b"name: sm\xe4ll\n")
    with pytest.raises(SettingsError, match="cannot be read"):
        load_portfolio(tmp_path / "small.yaml")


def test_yes_and_no_are_words_and_not_flags() -> None:
    """YAML 1.2: the country code NO is not false."""
    attributes = "account_attributes: {tier: {rules: [{if: {country: NO}, value: north}], else: no}}\n"
    rules = parsed(GOOD + attributes).derived_attributes["tier"]
    assert (rules.rules[0].if_.tests["country"].equals, rules.else_) == ("NO", "no")


def test_rates_are_exact() -> None:
    assert str(parsed(GOOD).currency.rate_of()["CHF"]) == "1.05"


RENEWALS = """\
renewals:
  risk:
    - {if: {health_tier: good}, risk: Low}
    - {if: {any_of: [{health_tier: [bad, unknown]}]}, risk: High}
  probability: {Critical: 0.1, High: 0.5, Medium: 0.7, Low: 0.9}
playbooks:
  - {risk: Critical, if: {health_tier: bad}, action: Call, due_in_days: 1}
  - {risk: Critical, action: Call, due_in_days: 1}
  - {risk: High, action: Call, due_in_days: 1}
  - {risk: Medium, action: Call, due_in_days: 1}
  - {risk: Low, action: Call, due_in_days: 1}
"""


@pytest.mark.parametrize(
    ("old", "new", "path", "field"),
    [
        ("{health_tier: good}", "{health_tier: god}", "renewals.risk.0.if", "health_tier"),
        ("[bad, unknown]", "[god, unknown]", "renewals.risk.1.if", "health_tier"),
        ("if: {health_tier: bad}", "if: {confirmed_tier: god}", "playbooks.0.if", "confirmed_tier"),
    ],
)
def test_a_tier_that_no_score_has_is_named_beside_those_there_are(old: str, new: str, path: str, field: str) -> None:
    good = GOOD + RENEWALS
    assert parsed(good).renewals is not None
    line = 1 + good[: good.index(old)].count("\n")
    assert problems(good.replace(old, new)) == [(line, path, f"{field} is one of good, bad, unknown, not god")]
