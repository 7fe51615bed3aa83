"""How requests prove whose they are: a key, or a token that is fetched and expires.

The secrets are read from the environment by whoever makes one of these, and are repeated in no message. The requests
themselves, those for tokens included, are sent by `http.py`.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cx_intel.sources.vendors.http import ApiClient

UNSIGNED, FORBIDDEN = 401, 403
EARLIER_SECONDS = 60
"""A token is renewed so long before it expires."""
LIFETIME_SECONDS = 600
"""How long a token is taken to last where the vendor does not say."""


class SignIn(ABC):
    """A way to sign in."""

    @abstractmethod
    def headers(self, api: "ApiClient") -> Mapping[str, str]:
        """What is sent with a request."""

    @abstractmethod
    def renew(self) -> bool:
        """Forgets a token that was refused; whether another could help."""

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
    rights: str

    def headers(self, api: "ApiClient") -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def renew(self) -> bool:
        return False

    def secrets(self) -> tuple[str, ...]:
        return (self.token,)

    def advice(self, status: int) -> str:
        if status == UNSIGNED:
            return f"See to the key in {self.variable}."
        return f"See to the key in {self.variable}, which needs {self.rights}." if status == FORBIDDEN else ""


@dataclass
class ClientCredentials(SignIn):
    """OAuth client credentials: a token for a client and its secret, fetched when there is none and renewed in time.

    Attributes:
        path: Where tokens are given.
        client_id: The client.
        client_secret: Its secret.
        variables: Those that hold both, for messages.
        scope: What the token is to allow.
    """

    path: str
    client_id: str
    client_secret: str = field(repr=False)
    variables: tuple[str, str]
    scope: str
    _token: str = field(default="", repr=False)
    _until: float = 0.0

    def headers(self, api: "ApiClient") -> Mapping[str, str]:
        if not self._token or api.clock.now() >= self._until - EARLIER_SECONDS:
            asked = {"grant_type": "client_credentials", "client_id": self.client_id, "scope": self.scope}
            given = api.token(self.path, asked | {"client_secret": self.client_secret})
            self._token = str(given["access_token"])
            self._until = api.clock.now() + float(given.get("expires_in") or LIFETIME_SECONDS)
        return {"Authorization": f"Bearer {self._token}"}

    def renew(self) -> bool:
        had, self._token = bool(self._token), ""
        return had

    def secrets(self) -> tuple[str, ...]:
        return (self.client_secret, self._token)

    def advice(self, status: int) -> str:
        named = " and ".join(self.variables)
        if status == FORBIDDEN:
            return f"See to the client in {named}, which needs the scope {self.scope}, and to the rights of its user."
        return f"See to the client in {named}."
