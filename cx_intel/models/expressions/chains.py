"""Follows links from one row to the next up to where they end: parents of parents, accounts merged into merged ones.

Only the walk belongs here. What a link means and what becomes of a circle is decided by the callers:
`cx_intel.models.renewals.families` and `cx_intel.models.staging.aliases`.
"""

import ibis
import ibis.expr.types as ir

from cx_intel.models.expressions.joins import beside


def ends_of_chains(links: ir.Table, *, doublings: int) -> ir.Table:
    """Where each link leads to in the end: `link_from`, `chain_end`, `is_endless`.

    Each doubling doubles how many links are followed, since recursion is not to be had on every engine. A chain is
    endless where more than 2 ** `doublings` links follow each other, which those of a circle do.

    Args:
        links: `link_from`, each once, and `link_to`. A link to itself is where a chain ends.
        doublings: How often.
    """
    first = links.select("link_from", chain_end="link_to")
    followed = first
    for _ in range(doublings):
        followed = _onwards(followed, followed)
    last = _onwards(followed, first)
    rows = beside(followed, last.select("link_from", _beyond="chain_end"), "link_from")
    return rows.select("link_from", "chain_end", is_endless=rows["_beyond"] != rows.chain_end)


def _onwards(chains: ir.Table, more: ir.Table) -> ir.Table:
    """The chains, each led on by what begins at its end; what begins nowhere is an end."""
    rows = beside(chains, more.select(chain_end="link_from", _next="chain_end"), "chain_end")
    return rows.select("link_from", chain_end=ibis.coalesce(rows["_next"], rows.chain_end))
