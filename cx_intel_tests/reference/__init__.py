"""A second, independent computation of the published figures, written from the specification alone.

Nothing here imports the product: it is the yardstick the product's tables are compared with.

    novacrm.compute(folder, as_of, basis, recognised_statuses)   five CSVs, SQL on an in-memory DuckDB
    fleet.compute(folder, as_of, include_churned)                three CSVs, exact fractions

Both return ``dict[str, pd.DataFrame]`` keyed by table name, with the column names of the specification.
Amounts come back as floats holding whole cents, percentages and scores unrounded (except `health_score`,
rounded once to 0.1).

Wherever the specification can be read in more than one way, a comment starting with ``READING:`` stands at
the place and says which reading was taken.
"""
