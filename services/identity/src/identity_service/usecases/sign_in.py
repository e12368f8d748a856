"""Signing somebody in whom the provider vouches for."""

import secrets

from uuid_utils.compat import uuid7

from identity_service.domain.errors import AccountClosed
from identity_service.domain.sign_in import NewSession, ProviderIdentity, SignInPolicy, hashed
from identity_service.repositories.transaction import Begin
from identity_service.usecases.recognise_person import recognise_person

TOKEN_BYTES = 32


def sign_in(
    begin: Begin, policy: SignInPolicy, *, identity: ProviderIdentity, replaced_token: str | None
) -> NewSession:
    """Open a session for the person, with an id and a token of its own.

    `replaced_token` is that of the session the browser had before; it ends.

    Raises:
        EmailNotVerified: the provider does not vouch for the e-mail.
        AccountClosed: the account is being deleted.
    """
    user_id = recognise_person(begin, policy, identity=identity)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    with begin() as tx:
        if replaced_token:
            tx.sessions.end(hashed(replaced_token))
        if tx.people.lock(user_id) is None:
            raise AccountClosed  # between the two transactions
        ends_at = tx.sessions.open(
            uuid7(), user_id, hashed(token), idle=policy.idle, absolute=policy.absolute
        )
    return NewSession(token, ends_at)
