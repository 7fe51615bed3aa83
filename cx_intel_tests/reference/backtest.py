"""The back-test on the NovaCRM files: the reference's own score of each past month end, and what followed, in plain SQL.

    scores(folder, days, loaded_on)                        scored_on, account_id, health_score, health_tier
    outcomes(folder, scores, window, until)     ... and whether the account left, or cut back
    auc(rows), rates(rows)                      by counting pairs, and by counting

READING: an account has left where on some day of the window none of its subscriptions is in force; it has cut back where
it has not left, and what is in force on the last day is less than on the day scored.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path

import duckdb
import pandas as pd

from . import novacrm

IN_FORCE = """
create table in_force as
select trim(account_id) as account_id, cast(mrr_amount as decimal(18, 2)) as mrr,
       cast(cast(start_date as timestamp) as date) as first_day,
       coalesce(cast(cast(end_date as timestamp) as date), date '9999-12-31') as after
from read_csv(?, all_varchar = true, header = true)
where lower(trim(status)) <> 'trial' and first_day < after and mrr > 0
"""

FOLLOWED = """
with scored as (select * from scores where scored_on + $window <= $until),
days as (
    select scored_on, account_id, cast(d as date) as day
    from scored, unnest(generate_series(scored_on + 1, scored_on + $window, interval 1 day)) as x(d)
),
paid as (
    select scored_on, account_id, day, coalesce(sum(mrr), 0) as mrr
    from days left join in_force using (account_id)
    where (first_day <= day and day < after) or first_day is null
    group by all
),
left_on as (
    select days.scored_on, days.account_id, min(days.day) as day
    from days anti join paid using (scored_on, account_id, day) group by all
),
before as (
    select scored_on, account_id, sum(mrr) as mrr
    from scored join in_force using (account_id) where first_day <= scored_on and scored_on < after group by all
)
select s.*, l.day is not null as is_churned,
       case when l.day is null then last.mrr < before.mrr end as is_contracted
from scored s
join before using (scored_on, account_id)
left join left_on l using (scored_on, account_id)
left join paid last on last.scored_on = s.scored_on and last.account_id = s.account_id
                   and last.day = s.scored_on + $window
"""

AUC = """
select avg(case when e.health_score < o.health_score then 1 when e.health_score = o.health_score then 0.5 else 0 end)
from rows e, rows o where e.happened and not o.happened
"""


def scores(folder: Path, days: Iterable[date], *, loaded_on: date) -> pd.DataFrame:
    """The score of each day, as the reference computes it: of who paid, since no status was known before the load."""
    found = []
    for day in days:
        population = "paying" if day < loaded_on else "active"
        health = novacrm.compute(folder, day, "subscriptions", population=population)["customer_health_scores"]
        found.append(health[["account_id", "health_score", "health_tier"]].assign(scored_on=day))
    return pd.concat(found, ignore_index=True)


def outcomes(folder: Path, scores: pd.DataFrame, *, window: int, until: date) -> pd.DataFrame:
    """The scores whose window is over by a day, and what followed."""
    with duckdb.connect(":memory:") as con:
        con.execute(IN_FORCE, [str(folder / "raw_subscriptions.csv")])
        con.register("given", scores)
        con.execute("create table scores as select * replace (cast(scored_on as date) as scored_on) from given")
        return con.execute(FOLLOWED, {"window": window, "until": until}).df()


def auc(rows: pd.DataFrame, outcome: str) -> float:
    """Over all pairs of an observation with the outcome and one without."""
    known = rows[rows[outcome].notna()]
    with duckdb.connect(":memory:") as con:
        con.register("rows", known.assign(happened=known[outcome].astype(bool)))
        return float(con.execute(AUC).fetchone()[0])
