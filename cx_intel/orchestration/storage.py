"""The name under which the storage classes stand in the `dagster.yaml` of homes made by earlier versions.

They are in `dagster_internals.py`, which a new home names.
"""

from cx_intel.orchestration.dagster_internals import PooledEventLogStorage, PooledRunStorage

__all__ = ["PooledEventLogStorage", "PooledRunStorage"]
