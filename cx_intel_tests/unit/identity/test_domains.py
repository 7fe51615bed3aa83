"""The domain in addresses of e-mail and of the web, as links and erasures compare it."""

import ibis
import pytest

from cx_intel.models.staging.columns.identity import domain_of
from cx_intel.settings.identity import plain_domain_of


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("Acme.Example", "acme.example"),
        ("Eve@Acme.example", "acme.example"),
        ("Eve Adams <eve@acme.example>", "acme.example"),
        ("mailto:eve@acme.example", "acme.example"),
        ("https://www.Acme.example/", "acme.example"),
        ("http://acme.example:8080/de?from=eve@other.example#top", "acme.example"),
        ("www.acme.example/about", "acme.example"),
        ("acme.example.", "acme.example"),
        ("https://user@acme.example", "acme.example"),
        ("mail.acme.example", "mail.acme.example"),
        ("www2.acme.example", "www2.acme.example"),
        ("acme.example\u00a0", "acme.example"),
        ("\u00a0\u200bEve@Acme.example\ufeff", "acme.example"),
        ("https://www.Bücher.EXAMPLE/", "bücher.example"),
        ("ÖKO.example", "öko.example"),
        ("N/A", "n/a"),
        ("https://", "https://"),
        ("eve@localhost", "eve@localhost"),
    ],
)
def test_links_and_erasures_find_the_same_domain(text: str, domain: str):
    expression = domain_of(ibis.literal(text, "string"))
    assert ibis.duckdb.connect().execute(expression) == domain
    assert plain_domain_of(f" {text} ") == domain
