"""Contracts of the tables of renewals."""
