"""MRR: the ledger, its movements, retention and cohorts."""
