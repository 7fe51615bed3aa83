"""Hands one message to one address through Apprise, and says in words why that failed.

Nothing is kept or tried again here (`outbox.py`), and nothing that Apprise says leaves without its secrets.
"""

import logging
from collections.abc import Sequence
from pathlib import Path

from cx_intel.orchestration.alerts.addresses import Address, redacted

NO_REASON = "it was not accepted"


def deliver(address: Address, title: str, body: str, files: Sequence[Path] = ()) -> str | None:
    """Sends a message; None when it was taken, else the reason why not. It raises nothing.

    Args:
        address: Where to.
        title: A line.
        body: Markdown.
        files: Sent along, where the service takes files; those that are not there are left out.
    """
    import apprise

    logger = logging.getLogger("apprise")
    propagates, logger.propagate = logger.propagate, False
    try:
        with apprise.LogCapture(level=logging.WARNING, fmt="%(message)s") as said:
            service = apprise.Apprise()
            if not service.add(address.url):
                return f"{address.shown} is no address that Apprise knows"
            attached = apprise.AppriseAttachment([str(f) for f in files if f.exists()])
            taken = bool(service.notify(body=body, title=title, body_format="markdown", attach=attached or None))
            reason = " ".join(said.getvalue().split())
    except Exception as error:  # whatever a plug-in raises, the message is kept and tried again
        taken, reason = False, f"{type(error).__name__}: {error}"
    finally:
        logger.propagate = propagates
    return None if taken else f"{address.shown}: {redacted(reason, [address]) or NO_REASON}"
