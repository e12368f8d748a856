"""Replacing the key that the stored signing keys are encrypted with."""

from cryptography.fernet import MultiFernet

from identity_service.repositories.transaction import Begin


def reencrypt_keys(begin: Begin, cipher: MultiFernet) -> int:
    """Encrypt every stored key with the cipher's first key, and return how many they are.

    All or none; repeating is harmless. What they sign stays the same.

    Raises:
        cryptography.fernet.InvalidToken: none of the cipher's keys opens one of them.
    """
    with begin() as tx:
        tx.signing_keys.lock()
        stored = tx.signing_keys.encrypted()
        for kid, encrypted in stored.items():
            tx.signing_keys.replace_encrypted(kid, cipher.rotate(encrypted))
    return len(stored)
