"""How requests prove whose they are: a key, or a token that is fetched and expires.

The secrets are read from the environment by whoever makes one of these, and are repeated in no message. The requests
themselves, those for tokens included, are sent by `http.py`.
"""

import base64
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cx_intel.sources.errors import SourceError

if TYPE_CHECKING:
    from cx_intel.sources.vendors.http import ApiClient

UNSIGNED, FORBIDDEN = 401, 403
EARLIER_SECONDS = 60
"""A token is renewed so long before it expires."""
LIFETIME_SECONDS = 600
"""How long a token is taken to last where the vendor does not say."""
CLAIM_SECONDS = 180
"""How long a claim holds for which a token is given."""


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


@dataclass(kw_only=True)
class TokenSignIn(SignIn):
    """A token that is fetched when there is none, renewed in time, and fetched anew when it is refused.

    Attributes:
        path: Where tokens are given.
        variables: Those that hold the secrets, for messages.
        scope: What the token is to allow, where the vendor asks for it.
        is_form: A token is asked for as by a form, else by JSON.
    """

    path: str
    variables: tuple[str, ...]
    scope: str = ""
    is_form: bool = False
    _token: str = field(default="", repr=False)
    _until: float = 0.0

    @abstractmethod
    def asked(self, now: float) -> Mapping[str, str]:
        """What is sent for a token."""

    def headers(self, api: "ApiClient") -> Mapping[str, str]:
        if not self._token or api.clock.now() >= self._until - EARLIER_SECONDS:
            given = api.token(self.path, self.asked(api.clock.now()), is_form=self.is_form)
            self._token = str(given["access_token"])
            self._until = api.clock.now() + float(given.get("expires_in") or LIFETIME_SECONDS)
        return {"Authorization": f"Bearer {self._token}"}

    def renew(self) -> bool:
        had, self._token = bool(self._token), ""
        return had

    def secrets(self) -> tuple[str, ...]:
        return (self._token,)

    def advice(self, status: int) -> str:
        named = " and ".join(self.variables)
        scope = f", which needs the scope {self.scope}," if self.scope else ""
        if status == FORBIDDEN:
            return f"See to the client in {named}{scope} and to the rights of its user."
        return f"See to the client in {named}."


@dataclass(kw_only=True)
class ClientCredentials(TokenSignIn):
    """OAuth client credentials: a token for a client and its secret.

    Attributes:
        client_id: The client.
        client_secret: Its secret.
    """

    client_id: str
    client_secret: str = field(repr=False)

    def asked(self, now: float) -> Mapping[str, str]:
        scope = {"scope": self.scope} if self.scope else {}
        signs = {"client_id": self.client_id, "client_secret": self.client_secret}
        return {"grant_type": "client_credentials"} | scope | signs

    def secrets(self) -> tuple[str, ...]:
        return (self.client_secret, *super().secrets())


@dataclass(kw_only=True)
class JwtBearer(TokenSignIn):
    """OAuth JWT bearer: a token for a user, by a claim that is signed with a key of ours.

    Attributes:
        client_id: The client.
        username: The user that requests act as.
        audience: Whom the claim is for.
        private_key: Signs it, as PEM.
    """

    client_id: str
    username: str
    audience: str
    private_key: str = field(repr=False)

    def asked(self, now: float) -> Mapping[str, str]:
        claims = {"iss": self.client_id, "sub": self.username, "aud": self.audience, "exp": int(now) + CLAIM_SECONDS}
        unsigned = f"{_part({'alg': 'RS256', 'typ': 'JWT'})}.{_part(claims)}"
        assertion = f"{unsigned}.{_encoded(self._signature(unsigned.encode()))}"
        return {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": assertion}

    def secrets(self) -> tuple[str, ...]:
        return (self.private_key, *super().secrets())

    def _signature(self, content: bytes) -> bytes:
        from cryptography.hazmat.primitives.asymmetric import padding, rsa
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        try:
            key = load_pem_private_key(self.private_key.encode(), password=None)
        except (ValueError, TypeError):
            key = None
        if not isinstance(key, rsa.RSAPrivateKey):
            raise SourceError(f"{self.variables[-1]} holds no private key of RSA as PEM, without a password.")
        return key.sign(content, padding.PKCS1v15(), SHA256())


def _part(content: Mapping[str, object]) -> str:
    return _encoded(json.dumps(content, separators=(",", ":")).encode())


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
