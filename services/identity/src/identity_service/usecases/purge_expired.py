"""Removing what has expired."""

from identity_service.repositories.transaction import Begin


def purge_expired(begin: Begin) -> dict[str, int]:
    """Remove what has expired and return how many there were of each kind."""
    with begin() as tx:
        return {
            "sessions": tx.sessions.purge(),
            "attempts": tx.sign_in_attempts.purge(),
            "signing_keys": tx.signing_keys.purge(),
            "counted_attempts": tx.admin_passwords.purge(),
            "api_credentials": tx.api_tokens.purge(),
        }
