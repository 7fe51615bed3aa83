"""How many requests a vendor takes within some seconds, which clients keep to by themselves.

How long is waited with a request that failed stands in `http.py`, which asks here before each one.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cx_intel.sources.vendors.http import Clock


@dataclass
class Pace:
    """Keeps to a number of requests within some seconds.

    Attributes:
        most: How many.
        seconds: Within how long.
    """

    most: int
    seconds: float = 60.0
    _sent: list[float] = field(default_factory=list)

    def keep(self, clock: "Clock") -> None:
        """Waits until another request may be sent, and counts it."""
        self._sent = [at for at in self._sent if at > clock.now() - self.seconds]
        if len(self._sent) >= self.most:
            clock.sleep(max(0.0, self._sent[-self.most] + self.seconds - clock.now()))
        self._sent.append(clock.now())
