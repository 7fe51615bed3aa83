"""Raw tables as assets: what sources deliver, kept as it was delivered."""
