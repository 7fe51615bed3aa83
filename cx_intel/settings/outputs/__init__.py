"""The blocks of a portfolio about what leaves the warehouse: reports, the published copy, what other systems are told."""
