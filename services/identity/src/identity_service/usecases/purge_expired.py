"""Removing what has expired."""

from identity_service.repositories.transaction import Begin


def purge_expired(begin: Begin) -> tuple[int, int]:
    """Remove expired sessions and abandoned sign-ins and return how many there were of each."""
    with begin() as tx:
        return tx.sessions.purge(), tx.sign_in_attempts.purge()
