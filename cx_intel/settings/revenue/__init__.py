"""Settings of what counts as MRR: the `revenue` block, what recurs, and what the statuses of subscriptions mean."""
