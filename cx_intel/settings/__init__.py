"""Typed settings of a portfolio and of the environment; nothing here reads data or knows Dagster."""
