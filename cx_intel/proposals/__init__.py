"""What a portfolio of somebody's files could say: a draft in YAML, from a look at their first rows."""
