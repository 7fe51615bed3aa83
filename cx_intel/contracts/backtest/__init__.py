"""Replayed scores, what followed, and what the two say of each other."""
