"""Ids of demonstration data: the same in every service, run after run."""

from uuid import UUID, uuid5

_NAMESPACE = UUID("018f0000-0000-7000-8000-636f6d656479")


def seed_id(name: str) -> UUID:
    """Return the id of a named piece of demonstration data, such as `user:someone@example.org`."""
    return uuid5(_NAMESPACE, name)
