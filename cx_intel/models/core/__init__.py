"""Accounts, products, days and usage: what all other models build on."""
