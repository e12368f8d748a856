"""Telling creators by mail what was decided on them."""

from datetime import timedelta
from uuid import UUID

from identity_service.domain.approvals import ApprovalStatus
from identity_service.domain.people import Role
from identity_service.repositories.transaction import Begin
from service_kit.mail import MailDeferred, MailRefused, Post

KINDS = {
    ApprovalStatus.APPROVED: "creator_approved",
    ApprovalStatus.REJECTED: "creator_rejected",
    ApprovalStatus.REVOKED: "creator_revoked",
}
CREATORS = {Role.ORGANIZER: "an organizer", Role.COMEDIAN: "a comedian"}
PATIENCE = timedelta(hours=1)  # with an address that takes no mail for now


def tell_creator(begin: Begin, post: Post, *, approval_id: UUID) -> None:
    """Tell a creator of a decision, unless there is no such creator any more.

    Repeated, it sends the same mail again, under the same Message-ID.

    Raises:
        PeerUnavailable: the mail server does not take it now.
    """
    with begin() as tx:
        decision = tx.applications.decision(approval_id)
    if decision is None or decision.role not in CREATORS:
        return
    try:
        post.send(
            KINDS[decision.status],
            event=str(approval_id),
            to=decision.email,
            creator=CREATORS[decision.role],
            reason=decision.reason,
        )
    except MailRefused:
        return  # there is no other way to reach a creator
    except MailDeferred:
        if decision.age < PATIENCE:
            raise
