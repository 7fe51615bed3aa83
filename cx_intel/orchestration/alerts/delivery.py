"""Hands one message to one address through Apprise, and says in words why that failed.

Nothing is kept or tried again here (`outbox.py`), and nothing that Apprise says leaves without its secrets.
"""

import logging

from cx_intel.orchestration.alerts.addresses import Address, redacted
from cx_intel.orchestration.alerts.outbox import Draft

NO_REASON = "it was not accepted"


def deliver(address: Address, draft: Draft) -> str | None:
    """Sends a message; None when it was taken, else the reason why not. It raises nothing.

    Args:
        address: Where to.
        draft: The message; its files are sent along, where the service takes files, but those that are not there.
    """
    import apprise

    logger = logging.getLogger("apprise")
    propagates, logger.propagate = logger.propagate, False
    try:
        with apprise.LogCapture(level=logging.WARNING, fmt="%(message)s") as said:
            service = apprise.Apprise()
            if not service.add(address.url):
                return f"{address.shown} is no address that Apprise knows"
            attached = apprise.AppriseAttachment([str(f) for f in draft.files if f.exists()])
            kind = apprise.NotifyType(draft.severity)
            taken = bool(
                service.notify(
                    title=draft.title,
                    body=draft.body,
                    body_format="markdown",
                    notify_type=kind,
                    attach=attached or None,
                )
            )
            reason = " ".join(said.getvalue().split())
    except Exception as error:  # whatever a plug-in raises, the message is kept and tried again
        taken, reason = False, f"{type(error).__name__}: {error}"
    finally:
        logger.propagate = propagates
    return None if taken else f"{address.shown}: {redacted(reason, [address]) or NO_REASON}"
