"""Having the creator of a show paid out."""

from uuid import UUID

from catalog_service.clients.booking import BOOKING, DisbursementClient, SalesClient
from catalog_service.domain.actors import Actor
from catalog_service.domain.errors import AdminsOnly, ChangeRefused
from catalog_service.repositories.transaction import Begin
from service_kit.peers import PeerUnavailable


def set_disbursed(
    read: Begin,
    disbursements: DisbursementClient,
    sales: SalesClient,
    *,
    actor: Actor,
    show_id: UUID,
    disbursed: bool,
) -> None:
    """Have booking pay a show's creator out; what is paid out stays so.

    Raises:
        AdminsOnly: the actor is no admin.
        ShowNotFound: there is no such show.
        ChangeRefused: with booking's code: it has not ended, is paid out already, is on hold.
        PeerUnavailable: booking did not answer.
    """
    if not actor.is_admin:
        raise AdminsOnly
    with read() as tx:
        tx.shows.editable_by(actor, show_id)
    if disbursed:
        refusal = disbursements.disburse(show_id, actor_id=actor.id)
        if refusal is not None:
            raise ChangeRefused(refusal.code, refusal.text)
        return
    known = sales.of_shows([show_id])
    if show_id not in known:
        raise PeerUnavailable.of(BOOKING, "is not there to say what was paid out")
    sold = known[show_id]
    if sold is not None and sold.disbursed:
        raise ChangeRefused("ALREADY_DISBURSED", "The creator of this show has been paid out.")
