"""How requests prove whose they are: a key, or a token that is fetched and expires.

The secrets are read from the environment by whoever makes one of these, and are repeated in no message. The requests
themselves are sent by `http.py`.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

    from cx_intel.sources.vendors.http import Clock

NOT_ALLOWED = (401, 403)


class SignIn(ABC):
    """A way to sign in."""

    @abstractmethod
    def headers(self, client: "httpx.Client", clock: "Clock") -> Mapping[str, str]:
        """What is sent with a request."""

    @abstractmethod
    def renew(self, client: "httpx.Client", clock: "Clock") -> bool:
        """Signs in anew after an answer of 401; whether that could help."""

    @abstractmethod
    def secrets(self) -> tuple[str, ...]:
        """What no message may repeat."""

    @abstractmethod
    def advice(self, status: int) -> str:
        """What to do about a refusal."""


@dataclass(frozen=True)
class Bearer(SignIn):
    """A key that is sent as it is.

    Attributes:
        token: The key.
        variable: The variable that holds it, for messages.
        rights: What it has to be allowed to do, for messages.
    """

    token: str = field(repr=False)
    variable: str
    rights: str = ""

    def headers(self, client: Any, clock: Any) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def renew(self, client: Any, clock: Any) -> bool:
        return False

    def secrets(self) -> tuple[str, ...]:
        return (self.token,)

    def advice(self, status: int) -> str:
        if status not in NOT_ALLOWED:
            return ""
        needed = f", which needs {self.rights}" if self.rights and status != 401 else ""
        return f"See to the key in {self.variable}{needed}."
