"""The contracts of the renewals layer in one place, for the catalog and whoever asks for a table's contract.

Each is written in a module named after its model: pipeline, actions, outlook, rollups, families, lifecycle. Nothing
else is here.
"""

from cx_intel.contracts.health.rollups import health_summary
from cx_intel.contracts.renewals.actions import cs_intervention_list
from cx_intel.contracts.renewals.families import parent_rollup
from cx_intel.contracts.renewals.learned import (
    renewal_model,
    renewal_model_reliability,
    renewal_model_terms,
    renewal_observations,
    renewal_probabilities,
)
from cx_intel.contracts.renewals.lifecycle import lifecycle_events
from cx_intel.contracts.renewals.outlook import nrr_outlook
from cx_intel.contracts.renewals.pipeline import renewal_pipeline

__all__ = [
    "cs_intervention_list",
    "health_summary",
    "lifecycle_events",
    "nrr_outlook",
    "parent_rollup",
    "renewal_model",
    "renewal_model_reliability",
    "renewal_model_terms",
    "renewal_observations",
    "renewal_pipeline",
    "renewal_probabilities",
]
