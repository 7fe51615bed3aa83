"""Rows that a page sums anew for chosen accounts, a subject each, and how its figures are made of them."""
