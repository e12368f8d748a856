"""Sending money back through the provider, until it is back or somebody has to look at it."""

from collections.abc import Iterator
from uuid import UUID

import structlog

from booking_service.clients.payments import ProviderRefused
from booking_service.domain.payments import ProviderRefund, ProviderRefundStatus
from booking_service.domain.refunds import RefundStatus, attempt_named
from booking_service.repositories.refunds import OwedRefund
from booking_service.usecases.desk import Desk
from booking_service.usecases.one_by_one import one_by_one

log = structlog.get_logger(__name__)

MOST_ATTEMPTS = 20
OPEN_AT_ONCE = 100
PAGES = 20  # in one run

_STATUS = {
    ProviderRefundStatus.PENDING: RefundStatus.SENT,
    ProviderRefundStatus.PROCESSED: RefundStatus.DONE,
    ProviderRefundStatus.FAILED: RefundStatus.FAILED,
}


def send_refund(desk: Desk, *, refund_id: UUID) -> None:
    """Have the provider send a refund, once for each attempt however often this is called.

    Raises:
        PeerUnavailable: the provider cannot be asked at the moment.
    """
    with desk.begin() as tx:
        refund = tx.refunds.owed(refund_id)
    if refund is None or refund.status is not RefundStatus.DUE:
        return
    if refund.payment_id is None:
        _failed(desk, refund, "nothing was captured for this booking")
        return
    try:
        made = desk.provider.refund(
            refund.payment_id, amount_paise=refund.amount_paise, reference=refund.reference
        )
    except ProviderRefused as refusal:
        _failed(desk, refund, str(refusal))
        return
    _store(desk, made)


def settle_refunds(desk: Desk, *, payment_id: str) -> None:
    """Store how far the refunds of a payment are, as the provider reports them now.

    Raises:
        PeerUnavailable: the provider cannot be asked at the moment.
        ProviderRefused: it knows no such payment.
    """
    for refund in desk.provider.refunds_of(payment_id):
        _store(desk, refund)


def settle_open_refunds(desk: Desk) -> int:
    """Look after refunds of which nothing was heard for so long; return how many.

    What failed is tried again, a limited number of times.

    Raises:
        PeerUnavailable: the provider could not be asked about one or more of them.
    """
    failed = page = _try_again(desk)
    while page == OPEN_AT_ONCE and failed < PAGES * OPEN_AT_ONCE:
        page = _try_again(desk)
        failed += page
    return failed + one_by_one(_sent(desk), lambda refund: _ask_about(desk, refund))


def _try_again(desk: Desk) -> int:
    with desk.begin() as tx:
        failed = tx.refunds.open_for(
            desk.patience,
            status=RefundStatus.FAILED,
            below_attempt=MOST_ATTEMPTS,
            limit=OPEN_AT_ONCE,
        )
        for refund in failed:
            tx.refunds.try_again(refund)
    return len(failed)


def _sent(desk: Desk) -> Iterator[OwedRefund]:
    for _ in range(PAGES):
        with desk.begin() as tx:
            sent = tx.refunds.open_for(desk.patience, status=RefundStatus.SENT, limit=OPEN_AT_ONCE)
        yield from sent
        if len(sent) < OPEN_AT_ONCE:
            return


def _ask_about(desk: Desk, refund: OwedRefund) -> None:
    try:
        if refund.payment_id is not None:
            settle_refunds(desk, payment_id=refund.payment_id)
    except ProviderRefused as refusal:
        log.warning("provider denies a payment", payment=refund.payment_id, reason=str(refusal))
    finally:
        with desk.begin() as tx:
            tx.refunds.put_off(refund)


def _store(desk: Desk, made: ProviderRefund) -> None:
    named = attempt_named(made.reference)
    if named is None:
        log.error("a refund that is not ours", refund=made.id, payment=made.payment_id)
        return
    refund_id, attempt = named
    status = _STATUS[made.status]
    with desk.begin() as tx:
        news = tx.refunds.reported(
            refund_id,
            attempt=attempt,
            status=status,
            provider_refund_id=made.id,
            failure="failed at the bank" if status is RefundStatus.FAILED else None,
        )
        if news and status is RefundStatus.DONE:
            tx.notices.write_of_refund(refund_id)
    if news and status is RefundStatus.FAILED:
        log.error("refund failed at the bank", refund=str(refund_id), attempt=attempt)


def _failed(desk: Desk, refund: OwedRefund, reason: str) -> None:
    with desk.begin() as tx:
        tx.refunds.reported(
            refund.id,
            attempt=refund.attempt,
            status=RefundStatus.FAILED,
            provider_refund_id=None,
            failure=reason,
        )
    log.error("refund refused", refund=str(refund.id), attempt=refund.attempt, reason=reason)
