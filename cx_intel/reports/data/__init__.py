"""What reports are made of, read once."""
