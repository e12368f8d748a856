"""Which service may ask which other service for what."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass

VALID_SECRETS = 2  # the current one and, while it is being replaced, the one before

Grants = Mapping[str, frozenset[str]]

GRANTS: Mapping[str, Grants] = {
    "identity": {
        "booking": frozenset(
            {"booking:people:export", "booking:purge-user", "booking:standing:write"}
        ),
        "catalog": frozenset(
            {"catalog:people:export", "catalog:purge-user", "catalog:standing:write"}
        ),
        "config": frozenset({"config:people:export", "config:purge-user"}),
    },
    "catalog": {
        "booking": frozenset(
            {
                "booking:availability:read",
                "booking:disbursements:write",
                "booking:offers:write",
                "booking:sales:read",
            }
        ),
        "identity": frozenset({"identity:contacts:read", "identity:people:read"}),
    },
    "booking": {
        "config": frozenset({"config:fees:read"}),
        "identity": frozenset(
            {
                "identity:contacts:read",
                "identity:creators:read",
                "identity:figures:read",
                "identity:people:read",
            }
        ),
    },
    "config": {},
}


@dataclass(frozen=True, slots=True)
class ServiceClient:
    """A service that can prove who it is, and the scopes it may have at each audience."""

    id: str
    secret_hashes: tuple[bytes, ...]
    grants: Grants

    def knows(self, secret_hash: bytes) -> bool:
        """Return whether this is the hash of one of the client's secrets."""
        matches = [hmac.compare_digest(known, secret_hash) for known in self.secret_hashes]
        return any(matches)

    def may(self, audience: str, scopes: frozenset[str]) -> bool:
        """Return whether the client may have a token for this audience with all these scopes."""
        return bool(scopes) and scopes <= self.grants.get(audience, frozenset())
