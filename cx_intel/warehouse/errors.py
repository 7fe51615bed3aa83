"""The errors of the warehouse: each one sentence on what is wrong and one on what to do."""


class WarehouseError(RuntimeError):
    """The warehouse cannot be used as it is; the tables are as they were before."""


class WarehouseBusy(WarehouseError):
    """Another run holds the warehouse, and went on for longer than this one would wait."""


class WarehouseLocked(WarehouseError):
    """Another program has the file open in a way that keeps this one out."""
