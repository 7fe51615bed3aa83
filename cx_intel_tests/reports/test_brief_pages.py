"""How the weekly brief is written: in two languages, as pages that need nothing and run nothing of what they are given."""

import re
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from cx_intel.orchestration.schedules.report_jobs import age_words, review_draft
from cx_intel.reports.brief.weekly_brief import DAY_FILE, Brief, brief_day, write_brief
from cx_intel.reports.pages.frame.days import DAYS, MARK
from cx_intel.reports.words.markdown_safety import escaped
from cx_intel_tests.helpers.builders import AS_OF, portfolio, shipped
from cx_intel_tests.helpers.report_briefs import CALM, NAMES, RATES, Make, change, event
from cx_intel_tests.helpers.report_tables import HOSTILE, WEEK_BEFORE, accounts_of, drivers, listed, outlook


def test_german_has_german_words_numbers_and_dates(brief: Make):
    same = {"recommended_playbook": "CSM-led health review"}
    tables = {
        "account_snapshot": [*accounts_of(NAMES, mrr=1234.5), *accounts_of(NAMES, WEEK_BEFORE, mrr=1234.5)],
        "cs_intervention_list": listed(NAMES, **same, expected_arr_loss=2345.67, renewal_risk="Critical"),
        "nrr_outlook": outlook(**RATES),
        "health_score_drivers": drivers(["c0", "c1", "c2"]),
    }
    made = brief(tables, shipped("fleet"))
    assert made.title == "Wochenbericht: fleet, Stand 31.01.2025; verglichen mit dem 24.01.2025"
    assert made.headline.startswith("3 Anrufe in dieser Woche gelten einem erwarteten ARR-Verlust von 7.037\u00a0€")
    assert "Laufender MRR: **3.704\u00a0€** (±0\u00a0€ seit 24.01.2025)" in made.markdown
    assert "| ▼ Kritisch | GPS-Nutzung 36,8\u00a0% (Richtwert\u00a080\u00a0%) |" in made.markdown
    assert "liegt die NRR des Bestands über die nächsten 90 Tage bei 96,0\u00a0%" in made.markdown
    assert '<html lang="de">' in made.html


class _Tags(HTMLParser):
    """The tags of a page with their attributes, and its text."""

    def __init__(self, page: str):
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_hostile_names_do_no_harm_in_html_or_markdown(brief: Make):
    moves = {
        "health_score_changes": [change(f"c{n}", 60, 40, ("healthy", "neutral")) for n in range(5)],
        "lifecycle_events": [event(f"c{n}", "healthy", "neutral") for n in range(len(HOSTILE))],
    }
    book = [*accounts_of(HOSTILE), *accounts_of(HOSTILE, WEEK_BEFORE)]
    made = brief({"account_snapshot": book, "cs_intervention_list": listed(HOSTILE)} | moves)
    rendered = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(made.markdown)
    for page in (made.html, rendered):
        found = _Tags(page)
        assert not [tag for tag, _ in found.tags if tag in ("script", "img", "iframe", "em", "code")]
        links = [dict(of)["href"] or "" for tag, of in found.tags if tag == "a"]
        assert all(re.fullmatch(r"[\w./]+\.html(#c\d+)?|#main", link) for link in links), links  # pages of ours alone
        assert not [attrs for _, attrs in found.tags if any(name.startswith("on") for name in attrs)]
        assert "<script>alert(1)</script>" in found.text
        assert '=HYPERLINK("http://x.example","click")' in found.text
        assert "**bold** _and_ `code`" in found.text
    table = rendered.split("<table>")[1].split("</table>")[0]
    assert {line.count("<td") for line in table.split("<tr>")[2:]} == {9}


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("Müller & Söhne GmbH (Köln) - 1.5 %", "Müller & Söhne GmbH (Köln) - 1.5 %"),
        ("at_risk __init__ _x_", r"at_risk \_\_init\_\_ \_x\_"),
        ("a|b\nc\r\n d", r"a\|b c d"),
        ("<b>&lt;", "&lt;b&gt;&amp;lt;"),
        ("see http://x.y www.x.y a@b.c", "see http&#58;//x.y www&#46;x.y a&#64;b.c"),
        ("back\\slash *x* [y](z) ~~d~~", r"back\\slash \*x\* \[y\](z) \~\~d\~\~"),
        (None, "None"),
    ],
)
def test_only_what_would_mean_something_is_escaped(text: object, safe: str):
    assert escaped(text) == safe


def test_the_page_needs_nothing_from_anywhere(brief: Make):
    page = brief(CALM).html
    assert "http" not in page.replace('http-equiv="Content-Security-Policy"', "")
    assert "default-src 'none'" in page


def test_both_files_are_written_whole(brief: Make, tmp_path: Path):
    made = brief(CALM)
    page, of_the_day, text = write_brief(made, shipped("novacrm"), tmp_path / "reports")
    assert text.read_text(encoding="utf-8") == made.markdown
    assert page.read_text(encoding="utf-8") == made.html.replace(MARK, "")
    assert of_the_day.parent.name == AS_OF.isoformat()
    assert {path.name for path in (tmp_path / "reports").iterdir()} == {"brief.md", "brief.html", DAY_FILE, DAYS}


@pytest.mark.parametrize(
    ("day", "said"),
    [
        (date(2026, 11, 26), ""),
        (date(2026, 11, 25), ""),
        (date(2026, 11, 24), "These figures are 2 days old. Refresh the portfolio for newer ones."),
        (None, ""),
    ],
)
def test_a_brief_that_is_sent_later_says_how_old_it_is(day: date | None, said: str) -> None:
    of = portfolio()
    old = age_words(day, date(2026, 11, 26), of)
    assert old == said
    draft = review_draft("# Brief\n\nCall Acme.", of, Path("dashboard.png"), "http://127.0.0.1:3030/brief.html", old)
    assert draft.body.startswith(f"**{said}**\n\nCall Acme." if said else "Call Acme.")


def test_the_day_of_a_brief_lies_beside_it(tmp_path: Path) -> None:
    assert brief_day(tmp_path) is None
    write_brief(Brief("Brief", "Call Acme.", "# Brief", "<p>Brief</p>", date(2026, 11, 25)), portfolio(), tmp_path)
    assert brief_day(tmp_path) == date(2026, 11, 25)
