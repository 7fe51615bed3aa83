"""Starts the command line: `cx-intel`, or `python -m cx_intel`."""

import gc
import os
import sys
from contextlib import suppress

OBJECTS_BEFORE_COLLECTION = (500_000, 20, 50)
"""How many objects come before what was made is looked through for garbage, by Python's three generations."""


def main() -> None:
    """Runs a command, and ends the process at once: to take all that was imported down in good order costs a second.

    To look through all that was imported for garbage, again and again, would cost a tenth: it is looked for less often.
    """
    gc.set_threshold(*OBJECTS_BEFORE_COLLECTION)
    from cx_intel.cli.app import app

    try:
        app()
    except SystemExit as ended:
        with suppress(OSError):  # whoever read may have gone
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(ended.code if isinstance(ended.code, int) else int(ended.code is not None))


if __name__ == "__main__":
    main()
