"""Having tickets signed with a new key."""

from datetime import timedelta

from cryptography.fernet import MultiFernet

from booking_service.repositories.ticket_keyring import generate_ticket_key
from booking_service.repositories.ticket_keys import StoredTicketKey
from booking_service.repositories.transaction import Begin

# Until then doors that fetch the keys once a day know it, those without a network included.
PUBLISHED_AHEAD = timedelta(hours=24)


def rotate_ticket_keys(begin: Begin, cipher: MultiFernet) -> StoredTicketKey:
    """Publish a new key and return it: it signs the tickets of bookings made a day later.

    Tickets of earlier bookings stay as they are.
    """
    with begin() as tx:
        tx.ticket_keys.lock()
        ahead = PUBLISHED_AHEAD if tx.ticket_keys.valid() else timedelta(0)
        return tx.ticket_keys.add(*generate_ticket_key(cipher), active_in=ahead)
