"""The contracts of the ledger, of what is published of it, of the waterfall and of the cohorts."""
