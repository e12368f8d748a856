"""Voiding every code that was ever handed out."""

from cryptography.fernet import MultiFernet

from booking_service.repositories.ticket_keyring import generate_ticket_key
from booking_service.repositories.ticket_keys import StoredTicketKey
from booking_service.repositories.transaction import Begin


def withdraw_ticket_keys(begin: Begin, cipher: MultiFernet) -> tuple[StoredTicketKey, int]:
    """Replace all keys by a new one, and return it with the number of those before.

    For a key that somebody else may have. All tickets have new codes; whoever printed one has to
    open it again. Running processes follow within half a minute.
    """
    with begin() as tx:
        tx.ticket_keys.lock()
        withdrawn = tx.ticket_keys.withdraw()
        return tx.ticket_keys.add(*generate_ticket_key(cipher)), withdrawn
