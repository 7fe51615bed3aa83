"""Each table's schema, meaning, units and checks, as data."""
