"""The contracts of the renewals layer in one place, for the catalog and whoever asks for a table's contract.

Each is written in a module named after its model: pipeline, actions, outlook, rollups, lifecycle. Nothing
else is here.
"""

from cx_intel.contracts.actions import cs_intervention_list
from cx_intel.contracts.lifecycle import lifecycle_events
from cx_intel.contracts.outlook import nrr_outlook
from cx_intel.contracts.pipeline import renewal_pipeline
from cx_intel.contracts.rollups import health_summary

__all__ = ["cs_intervention_list", "health_summary", "lifecycle_events", "nrr_outlook", "renewal_pipeline"]
