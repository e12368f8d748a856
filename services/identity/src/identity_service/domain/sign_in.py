"""Signing in: who the provider says somebody is, and what a session is worth."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from identity_service.domain.approvals import ApprovalStatus
from identity_service.domain.errors import EmailNotVerified
from identity_service.domain.people import Role

ATTEMPT_LIFETIME = timedelta(minutes=15)
SEEN_AGAIN_AFTER = timedelta(minutes=1)  # how exactly the last use of a session is known


class Method(StrEnum):
    """How somebody proved who it is: the values of `amr` in tokens."""

    PROVIDER = "oidc"
    SCRIPT = "script"
    SECOND_FACTOR = "mfa"


@dataclass(frozen=True, slots=True)
class ProviderIdentity:
    """What the provider's verified ID token says; the person is its `subject`, never the e-mail."""

    subject: str
    email: str
    email_verified: bool
    name: str | None = None
    image: str | None = None

    def require_verified_email(self) -> None:
        """Check that the provider vouches for the e-mail.

        Raises:
            EmailNotVerified: it does not, or there is none.
        """
        if not self.email or not self.email_verified:
            raise EmailNotVerified


@dataclass(frozen=True, slots=True)
class SignInPolicy:
    """Whose subjects are known here, who is an admin, and how long sessions last."""

    provider: str
    admin_emails: frozenset[str]
    idle: timedelta
    absolute: timedelta

    def is_admin(self, email: str) -> bool:
        """Return whether this verified e-mail is listed as an admin's."""
        return email.lower() in self.admin_emails


@dataclass(frozen=True, slots=True)
class SignInAttempt:
    """A sign-in on its way over the provider and back to the browser that began it."""

    nonce: str
    code_verifier: str
    callback_url: str


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session as it was opened: the only moment at which its token is known."""

    token: str
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class OpenSession:
    """What a person sees of one of her own sessions."""

    id: UUID
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class LiveCredential:
    """A session or an API token that is not over, and its holder's standing at this moment."""

    id: UUID
    user_id: UUID
    email: str
    role: Role
    approval: ApprovalStatus | None
    signed_in_at: datetime
    expires_at: datetime
    seen_lately: bool
    methods: tuple[Method, ...]


def hashed(secret: str) -> bytes:
    """Return what is stored of a random secret: enough to recognise it, useless to a thief."""
    return hashlib.sha256(secret.encode()).digest()
