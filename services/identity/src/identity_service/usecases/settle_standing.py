"""Noticing that a creator's shows may, or may no longer, be on sale."""

from dataclasses import replace
from uuid import UUID

from identity_service.domain.standing import Standing, may_have_shows_on_sale
from identity_service.repositories.transaction import Transaction


def settle_standing(tx: Transaction, user_id: UUID) -> None:
    """Have the other services told if what they know of a person is no longer so.

    To be called by whatever changes a person's role or history, in the same transaction. The
    person stays locked until it ends: versions are in the order of the commits.
    """
    present = present_standing(tx, user_id)
    if present is not None and present.allowed is not tx.standings.of(user_id).allowed:
        announce(tx, present)


def present_standing(tx: Transaction, user_id: UUID) -> Standing | None:
    """Return what is so now, under the next version, and lock the person; None if it is gone."""
    role = tx.people.lock(user_id)
    if role is None:
        return None
    allowed = may_have_shows_on_sale(role, tx.standings.ruling(user_id))
    return Standing(user_id, allowed, tx.standings.of(user_id).version + 1)


def announce(tx: Transaction, standing: Standing, *, above: int = 0) -> None:
    """Have a standing of a person who is locked told to everybody, by a version above `above`."""
    told = replace(standing, version=max(standing.version, above + 1))
    tx.work.send_standing(tx.standings.put(told), version=told.version)
