"""Paying a show's creator out."""

from uuid import UUID

from booking_service.domain.bookings import IdempotencyKey
from booking_service.domain.errors import (
    AlreadyDisbursed,
    PayoutOnHold,
    ShowNotEnded,
    ShowNotFound,
)
from booking_service.domain.settlement import Disbursement
from booking_service.repositories.facts import disbursement_from_facts, disbursement_to_facts
from booking_service.repositories.transaction import Begin, Transaction

OPERATION = "POST /api/v1/admin/collections"


def disburse(
    begin: Begin, *, show_id: UUID, actor_id: UUID, key: IdempotencyKey | None = None
) -> Disbursement:
    """Write down that a creator is paid what the show's ledger says; once for each show.

    With a key that took effect before, returns what was paid then.

    Raises:
        ShowNotFound: there is no such show.
        AlreadyDisbursed: somebody was quicker.
        ShowNotEnded: by the database's clock, or its money still moves.
        PayoutOnHold: the creator is not allowed to sell.
        AccountClosed: the actor's account is being deleted.
        KeyReused: the key belongs to a different request.
        RequestInFlight: the first request with this key has not ended yet.
    """
    with begin() as tx:
        if key is not None:
            known = tx.idempotency_keys.claim(actor_id, OPERATION, key)
            if known is not None:
                return disbursement_from_facts(known)
        tx.deletions.require_open(actor_id)
        paid = _pay_out(tx, show_id, actor_id)
        if key is not None:
            facts = disbursement_to_facts(show_id, paid)
            tx.idempotency_keys.keep(actor_id, OPERATION, key, facts)
        return paid


def _pay_out(tx: Transaction, show_id: UUID, actor_id: UUID) -> Disbursement:
    tx.reservations.release_expired(show_id)
    show = tx.inventory.lock(show_id)
    if show is None:
        raise ShowNotFound("This show does not exist.")
    if tx.ledger.is_disbursed(show_id):
        raise AlreadyDisbursed("This show is paid out already.")
    if not tx.inventory.has_ended(show_id):
        raise ShowNotEnded("This show has not ended yet.")
    if show.locked or _is_being_cancelled(tx, show_id):
        raise ShowNotEnded("Bookings of this show are still being paid or cancelled.")
    if not show.creator_allowed:
        raise PayoutOnHold("Its creator may not sell: the payout is on hold.")
    amount = tx.ledger.balance(show_id)
    return tx.ledger.disburse(show_id, amount_paise=amount, actor_id=actor_id)


def _is_being_cancelled(tx: Transaction, show_id: UUID) -> bool:
    cancellation = tx.cancellations.of_show(show_id)
    return cancellation is not None and cancellation.completed_at is None
