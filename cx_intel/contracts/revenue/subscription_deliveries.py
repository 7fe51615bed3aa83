"""What is wrong with a delivery of subscriptions as a whole: too much is gone, ends without a meaning, doubtful ends.

Rules over all periods belong here, those of a single row in `subscriptions.py` beside this module. How they are
counted: `cx_intel.orchestration.checks`.
"""

from collections.abc import Mapping

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.contract import CrossInvariant
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.revenue.revenue import NewestUpTo

FUTURE_ENDS_PCT = 20
"""Share of the MRR in force with a known end above which it has to be stated what an end means."""
FOLLOWED_PCT = 10
"""Share of the ends with a follower one day later from which on they look like last days in force."""
FOLLOWED_AT_LEAST = 3
"""So many followers it takes at least: one or two may be chance, unless most ends have one."""
LONG_DAYS, LONG_ONES = 365, 50
"""Of so many subscriptions that began so long ago some have ended, where the ended ones are delivered."""
FOLLOWED_MOSTLY_PCT = 50
"""Share of the ends with a follower one day later from which on few are enough."""


def delivery_rules(portfolio: Portfolio) -> tuple[CrossInvariant, ...]:
    """What a delivery may not do unless the portfolio says that it is meant."""
    if "subscriptions" not in portfolio.tables:
        return ()
    source = portfolio.source_of("subscriptions")
    rules = [_ends_are_exclusive(source.end_date.is_), *_no_long_overlaps(portfolio)]
    if source.delivers_all:
        rules.append(
            CrossInvariant(
                "missing_share",
                f"Subscriptions that the delivery no longer has are at most {source.max_missing_pct:g} % of the MRR in "
                "force (max_missing_pct of the source).",
                (),
                lambda tables: _too_much_is_gone(tables, source.max_missing_pct).filter(
                    lambda t: t["_subscriptions"] > 1
                ),
                "Deliver the file whole and refresh again. If so many ended at once, raise max_missing_pct of the "
                "source; if it delivers only what changed, write `delivers: changes`.",
                "refuse",
            )
        )
        rules.append(
            CrossInvariant(
                "missing_subscription",
                "A single subscription that the delivery no longer has, and that has so ended, is no more than "
                f"{source.max_missing_pct:g} % of the MRR in force (max_missing_pct of the source).",
                (),
                lambda tables: _too_much_is_gone(tables, source.max_missing_pct).filter(
                    lambda t: t["_subscriptions"] == 1
                ),
                "If it has not ended, deliver its row and refresh this day again; a later day counts it again only from then "
                "(or within revenue.grace_days as if it had never ended). If the source delivers only what changed, write "
                "`delivers: changes`.",
                "warn",
            )
        )
    if portfolio.revenue.basis == "subscriptions":
        rules.append(
            CrossInvariant(
                "ended_are_delivered",
                f"Of subscriptions that began over {LONG_DAYS} days ago some have ended, unless they are fewer than "
                f"{LONG_ONES}.",
                (),
                _none_has_ended,
                "If the source delivers only what is in force, as an export of active subscriptions does, deliver the ended "
                "ones too: NRR, GRR and churn of the months before the first load know of no loss. If none has ever ended, "
                "nothing is to be done.",
                "warn",
            )
        )
    if source.end_date.means is None:
        rules.append(
            CrossInvariant(
                "meaning_of_ends",
                f"At most {FUTURE_ENDS_PCT} % of the MRR in force has an end in the future, unless it is stated what "
                "an end means.",
                (),
                _ends_need_a_meaning,
                "Write `end_date: {means: term}` on the source if an end is the end of a term that is usually renewed, "
                "`end_date: {means: cancellation}` if these customers leave.",
            )
        )
    return tuple(rules)


def _at_the_newest_load(tables: Mapping[str, ir.Table]) -> ir.Table:
    """The periods with `_day`, the day of the newest load."""
    periods = tables["self"]
    day = periods.agg(_day=ibis.greatest(periods.delivered_on.max(), periods.known_from.max()))
    return periods.cross_join(day)


def _none_has_ended(tables: Mapping[str, ir.Table]) -> ir.Table:
    """The subscriptions in force that began long ago, where there are many and none has ended or is missing."""
    rows = _at_the_newest_load(tables).filter(lambda t: t.is_counting | t.is_missing)
    has_ended = rows.is_missing | ibis.coalesce(rows.end_date <= rows["_day"], ibis.literal(False))
    stopped = ibis.coalesce((rows.counts_until <= rows["_day"]) & rows.valid_to.isnull(), ibis.literal(False))
    is_long = rows.start_date.delta(rows["_day"], unit="day") < -LONG_DAYS
    counts = rows.agg(_long=rows.subscription_id.nunique(where=is_long), _ended=rows.count(where=has_ended | stopped))
    counts = counts.filter((counts["_long"] >= LONG_ONES) & (counts["_ended"] == 0))
    return rows.filter(is_long & rows.valid_to.isnull()).cross_join(counts)


def _too_much_is_gone(tables: Mapping[str, ir.Table], limit: float) -> ir.Table:
    rows = _at_the_newest_load(tables)
    is_gone = rows.is_missing & (rows.valid_from == rows["_day"])
    rows = rows.mutate(_gone=is_gone, _has_gone=is_gone.any().over(ibis.window(group_by="subscription_id")))
    was_in_force = (
        rows.is_counting
        & (rows.counts_from < rows["_day"])
        & (rows.counts_until.isnull() | (rows.counts_until >= rows["_day"]))
    )
    shares = rows.agg(
        _lost=rows.mrr_amount.sum(where=was_in_force & rows["_has_gone"]),
        _all=rows.mrr_amount.sum(where=was_in_force),
        _subscriptions=rows.subscription_id.nunique(where=was_in_force & rows["_has_gone"]),
    )
    shares = shares.filter(shares["_lost"].cast("float64") * 100 > shares["_all"].cast("float64") * limit)
    return rows.filter(rows["_gone"]).cross_join(shares)


def _ends_need_a_meaning(tables: Mapping[str, ir.Table]) -> ir.Table:
    rows = _at_the_newest_load(tables)
    is_in_force = (
        rows.is_counting
        & (rows.counts_from <= rows["_day"])
        & (rows.counts_until.isnull() | (rows.counts_until > rows["_day"]))
    )
    ending = is_in_force & ibis.coalesce(rows.end_date > rows["_day"], ibis.literal(False))
    shares = rows.agg(_ending=rows.mrr_amount.sum(where=ending), _all=rows.mrr_amount.sum(where=is_in_force))
    shares = shares.filter(shares["_ending"].cast("float64") * 100 > shares["_all"].cast("float64") * FUTURE_ENDS_PCT)
    return rows.filter(ending).cross_join(shares)


def _ends_are_exclusive(stated: str) -> CrossInvariant:
    return CrossInvariant(
        "ends_are_first_days_without",
        f"Fewer than {FOLLOWED_PCT} % of the ends have a subscription of the account that begins just one day later; "
        f"fewer than {FOLLOWED_AT_LEAST} may, unless they are {FOLLOWED_MOSTLY_PCT} % of the ends.",
        (),
        _ends_with_a_day_between,
        "The ends look like last days in force, so that each renewal is a churn and a return: write "
        f"`end_date: {{is: last_day_in_force}}` on the source (now {stated}), if that is what they are.",
        "warn",
    )


def _pairs(tables: Mapping[str, ir.Table]) -> ir.Table:
    """Each subscription that counts with every other one of its account and product that begins later."""
    counting = tables["self"].filter(tables["self"].is_counting)
    lives = counting.group_by("subscription_id").agg(
        account_id=counting.account_id.max(),
        product=ibis.coalesce(counting.product_name, "").max(),
        begins=counting.counts_from.min(),
        ends=counting.end_date.max(),
    )
    older, newer = lives, lives.view()
    return older.join(
        newer,
        [
            older.account_id == newer.account_id,
            older.product == newer.product,
            older.begins < newer.begins,
        ],
    ).select(
        subscription_id=older.subscription_id,
        ends=older.ends,
        follower=newer.subscription_id,
        follower_begins=newer.begins,
        follower_ends=newer.ends,
    )


def _ends_with_a_day_between(tables: Mapping[str, ir.Table]) -> ir.Table:
    pairs = _pairs(tables)
    followed = pairs.filter(pairs.follower_begins == (pairs.ends + ibis.interval(days=1)).cast("date"))
    ended = tables["self"].filter(tables["self"].end_date.notnull())
    counts = ended.agg(_ends=ended.subscription_id.nunique()).cross_join(
        followed.agg(_followed=followed.subscription_id.nunique())
    )
    share = counts["_followed"] * 100
    is_common = (share >= counts["_ends"] * FOLLOWED_PCT) & (counts["_followed"] >= FOLLOWED_AT_LEAST)
    counts = counts.filter(is_common | ((share >= counts["_ends"] * FOLLOWED_MOSTLY_PCT) & (counts["_ends"] > 0)))
    return followed.cross_join(counts)


def _no_long_overlaps(portfolio: Portfolio) -> tuple[CrossInvariant, ...]:
    overlaps = portfolio.revenue.overlaps
    if not isinstance(overlaps, NewestUpTo):
        return ()
    limit = overlaps.newest_up_to_days

    def long_ones(tables: Mapping[str, ir.Table]) -> ir.Table:
        pairs = _pairs(tables)
        both_end = ibis.least(
            ibis.coalesce(pairs.ends, pairs.follower_ends), ibis.coalesce(pairs.follower_ends, pairs.ends)
        )
        days = both_end.delta(pairs.follower_begins, unit="day")
        return pairs.filter(ibis.coalesce(days > limit, both_end.isnull()))

    return (
        CrossInvariant(
            "overlaps_are_short",
            f"Two subscriptions of an account and a product overlap for {limit} days at most (revenue.overlaps).",
            (),
            long_ones,
            "Their amounts are summed. If the newer replaces the older, write `revenue: {overlaps: newest}`; if they "
            "belong beside each other, `overlaps: sum`.",
            "warn",
        ),
    )
