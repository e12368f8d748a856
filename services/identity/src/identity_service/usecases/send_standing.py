"""Telling a service whether a creator's shows may be on sale."""

from uuid import UUID

from identity_service.clients.standing import StandingClient
from identity_service.repositories.transaction import Begin
from identity_service.usecases.settle_standing import announce, present_standing


def send_standing(begin: Begin, receiver: StandingClient, *, standing_id: UUID) -> None:
    """Tell the receiver what is so now; repeating is harmless.

    A receiver that goes by a version that was never told, as it does after this service has gone
    back to a backup, is told again under a version above that one.

    Raises:
        PeerUnavailable: the receiver did not answer.
    """
    with begin() as tx:
        sent = tx.standings.find(standing_id)
    if sent is None:
        return  # the person is gone
    held = receiver.put(sent)
    if held is None:
        return
    with begin() as tx:
        present = present_standing(tx, sent.creator_id)
        known = tx.standings.of(sent.creator_id).version
        if present is not None and (held > known or held == sent.version):
            announce(tx, present, above=held)
