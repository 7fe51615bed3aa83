"""Starts the command line: `cx-intel`, or `python -m cx_intel`."""

import gc
import os
import sys
import traceback
from contextlib import suppress
from typing import NoReturn

OBJECTS_BEFORE_COLLECTION = (500_000, 20, 50)
"""How many objects come before what was made is looked through for garbage, by Python's three generations."""


def main() -> None:
    """Runs a command, and ends the process at once: to take all that was imported down in good order costs a second.

    To look through all that was imported for garbage, again and again, would cost a tenth: it is looked for less often.
    """
    gc.set_threshold(*OBJECTS_BEFORE_COLLECTION)
    from cx_intel.cli.app import app
    from cx_intel.cli.ending import INTERRUPTED, WHOLE, of_the_disk
    from cx_intel.warehouse.processes.file_modes import keep_from_others

    keep_from_others()
    try:
        app()
        _end(0)
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        _end(status, f"Interrupted. {WHOLE}" if status == INTERRUPTED else "")
    except Exception as error:
        if (told := of_the_disk(error)) is None:
            traceback.print_exc()
        _end(1, told or "")


def _end(status: int, told: str = "") -> NoReturn:
    with suppress(OSError):  # whoever read may have gone
        sys.stdout.flush()
        if told:
            print(told, file=sys.stderr)
        sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    main()
