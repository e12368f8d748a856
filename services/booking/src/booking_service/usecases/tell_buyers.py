"""Telling buyers by mail what became of their bookings."""

from datetime import timedelta
from uuid import UUID

from booking_service.clients.people import PeopleClient
from booking_service.domain.notices import Notice, NoticeOutcome, in_india, rupees
from booking_service.repositories.notices import CLOCKS_WRONG
from booking_service.repositories.transaction import Begin
from service_kit.mail import MailDeferred, MailRefused, Post

SALES_AT_ONCE = 1_000
BATCH = 50  # mails, every 2 s: no more are sent
BATCHES_UNDER_WAY = 4
CLOCKS_DIFFER = timedelta(seconds=15)  # of web processes as a rule, and what a sale takes
PATIENCE = timedelta(hours=1)  # with an address that takes no mail for now


def gather_notices(begin: Begin) -> None:
    """Find the sales that nobody was told of yet, and have the next batch of notices sent."""
    with begin() as tx:
        tx.notices.write_of_sales(look_back=CLOCKS_DIFFER, limit=SALES_AT_ONCE)
    with begin() as tx:
        batch_id = tx.notices.next_batch(most=BATCH, under_way=BATCH * BATCHES_UNDER_WAY)
        if batch_id is not None:
            tx.work.send_notices(batch_id)


def find_missed_sales(begin: Begin) -> None:
    """Find the sales of web processes whose clocks are wrong, by hours as well."""
    with begin() as tx:
        tx.notices.write_of_sales(look_back=CLOCKS_WRONG, limit=SALES_AT_ONCE)


def send_notices(begin: Begin, people: PeopleClient, post: Post, *, batch_id: UUID) -> None:
    """Send what is unsent of a batch. Interrupted anywhere, it goes on where it was.

    A mail that was being sent then is sent again, under the same Message-ID.

    Raises:
        PeerUnavailable: identity or the mail server is away, or takes some of the mails later.
    """
    with begin() as tx:
        notices = tx.notices.unsent(batch_id)
    contacts = people.contacts({each.buyer_id for each in notices if not each.void})
    deferred: MailDeferred | None = None
    for notice in notices:
        contact = contacts.get(notice.buyer_id)
        try:
            _tell(begin, post, notice, email=contact.email if contact else None)
        except MailDeferred as error:
            deferred = error
    if deferred is not None:
        raise deferred


def _tell(begin: Begin, post: Post, notice: Notice, *, email: str | None) -> None:
    outcome = NoticeOutcome.VOID
    if email is not None and not notice.void and not _is_closed(begin, notice.buyer_id):
        outcome = _send(post, notice, email)
    with begin() as tx:
        tx.notices.settle(notice.id, outcome)


def _is_closed(begin: Begin, person_id: UUID) -> bool:
    with begin() as tx:
        return tx.deletions.is_closed(person_id)


def _send(post: Post, notice: Notice, email: str) -> NoticeOutcome:
    try:
        post.send(notice.kind.value.lower(), event=str(notice.id), to=email, **_facts(notice))
    except MailRefused:
        return NoticeOutcome.REFUSED
    except MailDeferred:
        if notice.age < PATIENCE:
            raise
        return NoticeOutcome.REFUSED
    return NoticeOutcome.SENT


def _facts(notice: Notice) -> dict[str, object]:
    return {
        "booking_id": notice.booking_id,
        "title": notice.title,
        "venue": f"{notice.venue}, {notice.city}",
        "starts_at": in_india(notice.starts_at),
        "quantity": notice.quantity,
        "tickets": rupees(notice.ticket_total_paise),
        "fee": rupees(notice.convenience_fee_paise),
        "total": rupees(notice.total_paise),
        "free": notice.total_paise == 0,
        "paid": notice.paid,
        "refund": rupees(notice.refund_paise) if notice.refund_paise else None,
        "active": notice.active,
    }
