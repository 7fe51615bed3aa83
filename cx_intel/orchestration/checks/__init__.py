"""Asset checks: those of a table's contract, and those of a run."""
