"""An admin's second factor: how long it lasts, and how slow guessing it is."""

import hashlib
from datetime import timedelta
from typing import NamedTuple

LASTS = timedelta(hours=2)
FREE_ATTEMPTS = 5
FIRST_DELAY = timedelta(seconds=30)
LONGEST_DELAY = timedelta(hours=1)
FORGOTTEN_AFTER = timedelta(days=1)  # without another attempt


def delay_after(failures: int) -> timedelta:
    """Return how long nobody may try after so many wrong passwords in a row."""
    if failures < FREE_ATTEMPTS:
        return timedelta(0)
    doublings = min(failures - FREE_ATTEMPTS, 16)
    return min(FIRST_DELAY * (1 << doublings), LONGEST_DELAY)


class AttemptKeys(NamedTuple):
    """Under what an attempt is counted, in the order in which the rows are locked."""

    account: str
    address: str
    account_at_address: str

    @property
    def accounts_at_address(self) -> str:
        """What the keys of all accounts at this address begin with."""
        return _at_address(self.address, "")


def attempt_keys(account: str, address: str) -> AttemptKeys:
    """Return under what an attempt is counted.

    The third key does not say whose account it is: it needs no removal with the person.
    """
    at = f"address:{address}"
    whose = hashlib.sha256(f"{account} {address}".encode()).hexdigest()
    return AttemptKeys(account_key(account), at, _at_address(at, whose))


def account_key(account: str) -> str:
    """Return under what attempts to give an account's password are counted."""
    return f"account:{account}"


def _at_address(address_key: str, whose: str) -> str:
    return f"{address_key} {whose}"
