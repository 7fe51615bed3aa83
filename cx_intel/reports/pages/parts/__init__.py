"""Sections, tables and columns that pages are put together of."""
