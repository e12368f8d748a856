"""Telling people by mail that their accounts are deleted, while it is still known who they are."""

import time
from uuid import UUID

import structlog

from identity_service.repositories.transaction import Begin
from service_kit.mail import MailRefused, Post
from service_kit.peers import PeerUnavailable

log = structlog.get_logger(__name__)

ATTEMPTS = 3
PAUSE_SECONDS = 1.0


def tell_deleted(begin: Begin, post: Post, *, saga_id: UUID) -> None:
    """Send the last mail, just before the address goes. If that fails, the deletion goes on.

    Who did not ask for it, as when a backup brought somebody back, was told before.
    """
    with begin() as tx:
        email = tx.deletions.email_of_asker(saga_id)
    if email is None:
        return
    for attempt in range(1, ATTEMPTS + 1):
        try:
            post.send("account_deleted", event=str(saga_id), to=email)
        except MailRefused:
            return
        except PeerUnavailable as away:
            if attempt == ATTEMPTS:
                log.warning("a person is not told of a deletion", reason=str(away))
                return
            time.sleep(PAUSE_SECONDS)
        else:
            return
