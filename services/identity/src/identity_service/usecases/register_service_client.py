"""Letting a service fetch tokens."""

from identity_service.domain.service_clients import Grants
from identity_service.domain.sign_in import hashed
from identity_service.repositories.transaction import Begin


def register_service_client(begin: Begin, *, client_id: str, secret: str, grants: Grants) -> None:
    """Make the client known with this secret and exactly these grants.

    A new secret is valid beside the one before, so that services can be restarted one by one.
    Repeating it changes nothing.
    """
    with begin() as tx:
        tx.service_clients.put(client_id, grants)
        tx.service_clients.admit_secret(client_id, hashed(secret))
