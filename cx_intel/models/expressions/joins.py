"""Joining a table to rows by columns of the same name, so that joins can follow one another.

Ibis keeps the right-hand keys of a left join under other names, which collide at the next join; here they are
dropped.
"""

import ibis.expr.types as ir


def beside(rows: ir.Table, more: ir.Table, *keys: str) -> ir.Table:
    """All rows with the further columns of `more`, null where it has no row of these keys."""
    renamed = more.rename(**{f"_key_{key}": key for key in keys})
    joined = rows.left_join(renamed, [(key, f"_key_{key}") for key in keys])
    return joined.drop(*(f"_key_{key}" for key in keys))
