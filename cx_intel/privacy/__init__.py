"""Erasing a person or a company, and keeping data no longer than they are meant to be kept.

`erase.py` does all of it in order; `guard.py` keeps the erased from coming back with the next load; `retention.py` lets
old partitions go. What stays of an erased account is told in `cx_intel.contracts.erased`.
"""
