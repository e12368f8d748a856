"""Making an API token."""

import secrets
from datetime import timedelta
from uuid import UUID

from uuid_utils.compat import uuid7

from identity_service.domain.api_tokens import MAX_PER_PERSON, PREFIX, RANDOM_BYTES, ApiToken
from identity_service.domain.errors import SignedOut, TooManyApiTokens
from identity_service.domain.sign_in import hashed
from identity_service.repositories.transaction import Begin


def create_api_token(
    begin: Begin, *, user_id: UUID, name: str, lifetime: timedelta
) -> tuple[ApiToken, str]:
    """Make a token and return it with its secret, which nobody can show a second time.

    Raises:
        SignedOut: the person is gone.
        TooManyApiTokens: the person has as many as one may have.
    """
    secret = PREFIX + secrets.token_urlsafe(RANDOM_BYTES)
    with begin() as tx:
        if tx.people.lock(user_id) is None:
            raise SignedOut
        if tx.api_tokens.live_count(user_id) >= MAX_PER_PERSON:
            raise TooManyApiTokens
        token = tx.api_tokens.add(uuid7(), user_id, hashed(secret), name=name, lifetime=lifetime)
    return token, secret
