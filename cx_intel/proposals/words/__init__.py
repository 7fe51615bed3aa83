"""Words of people for tables, columns and values, and how names are compared."""
