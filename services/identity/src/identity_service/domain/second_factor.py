"""An admin's second factor: how long it lasts, and how slow guessing it is."""

from datetime import timedelta

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


def attempt_keys(account: str, address: str) -> tuple[str, str]:
    """Return under what an attempt is counted, in the order in which the rows are locked."""
    return account_key(account), f"address:{address}"


def account_key(account: str) -> str:
    """Return under what attempts to give an account's password are counted."""
    return f"account:{account}"
