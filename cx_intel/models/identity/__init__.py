"""Which account an id of another system belongs to, what is remembered of it, and ids that belong to none."""
