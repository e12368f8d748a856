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
PATIENCE_SECONDS = 15.0  # with a mail server that is slow: a deletion is over within a minute


def tell_deleted(begin: Begin, post: Post, *, saga_id: UUID) -> None:
    """Send the last mail, just before the address goes. If that fails, the deletion goes on.

    Who did not ask for it, as when a backup brought somebody back, was told before.
    """
    with begin() as tx:
        email = tx.deletions.email_of_asker(saga_id)
    if email is not None and not _sent(post, saga_id, email):
        log.warning("nobody is told of a deletion", deletion=str(saga_id))


def _sent(post: Post, saga_id: UUID, email: str) -> bool:
    ends_at = time.monotonic() + PATIENCE_SECONDS
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(PAUSE_SECONDS)
        try:
            post.send("account_deleted", event=str(saga_id), to=email)
        except MailRefused:
            return False
        except PeerUnavailable:
            pass  # noted by `post`
        else:
            return True
        if time.monotonic() > ends_at:
            break
    return False
