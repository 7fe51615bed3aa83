"""The error that every source raises when its data cannot be had or cannot be read.

Only the error belongs here: one sentence that names the file or address, the row and column where there is
one, and what to do. Rows that can be read and do not fit are no errors: they go to `quarantine`.
"""


class SourceError(RuntimeError):
    """A source that cannot deliver; the text tells an operator where to look and what to do."""
