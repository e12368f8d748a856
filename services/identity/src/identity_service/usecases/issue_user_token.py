"""Turning a credential into the short-lived token that services trust."""

import threading
import time
from typing import NamedTuple
from uuid import UUID

from identity_service.domain.deletions import OWN
from identity_service.domain.people import is_approved
from identity_service.domain.sign_in import LiveCredential
from identity_service.repositories.keyring import Keyring
from service_kit.tokens import SUSPENDED_TYPE, USER_AUDIENCE, USER_TYPE

LIFETIME_SECONDS = 45
REUSED_SECONDS = 15  # a token handed out has at least two thirds of its life before it
CACHE_ENTRIES = 10_000


class _Subject(NamedTuple):
    """What makes a token another one."""

    credential_id: str
    user_id: str
    role: str
    approved: bool
    signed_in_at: int
    methods: tuple[str, ...]


class UserTokens:
    """Issues user tokens; for a few seconds a credential gets the same one. Thread-safe."""

    def __init__(self, keyring: Keyring, *, issuer: str) -> None:
        self._keyring = keyring
        self._issuer = issuer
        self._lock = threading.Lock()
        self._issued: dict[_Subject, tuple[str, float]] = {}

    def issue(self, credential: LiveCredential) -> str:
        """Return a token with its holder's present role and approval."""
        subject = _Subject(
            credential_id=str(credential.id),
            user_id=str(credential.user_id),
            role=credential.role.value,
            approved=is_approved(credential.role, credential.approval),
            signed_in_at=int(credential.signed_in_at.timestamp()),
            methods=tuple(credential.methods),
        )
        token, issued_at = self._issued.get(subject, ("", float("-inf")))
        if time.monotonic() - issued_at < REUSED_SECONDS:
            return token
        token = self._sign(subject)
        with self._lock:
            if len(self._issued) >= CACHE_ENTRIES:
                self._issued.clear()
            self._issued[subject] = (token, time.monotonic())
        return token

    def issue_suspended(self, user_id: UUID) -> str:
        """Return a token of a person whose account is closed: for this service, and no role."""
        now = int(time.time())
        return self._keyring.sign(
            SUSPENDED_TYPE,
            {
                "iss": self._issuer,
                "aud": OWN,
                "sub": str(user_id),
                "iat": now,
                "exp": now + LIFETIME_SECONDS,
            },
        )

    def _sign(self, subject: _Subject) -> str:
        now = int(time.time())
        return self._keyring.sign(
            USER_TYPE,
            {
                "iss": self._issuer,
                "aud": USER_AUDIENCE,
                "sub": subject.user_id,
                "role": subject.role,
                "approved": subject.approved,
                "sid": subject.credential_id,
                "auth_time": subject.signed_in_at,
                "amr": list(subject.methods),
                "iat": now,
                "exp": now + LIFETIME_SECONDS,
            },
        )
