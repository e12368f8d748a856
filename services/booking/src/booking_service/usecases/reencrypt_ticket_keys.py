"""Replacing the key that the stored ticket keys are encrypted with."""

from cryptography.fernet import MultiFernet

from booking_service.repositories.transaction import Begin


def reencrypt_ticket_keys(begin: Begin, cipher: MultiFernet) -> int:
    """Encrypt the stored keys with the cipher's first key, and return how many they are.

    All or none; repeating is harmless. What they sign stays the same. Withdrawn keys sign nothing
    any more and are left as they are.

    Raises:
        cryptography.fernet.InvalidToken: none of the cipher's keys opens one of them.
    """
    with begin() as tx:
        tx.ticket_keys.lock()
        stored = tx.ticket_keys.valid()
        for key in stored:
            tx.ticket_keys.replace_encrypted(key.kid, cipher.rotate(key.encrypted_private_key))
    return len(stored)
