"""For whom files are that a run makes: for their owner and group, never for everybody on the machine.

Set once, where a process begins (`cx_intel.__main__`, `cx_intel.definitions`), so that no writer has to think of it. Folders
and services that stand around it are in `deploy/`.
"""

import os

HOME_MODE = 0o750
OTHERS_MAY_NOTHING = 0o027


def keep_from_others() -> None:
    """Files that this process and what it starts make from now on are readable by owner and group alone."""
    os.umask(os.umask(0o077) | OTHERS_MAY_NOTHING)
