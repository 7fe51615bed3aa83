"""Reasons as expressions: the English sentence, and the parts that other languages make theirs of.

Which reasons there are, and what each says: `cx_intel.contracts.staging.reasons`. Who is given which is decided where rows
are judged.
"""

import json
from collections.abc import Iterable
from functools import reduce
from operator import add
from typing import NamedTuple, TypeAlias

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.staging.reasons import MORE, REASONS, beginning_of, pieces, shown

SHOWN = 60
"""Characters of a value that a reason quotes."""


QUOTE = "\x02"
"""Stands for the quotes of JSON until the text of all gaps is escaped, at once: each step makes a query longer to plan."""


class Reason(NamedTuple):
    """Why, in English; and the code and what stands in the gaps, which `as_json` finishes."""

    sentence: ir.StringValue
    part: ir.StringValue


Gap: TypeAlias = ir.StringValue | str | int | float
Fault: TypeAlias = tuple[ir.BooleanValue, Reason]
"""When a row is faulty, and why."""


def reason(code: str, **gaps: Gap) -> Reason:
    """A reason with its gaps filled."""
    said: list[ir.StringValue | str] = []
    for text, gap in pieces(code):
        value = gaps[gap] if gap else ""
        said += [text, shown(value) if isinstance(value, int | float) else value]
    part: list[ir.StringValue | str] = [f"{{{QUOTE}code{QUOTE}: {QUOTE}{code}{QUOTE}"]
    for name, value in gaps.items():
        is_number = isinstance(value, int | float)
        part += [f", {QUOTE}{name}{QUOTE}: ", *((json.dumps(value),) if is_number else (QUOTE, value, QUOTE))]
    return Reason(_joined(said), _joined([*part, "}"]))


def _joined(texts: Iterable[ir.StringValue | str]) -> ir.StringValue:
    """One after the other, with neighbours that are known already as one: a shorter query is planned sooner."""
    found: list[ir.StringValue | str] = []
    for text in texts:
        if isinstance(text, str) and found and isinstance(found[-1], str):
            found[-1] += text
        elif not isinstance(text, str) or text:
            found.append(text)
    return reduce(add, (ibis.literal(text) if isinstance(text, str) else text for text in found))


def reason_within(code: str, told: Reason, **gaps: Gap) -> Reason:
    """A reason with another one in its gap `why`, whose part is finished."""
    return Reason(reason(code, **gaps, why=told.sentence).sentence, reason(code, **gaps, why=told.part).part)


def as_json(part: ir.StringValue) -> ir.StringValue:
    """Parts as JSON; line ends and tabs within the gaps become blanks."""
    escaped = part.replace("\\", "\\\\").replace('"', '\\"').re_replace(r"\s", " ")
    return escaped.replace(QUOTE, '"')


def one_of(*cases: tuple[ir.BooleanValue, Reason], otherwise: Reason | None = None) -> Reason:
    """The first reason whose condition holds."""
    none = ibis.null("string")
    return Reason(
        ibis.cases(*((when, why.sentence) for when, why in cases), else_=otherwise.sentence if otherwise else none),
        ibis.cases(*((when, why.part) for when, why in cases), else_=otherwise.part if otherwise else none),
    )


def with_reason(rows: ir.Table, when: ir.BooleanValue, why: Reason) -> ir.Table:
    """The rows with another reason where a condition holds: `_reason`, and its parts as a JSON list, `_reason_parts`."""
    return rows.mutate(
        _reason=ibis.ifelse(when, why.sentence, rows["_reason"]),
        _reason_parts=ibis.ifelse(when, listed(why.part), rows["_reason_parts"]),
    )


def listed(parts: ir.StringValue) -> ir.StringValue:
    """Parts with commas between them as a JSON list."""
    return as_json(ibis.literal("[") + parts + "]")


def of_unsplit_rows(rows: ir.Table) -> ir.Table:
    """The rows with the reason that a reader of files gave (`_reject`); an earlier version gave the sentence alone."""
    told = rows["_reject"]
    place = told.find(MORE)
    parts = ibis.literal("[") + told.substr(place + 1) + "]"
    return rows.mutate(
        _reason=ibis.cases((told.isnull(), rows["_reason"]), (place >= 0, told.substr(0, place)), else_=told),
        _reason_parts=ibis.cases(
            (told.isnull(), rows["_reason_parts"]), (place >= 0, parts), else_=ibis.null("string")
        ),
    )


def is_for(rows: ir.Table, *codes: str) -> ir.BooleanValue:
    """Whether the first reason of a rejected row has one of these codes.

    Args:
        rows: With `reason` and `reason_parts`; what an earlier version of the program wrote has the sentence alone.
        codes: Those whose sentence begins as that of no other.
    """
    by_code = ibis.or_(*(rows.reason_parts.startswith(beginning_of(code)) for code in codes))
    by_text = ibis.or_(*(rows.reason.startswith(pieces(code)[0][0]) for code in codes))
    return ibis.ifelse(rows.reason_parts.notnull(), by_code, by_text)


def names(rows: ir.Table, code: str) -> ir.BooleanValue:
    """Whether any reason of a rejected row has this code; of what an earlier version wrote, by how the sentence ends."""
    by_code = rows.reason_parts.contains(f'"code": "{code}"')
    return ibis.ifelse(rows.reason_parts.notnull(), by_code, rows.reason.contains(REASONS[code].rpartition("}")[2]))
