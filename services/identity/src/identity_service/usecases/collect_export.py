"""Collecting what is stored about a person, in all services."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from identity_service.clients.export import ExportClient
from identity_service.domain.errors import SignedOut
from identity_service.repositories.transaction import Begin


def collect_export(
    read: Begin, holders: Mapping[str, ExportClient], *, user_id: UUID
) -> dict[str, Any]:
    """Return what each service stores about the person, this one included; all of it or nothing.

    Raises:
        SignedOut: the person is gone.
        PeerUnavailable: a service did not tell.
    """
    with read() as tx:
        own = tx.personal_data.of(user_id)
    if own is None:
        raise SignedOut
    return {"identity": own, **{name: holder.of(user_id) for name, holder in holders.items()}}
