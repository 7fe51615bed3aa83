"""Models of subscriptions: which price and status held when, and what of it counts."""
