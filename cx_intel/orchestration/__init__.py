"""Everything that knows Dagster: assets, checks, metadata, jobs, schedules, sensors. It decides nothing about figures."""

import warnings

import dagster as dg

# Backfill policies and partition look-backs are called beta by Dagster 1.13; both are pinned and tested here.
warnings.filterwarnings("ignore", category=dg.BetaWarning, module=r"(dagster|cx_intel)\b")
